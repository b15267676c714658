import { formatFilter, emptyFilter } from '../query/filter.ts';
import type { SearchFilter } from '../query/filter.ts';
import { parseFilter } from '../query/parse-filter.ts';
import type { RequestProblem } from '../common.ts';
import type { SearchOrder } from '../search.ts';
import { searchLimits } from '../requests.ts';
import { countParam, formatQuery, unknownParams, wordParam } from './params.ts';
import type { UnknownParams } from './params.ts';
import { defaultRange } from './time.ts';
import type { TimeRangeText } from './time.ts';

/** Everything on the Explore page that a colleague opening the link should see too. */
export interface ExploreState {
  readonly filter: SearchFilter;
  /** The query as the link has it when a form cannot show it, with what was wrong; the filter is then empty. */
  readonly unread?: { readonly query: string; readonly problems: readonly RequestProblem[] };
  readonly range: TimeRangeText;
  readonly order: SearchOrder;
  readonly limit: number;
  readonly unknown: UnknownParams;
}

/** Explore as it opens without parameters. */
export const defaultExplore: ExploreState = Object.freeze({
  filter: emptyFilter,
  range: defaultRange,
  order: 'newest',
  limit: searchLimits.default,
  unknown: [],
});

const orderWords = Object.freeze({
  '-start': 'newest',
  start: 'oldest',
  '-duration': 'longest',
  '-spans': 'most_spans',
  '-errors': 'most_errors',
}) satisfies Readonly<Record<string, SearchOrder>>;

type OrderWord = keyof typeof orderWords;

const known = ['q', 'from', 'to', 'sort', 'limit'];

/** Reads the query string of `/explore`. Values that cannot be read fall back to their defaults. */
export function parseExplore(params: URLSearchParams): ExploreState {
  const query = params.get('q') ?? '';
  const filter = parseFilter(query);
  const word = wordParam(params, 'sort', Object.keys(orderWords) as OrderWord[], '-start');
  return {
    filter: filter.ok ? filter.value : emptyFilter,
    ...(filter.ok ? {} : { unread: { query, problems: filter.error } }),
    range: { from: params.get('from') ?? defaultRange.from, to: params.get('to') ?? defaultRange.to },
    order: orderWords[word],
    limit: countParam(params, 'limit', 1, searchLimits.max) ?? searchLimits.default,
    unknown: unknownParams(params, known),
  };
}

/** The canonical link of an Explore screen, starting with `/explore`. */
export function formatExplore(state: ExploreState): string {
  const query = state.unread?.query ?? formatFilter(state.filter);
  const order = (Object.keys(orderWords) as OrderWord[]).find((word) => orderWords[word] === state.order);
  const entries: (readonly [string, string | undefined])[] = [
    ['q', query === '' ? undefined : query],
    ['from', state.range.from === defaultRange.from ? undefined : state.range.from],
    ['to', state.range.to === defaultRange.to ? undefined : state.range.to],
    ['sort', state.order === 'newest' ? undefined : order],
    ['limit', state.limit === searchLimits.default ? undefined : String(state.limit)],
  ];
  return `/explore${formatQuery(entries, state.unknown)}`;
}
