import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdmissionQueue } from './admission.ts';

const limits = { maxRunning: 2, maxWaiting: 2, maxWaitMs: 1_000, timeoutMs: 1_000 };

describe('the admission queue', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('refuses at once when all run and wait that may', async () => {
    const queue = new AdmissionQueue('scan', limits);
    await queue.enter();
    await queue.enter();
    void queue.enter();
    void queue.enter();
    await expect(queue.enter()).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringMatching(/2 scan statements run and 2 wait.*clew_storage\.queries\.max_waiting/),
    });
    expect(queue.snapshot()).toMatchObject({ running: 2, waiting: 2, refused: 1 });
  });

  it('refuses who waited too long, naming the setting', async () => {
    const queue = new AdmissionQueue('point', { ...limits, maxRunning: 1 });
    await queue.enter();
    const outcome = expect(queue.enter()).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringMatching(/1000 ms.*clew_storage\.queries\.max_wait/),
    });
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
    expect(queue.snapshot()).toMatchObject({ running: 1, waiting: 0, refused: 1 });
  });

  it('forgets a waiter whose signal aborts, and lets nobody in whose signal is aborted already', async () => {
    const queue = new AdmissionQueue('scan', { ...limits, maxRunning: 1 });
    const leave = await queue.enter();
    const abort = new AbortController();
    const waiting = queue.enter(abort.signal);
    const next = queue.enter();
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await expect(queue.enter(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    leave();
    await next;
    expect(queue.snapshot()).toMatchObject({ running: 1, waiting: 0, refused: 0 });
  });

  it('lets statements in by order of arrival as others leave, and counts a turn given back twice once', async () => {
    const queue = new AdmissionQueue('scan', { ...limits, maxRunning: 1 });
    const order: string[] = [];
    const run = async (name: string): Promise<() => void> => {
      const leave = await queue.enter();
      order.push(name);
      return leave;
    };
    const leaveFirst = await run('first');
    const second = run('second');
    const third = run('third');
    leaveFirst();
    leaveFirst();
    const leaveSecond = await second;
    expect(order).toEqual(['first', 'second']);
    leaveSecond();
    (await third)();
    expect(order).toEqual(['first', 'second', 'third']);
    expect(queue.snapshot()).toMatchObject({ running: 0, waiting: 0 });
  });
});
