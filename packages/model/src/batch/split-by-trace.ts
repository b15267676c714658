import type { SpanBatch } from './span-batch.ts';
import { keyedHash } from './string-hash.ts';

/** The rows of one trace in a batch. */
export interface TraceRows {
  /** The first of them, whose 16 bytes of `batch.traceIds` name the trace. */
  readonly first: number;
  /** All of them, in the batch's order. */
  readonly rows: Uint32Array;
}

/**
 * The rows of each trace of `batch`, traces in order of first appearance. Spans without a trace id are one "trace" of their own. Give
 * the rows to `selectSpans`, `concatInto` or `packBatch`. Two passes over the ids and one hash table, keyed because senders choose
 * ids; nothing is allocated per span.
 */
export function splitByTrace(batch: SpanBatch): TraceRows[] {
  const { count } = batch;
  const trace = new Uint32Array(count);
  const firsts = assignTraces(batch, trace);
  const sizes = new Uint32Array(firsts.length);
  for (let row = 0; row < count; row++) sizes[trace[row]!]!++;
  const traces = firsts.map((first, index) => ({ first, rows: new Uint32Array(sizes[index]!) }));
  sizes.fill(0);
  for (let row = 0; row < count; row++) {
    const index = trace[row]!;
    traces[index]!.rows[sizes[index]!++] = row;
  }
  return traces;
}

/** Numbers traces by first appearance into `trace[row]`; returns the first row of each. */
function assignTraces(batch: SpanBatch, trace: Uint32Array): number[] {
  const { traceIds, count } = batch;
  let size = 16;
  while (size < count * 2) size *= 2;
  const slots = new Uint32Array(size);
  const firsts: number[] = [];
  for (let row = 0; row < count; row++) {
    if (row > 0 && equalIds(traceIds, row, row - 1)) {
      trace[row] = trace[row - 1]!;
      continue;
    }
    let slot = keyedHash(traceIds, row * 16, row * 16 + 16) & (size - 1);
    for (;;) {
      const known = slots[slot]!;
      if (known === 0) {
        firsts.push(row);
        slots[slot] = firsts.length;
        trace[row] = firsts.length - 1;
        break;
      }
      if (equalIds(traceIds, row, firsts[known - 1]!)) {
        trace[row] = known - 1;
        break;
      }
      slot = (slot + 1) & (size - 1);
    }
  }
  return firsts;
}

function equalIds(ids: Uint8Array, a: number, b: number): boolean {
  for (let i = 15; i >= 0; i--) if (ids[a * 16 + i] !== ids[b * 16 + i]) return false;
  return true;
}
