// Hot path: runs once per frame while scrolling and zooming; bench/web measures it. It allocates nothing
// per row: coverage is cached per node and colours are strings made once per theme.
import { formatDuration } from '../lib/format.ts';
import type { ServiceColor } from '../lib/service-colors.ts';
import { childCoverage } from './coverage.ts';
import { isPlaceholder } from './model.ts';
import type { TraceModel } from './model.ts';
import type { CanvasColors } from './palette.ts';
import type { TimeWindow } from './time-axis.ts';

/** The part of a 2D context that bars are drawn with; tests record the calls. */
export type BarContext = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'strokeStyle'
  | 'globalAlpha'
  | 'font'
  | 'textAlign'
  | 'textBaseline'
  | 'lineWidth'
  | 'fillRect'
  | 'strokeRect'
  | 'clearRect'
  | 'fillText'
  | 'setLineDash'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'stroke'
  | 'fill'
  | 'closePath'
  | 'roundRect'
>;

/** How rows look; all in CSS pixels. */
export interface RowMetrics {
  readonly rowPx: number;
  /** Where the bar begins within its row. */
  readonly barTopPx: number;
  readonly barPx: number;
  /** Space kept free on both sides of the time axis. */
  readonly paddingPx: number;
}

/** Everything a frame shows. */
export interface BarScene {
  readonly model: TraceModel;
  readonly rows: Int32Array;
  readonly serviceColors: readonly ServiceColor[];
  readonly colors: CanvasColors;
  readonly metrics: RowMetrics;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Pixels of rows above the top edge. */
  readonly contentPx: number;
  readonly window: TimeWindow;
  /** Positions of grid lines in nanoseconds. */
  readonly ticks: readonly number[];
  /** Node, or -1. */
  readonly selected: number;
  readonly hovered: number;
  /** Nodes to show at full strength; absent shows all so. */
  readonly marked: Uint8Array | undefined;
  /** 1 for open nodes: a closed one shows everything below it. */
  readonly open: Uint8Array;
  /** Coverage by node, filled as rows come into view. */
  readonly coverage: Map<number, Float64Array>;
}

const minBarPx = 2;
const labelGapPx = 5;
/** Rough width of a character of the label font; measuring every label would cost more than the bars. */
const labelCharPx = 6.2;
const dimmedAlpha = 0.25;

/** Pixels from the left edge of a moment. */
export function timeToPx(nano: number, window: TimeWindow, widthPx: number, paddingPx: number): number {
  return paddingPx + ((nano - window.startNano) / (window.endNano - window.startNano)) * (widthPx - 2 * paddingPx);
}

/** The moment at a pixel from the left edge. */
export function pxToTime(px: number, window: TimeWindow, widthPx: number, paddingPx: number): number {
  return window.startNano + ((px - paddingPx) / (widthPx - 2 * paddingPx)) * (window.endNano - window.startNano);
}

/** Draws one frame: grid, row backgrounds, bars and their labels. */
export function paintBars(context: BarContext, scene: BarScene): void {
  context.globalAlpha = 1;
  context.clearRect(0, 0, scene.widthPx, scene.heightPx);
  context.font = `11px ${scene.colors.font}`;
  context.textBaseline = 'middle';
  const first = Math.floor(scene.contentPx / scene.metrics.rowPx);
  const last = Math.min(scene.rows.length, Math.ceil((scene.contentPx + scene.heightPx) / scene.metrics.rowPx));
  paintBackgrounds(context, scene, first, last);
  paintGrid(context, scene);
  for (let row = first; row < last; row++) paintRow(context, scene, row);
  context.globalAlpha = 1;
}

function paintBackgrounds(context: BarContext, scene: BarScene, first: number, last: number): void {
  const { rowPx } = scene.metrics;
  for (let row = first; row < last; row++) {
    const node = scene.rows[row] ?? -1;
    if (node !== scene.selected && node !== scene.hovered) continue;
    context.fillStyle = node === scene.selected ? scene.colors.selected : scene.colors.hover;
    context.fillRect(0, row * rowPx - scene.contentPx, scene.widthPx, rowPx);
  }
}

