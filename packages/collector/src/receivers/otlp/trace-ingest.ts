import { Refusal, SINGLE_TENANT, hashBody } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import { SpanBatch } from '@clew/model';
import { WireError, decodeTraces, decodeTracesJson } from '@clew/wire/otlp';
import type { DecodeLimits } from '@clew/wire/otlp';
import type { OtlpEvents, Transport } from './telemetry.ts';

/** The two encodings of an OTLP request. */
export type OtlpFormat = 'protobuf' | 'json';

/** What a transport knows of the request whose body it hands over. */
export interface IngestCall {
  readonly transport: Transport;
  readonly signal: AbortSignal;
  /** Empty on a Unix socket. */
  readonly clientAddress: string;
  readonly metadata?: ReadonlyMap<string, readonly string[]>;
}

/** Idle batches kept for reuse; as many as requests are usually in flight. */
const maxIdleBatches = 32;
/** A batch that grew beyond this many spans is not kept: one huge request must not hold memory for ever. */
const maxIdleSpans = 20_000;

/**
 * The way of a request body into the pipeline, the same for every transport: decode, hand on, count, reuse the batch.
 * A hot path, guarded by `bench/ingest`: per request it allocates a context and a promise, per span nothing.
 */
export class TraceIngest {
  readonly #next: TracesConsumer;
  readonly #events: OtlpEvents;
  readonly #limits: DecodeLimits;
  readonly #idle: SpanBatch[] = [];

  constructor(next: TracesConsumer, events: OtlpEvents, limits: DecodeLimits) {
    this.#next = next;
    this.#events = events;
    this.#limits = limits;
  }

  /** Why a request of so many bytes would be refused now, before its body is read. */
  admit(requestBytes: number): Refusal | undefined {
    return this.#next.admit(requestBytes);
  }

  /**
   * Decodes a body and passes it on. Resolves when the pipeline has acknowledged it; rejects with the `WireError` of a malformed
   * body or the `Refusal` of the pipeline. The body must not be changed until then.
   */
  async take(body: Uint8Array, format: OtlpFormat, call: IngestCall): Promise<void> {
    const batch = this.#idle.pop() ?? new SpanBatch();
    try {
      this.#decode(body, format, batch, call.transport);
      if (batch.count > 0) await this.#pass(batch, body, call);
      else this.#events.accepted(call.transport, 0);
    } finally {
      this.#release(batch);
    }
  }

  #decode(body: Uint8Array, format: OtlpFormat, batch: SpanBatch, transport: Transport): void {
    try {
      if (format === 'protobuf') decodeTraces(body, batch, this.#limits);
      else decodeTracesJson(body, batch, this.#limits);
    } catch (caught) {
      if (caught instanceof WireError) this.#events.rejected(transport, 'malformed_data', caught.message);
      throw caught;
    }
  }

  async #pass(batch: SpanBatch, body: Uint8Array, call: IngestCall): Promise<void> {
    const spans = batch.count;
    try {
      await this.#next.consumeTraces(batch, {
        tenant: SINGLE_TENANT,
        receivedUnixNano: nowUnixNano(),
        bodyHash: hashBody(body),
        signal: call.signal,
        transport: call.transport,
        clientAddress: call.clientAddress,
        ...(call.metadata ? { metadata: call.metadata } : {}),
      });
    } catch (caught) {
      const refusal = Refusal.from(caught);
      if (refusal.retryable) this.#events.refused(call.transport, spans, refusal.message);
      else this.#events.failed(call.transport, spans, refusal.message);
      throw refusal;
    }
    this.#events.accepted(call.transport, spans);
  }

  #release(batch: SpanBatch): void {
    const small = batch.names.length <= maxIdleSpans;
    batch.reset();
    if (small && this.#idle.length < maxIdleBatches) this.#idle.push(batch);
  }
}

function nowUnixNano(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
