import { SharedIds, type IdColumns } from './repair/shared-ids.ts';

/** How the spans of a trace hang together. */
export interface TraceLinks {
  /** For each span the row of its parent, -1 for none. */
  readonly parents: Int32Array;
  /** Which spans share their id, and how they are told apart. */
  readonly ids: SharedIds;
}

/**
 * Links the spans of a trace. `parentIdOf` gives the id a span names as parent, `''` when it names none. Spans that share an id are told apart
 * as `repair/shared-ids.ts` says. A circle is cut at the span of it that starts first.
 */
export function linkSpans(columns: IdColumns, parentIdOf: (row: number) => string): TraceLinks {
  const ids = new SharedIds(columns);
  const parents = new Int32Array(columns.spanIds.length);
  for (let row = 0; row < parents.length; row++) parents[row] = ids.parentOf(row, parentIdOf(row));
  cutCircles(parents, columns.startsUnixNano);
  return { parents, ids };
}

/** Walks up from every span, marking what is known to end at a root; meeting the current walk's own mark is a circle. */
function cutCircles(parents: Int32Array, starts: BigUint64Array): void {
  const walk = new Int32Array(parents.length);
  for (let row = 0; row < parents.length; row++) {
    let at = row;
    while (at >= 0 && walk[at] === 0) {
      walk[at] = row + 1;
      at = parents[at]!;
    }
    if (at >= 0 && walk[at] === row + 1) parents[earliestOf(parents, at, starts)] = -1;
  }
}

function earliestOf(parents: Int32Array, start: number, starts: BigUint64Array): number {
  let earliest = start;
  for (let at = parents[start]!; at !== start; at = parents[at]!) {
    if (starts[at]! < starts[earliest]! || (starts[at]! === starts[earliest]! && at < earliest)) earliest = at;
  }
  return earliest;
}
