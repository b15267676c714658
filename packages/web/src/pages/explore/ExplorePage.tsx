import { formatExplore } from '@clew/api';
import type { ExploreState } from '@clew/api';
import { useCallback, useRef, useState } from 'react';
import type { ReactElement } from 'react';
import { goTo } from '../../app/address.ts';
import { useShortcuts } from '../../app/shortcuts.ts';
import { Button } from '../../ui/controls.tsx';
import { Banner, ErrorState, ProgressLine, SkeletonRows } from '../../ui/states.tsx';
import { TimeRangePicker } from '../../ui/TimeRange.tsx';
import styles from './Explore.module.css';
import { FilterForm } from './FilterForm.tsx';
import { NothingFound } from './NothingFound.tsx';
import { ResultList } from './ResultList.tsx';
import { Timeline } from './Timeline.tsx';
import { useCatalog, useResolvedSearch, useSearchPages } from './use-search.ts';

/** `/explore`: find traces. */
export function ExplorePage({ state }: { readonly state: ExploreState }): ReactElement {
  const [runId, setRunId] = useState(0);
  const search = useResolvedSearch(state, runId);
  const results = useSearchPages(search);
  const catalog = useCatalog(search);
  const tagsInput = useRef<HTMLInputElement>(null);
  const refresh = (): void => setRunId((run) => run + 1);
  const latest = useRef(state);
  latest.current = state;
  const change = useCallback((changed: Partial<ExploreState>): void => {
    // A new filter replaces a query the form could not show.
    const { unread, ...rest } = latest.current;
    const keepsQuery = changed.filter === undefined && unread !== undefined;
    goTo(formatExplore({ ...rest, ...(keepsQuery ? { unread } : {}), ...changed }));
  }, []);
  useShortcuts('Explore', [
    { keys: '/', label: 'Tags', run: () => tagsInput.current?.focus() },
    { keys: '.', label: 'Refresh', run: refresh },
  ]);

  const pages = results.data?.pages ?? [];
  const traces = pages.flatMap((page) => page.traces);
  const isEmpty = results.isSuccess && !results.isPlaceholderData && traces.length === 0;
  return (
    <div className={styles['page']}>
      <h1 className="visually-hidden">Explore traces</h1>
      <ProgressLine active={results.isFetching} />
      <FilterForm
        state={state}
        change={change}
        services={catalog.services}
        operations={catalog.operations}
        search={search}
        tagsInput={tagsInput}
        tools={
          <>
            <TimeRangePicker range={state.range} onChange={(range) => change({ range })} />
            <Button icon="refresh" aria-label="Refresh" onClick={refresh} />
          </>
        }
      />
      {state.unread === undefined ? null : (
        <Banner tone="error">
          <span>
            The query of this link cannot be shown as a form: {state.unread.problems[0]?.message}{' '}
            <code>{state.unread.query}</code>
          </span>
        </Banner>
      )}
      {search === undefined ? (
        <ErrorState title="The time range cannot be read" error={`${state.range.from} to ${state.range.to}`} />
      ) : (
        <>
          <Timeline search={search} onZoom={(range) => change({ range })} />
          {results.isError && traces.length > 0 ? (
            <Banner tone="error">
              <span>These results are from before: {results.error.message}</span>
            </Banner>
          ) : null}
          {results.isError && traces.length === 0 ? (
            <ErrorState title="The search failed" error={results.error} onRetry={() => void results.refetch()} />
          ) : isEmpty ? (
            <NothingFound search={search} state={state} change={change} />
          ) : pages.length === 0 ? (
            <SkeletonRows rows={10} />
          ) : (
            <ResultList
              pages={pages}
              stale={results.isPlaceholderData}
              loadingMore={results.isFetchingNextPage}
              onMore={() => void results.fetchNextPage()}
              order={state.order}
              onOrder={(order) => change({ order })}
            />
          )}
        </>
      )}
    </div>
  );
}
