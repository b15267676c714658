import type { TimeRangeText } from '@clew/api';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { PointerEvent, ReactElement } from 'react';
import { formatClock, formatCount, formatDateTime, formatDay, plural } from '../../lib/format.ts';
import { Button } from '../../ui/controls.tsx';
import { barHeight, bucketsOf, clockTicks, errorHeight } from './timeline-scale.ts';
import type { Bucket } from './timeline-scale.ts';
import styles from './Timeline.module.css';
import { useSeries } from './use-search.ts';
import type { ResolvedSearch } from './use-search.ts';

const heightPx = 46;
const bucketPx = 7;
const minBuckets = 30;
const maxBuckets = 240;
const tickPx = 120;
/** A drag shorter than this is a click. */
const minDragPx = 4;

/** Matching spans over time, errors apart; dragging over it zooms the range. */
export function Timeline({
  search,
  onZoom,
}: {
  readonly search: ResolvedSearch;
  readonly onZoom: (range: TimeRangeText) => void;
}): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const [widthPx, setWidthPx] = useState(0);
  const [asTable, setAsTable] = useState(false);
  const [hover, setHover] = useState<number | undefined>(undefined);
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | undefined>(undefined);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    setWidthPx(element.clientWidth);
    const observer = new ResizeObserver(() => setWidthPx(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // In steps of twenty, so that a window being resized does not ask for every width.
  const wanted = Math.max(minBuckets, Math.min(maxBuckets, Math.floor(widthPx / bucketPx / 20) * 20));
  const series = useSeries(widthPx === 0 ? undefined : search, wanted);
  const buckets = useMemo(() => (series.data === undefined ? [] : bucketsOf(series.data)), [series.data]);
  const most = buckets.reduce((highest, bucket) => Math.max(highest, bucket.count), 0);
  const [fromMs, toMs] = [Number(search.fromUnixNano / 1_000_000n), Number(search.toUnixNano / 1_000_000n)];

  const shareAt = (event: PointerEvent): number => {
    const bounds = box.current?.getBoundingClientRect();
    return bounds === undefined ? 0 : Math.max(0, Math.min(1, (event.clientX - bounds.left) / bounds.width));
  };
  const finish = (event: PointerEvent): void => {
    if (drag === undefined) return;
    setDrag(undefined);
    const [low, high] = [Math.min(drag.from, shareAt(event)), Math.max(drag.from, shareAt(event))];
    if ((high - low) * widthPx < minDragPx) return;
    const at = (share: number): number => fromMs + share * (toMs - fromMs);
    onZoom({ from: String(Math.floor(at(low))), to: String(Math.ceil(at(high))) });
  };
  const hovered =
    hover === undefined ? undefined : buckets[Math.min(buckets.length - 1, Math.floor(hover * buckets.length))];
  const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const errors = buckets.reduce((sum, bucket) => sum + bucket.errors, 0);
  return (
    <section className={styles['frame']} aria-label="Matching spans over time">
      <div className={styles['caption']}>
        <span role="status">
          {series.isError ? `Spans over time: ${series.error.message}` : describe(hovered, total, errors)}
        </span>
        <Button
          small
          look="quiet"
          icon="table"
          aria-label="View as table"
          aria-pressed={asTable}
          onClick={() => setAsTable(!asTable)}
        />
      </div>
      <div
        ref={box}
        className={styles['chart']}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: shareAt(event), to: shareAt(event) });
        }}
        onPointerMove={(event) => {
          setHover(shareAt(event));
          if (drag !== undefined) setDrag({ ...drag, to: shareAt(event) });
        }}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => setHover(undefined)}
      >
        <Bars buckets={buckets} most={most} hovered={hovered} />
        {drag === undefined ? null : (
          <span
            className={styles['brush']}
            style={{ left: `${Math.min(drag.from, drag.to) * 100}%`, width: `${Math.abs(drag.to - drag.from) * 100}%` }}
          />
        )}
      </div>
      <div className={styles['axis']} aria-hidden="true">
        {clockTicks(fromMs, toMs, Math.max(2, Math.floor(widthPx / tickPx))).map((tick) => {
          const share = (tick - fromMs) / (toMs - fromMs);
          return share > 0.96 ? null : (
            <span key={tick} style={{ left: `${share * 100}%` }}>
              {toMs - fromMs > 2 * 86_400_000
                ? formatDay(tick).slice(5)
                : formatClock(tick, toMs - fromMs < 5000).slice(0, toMs - fromMs > 300_000 ? 5 : 12)}
            </span>
          );
        })}
      </div>
      {asTable ? <BucketTable buckets={buckets} /> : null}
    </section>
  );
}

function describe(hovered: Bucket | undefined, total: number, errors: number): string {
  if (hovered === undefined) {
    return `${plural(total, 'matching span')}${errors > 0 ? `, ${plural(errors, 'error')}` : ''}`;
  }
  const share = hovered.errors > 0 ? `, ${plural(hovered.errors, 'error')}` : '';
  return `${formatClock(hovered.fromUnixMs, false)} – ${formatClock(hovered.toUnixMs, false)}: ${plural(hovered.count, 'span')}${share}`;
}

function Bars({
  buckets,
  most,
  hovered,
}: {
  readonly buckets: readonly Bucket[];
  readonly most: number;
  readonly hovered: Bucket | undefined;
}): ReactElement {
  const width = 100 / Math.max(1, buckets.length);
  return (
    <svg className={styles['bars']} viewBox={`0 0 100 ${heightPx}`} preserveAspectRatio="none" aria-hidden="true">
      {buckets.map((bucket, index) => {
        const height = barHeight(bucket.count, most, heightPx);
        const failed = errorHeight(bucket.errors, bucket.count, height);
        return height === 0 ? null : (
          <g key={bucket.fromUnixMs} data-hovered={bucket === hovered}>
            <rect
              x={index * width + width * 0.1}
              width={width * 0.8}
              y={heightPx - height}
              height={height}
              className={styles['count']}
            />
            {failed === 0 ? null : (
              <rect
                x={index * width + width * 0.1}
                width={width * 0.8}
                y={heightPx - failed}
                height={failed}
                className={styles['errors']}
              />
            )}
          </g>
        );
      })}
    </svg>
  );
}

function BucketTable({ buckets }: { readonly buckets: readonly Bucket[] }): ReactElement {
  return (
    <div className={styles['tableBox']} tabIndex={0} role="region" aria-label="Spans over time as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Spans</th>
            <th scope="col">Errors</th>
          </tr>
        </thead>
        <tbody>
          {buckets
            .filter((bucket) => bucket.count > 0)
            .map((bucket) => (
              <tr key={bucket.fromUnixMs}>
                <td>{formatDateTime(bucket.fromUnixMs)}</td>
                <td>{formatCount(bucket.count)}</td>
                <td>{formatCount(bucket.errors)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
