import { describe, expect, it } from 'vitest';
import { sendingQueueSchema } from './queue-config.ts';
import { SendingQueue } from './sending-queue.ts';

const item = (spans: number) => ({ spans, bytes: spans * 10 });
type Item = ReturnType<typeof item>;
const merge = (items: readonly Item[]) => [item(items.reduce((sum, { spans }) => sum + spans, 0))];
const config = (settings: object = {}) => sendingQueueSchema.parse(settings);

/** A queue whose sends end when told. */
function heldQueue(settings: object) {
  const sent: Item[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const queue = new SendingQueue<Item>(
    config(settings),
    (next) => {
      sent.push(next);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      return gate.promise;
    },
    merge,
  );
  return { queue, sent, gates };
}

describe('a sending queue', () => {
  it.each([
    [{ num_consumers: 0 }, '`num_consumers` must be positive'],
    [{ queue_size: 0 }, '`queue_size` must be positive'],
    [{ batch: { min_size: 10, max_size: 5 } }, '`batch`: `max_size` must be greater or equal to `min_size`'],
  ])('refuses the settings %j', (settings, message) => {
    expect(sendingQueueSchema.safeParse(settings).error?.issues[0]?.message).toBe(message);
  });

  it('refuses what does not fit, counted in its own unit', async () => {
    const { queue } = heldQueue({ queue_size: 15, sizer: 'items', num_consumers: 1 });
    expect(await queue.offer(item(10))).toBe(true);
    expect(await queue.offer(item(10))).toBe(false);
    expect(queue.size).toBe(10);
  });

  it('waits for space when told to', async () => {
    const { queue, gates } = heldQueue({ queue_size: 1, num_consumers: 1, block_on_overflow: true });
    await queue.offer(item(1));
    let done = false;
    const second = queue.offer(item(1)).then((taken) => (done = taken));
    await Promise.resolve();
    expect(done).toBe(false);
    gates[0]!.resolve();
    expect(await second).toBe(true);
  });

  it('sends no more at once than it has consumers', async () => {
    const { queue, sent, gates } = heldQueue({ num_consumers: 2 });
    for (let i = 0; i < 5; i++) await queue.offer(item(i));
    expect(sent).toHaveLength(2);
    gates[0]!.resolve();
    await expect.poll(() => sent.length).toBe(3);
  });

  it('tells the sender how it ended when told to wait for the result', async () => {
    const { queue, gates } = heldQueue({ wait_for_result: true });
    const offered = queue.offer(item(1));
    await expect.poll(() => gates.length).toBe(1);
    gates[0]!.reject(new Error('gone'));
    await expect(offered).rejects.toThrow('gone');
  });

  it('merges waiting items by size and by time', async () => {
    const { queue, sent } = heldQueue({ batch: { min_size: 10, flush_timeout: '5ms' } });
    await queue.offer(item(4));
    await queue.offer(item(6));
    expect(sent).toEqual([item(10)]);
    await queue.offer(item(3));
    await expect.poll(() => sent.length).toBe(2);
    expect(sent[1]).toEqual(item(3));
  });

  it('drains what waits, and gives up at the deadline', async () => {
    const { queue, gates, sent } = heldQueue({ num_consumers: 1, batch: { min_size: 1000, flush_timeout: '1h' } });
    await queue.offer(item(1));
    const drained = queue.drain(new AbortController().signal);
    await expect.poll(() => sent.length).toBe(1);
    gates[0]!.resolve();
    await drained;
    const { queue: stuck } = heldQueue({});
    await stuck.offer(item(1));
    await stuck.drain(AbortSignal.timeout(10));
    expect(stuck.inFlight).toBe(1);
  });
});
