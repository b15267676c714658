import type { WaterfallEvents } from './waterfall.ts';

/** What the pointer has to know of a waterfall. */
export interface PointerSurface {
  /** The node under the pointer, -1 when there is none. */
  readonly nodeAt: (event: MouseEvent) => number;
  /** The moment under the pointer; undefined before anything is shown. */
  readonly timeAt: (event: MouseEvent) => number | undefined;
  readonly isOnBars: (event: MouseEvent) => boolean;
  readonly isFoldable: (node: number) => boolean;
  readonly barsWidthPx: () => number;
  readonly hover: (node: number) => void;
}

const wheelZoom = 1.0015;

/**
 * Clicks select or fold, a double click zooms to a span, Ctrl with the wheel (or a pinch) zooms time at the
 * pointer, Shift with the wheel pans it. The plain wheel is left to scrolling. Ends with `signal`.
 */
export function listenToPointer(
  host: HTMLElement,
  surface: PointerSurface,
  events: WaterfallEvents,
  signal: AbortSignal,
): void {
  host.addEventListener('click', (event) => onClick(event, surface, events), { signal });
  host.addEventListener(
    'dblclick',
    (event) => {
      const node = surface.nodeAt(event);
      if (node >= 0 && surface.isOnBars(event)) events.onZoomTo(node);
    },
    { signal },
  );
  host.addEventListener('pointermove', (event) => surface.hover(surface.nodeAt(event)), { signal, passive: true });
  host.addEventListener('pointerleave', () => surface.hover(-1), { signal, passive: true });
  host.addEventListener('wheel', (event) => onWheel(event, surface, events), { signal, passive: false });
}

function onClick(event: MouseEvent, surface: PointerSurface, events: WaterfallEvents): void {
  // The second click of a double click belongs to the zoom; it must not take the selection back.
  if (event.detail > 1 && surface.isOnBars(event)) return;
  const node = surface.nodeAt(event);
  if (node < 0) return;
  const isFold = event.target instanceof Element && event.target.closest('[data-fold]') !== null;
  if (isFold && surface.isFoldable(node)) events.onToggle(node);
  else events.onSelect(node);
}

function onWheel(event: WheelEvent, surface: PointerSurface, events: WaterfallEvents): void {
  const atNano = surface.timeAt(event);
  if (atNano === undefined) return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    events.onZoomAt(wheelZoom ** event.deltaY, atNano);
  } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    events.onPan((event.deltaX === 0 ? event.deltaY : event.deltaX) / surface.barsWidthPx());
  }
}
