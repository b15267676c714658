import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { resolveRange } from '@clew/api';
import type { ExploreState, SearchAnswer, SearchRequest } from '@clew/api';
import { useMemo } from 'react';
import { api } from '../../net/client.ts';

/** A search with its times resolved, so that every page of it asks for the same range. */
export type ResolvedSearch = Omit<SearchRequest, 'cursor'>;

/**
 * The search of the screen. Relative times are resolved once per `runId`, which a refresh counts up: a page
 * asked for later must not move the range under the cursor. Undefined when the range cannot be read.
 */
export function useResolvedSearch(state: ExploreState, runId: number): ResolvedSearch | undefined {
  const { filter, range, order, limit } = state;
  return useMemo(() => {
    const resolved = resolveRange(range, Date.now());
    return resolved === undefined ? undefined : { filter, ...resolved, order, limit };
    // The run is what makes "now" move.
  }, [filter, range.from, range.to, order, limit, runId]);
}

function keyOf(search: ResolvedSearch | undefined): readonly unknown[] {
  if (search === undefined) return ['none'];
  const json = JSON.stringify(search, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return [json];
}

/** Pages of results. The last good ones stay on screen while others load. */
export function useSearchPages(search: ResolvedSearch | undefined) {
  return useInfiniteQuery({
    queryKey: ['search', ...keyOf(search)],
    enabled: search !== undefined,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      if (search === undefined) throw new Error('a search without a range was run');
      return api.search({ ...search, ...(pageParam === undefined ? {} : { cursor: pageParam }) }, { signal });
    },
    getNextPageParam: (last: SearchAnswer) => last.cursor,
    placeholderData: (before) => before,
  });
}

/** Buckets of the strip above the results. */
export function useSeries(search: ResolvedSearch | undefined, buckets: number) {
  const ranged =
    search === undefined
      ? undefined
      : { filter: search.filter, fromUnixNano: search.fromUnixNano, toUnixNano: search.toUnixNano };
  return useQuery({
    queryKey: [
      'series',
      buckets,
      ...keyOf(search === undefined ? undefined : { ...search, order: 'newest', limit: 1 }),
    ],
    enabled: ranged !== undefined,
    queryFn: ({ signal }) => {
      if (ranged === undefined) throw new Error('a series without a range was asked for');
      return api.series({ ...ranged, buckets }, { signal });
    },
    placeholderData: (before) => before,
  });
}

/** For a search that found nothing: what each of its terms removes. */
export function useExplain(search: ResolvedSearch | undefined, enabled: boolean) {
  return useQuery({
    queryKey: ['explain', ...keyOf(search)],
    enabled: enabled && search !== undefined,
    queryFn: ({ signal }) => {
      if (search === undefined) throw new Error('a search without a range was explained');
      return api.searchExplain(search, { signal });
    },
  });
}

/** Names for the form's lists. */
export function useCatalog(search: ResolvedSearch | undefined) {
  const range = search === undefined ? undefined : { fromUnixNano: search.fromUnixNano, toUnixNano: search.toUnixNano };
  const rangeKey = `${range?.fromUnixNano ?? ''} ${range?.toUnixNano ?? ''}`;
  const service = search?.filter.service;
  const services = useQuery({
    queryKey: ['services', rangeKey],
    enabled: range !== undefined,
    queryFn: ({ signal }) =>
      api.services({ ...(range ?? { fromUnixNano: 0n, toUnixNano: 1n }), limit: 5000 }, { signal }),
    placeholderData: (before) => before,
  });
  const operations = useQuery({
    queryKey: ['operations', rangeKey, service],
    enabled: range !== undefined,
    queryFn: ({ signal }) =>
      api.operations(
        {
          ...(range ?? { fromUnixNano: 0n, toUnixNano: 1n }),
          limit: 5000,
          ...(service === undefined ? {} : { service }),
        },
        { signal },
      ),
  });
  return { services, operations };
}
