import type { TraceModel } from './model.ts';

const none = new Float64Array(0);

/**
 * The parts of a node during which at least one child ran: pairs of start and end in nanoseconds from the
 * start of the trace, ascending, not touching, clipped to the node. What is left is the node's own time.
 */
export function childCoverage(model: TraceModel, node: number): Float64Array {
  const from = model.childStart[node] ?? 0;
  const to = model.childStart[node + 1] ?? 0;
  if (from === to) return none;
  const low = model.startNano[node] ?? 0;
  const high = low + (model.durationNano[node] ?? 0);
  const pairs = new Float64Array((to - from) * 2);
  let count = 0;
  for (let at = from; at < to; at++) {
    const child = model.children[at] ?? 0;
    const start = Math.max(low, model.startNano[child] ?? 0);
    const end = Math.min(high, (model.startNano[child] ?? 0) + (model.durationNano[child] ?? 0));
    if (end <= start) continue;
    const lastEnd = count === 0 ? -1 : (pairs[count - 1] ?? 0);
    // Children come by start, so a new one either extends the last part or begins another.
    if (start <= lastEnd) pairs[count - 1] = Math.max(lastEnd, end);
    else {
      pairs[count] = start;
      pairs[count + 1] = end;
      count += 2;
    }
  }
  return pairs.subarray(0, count);
}

/** How long the node ran while none of its children did. */
export function selfTimeNano(model: TraceModel, node: number): number {
  const parts = childCoverage(model, node);
  let covered = 0;
  for (let i = 0; i < parts.length; i += 2) covered += (parts[i + 1] ?? 0) - (parts[i] ?? 0);
  return (model.durationNano[node] ?? 0) - covered;
}

/** Self time added up by service, in the order of `skeleton.services`. */
export function selfTimeByService(model: TraceModel): Float64Array {
  const sums = new Float64Array(model.skeleton.services.length);
  for (let node = 0; node < model.spanCount; node++) {
    const service = model.service[node] ?? -1;
    if (service >= 0) sums[service] = (sums[service] ?? 0) + selfTimeNano(model, node);
  }
  return sums;
}
