import { useLayoutEffect, useState } from 'react';
import type { RefObject } from 'react';

/** Rows drawn above and below the visible ones, so that a fast scroll finds them there. */
const overscanRows = 6;

/** Rows to draw: from `first` up to `end`. */
export interface RowWindow {
  readonly first: number;
  readonly end: number;
}

/** Which rows of fixed height are visible in a scrolling element. */
export function useRowWindow(scroller: RefObject<HTMLElement | null>, count: number, rowPx: number): RowWindow {
  const [range, setRange] = useState<RowWindow>({ first: 0, end: Math.min(count, 30) });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const next = rowsWithin(element.scrollTop, element.clientHeight, count, rowPx);
      setRange((before) => (before.first === next.first && before.end === next.end ? before : next));
    };
    measure();
    element.addEventListener('scroll', measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', measure);
      observer.disconnect();
    };
  }, [scroller, count, rowPx]);
  return range;
}

/** Rows between two scroll positions, with some on either side. */
export function rowsWithin(scrollTop: number, heightPx: number, count: number, rowPx: number): RowWindow {
  const first = Math.max(0, Math.floor(scrollTop / rowPx) - overscanRows);
  const end = Math.min(count, Math.ceil((scrollTop + heightPx) / rowPx) + overscanRows);
  return { first: Math.min(first, Math.max(0, count - 1)), end };
}
