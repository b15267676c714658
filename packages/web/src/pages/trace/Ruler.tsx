import { useRef } from 'react';
import type { PointerEvent, ReactElement } from 'react';
import { preferences, setPreferences } from '../../app/preferences.ts';
import { formatDuration } from '../../lib/format.ts';
import { timeToPx } from '../../trace/paint-bars.ts';
import { ticksFor } from '../../trace/waterfall.ts';
import styles from './Trace.module.css';
import type { TraceView } from './trace-view.ts';

const paddingPx = 8;
const minShare = 0.12;
const maxShare = 0.6;
const keyStep = 0.02;

/** Column heads: the tree's with the handle that sizes it, and the time axis. */
export function RulerRow({
  view,
  widthPx,
  treePx,
  stacked,
}: {
  readonly view: TraceView;
  readonly widthPx: number;
  readonly treePx: number;
  readonly stacked: boolean;
}): ReactElement {
  const axisPx = stacked ? widthPx : widthPx - treePx;
  return (
    <div className={styles['rulerRow']}>
      {stacked ? null : (
        <div className={styles['treeHead']} style={{ width: treePx }}>
          Service and operation
          <TreeResizer widthPx={widthPx} />
        </div>
      )}
      <div className={styles['ruler']} aria-hidden="true">
        {ticksFor(view.window, axisPx).map((tick) => {
          const x = timeToPx(tick, view.window, axisPx, paddingPx);
          // A label that would be cut at the right edge is left out; its grid line stays.
          return x > axisPx - 40 ? null : (
            <span key={tick} style={{ left: x }}>
              {tick === 0 ? '0' : formatDuration(tick)}
            </span>
          );
        })}
      </div>
    </div>
  );
}

/** Drag it, or move it with the arrow keys. */
function TreeResizer({ widthPx }: { readonly widthPx: number }): ReactElement {
  const dragging = useRef(false);
  const share = preferences.get().treeShare;
  const set = (next: number): void => setPreferences({ treeShare: Math.max(minShare, Math.min(maxShare, next)) });
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    if (!dragging.current) return;
    const left = event.currentTarget.closest(`.${styles['rulerRow'] ?? ''}`)?.getBoundingClientRect().left ?? 0;
    set((event.clientX - left) / widthPx);
  };
  return (
    <div
      className={styles['resizer']}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the tree column"
      aria-valuenow={Math.round(share * 100)}
      aria-valuemin={minShare * 100}
      aria-valuemax={maxShare * 100}
      tabIndex={0}
      onPointerDown={(event) => {
        dragging.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        dragging.current = false;
      }}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') set(share - keyStep);
        if (event.key === 'ArrowRight') set(share + keyStep);
      }}
    />
  );
}
