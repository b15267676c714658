import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, PointerEvent, ReactElement } from 'react';
import { themeVersion } from '../../app/preferences.ts';
import { formatDuration } from '../../lib/format.ts';
import { serviceSlots } from '../../lib/service-colors.ts';
import { useStore } from '../../lib/store.ts';
import { squeezeTrace } from '../../trace/lanes.ts';
import { paintMinimap } from '../../trace/paint-minimap.ts';
import { readColors } from '../../trace/palette.ts';
import { clampWindow, isWholeTrace } from '../../trace/time-axis.ts';
import type { TimeWindow } from '../../trace/time-axis.ts';
import styles from './Minimap.module.css';
import type { TraceView } from './trace-view.ts';

const heightPx = 56;
const keyStep = 0.02;
/** Shorter drags are clicks. */
const minDragPx = 4;

/** The whole trace squeezed into a strip; a drag over it zooms, its two handles move the edges. */
export function Minimap({ view, hovered }: { readonly view: TraceView; readonly hovered: number }): ReactElement {
  const { model, window: shown, serviceColors } = view;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [widthPx, setWidthPx] = useState(0);
  const theme = useStore(themeVersion);
  const [drag, setDrag] = useState<{ readonly fromNano: number; readonly toNano: number } | undefined>(undefined);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    setWidthPx(element.clientWidth);
    const observer = new ResizeObserver(() => setWidthPx(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const columns = Math.max(1, Math.min(1600, widthPx));
  const lanes = useMemo(
    () =>
      squeezeTrace(
        model,
        Uint8Array.from(serviceColors, (color) => color.slot),
        serviceSlots,
        heightPx - 8,
        columns,
      ),
    [model, serviceColors, columns],
  );
  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d') ?? null;
    if (element === null || context === null || widthPx === 0) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(widthPx * ratio);
    element.height = Math.round(heightPx * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintMinimap(context, lanes, readColors(element), widthPx, heightPx);
  }, [lanes, widthPx, theme]);

  const total = model.totalNano;
  const nanoAt = (event: PointerEvent): number => {
    const bounds = box.current?.getBoundingClientRect();
    const share = bounds === undefined ? 0 : (event.clientX - bounds.left) / bounds.width;
    return Math.max(0, Math.min(1, share)) * total;
  };
  const finish = (event: PointerEvent): void => {
    if (drag === undefined) return;
    setDrag(undefined);
    const [startNano, endNano] = [Math.min(drag.fromNano, nanoAt(event)), Math.max(drag.fromNano, nanoAt(event))];
    if (((endNano - startNano) / total) * widthPx >= minDragPx)
      view.setWindow(clampWindow({ startNano, endNano }, total));
  };
  const brushed: TimeWindow =
    drag === undefined
      ? shown
      : { startNano: Math.min(drag.fromNano, drag.toNano), endNano: Math.max(drag.fromNano, drag.toNano) };
  const percent = (nano: number): string => `${(nano / total) * 100}%`;
  return (
    <div className={styles['frame']}>
      <div
        ref={box}
        className={styles['box']}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ fromNano: nanoAt(event), toNano: nanoAt(event) });
        }}
        onPointerMove={(event) => {
          if (drag !== undefined) setDrag({ ...drag, toNano: nanoAt(event) });
        }}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(undefined)}
        onDoubleClick={() => view.setWindow({ startNano: 0, endNano: total })}
      >
        <canvas ref={canvas} className={styles['canvas']} aria-hidden="true" />
        {hovered >= 0 ? (
          <span
            className={styles['hover']}
            style={{
              left: percent(model.startNano[hovered] ?? 0),
              width: percent(model.durationNano[hovered] ?? 0),
            }}
          />
        ) : null}
        {isWholeTrace(brushed, total) && drag === undefined ? null : (
          <>
            <span className={styles['shade']} style={{ left: 0, width: percent(brushed.startNano) }} />
            <span className={styles['shade']} style={{ right: 0, width: percent(total - brushed.endNano) }} />
          </>
        )}
        <Handle view={view} edge="startNano" percent={percent(brushed.startNano)} />
        <Handle view={view} edge="endNano" percent={percent(brushed.endNano)} />
      </div>
    </div>
  );
}

/** One edge of the visible part: dragged, or moved with the arrow keys. */
function Handle({
  view,
  edge,
  percent,
}: {
  readonly view: TraceView;
  readonly edge: keyof TimeWindow;
  readonly percent: string;
}): ReactElement {
  const { model, window: shown } = view;
  const total = model.totalNano;
  const move = (nano: number): void => {
    const next = { ...shown, [edge]: Math.max(0, Math.min(total, nano)) };
    if (next.endNano > next.startNano) view.setWindow(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = total * keyStep * (event.shiftKey ? 5 : 1);
    if (event.key === 'ArrowLeft') move(shown[edge] - step);
    else if (event.key === 'ArrowRight') move(shown[edge] + step);
    else return;
    event.preventDefault();
  };
  return (
    <span
      className={styles['handle']}
      style={{ left: percent }}
      role="slider"
      tabIndex={0}
      aria-label={edge === 'startNano' ? 'Start of the visible part' : 'End of the visible part'}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={Math.round(shown[edge])}
      aria-valuetext={formatDuration(shown[edge])}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const bounds = event.currentTarget.parentElement?.getBoundingClientRect();
        if (bounds !== undefined) move(((event.clientX - bounds.left) / bounds.width) * total);
      }}
      onKeyDown={onKeyDown}
    />
  );
}
