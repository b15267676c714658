import { traceLink } from '@clew/api';
import type { SearchAnswer, SearchOrder, TraceSummary } from '@clew/api';
import { useEffect, useMemo, useRef } from 'react';
import type { CSSProperties, KeyboardEvent, ReactElement, RefObject } from 'react';
import {
  formatAgo,
  formatBytes,
  formatClock,
  formatCount,
  formatDateTime,
  formatDay,
  formatDuration,
  plural,
  unixMsOf,
} from '../../lib/format.ts';
import { slotsByName } from '../../lib/service-colors.ts';
import { Button, PageLink } from '../../ui/controls.tsx';
import { Banner } from '../../ui/states.tsx';
import { ServiceChip } from '../../ui/ServiceChip.tsx';
import { useRowWindow } from '../../ui/use-row-window.ts';
import styles from './Explore.module.css';

const rowPx = 56;
const maxChips = 5;

const orderWords: Readonly<Record<SearchOrder, string>> = Object.freeze({
  newest: 'newest first',
  oldest: 'oldest first',
  longest: 'longest first',
  most_spans: 'most spans first',
  most_errors: 'most errors first',
});

/** Traces found, page after page; only rows on screen exist. */
export function ResultList({
  pages,
  stale,
  loadingMore,
  onMore,
  order,
  onOrder,
}: {
  readonly pages: readonly SearchAnswer[];
  readonly stale: boolean;
  readonly loadingMore: boolean;
  readonly onMore: () => void;
  readonly order: SearchOrder;
  readonly onOrder: (order: SearchOrder) => void;
}): ReactElement {
  const traces = pages.flatMap((page) => page.traces);
  const last = pages.at(-1);
  const scroller = useRef<HTMLDivElement>(null);
  const rowWindow = useRowWindow(scroller, traces.length, rowPx);
  const longest = traces.reduce((most, trace) => Math.max(most, Number(trace.durationNano)), 1);
  useRestoredScroll(scroller, pages[0]?.query ?? '');
  const slots = useMemo(
    () =>
      slotsByName(
        pages.flatMap((page) => page.traces.flatMap((trace) => trace.services.map((service) => service.name))),
      ),
    [pages],
  );
  const warnings = last?.facts.warnings ?? [];
  return (
    <section className={styles['results']} aria-label="Traces found" aria-busy={stale} data-stale={stale}>
      {warnings.map((warning) => (
        <Banner key={warning.code} tone="warning">
          {warning.message}
        </Banner>
      ))}
      <div className={styles['resultHead']}>
        <span role="status">{summaryLine(pages, traces.length, order)}</span>
        <span className={styles['headCells']} aria-hidden="true">
          <OrderHead title="Duration" by="longest" order={order} onOrder={onOrder} />
          <OrderHead title="Spans" by="most_spans" order={order} onOrder={onOrder} />
          <OrderHead title="Errors" by="most_errors" order={order} onOrder={onOrder} />
          <OrderHead title="Started" by={order === 'newest' ? 'oldest' : 'newest'} order={order} onOrder={onOrder} />
        </span>
      </div>
      <div ref={scroller} className={styles['scroller']} onKeyDown={moveBetweenRows} tabIndex={-1}>
        <ol className={styles['list']} style={{ height: traces.length * rowPx }}>
          {traces.slice(rowWindow.first, rowWindow.end).map((trace, index) => (
            <ResultRow
              key={trace.traceId}
              trace={trace}
              longestNano={longest}
              slots={slots}
              style={{ top: (rowWindow.first + index) * rowPx }}
              position={rowWindow.first + index + 1}
              count={traces.length}
            />
          ))}
        </ol>
        {last?.cursor === undefined ? (
          <p className={styles['end']}>{endText(last)}</p>
        ) : (
          <div className={styles['end']}>
            <Button disabled={loadingMore} onClick={onMore}>
              {loadingMore ? 'Loading…' : 'Load more'}
            </Button>
          </div>
        )}
      </div>
    </section>
  );
}

function summaryLine(pages: readonly SearchAnswer[], shown: number, order: SearchOrder): string {
  const scanned = pages.reduce((sum, page) => sum + page.scan.scannedRows, 0);
  const bytes = pages.reduce((sum, page) => sum + (page.scan.scannedBytes ?? 0), 0);
  const elapsed = pages.reduce((sum, page) => sum + page.scan.elapsedMs, 0);
  const more = pages.at(-1)?.facts.more === true ? ', more exist' : '';
  return `${plural(shown, 'trace')}${more} · ${orderWords[order]} · read ${formatCount(scanned)} rows${bytes === 0 ? '' : `, ${formatBytes(bytes)}`} in ${formatCount(Math.round(elapsed))} ms`;
}

