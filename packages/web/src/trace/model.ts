import { spanFlags } from '@clew/api';
import type { ApiWarning, TraceSkeleton } from '@clew/api';

/**
 * A trace as the page works with it: typed arrays over nodes, and the tree they form.
 *
 * Nodes 0 to `spanCount - 1` are the rows of the skeleton, in its order. Then follows one placeholder node for
 * every missing parent, so that orphans stay together. No array is ever changed after `buildTrace`.
 */
export interface TraceModel {
  readonly skeleton: TraceSkeleton;
  readonly spanCount: number;
  readonly nodeCount: number;
  /** Nanoseconds from the start of the trace. */
  readonly startNano: Float64Array;
  readonly durationNano: Float64Array;
  /** Length of the trace, at least 1. */
  readonly totalNano: number;
  /** Parent node, -1 for a root. */
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly maxDepth: number;
  /** Nodes in pre-order: a subtree is `order[position[node]]` and the `subtreeSize[node] - 1` after it. */
  readonly order: Int32Array;
  readonly position: Int32Array;
  /** Nodes in the subtree, the node itself included. */
  readonly subtreeSize: Int32Array;
  /** Children of node n: `children[childStart[n]]` up to `children[childStart[n + 1]]`, by start time. */
  readonly childStart: Int32Array;
  readonly children: Int32Array;
  /** Index into `skeleton.services`, -1 for none. */
  readonly service: Int32Array;
  readonly name: Int32Array;
  readonly label: Int32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly flags: Uint8Array;
  /** Spans with status error below the node, the node itself not included. */
  readonly errorsBelow: Int32Array;
  readonly errorCount: number;
  /** The span the trace is named after: the longest without a parent; -1 in a trace without spans. */
  readonly mainRoot: number;
  /** The skeleton's warnings and those found while building the tree. */
  readonly warnings: readonly ApiWarning[];
}

/** Builds the tree. Never throws on bad data: cycles are cut, unknown parents become roots. O(n). */
export function buildTrace(skeleton: TraceSkeleton): TraceModel {
  const { columns } = skeleton;
  const spanCount = skeleton.spanCount;
  const nodeCount = spanCount + skeleton.missingParents.length;
  const startNano = decodeStarts(columns.startDeltaNano, nodeCount);
  const durationNano = copyInto(new Float64Array(nodeCount), columns.durationNano);
  const parent = resolveParents(columns.parents, spanCount, nodeCount);
  const cut = cutCycles(parent, startNano);
  const { childStart, children, roots } = collectChildren(parent, nodeCount);
  spanPlaceholders(spanCount, nodeCount, childStart, children, startNano, durationNano);
  const mainRoot = chooseMainRoot(roots, spanCount, durationNano);
  sortRoots(roots, mainRoot, startNano);
  const walk = walkTree(roots, childStart, children, nodeCount);
  const subtreeSize = new Int32Array(nodeCount).fill(1);
  const errorsBelow = new Int32Array(nodeCount);
  const status = copyInto(new Uint8Array(nodeCount), columns.statuses);
  const errorCount = accumulate(walk.order, parent, subtreeSize, errorsBelow, status);
  return {
    skeleton,
    spanCount,
    nodeCount,
    startNano,
    durationNano,
    totalNano: Math.max(1, Number(skeleton.durationNano)),
    parent,
    ...walk,
    subtreeSize,
    childStart,
    children,
    service: withPlaceholders(columns.services, nodeCount),
    name: withPlaceholders(columns.names, nodeCount),
    label: withPlaceholders(columns.labels, nodeCount),
    kind: copyInto(new Uint8Array(nodeCount), columns.kinds),
    status,
    flags: copyInto(new Uint8Array(nodeCount), columns.flags),
    errorsBelow,
    errorCount,
    mainRoot,
    warnings: cut === 0 ? skeleton.warnings : [...skeleton.warnings, cycleWarning(cut)],
  };
}

function cycleWarning(count: number): ApiWarning {
  return {
    code: 'parent_cycle',
    message: 'Spans name each other as parent; the circle was cut at its earliest span.',
    count,
  };
}

function copyInto<T extends Float64Array | Uint8Array>(target: T, source: readonly number[]): T {
  for (let i = 0; i < source.length; i++) target[i] = source[i] ?? 0;
  return target;
}

function withPlaceholders(source: readonly number[], nodeCount: number): Int32Array {
  const target = new Int32Array(nodeCount).fill(-1);
  for (let i = 0; i < source.length; i++) target[i] = source[i] ?? -1;
  return target;
}

