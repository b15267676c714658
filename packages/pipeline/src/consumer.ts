import { CodedError } from '@clew/base';
import type { CodedErrorOptions } from '@clew/base';
import type { SpanBatch } from '@clew/model';

/** What a pipeline carries (OpenTelemetry's signals). */
export type Signal = 'traces' | 'metrics' | 'logs';

/** What acknowledging a batch promises: it survives a crash, or it is in somebody's memory. */
export type Durability =
  | { readonly kind: 'durable' }
  /** `partly` is true when the promise also waits for something durable, beside what only holds data in memory. */
  | { readonly kind: 'memory'; readonly why: string; readonly partly?: boolean }
  /** The consumer keeps nothing (it prints, or discards): beside others it does not count. */
  | { readonly kind: 'none'; readonly why: string };

/**
 * Why a consumer did not take a batch.
 * - `permanent`: never will; the sender must not retry.
 * - `unavailable`: not now; the sender should retry (OTLP: UNAVAILABLE, 503).
 * - `resource_exhausted`: not now because of load, with a hint when to come back (OTLP: RESOURCE_EXHAUSTED + RetryInfo, 429).
 * - `invalid`: the data breaks a rule (OTLP: INVALID_ARGUMENT, 400).
 * - `cancelled`, `deadline_exceeded`: the caller went away or its deadline passed.
 */
export type RefusalCode =
  'permanent' | 'unavailable' | 'resource_exhausted' | 'invalid' | 'cancelled' | 'deadline_exceeded';

/** Thrown (or returned by `admit`) by a consumer that does not take data. */
export class Refusal extends CodedError<RefusalCode> {
  /** When trying again makes sense, in milliseconds from now; undefined when unknown. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: RefusalCode,
    message: string,
    options: CodedErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the sender may send the same data again. */
  get retryable(): boolean {
    return this.code !== 'permanent' && this.code !== 'invalid';
  }

  /** Turns anything caught into a refusal; what is unknown is retryable, as in the reference collector. */
  static from(caught: unknown): Refusal {
    if (caught instanceof Refusal) return caught;
    return new Refusal('unavailable', caught instanceof Error ? caught.message : String(caught), { cause: caught });
  }
}

/** What accompanies a batch through the pipeline. */
export interface ConsumeContext {
  /** Whose data this is; `single-tenant` until told otherwise. Leads every stored key. */
  readonly tenant: string;
  /** When the request arrived, nanoseconds since 1970. */
  readonly receivedUnixNano: bigint;
  /**
   * 128-bit hash (32 hex digits) of the request body as it was sent, inflated, when the receiver has one: a repeated request is recognised by it and
   * acknowledged without being stored again. Components that change or merge batches drop it.
   */
  readonly bodyHash?: string;
  /** Lower-case request headers or metadata, when the receiver's `include_metadata` is on. */
  readonly metadata?: ReadonlyMap<string, readonly string[]>;
  /** The client's address, when the transport has one. */
  readonly clientAddress?: string;
  /** What an authenticator found out about the client, by attribute. */
  readonly auth?: ReadonlyMap<string, string>;
  /** How the data came in, such as `grpc`, `http` or `udp`: a label of the receiver's metrics. */
  readonly transport?: string;
  /** Aborted when the caller gave up or its deadline passed. */
  readonly signal?: AbortSignal;
}

/**
 * Takes batches. The promise resolves when the batch is as safe as `durability` says and rejects with a {@link Refusal}.
 * The batch belongs to the callee until the promise settles and to the caller (who may reuse it) afterwards. A consumer with
 * `mutatesData` false must not change it.
 */
export interface TracesConsumer {
  readonly mutatesData: boolean;
  durability(): Durability;
  /**
   * Asked with the size in bytes of a request before its body is read, so that back-pressure reaches the client before the
   * body does: returns why it would be refused, or undefined. Costs nothing and promises nothing.
   */
  admit(requestBytes: number): Refusal | undefined;
  consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void>;
}

/** The tenant of everything until tenancy is configured. */
export const SINGLE_TENANT = 'single-tenant';

/** The context for data that is no longer what was sent: a repeated request must not be recognised by it. */
export function withoutBodyHash(context: ConsumeContext): ConsumeContext {
  if (context.bodyHash === undefined) return context;
  const { bodyHash: _bodyHash, ...rest } = context;
  return rest;
}
