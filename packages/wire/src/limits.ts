import { WireError } from './errors.ts';

/** What the decoders refuse, so that a small request cannot become a large batch. */
export interface DecodeLimits {
  /**
   * Levels of arrays and maps inside one attribute value, and of groups and objects that are skipped. Default 64; more
   * than {@link MAX_DEPTH} counts as that.
   */
  readonly maxDepth?: number;
  /** Spans in one request. Default 500,000. */
  readonly maxSpans?: number;
  /** Events, links, scopes and resources together in one request. Default 2,000,000. */
  readonly maxChildren?: number;
}

/** The limits that apply where {@link DecodeLimits} says nothing. */
export const DEFAULT_DECODE_LIMITS = Object.freeze({
  maxDepth: 64,
  maxSpans: 500_000,
  maxChildren: 2_000_000,
} satisfies Required<DecodeLimits>);

/** Deepest nesting any setting allows: decoding recurses, and the stack is finite. */
export const MAX_DEPTH = 500;

/** All limits, defaults filled in. */
export function resolveLimits(limits: DecodeLimits): Required<DecodeLimits> {
  return {
    maxDepth: Math.min(limits.maxDepth ?? DEFAULT_DECODE_LIMITS.maxDepth, MAX_DEPTH),
    maxSpans: limits.maxSpans ?? DEFAULT_DECODE_LIMITS.maxSpans,
    maxChildren: limits.maxChildren ?? DEFAULT_DECODE_LIMITS.maxChildren,
  };
}

/** An error about a limit reached at `offset`; the message names the limit, its value and how to raise it. */
export function limitError(
  code: 'too_deep' | 'too_many_spans' | 'too_many_children',
  offset: number,
  setting: keyof DecodeLimits,
  value: number,
): WireError {
  const what = {
    too_deep: 'values are nested deeper than',
    too_many_spans: 'the request has more spans than',
    too_many_children: 'the request has more events, links, scopes and resources than',
  }[code];
  return new WireError(
    code,
    `${what} ${value}, the limit ${setting}, at byte ${offset}; send less at once or raise ${setting}`,
    {
      details: { offset, limit: setting, value },
    },
  );
}
