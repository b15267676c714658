import type { SpanBatch } from '@clew/model';
import { BatchPacker } from '@clew/model';
import type { ConsumeContext } from '@clew/pipeline';
import { DEFAULT_SEGMENT_POLICY } from '../journal/journal-options.ts';
import type { Journal } from '../journal/journal.ts';
import { requestKey } from '../journal/request-key.ts';

/** Spans in one record, at most: what fits one segment. */
const MAX_RECORD_ROWS = DEFAULT_SEGMENT_POLICY.maxRows;
const MAX_CACHED_TENANTS = 1024;

/**
 * Takes batches into the journal and recognises repeated requests. A hot path, guarded by `bench/journal`: the batch is packed straight into the
 * segment's buffer.
 *
 * A request is known by tenant and body hash for ten minutes. A repetition of one that is durable is acknowledged; a repetition of one
 * that is under way waits for it, and takes its place when it fails. A batch without a body hash is never a repetition.
 */
export class Intake {
  readonly #journal: Journal;
  readonly #packer = new BatchPacker();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #tenants = new Map<string, Uint8Array>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Settles when the batch is durable. Rejects as {@link Journal.append} does. */
  async append(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    if (batch.count === 0) return;
    const { tenant, bodyHash } = context;
    const key = bodyHash === undefined ? undefined : requestKey(tenant, bodyHash);
    if (key === undefined) return this.#write(batch, context, undefined);
    await this.#journal.requestsLoaded;
    const name = `${tenant}\0${bodyHash}`;
    for (let first = this.#underWay.get(name); first !== undefined; first = this.#underWay.get(name)) {
      // Its failure is told to its own sender; here it only means that this one is not a repetition after all.
      await first.catch(() => undefined);
    }
    if (this.#journal.recent.has(key, 0)) return this.#journal.telemetry.duplicateRecognised();
    const written = this.#write(batch, context, key);
    this.#underWay.set(name, written);
    try {
      await written;
    } finally {
      this.#underWay.delete(name);
    }
  }

  #write(batch: SpanBatch, context: ConsumeContext, key: Uint8Array | undefined): Promise<void> {
    if (batch.count <= MAX_RECORD_ROWS) return this.#writeRecord(batch, context, key, undefined);
    return this.#writeInParts(batch, context, key);
  }

  /**
   * A batch too large for one record becomes several. Only the last carries the request's key, and it is written when the others are safe: until
   * then a repetition must be stored.
   */
  async #writeInParts(batch: SpanBatch, context: ConsumeContext, key: Uint8Array | undefined): Promise<void> {
    for (let start = 0; start < batch.count; start += MAX_RECORD_ROWS) {
      const end = Math.min(start + MAX_RECORD_ROWS, batch.count);
      const rows = Uint32Array.from({ length: end - start }, (_, i) => start + i);
      await this.#writeRecord(batch, context, end === batch.count ? key : undefined, rows);
    }
  }

  #writeRecord(
    batch: SpanBatch,
    context: ConsumeContext,
    key: Uint8Array | undefined,
    rows: Uint32Array | undefined,
  ): Promise<void> {
    const packer = this.#packer;
    const byteLength = packer.prepare(batch, rows);
    const first = rows?.[0] ?? 0;
    const count = rows?.length ?? batch.count;
    // Packed and copied into the segment before append returns, so the packer and the batch are free again.
    return this.#journal.append({
      tenant: this.#tenantBytes(context.tenant),
      rows: count,
      receivedUnixNano: context.receivedUnixNano,
      requestKey: key,
      payload: { byteLength, write: (target, offset) => packer.write(target, offset) },
      traceIds: batch.traceIds.subarray(first * 16, (first + count) * 16),
    });
  }

  #tenantBytes(tenant: string): Uint8Array {
    const known = this.#tenants.get(tenant);
    if (known !== undefined) return known;
    if (this.#tenants.size >= MAX_CACHED_TENANTS) this.#tenants.clear();
    const bytes = Buffer.from(tenant);
    this.#tenants.set(tenant, bytes);
    return bytes;
  }
}
