import { packBatch } from './pack.ts';
import { selectSpans } from './select.ts';
import type { SpanBatch } from './span-batch.ts';

/**
 * `batch` without spans that are equal to an earlier one in everything: ids, times, attributes in order, events, links, scope
 * and resource. The same batch when there are none. Such copies come from clients that sent twice, or from storage that was
 * written again after a crash. Spans that only share their ids (the two halves of a Zipkin shared span) stay.
 */
export function dropEqualSpans(batch: SpanBatch): SpanBatch {
  const keep = new Uint8Array(batch.count).fill(1);
  let dropped = 0;
  for (const rows of rowsOfEqualIds(batch)) {
    const seen = new Set<string>();
    for (const row of rows) {
      const content = contentOf(batch, row);
      if (seen.has(content)) {
        keep[row] = 0;
        dropped++;
      }
      seen.add(content);
    }
  }
  return dropped === 0 ? batch : selectSpans(batch, keep);
}

/** Groups of two or more rows with the same trace and span id. */
function rowsOfEqualIds(batch: SpanBatch): Iterable<readonly number[]> {
  const first = new Map<string, number>();
  const groups = new Map<string, number[]>();
  for (let row = 0; row < batch.count; row++) {
    const id = idKey(batch, row);
    const earlier = first.get(id);
    if (earlier === undefined) {
      first.set(id, row);
      continue;
    }
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [earlier, row]);
    else group.push(row);
  }
  return groups.values();
}

/** Everything about a span as one string: its packed form, which depends on its content alone. */
function contentOf(batch: SpanBatch, row: number): string {
  return binaryText(packBatch(batch, { rows: [row] }));
}

function idKey(batch: SpanBatch, row: number): string {
  return (
    binaryText(batch.spanIds.subarray(row * 8, row * 8 + 8)) +
    binaryText(batch.traceIds.subarray(row * 16, row * 16 + 16))
  );
}

/** One character per byte. */
function binaryText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}
