import type { Lanes } from './lanes.ts';
import type { CanvasColors } from './palette.ts';

/** The part of a 2D context the minimap is drawn with. */
export type MinimapContext = Pick<CanvasRenderingContext2D, 'fillStyle' | 'globalAlpha' | 'clearRect' | 'fillRect'>;

const errorTickPx = 3;

/** Draws the squeezed trace: runs of equal cells as one rectangle each, errors as marks along the lower edge. */
export function paintMinimap(
  context: MinimapContext,
  lanes: Lanes,
  colors: CanvasColors,
  widthPx: number,
  heightPx: number,
): void {
  context.clearRect(0, 0, widthPx, heightPx);
  context.globalAlpha = 1;
  const lanesPx = heightPx - errorTickPx - 1;
  const stepPx = Math.min(6, lanesPx / lanes.lanes);
  // Some air between lanes while there is room for it.
  const lanePx = stepPx > 3 ? stepPx - 1 : Math.max(1, stepPx);
  const columnPx = widthPx / lanes.columns;
  for (let lane = 0; lane < lanes.lanes; lane++) {
    for (let from = 0; from < lanes.columns;) {
      const cell = lanes.cells[lane * lanes.columns + from] ?? 0;
      let to = from + 1;
      while (to < lanes.columns && lanes.cells[lane * lanes.columns + to] === cell) to++;
      if (cell > 0) {
        context.fillStyle = colors.services[cell - 1] ?? colors.lineStrong;
        context.fillRect(from * columnPx, lane * stepPx, (to - from) * columnPx, lanePx);
      }
      from = to;
    }
  }
  paintErrors(context, lanes, colors, columnPx, heightPx);
}

function paintErrors(
  context: MinimapContext,
  lanes: Lanes,
  colors: CanvasColors,
  columnPx: number,
  heightPx: number,
): void {
  context.fillStyle = colors.error;
  for (let column = 0; column < lanes.columns; column++) {
    for (let lane = 0; lane < lanes.lanes; lane++) {
      if (lanes.errors[lane * lanes.columns + column] === 0) continue;
      context.fillRect(column * columnPx, heightPx - errorTickPx, Math.max(2, columnPx), errorTickPx);
      break;
    }
  }
}
