import type { Expansion } from '@clew/api';
import { spanIdOf } from './model.ts';
import type { TraceModel } from './model.ts';

/** What decides which nodes have a row. */
export interface RowOptions {
  /** 1 for nodes whose children are shown. */
  readonly open: Uint8Array;
  /** 1 for nodes to keep; absent keeps all. Ancestors of kept nodes stay. */
  readonly keep?: Uint8Array;
  /** Indexes into `skeleton.services` whose spans, with everything below them, are left out. */
  readonly hiddenServices?: ReadonlySet<number>;
  /** Shows only this subtree. */
  readonly root?: number;
}

/** Rows from top to bottom. */
export interface VisibleRows {
  /** The node of each row. */
  readonly nodes: Int32Array;
  /** The row of each node, -1 while it is hidden. */
  readonly rowOf: Int32Array;
}

/** Lengths to which an id is cut in a link; random ids need no more than the first. */
const idPrefixDigits = [8, 12] as const;

/** The shortest prefix that no other span of the trace shares; the whole id when ids are counted up, not random. */
function uniquePrefix(model: TraceModel, node: number): string {
  const id = spanIdOf(model, node);
  for (const digits of idPrefixDigits) {
    const prefix = id.slice(0, digits);
    let other = 0;
    while (other < model.nodeCount && (other === node || !spanIdOf(model, other).startsWith(prefix))) other++;
    if (other === model.nodeCount) return prefix;
  }
  return id;
}

/** Which nodes are open under an expansion. */
export function openNodes(model: TraceModel, expansion: Expansion): Uint8Array {
  const open = new Uint8Array(model.nodeCount);
  for (let node = 0; node < model.nodeCount; node++) {
    open[node] = isOpenByPreset(model, node, expansion.preset) ? 1 : 0;
  }
  applyExceptions(model, expansion.opened, 1, open);
  applyExceptions(model, expansion.closed, 0, open);
  return open;
}

function isOpenByPreset(model: TraceModel, node: number, preset: Expansion['preset']): boolean {
  // A link that opens the critical path shows everything where no critical path is known.
  if (preset === 'all' || preset === 'cp') return true;
  if (preset === 'err') return (model.errorsBelow[node] ?? 0) > 0;
  return (model.depth[node] ?? 0) < preset;
}

function applyExceptions(model: TraceModel, prefixes: readonly string[], value: 0 | 1, open: Uint8Array): void {
  if (prefixes.length === 0) return;
  for (let node = 0; node < model.nodeCount; node++) {
    const id = spanIdOf(model, node);
    if (prefixes.some((prefix) => id.startsWith(prefix))) open[node] = value;
  }
}

/** The expansion after a node was opened or closed by hand. */
export function toggleNode(model: TraceModel, expansion: Expansion, node: number, open: boolean): Expansion {
  const id = spanIdOf(model, node);
  const without = (ids: readonly string[]): readonly string[] => ids.filter((prefix) => !id.startsWith(prefix));
  const cleaned = { preset: expansion.preset, opened: without(expansion.opened), closed: without(expansion.closed) };
  if (isOpenByPreset(model, node, expansion.preset) === open) return cleaned;
  const prefix = uniquePrefix(model, node);
  return open
    ? { ...cleaned, opened: [...cleaned.opened, prefix] }
    : { ...cleaned, closed: [...cleaned.closed, prefix] };
}

/** One level more or less for the whole trace. */
export function stepExpansion(model: TraceModel, expansion: Expansion, step: 1 | -1): Expansion {
  const levels = typeof expansion.preset === 'number' ? expansion.preset : model.maxDepth;
  const next = Math.max(0, Math.min(model.maxDepth, levels + step));
  return { preset: next >= model.maxDepth ? 'all' : next, opened: [], closed: [] };
}

/** The rows of a trace: one skip over the pre-order, well under a millisecond for a hundred thousand spans. */
export function visibleRows(model: TraceModel, options: RowOptions): VisibleRows {
  const { open, keep, hiddenServices, root } = options;
  const kept = keep === undefined ? undefined : withAncestors(model, keep);
  const nodes = new Int32Array(model.nodeCount);
  const rowOf = new Int32Array(model.nodeCount).fill(-1);
  const first = root === undefined ? 0 : (model.position[root] ?? 0);
  const end = root === undefined ? model.nodeCount : first + (model.subtreeSize[root] ?? 0);
  let count = 0;
  for (let at = first; at < end;) {
    const node = model.order[at] ?? 0;
    const isHidden =
      (kept !== undefined && kept[node] === 0) || (hiddenServices?.has(model.service[node] ?? -1) ?? false);
    if (!isHidden) {
      rowOf[node] = count;
      nodes[count++] = node;
    }
    at += isHidden || open[node] === 0 ? (model.subtreeSize[node] ?? 1) : 1;
  }
  return { nodes: nodes.slice(0, count), rowOf };
}

function withAncestors(model: TraceModel, keep: Uint8Array): Uint8Array {
  const kept = keep.slice();
  for (let at = model.order.length - 1; at >= 0; at--) {
    const node = model.order[at] ?? 0;
    const above = model.parent[node] ?? -1;
    if (above >= 0 && kept[node] === 1) kept[above] = 1;
  }
  return kept;
}

/** Opens every ancestor of a node, so that it has a row. */
export function revealNode(model: TraceModel, expansion: Expansion, open: Uint8Array, node: number): Expansion {
  let revealed = expansion;
  for (let above = model.parent[node] ?? -1; above >= 0; above = model.parent[above] ?? -1) {
    if (open[above] === 0) revealed = toggleNode(model, revealed, above, true);
  }
  return revealed;
}
