/**
 * For each span the row of its parent, -1 for none. `parentIdOf` gives the parent's id, `''` when there is none. Of
 * several spans with that id the first that is not the span itself is taken. A circle is cut at the span of it that starts first.
 */
export function linkParents(
  spanIds: readonly string[],
  parentIdOf: (row: number) => string,
  starts: BigUint64Array,
): Int32Array {
  const firstOf = new Map<string, number>();
  const secondOf = new Map<string, number>();
  for (let row = 0; row < spanIds.length; row++) {
    const id = spanIds[row]!;
    if (id === '') continue;
    if (!firstOf.has(id)) firstOf.set(id, row);
    else if (!secondOf.has(id)) secondOf.set(id, row);
  }
  const parents = new Int32Array(spanIds.length).fill(-1);
  for (let row = 0; row < spanIds.length; row++) {
    const id = parentIdOf(row);
    if (id === '') continue;
    const first = firstOf.get(id) ?? -1;
    parents[row] = first === row ? (secondOf.get(id) ?? -1) : first;
  }
  cutCircles(parents, starts);
  return parents;
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