function paintGrid(context: BarContext, scene: BarScene): void {
  context.fillStyle = scene.colors.gridLine;
  for (const tick of scene.ticks) {
    const x = timeToPx(tick, scene.window, scene.widthPx, scene.metrics.paddingPx);
    context.fillRect(Math.round(x), 0, 1, scene.heightPx);
  }
}

function paintRow(context: BarContext, scene: BarScene, row: number): void {
  const { model, metrics, window, widthPx } = scene;
  const node = scene.rows[row] ?? 0;
  const start = model.startNano[node] ?? 0;
  const duration = model.durationNano[node] ?? 0;
  const top = row * metrics.rowPx - scene.contentPx + metrics.barTopPx;
  const left = timeToPx(start, window, widthPx, metrics.paddingPx);
  const right = Math.max(left + minBarPx, timeToPx(start + duration, window, widthPx, metrics.paddingPx));
  context.globalAlpha = scene.marked !== undefined && scene.marked[node] === 0 ? dimmedAlpha : 1;
  if (right < 0 || left > widthPx) {
    paintOffscreen(context, scene, top, right < 0);
    return;
  }
  if (isPlaceholder(model, node)) paintPlaceholder(context, scene, top, left, right);
  else paintBar(context, scene, node, top, left, right);
  // Dimmed bars keep readable figures.
  context.globalAlpha = 1;
  paintLabel(context, scene, node, top, left, right);
}

/** A small arrow at the edge behind which the bar lies. */
function paintOffscreen(context: BarContext, scene: BarScene, top: number, isLeft: boolean): void {
  const middle = top + scene.metrics.barPx / 2;
  const tip = isLeft ? 3 : scene.widthPx - 3;
  const back = isLeft ? 8 : scene.widthPx - 8;
  context.fillStyle = scene.colors.lineStrong;
  context.beginPath();
  context.moveTo(tip, middle);
  context.lineTo(back, middle - 4);
  context.lineTo(back, middle + 4);
  context.closePath();
  context.fill();
}

function paintPlaceholder(context: BarContext, scene: BarScene, top: number, left: number, right: number): void {
  context.strokeStyle = scene.colors.lineStrong;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  context.strokeRect(left + 0.5, top + 0.5, Math.max(1, right - left - 1), scene.metrics.barPx - 1);
  context.setLineDash([]);
}

/**
 * The span's own time is drawn at full height, time its children cover at half: a glance tells who worked
 * and who waited. A closed node is drawn whole, as what it waited for has no rows of its own.
 */
function paintBar(context: BarContext, scene: BarScene, node: number, top: number, left: number, right: number): void {
  const { model, metrics, colors } = scene;
  const color = scene.serviceColors[model.service[node] ?? -1];
  context.fillStyle = color === undefined ? colors.lineStrong : (colors.services[color.slot] ?? colors.lineStrong);
  const from = Math.max(-1, left);
  const to = Math.min(scene.widthPx + 1, right);
  const coverage = scene.open[node] === 0 ? undefined : coverageOf(scene, node);
  if (coverage === undefined || coverage.length === 0) {
    context.beginPath();
    context.roundRect(from, top, Math.max(minBarPx, to - from), metrics.barPx, 2);
    context.fill();
  } else {
    const half = Math.round(metrics.barPx / 2);
    context.fillRect(from, top + Math.round((metrics.barPx - half) / 2), Math.max(minBarPx, to - from), half);
    paintOwnTime(context, scene, node, coverage, top, from, to);
  }
  if (color?.hatched === true) paintHatch(context, colors.background, top, from, to, metrics.barPx, 7);
  if (model.status[node] === 2) paintErrorCap(context, scene, top, to);
}