function decodeStarts(deltas: readonly number[], nodeCount: number): Float64Array {
  const starts = new Float64Array(nodeCount);
  let at = 0;
  for (let i = 0; i < deltas.length; i++) {
    at += deltas[i] ?? 0;
    starts[i] = at;
  }
  return starts;
}

/** -1 stays a root, -2 - m becomes placeholder m; anything out of range or pointing at itself becomes a root. */
function resolveParents(parents: readonly number[], spanCount: number, nodeCount: number): Int32Array {
  const resolved = new Int32Array(nodeCount).fill(-1);
  for (let i = 0; i < parents.length; i++) {
    const given = parents[i] ?? -1;
    const node = given <= -2 ? spanCount - 2 - given : given;
    if (node >= 0 && node < nodeCount && node !== i) resolved[i] = node;
  }
  return resolved;
}

/** Walks every parent chain once; where a chain meets itself, the earliest span of the circle becomes a root. */
function cutCycles(parent: Int32Array, startNano: Float64Array): number {
  const visitedBy = new Int32Array(parent.length).fill(-1);
  let cut = 0;
  for (let first = 0; first < parent.length; first++) {
    let node = first;
    while (node >= 0 && visitedBy[node] === -1) {
      visitedBy[node] = first;
      node = parent[node] ?? -1;
    }
    if (node < 0 || visitedBy[node] !== first) continue;
    let earliest = node;
    for (let other = parent[node] ?? -1; other !== node; other = parent[other] ?? -1) {
      if ((startNano[other] ?? 0) < (startNano[earliest] ?? 0)) earliest = other;
    }
    parent[earliest] = -1;
    cut++;
  }
  return cut;
}

/** Children by counting sort; nodes are in start order, so children are too. */
function collectChildren(
  parent: Int32Array,
  nodeCount: number,
): { readonly childStart: Int32Array; readonly children: Int32Array; readonly roots: number[] } {
  const childStart = new Int32Array(nodeCount + 1);
  const roots: number[] = [];
  for (let i = 0; i < nodeCount; i++) {
    const above = parent[i] ?? -1;
    if (above < 0) roots.push(i);
    else childStart[above + 1] = (childStart[above + 1] ?? 0) + 1;
  }
  for (let i = 0; i < nodeCount; i++) childStart[i + 1] = (childStart[i + 1] ?? 0) + (childStart[i] ?? 0);
  const next = childStart.slice(0, nodeCount);
  const children = new Int32Array(nodeCount - roots.length);
  for (let i = 0; i < nodeCount; i++) {
    const above = parent[i] ?? -1;
    if (above < 0) continue;
    const at = next[above] ?? 0;
    children[at] = i;
    next[above] = at + 1;
  }
  return { childStart, children, roots };
}

/** A placeholder lasts from its first child's start to its last child's end. */
function spanPlaceholders(
  spanCount: number,
  nodeCount: number,
  childStart: Int32Array,
  children: Int32Array,
  startNano: Float64Array,
  durationNano: Float64Array,
): void {
  for (let node = spanCount; node < nodeCount; node++) {
    let start = Infinity;
    let end = 0;
    for (let at = childStart[node] ?? 0; at < (childStart[node + 1] ?? 0); at++) {
      const child = children[at] ?? 0;
      start = Math.min(start, startNano[child] ?? 0);
      end = Math.max(end, (startNano[child] ?? 0) + (durationNano[child] ?? 0));
    }
    startNano[node] = start === Infinity ? 0 : start;
    durationNano[node] = start === Infinity ? 0 : end - start;
  }
}

function chooseMainRoot(roots: readonly number[], spanCount: number, durationNano: Float64Array): number {
  let chosen = -1;
  for (const root of roots) {
    if (root >= spanCount) continue;
    if (chosen < 0 || (durationNano[root] ?? 0) > (durationNano[chosen] ?? 0)) chosen = root;
  }
  return chosen >= 0 ? chosen : spanCount > 0 ? 0 : -1;
}

function sortRoots(roots: number[], mainRoot: number, startNano: Float64Array): void {
  roots.sort((a, b) => {
    if (a === mainRoot || b === mainRoot) return a === mainRoot ? -1 : 1;
    return (startNano[a] ?? 0) - (startNano[b] ?? 0) || a - b;
  });
}

