import { SpanKind } from '@clew/model';
import type { PlainSpan } from '@clew/model';

/** A span to encode. */
export interface TreeSpan {
  readonly row: number;
  readonly span: PlainSpan;
  /** Row of its resource: spans of one document share it. */
  readonly resource: number;
  readonly isFromXray: boolean;
}

/** Deeper documents than decoding takes by default are not made; a level is an object in a list. */
const MAX_LEVELS = 31;

/**
 * Finds which spans came embedded in which: those of the same document, which share a resource row, whose parent is there. A span
 * that is its own ancestor is taken out of the circle and begins a document.
 */
export class SegmentTree {
  readonly #nodes: TreeSpan[] = [];
  readonly #byId = new Map<string, TreeSpan>();
  #children: Map<TreeSpan, TreeSpan[]> | undefined;

  add(node: TreeSpan): void {
    this.#nodes.push(node);
    const key = keyOf(node, node.span.spanId);
    if (node.isFromXray && node.span.spanId !== '' && !this.#byId.has(key)) this.#byId.set(key, node);
  }

  /** The spans that begin a document, in the order they were added. Call after the last `add`. */
  roots(): readonly TreeSpan[] {
    this.#children = new Map();
    const levels = new Map<TreeSpan, number>();
    const roots: TreeSpan[] = [];
    for (const node of this.#nodes) {
      const parent = this.#parentOf(node);
      const level = parent === undefined ? 0 : this.#level(node, levels);
      if (parent === undefined || level === 0) roots.push(node);
      else this.#add(parent, node);
    }
    return roots;
  }

  /** What is embedded in a span, in order. */
  childrenOf(node: TreeSpan): readonly TreeSpan[] {
    return this.#children?.get(node) ?? [];
  }

  #add(parent: TreeSpan, child: TreeSpan): void {
    const siblings = this.#children!.get(parent);
    if (siblings === undefined) this.#children!.set(parent, [child]);
    else siblings.push(child);
  }

  #parentOf({ isFromXray, span, resource }: TreeSpan): TreeSpan | undefined {
    if (!isFromXray || span.kind === SpanKind.SERVER || span.parentSpanId === '') return undefined;
    return this.#byId.get(`${resource}/${span.parentSpanId}`);
  }

  /** How deep in its document a span lies; 0 when it begins one, be it because its ancestors are a circle or too many. */
  #level(node: TreeSpan, levels: Map<TreeSpan, number>): number {
    const path: TreeSpan[] = [];
    const onPath = new Set<TreeSpan>();
    let at: TreeSpan | undefined = node;
    while (at !== undefined && !levels.has(at) && !onPath.has(at)) {
      path.push(at);
      onPath.add(at);
      at = this.#parentOf(at);
    }
    // Without a known ancestor the last of the path begins a document: it has no parent, or closes the circle.
    let level = at === undefined || !levels.has(at) ? -1 : levels.get(at)!;
    for (const span of path.reverse()) {
      level = level === MAX_LEVELS ? 0 : level + 1;
      levels.set(span, level);
    }
    return levels.get(node)!;
  }
}

function keyOf({ resource }: TreeSpan, spanId: string): string {
  return `${resource}/${spanId}`;
}
