import { adjustClockSkew } from './clock-skew.ts';
import { dropEmptyLinks } from './empty-links.ts';
import { dropEqualSpans } from './drop-equal-spans.ts';
import { showIpAddresses } from './ip-addresses.ts';
import { moveLibraryAttributes } from './library-attributes.ts';
import { sortAttributes } from './sort-attributes.ts';
import { makeSpanIdsUnique } from './unique-span-ids.ts';
import type { AdjustableSpan, Adjuster } from './span.ts';

/** What the adjusters may be told. */
export interface AdjustOptions {
  /** Largest clock skew that is corrected, nanoseconds; 0 (the default) corrects none and only warns. */
  readonly maxClockSkewNano?: bigint;
}

/** The adjusters by name, in the order in which Jaeger 2 runs them. */
export function adjusters(options: AdjustOptions = {}): readonly (readonly [name: string, Adjuster])[] {
  return [
    ['unique span ids', makeSpanIdsUnique],
    ['sort attributes', sortAttributes],
    ['drop equal spans', dropEqualSpans],
    ['clock skew', (spans) => adjustClockSkew(spans, options.maxClockSkewNano ?? 0n)],
    ['ip addresses', showIpAddresses],
    ['library attributes', moveLibraryAttributes],
    ['empty links', dropEmptyLinks],
  ];
}

/** Runs every adjuster over a trace and returns what is left of it. */
export function adjustTrace(spans: AdjustableSpan[], options?: AdjustOptions): AdjustableSpan[] {
  return adjusters(options).reduce((kept, [, adjust]) => adjust(kept), spans);
}