/** Pre-order with an explicit stack: traces are deeper than call stacks. */
function walkTree(
  roots: readonly number[],
  childStart: Int32Array,
  children: Int32Array,
  nodeCount: number,
): {
  readonly order: Int32Array;
  readonly position: Int32Array;
  readonly depth: Int32Array;
  readonly maxDepth: number;
} {
  const order = new Int32Array(nodeCount);
  const position = new Int32Array(nodeCount);
  const depth = new Int32Array(nodeCount);
  const stack = new Int32Array(nodeCount);
  let top = 0;
  let at = 0;
  let maxDepth = 0;
  for (let i = roots.length - 1; i >= 0; i--) stack[top++] = roots[i] ?? 0;
  while (top > 0) {
    const node = stack[--top] ?? 0;
    order[at] = node;
    position[node] = at++;
    const below = (depth[node] ?? 0) + 1;
    for (let child = (childStart[node + 1] ?? 0) - 1; child >= (childStart[node] ?? 0); child--) {
      const next = children[child] ?? 0;
      depth[next] = below;
      if (below > maxDepth) maxDepth = below;
      stack[top++] = next;
    }
  }
  return { order, position, depth, maxDepth };
}

/** Adds sizes and errors up, from the last node in pre-order to the first. */
function accumulate(
  order: Int32Array,
  parent: Int32Array,
  subtreeSize: Int32Array,
  errorsBelow: Int32Array,
  status: Uint8Array,
): number {
  let errorCount = 0;
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at] ?? 0;
    const own = status[node] === 2 ? 1 : 0;
    errorCount += own;
    const above = parent[node] ?? -1;
    if (above < 0) continue;
    subtreeSize[above] = (subtreeSize[above] ?? 0) + (subtreeSize[node] ?? 0);
    errorsBelow[above] = (errorsBelow[above] ?? 0) + (errorsBelow[node] ?? 0) + own;
  }
  return errorCount;
}

/** The span id of a node; of a placeholder, the id that is missing. */
export function spanIdOf(model: TraceModel, node: number): string {
  if (node >= model.spanCount) return model.skeleton.missingParents[node - model.spanCount] ?? '';
  return model.skeleton.columns.ids.slice(node * 16, node * 16 + 16);
}

/** The node with a span id, -1 when there is none. Scans the id column, which takes well under a millisecond. */
export function nodeOfSpanId(model: TraceModel, spanId: string): number {
  const { ids } = model.skeleton.columns;
  for (let at = ids.indexOf(spanId); at >= 0; at = ids.indexOf(spanId, at + 1)) {
    if (at % 16 === 0) return at / 16;
  }
  const missing = model.skeleton.missingParents.indexOf(spanId);
  return missing < 0 ? -1 : model.spanCount + missing;
}

/** True for the stand-in of a parent that has not arrived. */
export function isPlaceholder(model: TraceModel, node: number): boolean {
  return node >= model.spanCount;
}

/** The node's name. */
export function nameOf(model: TraceModel, node: number): string {
  if (isPlaceholder(model, node)) return 'missing parent';
  return model.skeleton.names[model.name[node] ?? -1] ?? '';
}

/** The node's service; undefined when it has none. */
export function serviceOf(model: TraceModel, node: number): string | undefined {
  return model.skeleton.services[model.service[node] ?? -1];
}

/** The short text beside the name. */
export function labelOf(model: TraceModel, node: number): string | undefined {
  return model.skeleton.labels[model.label[node] ?? -1];
}

/** True when the node ended before one of its children started it, or its data is damaged in another visible way. */
export function isDamaged(model: TraceModel, node: number): boolean {
  const damage = spanFlags.negativeDuration | spanFlags.unsetStart | spanFlags.duplicateId | spanFlags.parentCycle;
  return ((model.flags[node] ?? 0) & damage) !== 0;
}

/** Nodes from the root down to the node, both included. */
export function pathTo(model: TraceModel, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at >= 0; at = model.parent[at] ?? -1) path.push(at);
  return path.reverse();
}

/** A node's place among its siblings, from 1, and how many they are. A root counts as alone. */
export function siblingPlace(model: TraceModel, node: number): { readonly position: number; readonly size: number } {
  const parent = model.parent[node] ?? -1;
  if (parent < 0) return { position: 1, size: 1 };
  const from = model.childStart[parent] ?? 0;
  const size = (model.childStart[parent + 1] ?? 0) - from;
  // Children are in ascending node order, so a binary search finds one among a hundred thousand.
  let low = 0;
  let high = size - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((model.children[from + middle] ?? 0) < node) low = middle + 1;
    else high = middle;
  }
  return { position: low + 1, size };
}
