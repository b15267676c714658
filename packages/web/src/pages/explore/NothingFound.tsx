import { formatFilter, isEmptyFilter, parseFilter } from '@clew/api';
import type { ExploreState } from '@clew/api';
import type { ReactElement } from 'react';
import { formatAgo, formatCount, unixMsOf } from '../../lib/format.ts';
import { Button, ButtonLink } from '../../ui/controls.tsx';
import { EmptyState, SkeletonRows } from '../../ui/states.tsx';
import styles from './Explore.module.css';
import { useExplain } from './use-search.ts';
import type { ResolvedSearch } from './use-search.ts';

/** Time kept on both sides of a newest span when jumping to it. */
const jumpMarginMs = 30 * 60_000;

/** Instead of an empty list: what emptied it, and the way out. */
export function NothingFound({
  search,
  state,
  change,
}: {
  readonly search: ResolvedSearch;
  readonly state: ExploreState;
  readonly change: (changed: Partial<ExploreState>) => void;
}): ReactElement {
  const explain = useExplain(search, true);
  if (explain.isPending) return <SkeletonRows rows={4} />;
  const answer = explain.data;
  if (answer === undefined) {
    return (
      <EmptyState title="No trace matches">
        <p>Why could not be found out: {explain.error?.message}</p>
      </EmptyState>
    );
  }
  if (answer.spansInRange === 0) return <EmptyRange newest={answer.newestSpanUnixNano} change={change} />;
  const useful = answer.withoutTerm.filter((term) => term.matchingSpans > 0);
  return (
    <EmptyState
      title="No trace matches"
      actions={
        isEmptyFilter(state.filter) ? undefined : (
          <Button onClick={() => change({ filter: { rootOnly: false, terms: [] } })}>Drop all conditions</Button>
        )
      }
    >
      <p>
        {formatCount(answer.spansInRange)} spans lie in this time range, but none satisfies{' '}
        <code>{formatFilter(state.filter)}</code>
      </p>
      {useful.length === 0 ? (
        <p>No single condition is to blame: dropping any one of them still finds nothing.</p>
      ) : (
        <table className={styles['dropTable']}>
          <caption>Without one condition</caption>
          <tbody>
            {useful.map((term) => (
              <tr key={term.term}>
                <th scope="row">
                  <code>{term.term}</code>
                </th>
                <td>{formatCount(term.matchingSpans)} spans</td>
                <td>
                  <Button small onClick={() => dropTo(term.query, change)}>
                    Drop
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </EmptyState>
  );
}

function dropTo(query: string, change: (changed: Partial<ExploreState>) => void): void {
  const filter = parseFilter(query);
  if (filter.ok) change({ filter: filter.value });
}

function EmptyRange({
  newest,
  change,
}: {
  readonly newest: string | undefined;
  readonly change: (changed: Partial<ExploreState>) => void;
}): ReactElement {
  if (newest === undefined) {
    return (
      <EmptyState
        title="Nothing has been received yet"
        icon="info"
        actions={
          <ButtonLink to="/welcome" look="primary">
            Send the first trace
          </ButtonLink>
        }
      >
        <p>Spans show up here within a second of being sent.</p>
      </EmptyState>
    );
  }
  const newestMs = Math.floor(unixMsOf(newest));
  const jump = (): void =>
    change({ range: { from: String(newestMs - jumpMarginMs), to: String(newestMs + jumpMarginMs) } });
  return (
    <EmptyState
      title="No spans in this time range"
      icon="clock"
      actions={
        <Button look="primary" onClick={jump}>
          Go there
        </Button>
      }
    >
      <p>The newest span started {formatAgo(newestMs, Date.now())}.</p>
    </EmptyState>
  );
}
