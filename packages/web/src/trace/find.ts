import { spanIdOf } from './model.ts';
import type { TraceModel } from './model.ts';

/** What the box above the waterfall asks for. */
export type FindQuery =
  | { readonly kind: 'none' }
  /** Words in names, services and ids here, and in attributes on the server. */
  | { readonly kind: 'text'; readonly text: string }
  /** Spans at least this share of the trace long. */
  | { readonly kind: 'share'; readonly share: number };

/** Reads the find box: `>2.5%` is a share of the trace, anything else is text. */
export function parseFind(text: string): FindQuery {
  const trimmed = text.trim();
  if (trimmed === '') return { kind: 'none' };
  const share = /^>\s*(\d+(?:\.\d+)?)\s*%$/.exec(trimmed);
  if (share !== null) return { kind: 'share', share: Number(share[1]) / 100 };
  return { kind: 'text', text: trimmed };
}

/** Marks the nodes a query finds in the skeleton alone; text is compared without regard to case. */
export function findInSkeleton(model: TraceModel, query: FindQuery): Uint8Array {
  const found = new Uint8Array(model.nodeCount);
  if (query.kind === 'none') return found;
  if (query.kind === 'share') {
    const least = query.share * model.totalNano;
    for (let node = 0; node < model.spanCount; node++) found[node] = (model.durationNano[node] ?? 0) >= least ? 1 : 0;
    return found;
  }
  const needle = query.text.toLowerCase();
  const names = dictionaryHits(model.skeleton.names, needle);
  const services = dictionaryHits(model.skeleton.services, needle);
  const labels = dictionaryHits(model.skeleton.labels, needle);
  const isId = /^[0-9a-f]{4,16}$/.test(needle);
  for (let node = 0; node < model.spanCount; node++) {
    const hit =
      names[model.name[node] ?? -1] === 1 ||
      services[model.service[node] ?? -1] === 1 ||
      labels[model.label[node] ?? -1] === 1 ||
      (isId && spanIdOf(model, node).startsWith(needle));
    if (hit) found[node] = 1;
  }
  return found;
}

function dictionaryHits(dictionary: readonly string[], needle: string): Uint8Array {
  return Uint8Array.from(dictionary, (entry) => (entry.toLowerCase().includes(needle) ? 1 : 0));
}

/** Adds rows the server found in attributes and events. */
export function addFoundRows(found: Uint8Array, rows: readonly number[]): Uint8Array {
  const all = found.slice();
  for (const row of rows) if (row < all.length) all[row] = 1;
  return all;
}

/** How many nodes are marked. */
export function countMarked(marks: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < marks.length; i++) count += marks[i] ?? 0;
  return count;
}

/** The next node in pre-order, after `from` (or before, for step -1), that passes; it wraps around. -1 for none. */
export function nextNode(model: TraceModel, from: number, step: 1 | -1, passes: (node: number) => boolean): number {
  const count = model.nodeCount;
  const start = from < 0 ? (step === 1 ? -1 : count) : (model.position[from] ?? 0);
  for (let i = 1; i <= count; i++) {
    const node = model.order[(start + step * i + count * 2) % count] ?? 0;
    if (passes(node)) return node;
  }
  return -1;
}
