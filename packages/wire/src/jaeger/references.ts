import { SPAN_ID_BYTES, equalBytes, isZero } from '@clew/model';
import { copy8 } from '../ids.ts';
import type { DecodeContext } from './decode-context.ts';

/** What the flags column of a link holds until its span ends: the type of the reference. */
const CHILD_OF = 0;
const FOLLOWS_FROM = 1;

const NONE = -1;

/**
 * Turns the references of one span into its parent and its links. The parent is the id the span names itself, else its first CHILD_OF
 * reference within the trace, else its first FOLLOWS_FROM within it; one reference that names the parent is no link. All others
 * are, with their type as an attribute.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class References {
  readonly #context: DecodeContext;
  #first = 0;
  /** Whether the parent was set by `parent`. */
  #isDecided = false;

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  /** Begins the references of the span that is added next. */
  begin(): void {
    this.#first = this.#context.batch.links.count;
    this.#isDecided = false;
  }

  /**
   * Takes a CHILD_OF reference whose trace and span id begin at `traceAt` and `spanAt` of `source` for the parent of span `row`, if it is sure
   * to be that: the first of all, within the trace, of a span that names no parent itself. Saves nearly every span the way through links.
   */
  parent(row: number, source: Uint8Array, traceAt: number, spanAt: number): boolean {
    const { links, parentIds, traceIds } = this.#context.batch;
    const isFirst = links.count === this.#first && !this.#isDecided;
    if (!isFirst || isZeroId(source, spanAt) || !equalBytes(source, traceAt, traceIds, row * 16, 16)) return false;
    copy8(source, spanAt, parentIds, row * 8);
    this.#isDecided = true;
    return true;
  }

  /** Adds a reference met at `at` and returns the row of `batch.links` whose ids are to be filled in. */
  add(at: number): number {
    const { links, linkAttrs } = this.#context.batch;
    this.#context.countChild(at);
    const row = links.add(linkAttrs.count);
    links.flags[row] = CHILD_OF;
    return row;
  }

  /** Tells that the reference in `row` is not CHILD_OF. */
  setFollowsFrom(row: number): void {
    this.#context.batch.links.flags[row] = FOLLOWS_FROM;
  }

  /**
   * Ends the references of span `row`, whose ids are set, its parent's too if it names one. Returns whether a FOLLOWS_FROM reference
   * names the parent.
   */
  finish(row: number): boolean {
    const { links } = this.#context.batch;
    if (links.count === this.#first) return false;
    const chosen = this.#isDecided ? NONE : this.#chosen(row);
    let isFollowing = false;
    if (chosen !== NONE) {
      isFollowing = links.flags[chosen] === FOLLOWS_FROM;
      this.#makeParent(row, chosen);
    }
    this.#makeLinks();
    return isFollowing;
  }

  /**
   * The reference that names the parent of span `row`: the first CHILD_OF, or else the first FOLLOWS_FROM when no CHILD_OF within the trace
   * names anything, because then an encoding without a field for the parent says the same.
   */
  #chosen(row: number): number {
    const { batch } = this.#context;
    const { links, parentIds, traceIds } = batch;
    const hasParent = !isZeroId(parentIds, row * 8);
    let following = NONE;
    let hasChildOf = false;
    for (let link = this.#first; link < links.count; link++) {
      if (isZeroId(links.spanIds, link * 8)) continue;
      if (!equalBytes(links.traceIds, link * 16, traceIds, row * 16, 16)) continue;
      const isParent = !hasParent || equalBytes(links.spanIds, link * 8, parentIds, row * 8, 8);
      if (links.flags[link] === CHILD_OF) {
        if (isParent) return link;
        hasChildOf = true;
      } else if (isParent && following === NONE) following = link;
    }
    return hasChildOf ? NONE : following;
  }

  /** Sets the parent of span `row` to what `link` names, and takes the link away. */
  #makeParent(row: number, link: number): void {
    const { links, parentIds } = this.#context.batch;
    copy8(links.spanIds, link * 8, parentIds, row * 8);
    const last = --links.count;
    if (link === last) return;
    links.traceIds.copyWithin(link * 16, link * 16 + 16, last * 16 + 16);
    links.spanIds.copyWithin(link * 8, link * 8 + 8, last * 8 + 8);
    links.flags.copyWithin(link, link + 1, last + 1);
  }

  #makeLinks(): void {
    const { links, linkAttrs } = this.#context.batch;
    if (links.count === this.#first) return;
    const key = this.#context.key('REF_TYPE');
    for (let link = this.#first; link < links.count; link++) {
      this.#context.pushRefType(linkAttrs, key, links.flags[link] === CHILD_OF);
      links.flags[link] = 0;
      links.attrEnd[link] = linkAttrs.count;
    }
  }
}

function isZeroId(ids: Uint8Array, at: number): boolean {
  return isZero(ids, at, SPAN_ID_BYTES);
}
