import { MessageChannel } from 'node:worker_threads';
import { fromPlain, toPlain } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import { RecordingConsumer, eventually, sampleBatch, sampleSpans, testContext } from '@clew/pipeline/contract-tests';
import { afterEach, describe, expect, it } from 'vitest';
import { AdmissionPublisher, SharedAdmission } from './admission.ts';
import { BatchReceiver } from './batch-receiver.ts';
import { BatchSender, MainConsumer } from './batch-sender.ts';

const place = 7;
const ends: (() => void)[] = [];

afterEach(() => ends.splice(0).forEach((end) => end()));

/** Both ends of a bridge in one thread: messages are copied and buffers detached as between threads. */
function bridge() {
  const { port1, port2 } = new MessageChannel();
  const main = new RecordingConsumer();
  const publisher = new AdmissionPublisher(place, [main], (notice) => receiver.announce(notice));
  const refusedPlaces: number[] = [];
  const receiver = new BatchReceiver(port1, {
    entry: (at, entry) => (at === place && entry === 0 ? main : undefined),
    refused: (at, entry, bytes) => {
      refusedPlaces.push(at);
      publisher.refused(entry, bytes);
    },
  });
  const sender = new BatchSender(port2, new SharedAdmission());
  sender.admission.add(place, publisher.memory, publisher.notices);
  const consumer = new MainConsumer(sender, { place, entry: 0 }, { kind: 'durable' });
  ends.push(() => {
    publisher.stop();
    port1.close();
    port2.close();
  });
  return { main, publisher, receiver, sender, consumer, refusedPlaces };
}

describe('a batch handed over to the main thread', () => {
  it.each([
    ['unavailable', true],
    ['resource_exhausted', true],
    ['deadline_exceeded', true],
    ['invalid', false],
    ['permanent', false],
  ] as const)(
    'that is refused as %s is refused so to its sender, with the message and the wait',
    async (code, retryable) => {
      const { main, consumer, refusedPlaces } = bridge();
      main.refuse = () => new Refusal(code, 'the cellar is full', { retryAfterMs: 1234 });
      const refused = await consumer.consumeTraces(sampleBatch(3), testContext()).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Refusal);
      expect(refused).toMatchObject({ code, message: 'the cellar is full', retryAfterMs: 1234, retryable });
      expect(refusedPlaces).toEqual([place]);
    },
  );

  it('whose consumer throws anything else is refused retryably', async () => {
    const { main, consumer } = bridge();
    main.refuse = () => {
      throw new TypeError('a mistake');
    };
    await expect(consumer.consumeTraces(sampleBatch(1), testContext())).rejects.toMatchObject({
      code: 'unavailable',
      message: 'a mistake',
    });
  });

  it('for pipelines that are gone is refused retryably', async () => {
    const { sender } = bridge();
    const late = new MainConsumer(sender, { place: place + 1, entry: 0 }, { kind: 'durable' });
    await expect(late.consumeTraces(sampleBatch(1), testContext())).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('arrives with every value and with its context', async () => {
    const { main, consumer } = bridge();
    const spans = sampleSpans(50);
    const context = testContext({
      tenant: 'acme',
      receivedUnixNano: 1_700_000_000_123_456_789n,
      bodyHash: 'ab'.repeat(16),
      metadata: new Map([['x-team', ['a', 'b']]]),
      auth: new Map([['subject', 'me']]),
      clientAddress: '192.0.2.1',
      transport: 'grpc',
      signal: new AbortController().signal,
    });
    const sent = fromPlain(spans);
    const before = toPlain(sent);
    await consumer.consumeTraces(sent, context);
    expect(main.batches).toEqual([before]);
    const { signal: _sent, ...plain } = context;
    const { signal, ...received } = main.contexts[0]!;
    expect(received).toEqual(plain);
    expect(signal?.aborted).toBe(false);
  });

  it('is free for reuse at once, whatever main does with its copy', async () => {
    const { main, consumer } = bridge();
    const release = main.hold();
    const batch = sampleBatch(4);
    const first = toPlain(batch);
    const pending = consumer.consumeTraces(batch, testContext());
    batch.reset();
    release();
    await pending;
    expect(main.batches).toEqual([first]);
  });

  it('settles when main has settled and not before, each batch by itself', async () => {
    const { main, consumer, receiver } = bridge();
    const release = main.hold();
    const settled: number[] = [];
    const all = [1, 2, 3].map((count) =>
      consumer.consumeTraces(sampleBatch(count), testContext()).then(() => settled.push(count)),
    );
    main.refuse = () => undefined;
    await eventually('three batches in main', () => receiver.inFlight === 3);
    expect(settled).toEqual([]);
    release();
    await Promise.all(all);
    expect(settled.toSorted()).toEqual([1, 2, 3]);
    expect(receiver.inFlight).toBe(0);
  });
});

describe('a sender that gives up', () => {
  it('before its batch left is told so, and main hears nothing', async () => {
    const { main, consumer } = bridge();
    const context = testContext({ signal: AbortSignal.abort() });
    await expect(consumer.consumeTraces(sampleBatch(1), context)).rejects.toMatchObject({ code: 'cancelled' });
    await consumer.consumeTraces(sampleBatch(1), testContext());
    expect(main.calls).toBe(1);
  });

  it('later is told to main, and hears what main made of it', async () => {
    const { main, consumer, sender } = bridge();
    main.consumeTraces = (_batch, { signal }) => {
      main.calls++;
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new Refusal('cancelled', 'nobody waits any more'))),
      );
    };
    const gaveUp = new AbortController();
    const pending = consumer.consumeTraces(sampleBatch(1), testContext({ signal: gaveUp.signal }));
    const refused = expect(pending).rejects.toMatchObject({ code: 'cancelled', message: 'nobody waits any more' });
    await eventually('the batch in main', () => main.calls === 1);
    gaveUp.abort();
    await refused;
    expect(sender.inFlight).toBe(0);
  });
});