function coverageOf(scene: BarScene, node: number): Float64Array {
  let coverage = scene.coverage.get(node);
  if (coverage === undefined) {
    coverage = childCoverage(scene.model, node);
    scene.coverage.set(node, coverage);
  }
  return coverage;
}

/** The gaps between covered parts; gaps that begin on a pixel already drawn are left out. */
function paintOwnTime(
  context: BarContext,
  scene: BarScene,
  node: number,
  coverage: Float64Array,
  top: number,
  from: number,
  to: number,
): void {
  const { window, widthPx, metrics, model } = scene;
  const end = (model.startNano[node] ?? 0) + (model.durationNano[node] ?? 0);
  let gapStart = model.startNano[node] ?? 0;
  let drawnTo = -2;
  for (let i = 0; i <= coverage.length; i += 2) {
    const gapEnd = i < coverage.length ? (coverage[i] ?? end) : end;
    if (gapEnd > gapStart && gapEnd >= window.startNano && gapStart <= window.endNano) {
      const left = Math.max(from, timeToPx(gapStart, window, widthPx, metrics.paddingPx));
      const right = Math.min(to, timeToPx(gapEnd, window, widthPx, metrics.paddingPx));
      if (right > drawnTo + 0.5) {
        context.fillRect(left, top, Math.max(1, right - left), metrics.barPx);
        drawnTo = right;
      }
    }
    gapStart = coverage[i + 1] ?? end;
  }
}

function paintHatch(
  context: BarContext,
  color: string,
  top: number,
  from: number,
  to: number,
  barPx: number,
  stepPx: number,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = from + stepPx; x < to; x += stepPx) {
    context.moveTo(x - barPx / 2, top + barPx);
    context.lineTo(x, top);
  }
  context.stroke();
}

/** Errors are never told by colour alone: the bar ends in a hatched cap, and the row has a mark. */
function paintErrorCap(context: BarContext, scene: BarScene, top: number, right: number): void {
  const { barPx } = scene.metrics;
  const capPx = 7;
  context.fillStyle = scene.colors.error;
  context.fillRect(right - 2, top - 2, 2, barPx + 4);
  context.strokeStyle = scene.colors.error;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(right + 1, top + barPx);
  context.lineTo(right + 1 + capPx / 2, top);
  context.moveTo(right + 4, top + barPx);
  context.lineTo(right + 4 + capPx / 2, top);
  context.stroke();
}

/** Right of the bar if there is room, else left of it, else on it. */
function paintLabel(
  context: BarContext,
  scene: BarScene,
  node: number,
  top: number,
  left: number,
  right: number,
): void {
  const text = formatDuration(scene.model.durationNano[node] ?? 0);
  const widthPx = text.length * labelCharPx;
  const isError = scene.model.status[node] === 2;
  const gap = labelGapPx + (isError ? 8 : 0);
  const middle = top + scene.metrics.barPx / 2 + 0.5;
  context.fillStyle = isError ? scene.colors.error : scene.colors.textMuted;
  if (right + gap + widthPx < scene.widthPx) {
    context.textAlign = 'left';
    context.fillText(text, right + gap, middle);
  } else if (left - labelGapPx - widthPx > 0) {
    context.textAlign = 'right';
    context.fillText(text, left - labelGapPx, middle);
  } else paintLabelInside(context, scene, node, text, widthPx, middle, right);
}

function paintLabelInside(
  context: BarContext,
  scene: BarScene,
  node: number,
  text: string,
  widthPx: number,
  middle: number,
  right: number,
): void {
  const edge = Math.min(scene.widthPx, right) - labelGapPx - (scene.model.status[node] === 2 ? 4 : 0);
  // A plate in the page's colour: the bar below may be thin, hatched or of any hue.
  context.fillStyle = scene.colors.background;
  context.fillRect(edge - widthPx - 4, middle - 7, widthPx + 8, 13);
  context.fillStyle = scene.model.status[node] === 2 ? scene.colors.error : scene.colors.textMuted;
  context.textAlign = 'right';
  context.fillText(text, edge, middle);
}
