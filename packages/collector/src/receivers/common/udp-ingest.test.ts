import { silentTelemetry } from '@clew/base';
import { fromPlain, plainSpan, toPlain } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import type { PacketBatch } from '@clew/net';
import { Refusal } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import { decodeTraces, encodeTraces } from '@clew/wire/otlp';
import { describe, expect, it, vi } from 'vitest';
import { receiverMetrics } from './receiver-metrics.ts';
import { TransportEvents } from './transport-events.ts';
import { UdpIngest } from './udp-ingest.ts';

/** Refuses as often as told, then takes. */
class Sink implements TracesConsumer {
  readonly mutatesData = false;
  readonly batches: string[][] = [];
  refusals: Refusal[] = [];
  admissions: Refusal[] = [];
  offers = 0;
  durability() {
    return { kind: 'durable' } as const;
  }
  admit() {
    return this.admissions.shift();
  }
  consumeTraces(batch: SpanBatch): Promise<void> {
    this.offers++;
    const refusal = this.refusals.shift();
    if (refusal) return Promise.reject(refusal);
    this.batches.push(toPlain(batch).map(({ name }) => name));
    return Promise.resolve();
  }
}

const packet = (...names: string[]) =>
  encodeTraces(
    fromPlain(names.map((name, at) => plainSpan({ traceId: 'a1', spanId: `${at + 1}`, name, service: 's' }))),
  );

function packets(...list: Uint8Array[]): PacketBatch {
  const ends = new Uint32Array(list.length);
  let length = 0;
  list.forEach((one, at) => (ends[at] = length += one.length));
  return { count: list.length, bytes: new Uint8Array(Buffer.concat(list)), ends };
}

function ingest(sink: Sink) {
  const events = new TransportEvents(receiverMetrics(silentTelemetry, 'test'), 'udp');
  return { events, udp: new UdpIngest(sink, events, (body, batch) => decodeTraces(body, batch)) };
}

describe('datagrams on their way into a pipeline', () => {
  it('cost their neighbours nothing when they cannot be decoded', async () => {
    const sink = new Sink();
    const { events, udp } = ingest(sink);
    await udp.take(packets(packet('a'), new Uint8Array([0xff, 0xff]), packet('b', 'c')));
    expect(sink.batches).toEqual([['a', 'b', 'c']]);
    expect(events.counters).toMatchObject({ requests: 3, acceptedSpans: 3, refusedRequests: 1, refusedSpans: 0 });
    await udp.take(packets(new Uint8Array([0xff])));
    expect(sink.batches).toHaveLength(1);
  });

  it('are offered again until a full pipeline takes them', async () => {
    const sink = new Sink();
    const { events, udp } = ingest(sink);
    sink.admissions = [new Refusal('unavailable', 'full', { retryAfterMs: 1 })];
    sink.refusals = [
      new Refusal('unavailable', 'full', { retryAfterMs: 1 }),
      new Refusal('resource_exhausted', 'busy', { retryAfterMs: 1 }),
    ];
    await udp.take(packets(packet('a')));
    expect(sink.batches).toEqual([['a']]);
    expect(sink.offers).toBe(3);
    expect(events.counters).toMatchObject({ requests: 1, acceptedSpans: 1, refusedRequests: 0 });
  });

  it('are given up and counted when the pipeline never takes them', async () => {
    const sink = new Sink();
    const { events, udp } = ingest(sink);
    sink.refusals = [new Refusal('permanent', 'never')];
    await udp.take(packets(packet('a', 'b'), packet('c')));
    expect(events.counters).toMatchObject({
      requests: 2,
      refusedRequests: 2,
      refusedSpans: 3,
      lastRefusal: { reason: 'never' },
    });
  });

  it('are given up and counted when the receiver stops while the pipeline is full', async () => {
    const sink = new Sink();
    const { events, udp } = ingest(sink);
    const full = new Refusal('unavailable', 'full', { retryAfterMs: 60_000 });
    sink.refusals = [full, full, full];
    const taken = udp.take(packets(packet('a')));
    await vi.waitFor(() => expect(sink.offers).toBe(1));
    udp.stop();
    await taken;
    expect(sink.batches).toEqual([]);
    expect(events.counters).toMatchObject({ requests: 1, refusedRequests: 1, refusedSpans: 1 });
  });
});