describe('a worker that ends', () => {
  it('leaves its batches to main: they are told that nobody waits, and counted', async () => {
    const { main, consumer, receiver } = bridge();
    const release = main.hold();
    const unanswered = [1, 2].map((count) => consumer.consumeTraces(sampleBatch(count), testContext()));
    for (const pending of unanswered) pending.catch(() => undefined);
    await eventually('both batches in main', () => main.calls === 2);
    expect(receiver.close()).toBe(2);
    release();
    await eventually('both batches taken', () => main.batches.length === 2);
    expect(main.contexts.every(({ signal }) => signal?.aborted === true)).toBe(true);
  });
});

describe('the shared admission state', () => {
  it('refuses in the worker what main refuses, in the same words, and admits again when main does', async () => {
    const { main, publisher, consumer } = bridge();
    expect(consumer.admit(1)).toBeUndefined();
    main.admission = new Refusal('resource_exhausted', 'the journal is full', { retryAfterMs: 5000 });
    publisher.publish();
    // The flag is seen at once, the words when their message has come.
    expect(consumer.admit(1)).toMatchObject({ retryable: true });
    const refusal = { code: 'resource_exhausted', message: 'the journal is full', retryAfterMs: 5000 };
    await eventually('the words', () => consumer.admit(1)?.message === refusal.message);
    expect(consumer.admit(1)).toMatchObject(refusal);
    main.admission = undefined;
    publisher.publish();
    expect(consumer.admit(1)).toBeUndefined();
  });

  it('refuses requests as large as one that was refused, and smaller ones not, until that size is taken', async () => {
    const { main, publisher, consumer } = bridge();
    const full = new Refusal('unavailable', 'the journal is nearly full');
    let room = 100;
    main.refuse = () => (room < 1000 ? full : undefined);
    main.admit = (bytes?: number) => ((bytes ?? 0) > room ? full : undefined);
    await expect(consumer.consumeTraces(sampleBatch(50), testContext())).rejects.toMatchObject({
      message: full.message,
    });
    expect(consumer.admit(1_000_000)).toMatchObject({ retryable: true });
    expect(consumer.admit(100)).toBeUndefined();
    room = 2_000_000;
    publisher.publish();
    expect(consumer.admit(1_000_000)).toBeUndefined();
    await consumer.consumeTraces(sampleBatch(50), testContext());
    expect(main.spans).toHaveLength(50);
  });

  it('is known at once to a worker that comes later', () => {
    const { main, publisher } = bridge();
    main.admission = new Refusal('unavailable', 'memory is short');
    publisher.publish();
    const late = new SharedAdmission();
    late.add(place, publisher.memory, publisher.notices);
    expect(late.refusal({ place, entry: 0 }, 1)).toMatchObject({ code: 'unavailable', message: 'memory is short' });
    late.remove(place);
    expect(late.refusal({ place, entry: 0 }, 1)).toBeUndefined();
  });

  it('is published by the clock while its place runs', async () => {
    const { main, publisher, consumer } = bridge();
    publisher.start();
    main.admission = new Refusal('unavailable', 'memory is short');
    await eventually('a refusal', () => consumer.admit(1) !== undefined);
    main.admission = undefined;
    await eventually('an admission', () => consumer.admit(1) === undefined);
  });
});
