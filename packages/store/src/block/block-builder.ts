import type { SpanBatch } from '@clew/model';

import { StoreError } from '../errors.ts';
import type { AppendMeta, TableBlock } from './table-block.ts';

/**
 * Turns SpanBatches into Native blocks: one for `spans`, and small ones for what the spans refer to and that was not
 * announced before. One builder serves one writer: its buffers are reused from segment to segment.
 *
 * Use: `append` the batches of a segment, `build` it, write and insert the blocks *in the order given* (resources and tag
 * keys come before the spans that need them), then `confirm` once every insert returned, then `reset`. Without `confirm`
 * the next segment announces the same rows again, which is harmless.
 */
export class BlockBuilder {
  rowCount = 0;
  /** Bytes the `spans` block will have, estimated from above within a few percent. */
  byteLength = 0;

  /** Adds spans of one request; `rows` picks some of them. The batch must stay unchanged until `reset`. */
  append(batch: SpanBatch, meta: AppendMeta, rows?: Uint32Array): void {
    this.rowCount += rows?.length ?? batch.count;
    void meta;
  }

  /** The blocks of everything appended. `segmentId`: 32 hex digits, written to every span row as `seg`. */
  build(segmentId: string): TableBlock[] {
    throw new StoreError('invalid_argument', `block ${segmentId}: not built yet`);
  }

  /** The blocks of the last `build` are stored: resources and keys in it need not be announced again that day. */
  confirm(): void {}

  /** Days whose partitions were dropped: what was announced for them has to be announced again. */
  forgetDays(days: readonly number[]): void {
    void days;
  }

  /** Lets go of the batches and keeps the buffers. */
  reset(): void {
    this.rowCount = 0;
    this.byteLength = 0;
  }
}
