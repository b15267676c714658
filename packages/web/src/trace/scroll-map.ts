/** Browsers clamp an element's height near 16.78 million pixels; stay clear of that. */
const maxSpacerPx = 15_000_000;

/**
 * Maps between the scroll position of an element and pixels within all rows. Up to the limit they are the
 * same; above, the scroll bar covers more rows per pixel.
 */
export interface ScrollMap {
  /** Height to give the scrolled element. */
  readonly spacerPx: number;
  /** Height of all rows. */
  readonly totalPx: number;
  readonly toContentPx: (scrollTop: number) => number;
  readonly toScrollTop: (contentPx: number) => number;
}

/** Makes the map for a number of rows and the height of the visible part. */
export function createScrollMap(rowCount: number, rowPx: number, viewPx: number): ScrollMap {
  const totalPx = rowCount * rowPx;
  const spacerPx = Math.max(viewPx, Math.min(totalPx, maxSpacerPx));
  const contentRange = Math.max(0, totalPx - viewPx);
  const scrollRange = spacerPx - viewPx;
  const factor = scrollRange > 0 ? contentRange / scrollRange : 0;
  const clamp = (px: number): number => Math.max(0, Math.min(contentRange, px));
  return {
    spacerPx,
    totalPx,
    toContentPx: (scrollTop) => clamp(scrollTop * factor),
    toScrollTop: (contentPx) => (factor === 0 ? 0 : clamp(contentPx) / factor),
  };
}

/** Content position at which a row is fully visible, moving as little as possible from `contentPx`. */
export function positionToShow(row: number, rowPx: number, viewPx: number, contentPx: number): number {
  const top = row * rowPx;
  // Two rows of context, so that a walk through the tree shows what comes next.
  const context = Math.min(2 * rowPx, viewPx / 4);
  if (top - context < contentPx) return Math.max(0, top - context);
  if (top + rowPx + context > contentPx + viewPx) return top + rowPx + context - viewPx;
  return contentPx;
}