function endText(last: SearchAnswer | undefined): string {
  switch (last?.facts.stopReason) {
    case 'scan_limit':
      return 'The search stopped at the server’s limit of rows to read. Narrow the time range to see the rest.';
    case 'time_limit':
      return 'The search stopped at the server’s time limit. Narrow the time range to see the rest.';
    case 'memory_limit':
      return 'The search stopped at the server’s memory limit. Narrow the time range to see the rest.';
    default:
      return 'That is all.';
  }
}

function OrderHead({
  title,
  by,
  order,
  onOrder,
}: {
  readonly title: string;
  readonly by: SearchOrder;
  readonly order: SearchOrder;
  readonly onOrder: (order: SearchOrder) => void;
}): ReactElement {
  const isStart = title === 'Started';
  const active = isStart ? order === 'newest' || order === 'oldest' : order === by;
  const arrow = active ? (order === 'oldest' ? ' ↑' : ' ↓') : '';
  // The order field of the form does the same for keyboards and screen readers.
  return (
    <button type="button" tabIndex={-1} data-active={active} onClick={() => onOrder(by)}>
      {title}
      {arrow}
    </button>
  );
}

function ResultRow({
  trace,
  longestNano,
  slots,
  style,
  position,
  count,
}: {
  readonly trace: TraceSummary;
  readonly longestNano: number;
  readonly slots: ReadonlyMap<string, number>;
  readonly style: CSSProperties;
  readonly position: number;
  readonly count: number;
}): ReactElement {
  const durationNano = Number(trace.durationNano);
  const startMs = unixMsOf(trace.startUnixNano);
  const time = { startUnixNano: BigInt(trace.startUnixNano), durationNano: BigInt(trace.durationNano) };
  const now = Date.now();
  const more = trace.serviceCount - Math.min(maxChips, trace.services.length);
  return (
    <li className={styles['row']} style={style} aria-posinset={position} aria-setsize={count}>
      <PageLink to={traceLink(trace.traceId, time)} className={styles['rowLink']}>
        <span className={styles['rowName']}>
          {trace.rootService === undefined ? null : <span className={styles['rowService']}>{trace.rootService}</span>}
          <span className={styles['rowOperation']}>{trace.rootName}</span>
          {trace.hasRoot ? null : <span className={styles['badge']}>no root yet</span>}
        </span>
      </PageLink>
      <span className={styles['chips']}>
        {trace.services.slice(0, maxChips).map((service) => (
          <ServiceChip
            key={service.name}
            name={service.name}
            slot={slots.get(service.name) ?? 0}
            note={`${plural(service.spans, 'span')}${service.errors > 0 ? `, ${plural(service.errors, 'error')}` : ''}`}
          />
        ))}
        {more > 0 ? <span className={styles['moreChips']}>+{more}</span> : null}
      </span>
      <span className={styles['duration']}>
        <span className={styles['durationText']}>{formatDuration(durationNano)}</span>
        <span className={styles['durationTrack']} aria-hidden="true">
          <i
            data-error={trace.errorCount > 0}
            style={{ width: `${Math.max(1, (durationNano / longestNano) * 100)}%` }}
          />
        </span>
      </span>
      <span className={`${styles['number']} ${styles['spanCount']}`}>
        {formatCount(trace.spanCount)} <small>spans</small>
      </span>
      <span className={`${styles['number']} ${styles['errorCount']}`} data-error={trace.errorCount > 0}>
        {trace.errorCount === 0 ? (
          <span aria-label="no errors">–</span>
        ) : (
          <>
            {formatCount(trace.errorCount)} <small>{trace.errorCount === 1 ? 'error' : 'errors'}</small>
          </>
        )}
      </span>
      <time className={styles['start']} dateTime={new Date(startMs).toISOString()} title={formatDateTime(startMs)}>
        <span>{formatAgo(startMs, now)}</span>
        <small>{formatDay(startMs) === formatDay(now) ? formatClock(startMs) : formatDateTime(startMs)}</small>
      </time>
    </li>
  );
}

/** Arrow keys go from result to result. */
function moveBetweenRows(event: KeyboardEvent<HTMLDivElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('li a')];
  const at = links.findIndex((link) => link === document.activeElement);
  const next = links[at + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

/** Where the list was scrolled to, by query: coming back from a trace finds the same place. */
const scrollPositions = new Map<string, number>();

function useRestoredScroll(scroller: RefObject<HTMLDivElement | null>, query: string): void {
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const key = `${window.location.search} ${query}`;
    element.scrollTop = scrollPositions.get(key) ?? 0;
    const remember = (): void => void scrollPositions.set(key, element.scrollTop);
    element.addEventListener('scroll', remember, { passive: true });
    return () => element.removeEventListener('scroll', remember);
  }, [scroller, query]);
}
