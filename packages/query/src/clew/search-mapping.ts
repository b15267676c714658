import { spanKindWords } from '@clew/api';
import type { AttributeTerm, SearchFilter, SearchOrder } from '@clew/api';
import type { SearchCursor, SpanFilter, TermFilter, TraceOrder } from '@clew/store';

/** The store's words for the API's orders. */
export const storeOrders: Readonly<Record<SearchOrder, TraceOrder>> = {
  newest: 'latest_match',
  oldest: 'oldest_match',
  longest: 'longest_match',
  most_spans: 'most_spans',
  most_errors: 'most_errors',
};

/** The API's filter as the store takes it. */
export function spanFilter(filter: SearchFilter): SpanFilter {
  return {
    ...(filter.service === undefined ? {} : { service: filter.service }),
    ...(filter.operation === undefined ? {} : { operation: filter.operation }),
    ...(filter.status === undefined ? {} : { status: filter.status }),
    ...(filter.kind === undefined ? {} : { kind: spanKindWords.indexOf(filter.kind) }),
    ...(filter.minDurationNano === undefined ? {} : { minDurationNano: filter.minDurationNano }),
    ...(filter.maxDurationNano === undefined ? {} : { maxDurationNano: filter.maxDurationNano }),
    ...(filter.rootOnly ? { rootOnly: true } : {}),
    terms: filter.terms.map(termFilter),
  };
}

function termFilter({ scope, key, operator, value }: AttributeTerm): TermFilter {
  if (value === undefined) return { scope, key, operator: operator === 'missing' ? 'missing' : 'exists' };
  return {
    scope,
    key,
    operator,
    value: value.type === 'boolean' ? value.value : { type: value.type, text: value.text },
  } as TermFilter;
}

/** Writes a cursor as opaque text. */
export function encodeCursor(cursor: SearchCursor): string {
  return Buffer.from(`${cursor.matchUnixNano}.${cursor.traceId}`).toString('base64url');
}

/** Reads a cursor; undefined when the text is none. */
export function decodeCursor(text: string): SearchCursor | undefined {
  const match = /^(\d{1,20})\.([0-9a-f]{32})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  return match === null ? undefined : { matchUnixNano: BigInt(match[1]!), traceId: match[2]! };
}
