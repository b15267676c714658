import type { ServiceColor } from '../lib/service-colors.ts';
import { paintBars, pxToTime } from './paint-bars.ts';
import type { BarScene, RowMetrics } from './paint-bars.ts';
import { readColors } from './palette.ts';
import type { CanvasColors } from './palette.ts';
import type { TraceModel } from './model.ts';
import type { VisibleRows } from './rows.ts';
import { createScrollMap, positionToShow } from './scroll-map.ts';
import type { ScrollMap } from './scroll-map.ts';
import { timeTicks } from './time-axis.ts';
import type { TimeWindow } from './time-axis.ts';
import { listenToPointer } from './waterfall-pointer.ts';
import type { PointerSurface } from './waterfall-pointer.ts';
import { createTreeRows, rowElementId } from './tree-rows.ts';
import type { TreeRowClasses, TreeRows } from './tree-rows.ts';

/** What the waterfall shows; a new object for every change. */
export interface WaterfallProps {
  readonly model: TraceModel;
  readonly visible: VisibleRows;
  readonly open: Uint8Array;
  readonly serviceColors: readonly ServiceColor[];
  readonly marked: Uint8Array | undefined;
  readonly selected: number;
  readonly window: TimeWindow;
  /** Width of the tree column in CSS pixels; the whole width when `stacked`. */
  readonly treePx: number;
  /** Bars lie under the names in place of beside them: for narrow screens. */
  readonly stacked: boolean;
}

/** What the waterfall tells its owner. */
export interface WaterfallEvents {
  readonly onSelect: (node: number) => void;
  readonly onToggle: (node: number) => void;
  readonly onZoomAt: (factor: number, atNano: number) => void;
  readonly onPan: (share: number) => void;
  readonly onZoomTo: (node: number) => void;
  readonly onHover: (node: number) => void;
}

/** Class names of the waterfall's parts. */
export interface WaterfallClasses extends TreeRowClasses {
  readonly spacer: string;
  readonly view: string;
  readonly tree: string;
  readonly treeInner: string;
  readonly band: string;
  readonly bars: string;
}

/** A mounted waterfall. */
export interface Waterfall {
  readonly update: (props: WaterfallProps) => void;
  /** Reads colours and sizes again. */
  readonly refresh: () => void;
  /** Scrolls just far enough to show a node's row. */
  readonly reveal: (node: number) => void;
  /** How many rows fit. */
  readonly pageRows: () => number;
  readonly snapshot: () => { readonly firstRow: number; readonly rows: number; readonly frames: number };
  readonly destroy: () => void;
}

const sideBySide: RowMetrics = { rowPx: 24, barTopPx: 6, barPx: 12, paddingPx: 8 };
const stacked: RowMetrics = { rowPx: 40, barTopPx: 26, barPx: 9, paddingPx: 10 };
/** Rows are positioned within blocks, so that positions stay far below the height a browser can hold. */
const blockRows = 100_000;

/** Pixels between two grid lines at least. */
const tickPx = 110;

/** The grid's ticks for a width; the ruler above draws labels at the same places. */
export function ticksFor(window: TimeWindow, widthPx: number): readonly number[] {
  return timeTicks(window, Math.max(1, Math.floor(widthPx / tickPx)));
}

/**
 * Mounts a waterfall in `host`, the scrolling tree grid. Rows of the tree are DOM elements, bars are drawn on
 * one canvas; both are placed from one scroll position in the same frame, so they never part.
 */
export function mountWaterfall(host: HTMLElement, events: WaterfallEvents, classes: WaterfallClasses): Waterfall {
  return new MountedWaterfall(host, events, classes);
}

class MountedWaterfall implements Waterfall {
  readonly #host: HTMLElement;
  readonly #events: WaterfallEvents;
  readonly #spacer: HTMLElement;
  readonly #view: HTMLElement;
  readonly #tree: HTMLElement;
  readonly #treeInner: HTMLElement;
  readonly #band: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #classes: WaterfallClasses;
  readonly #resize: ResizeObserver;
  readonly #abort = new AbortController();
  #rows: TreeRows;
  #metrics = sideBySide;
  #props: WaterfallProps | undefined;
  #colors: CanvasColors;
  #map: ScrollMap = createScrollMap(0, 24, 1);
  #coverage = new Map<number, Float64Array>();
  #ticks: readonly number[] = [];
  #hovered = -1;
  #blockStart = 0;
  #viewPx = 0;
  #canvasPx = 0;
  #frame = 0;
  #frames = 0;

  constructor(host: HTMLElement, events: WaterfallEvents, classes: WaterfallClasses) {
    this.#host = host;
    this.#events = events;
    this.#classes = classes;
    const part = (parent: HTMLElement, className: string, role?: string): HTMLElement => {
      const element = document.createElement('div');
      element.className = className;
      if (role !== undefined) element.setAttribute('role', role);
      parent.append(element);
      return element;
    };
    this.#spacer = part(host, classes.spacer, 'presentation');
    this.#view = part(this.#spacer, classes.view, 'presentation');
    this.#canvas = document.createElement('canvas');
    this.#canvas.className = classes.bars;
    this.#canvas.setAttribute('aria-hidden', 'true');
    this.#view.append(this.#canvas);
    this.#tree = part(this.#view, classes.tree, 'presentation');
    this.#band = part(this.#tree, classes.band, 'presentation');
    this.#treeInner = part(this.#tree, classes.treeInner, 'rowgroup');
    const context = this.#canvas.getContext('2d');
    if (context === null) throw new Error('this browser gives no 2D canvas');
    this.#context = context;
    this.#rows = createTreeRows(this.#treeInner, this.#metrics.rowPx, classes);
    this.#colors = readColors(host);
    this.#listen();
    this.#resize = new ResizeObserver(() => this.#onResize());
    this.#resize.observe(host);
  }

  update(props: WaterfallProps): void {
    const before = this.#props;
    this.#props = props;
    if (before?.model !== props.model) this.#coverage = new Map();
    const metrics = props.stacked ? stacked : sideBySide;
    const metricsChanged = metrics !== this.#metrics;
    if (metricsChanged) {
      this.#metrics = metrics;
      this.#rows.destroy();
      this.#rows = createTreeRows(this.#treeInner, metrics.rowPx, this.#classes);
    }
    const rowsChanged =
      before?.model !== props.model ||
      before.visible !== props.visible ||
      before.open !== props.open ||
      before.selected !== props.selected ||
      before.marked !== props.marked ||
      before.serviceColors !== props.serviceColors;
    if (rowsChanged) this.#rows.invalidate();
    const anchor = before === undefined ? undefined : this.#anchor(before);
    this.#measure();
    if (before !== undefined && before.visible !== props.visible && anchor !== undefined) this.#keep(anchor, props);
    if (metricsChanged && props.selected >= 0) this.reveal(props.selected);
    this.#schedule();
  }

  refresh(): void {
    this.#colors = readColors(this.#host);
    this.#rows.invalidate();
    this.#measure();
  }

  reveal(node: number): void {
    const row = this.#props?.visible.rowOf[node] ?? -1;
    if (row < 0) return;
    const current = this.#map.toContentPx(this.#host.scrollTop);
    const wanted = positionToShow(row, this.#metrics.rowPx, this.#viewPx, current);
    if (wanted !== current) this.#host.scrollTop = this.#map.toScrollTop(wanted);
    this.#schedule();
  }

  pageRows(): number {
    return Math.max(1, Math.floor(this.#viewPx / this.#metrics.rowPx) - 1);
  }

  snapshot(): { readonly firstRow: number; readonly rows: number; readonly frames: number } {
    return {
      firstRow: Math.floor(this.#map.toContentPx(this.#host.scrollTop) / this.#metrics.rowPx),
      rows: this.#props?.visible.nodes.length ?? 0,
      frames: this.#frames,
    };
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.#abort.abort();
    this.#resize.disconnect();
    this.#rows.destroy();
    this.#host.replaceChildren();
  }

  /** The row at the top and the node it shows, to hold it in place when rows above open or close. */
  #anchor(props: WaterfallProps): { readonly node: number; readonly offsetPx: number } | undefined {
    const contentPx = this.#map.toContentPx(this.#host.scrollTop);
    const selectedRow = props.visible.rowOf[props.selected] ?? -1;
    const selectedTop = selectedRow * this.#metrics.rowPx - contentPx;
    const isSelectedVisible = selectedRow >= 0 && selectedTop >= 0 && selectedTop < this.#viewPx;
    const row = isSelectedVisible ? selectedRow : Math.floor(contentPx / this.#metrics.rowPx);
    const node = props.visible.nodes[row];
    return node === undefined ? undefined : { node, offsetPx: row * this.#metrics.rowPx - contentPx };
  }

  #keep(anchor: { readonly node: number; readonly offsetPx: number }, props: WaterfallProps): void {
    let node = anchor.node;
    while (node >= 0 && (props.visible.rowOf[node] ?? -1) < 0) node = props.model.parent[node] ?? -1;
    const row = node < 0 ? 0 : (props.visible.rowOf[node] ?? 0);
    this.#host.scrollTop = this.#map.toScrollTop(row * this.#metrics.rowPx - anchor.offsetPx);
  }

  /** A selected row that was visible stays so, such as when the panel opens below it. */
  #onResize(): void {
    const row = this.#props?.visible.rowOf[this.#props.selected] ?? -1;
    const top = row * this.#metrics.rowPx - this.#map.toContentPx(this.#host.scrollTop);
    const wasVisible = row >= 0 && top > -this.#metrics.rowPx && top < this.#viewPx;
    this.#measure();
    if (wasVisible && this.#props !== undefined) this.reveal(this.#props.selected);
  }

  #measure(): void {
    const props = this.#props;
    if (props === undefined) return;
    const width = this.#host.clientWidth;
    this.#viewPx = this.#host.clientHeight;
    this.#canvasPx = Math.max(40, props.stacked ? width : width - props.treePx);
    this.#map = createScrollMap(props.visible.nodes.length, this.#metrics.rowPx, this.#viewPx);
    this.#spacer.style.height = `${this.#map.spacerPx}px`;
    this.#view.style.height = `${this.#viewPx}px`;
    this.#tree.style.width = `${props.stacked ? width : props.treePx}px`;
    this.#host.dataset['layout'] = props.stacked ? 'stacked' : 'beside';
    this.#ticks = ticksFor(props.window, this.#canvasPx);
    this.#sizeCanvas();
    // Drawn at once: a canvas that was resized is empty until then.
    this.#draw();
  }

  #sizeCanvas(): void {
    const ratio = window.devicePixelRatio || 1;
    const wide = Math.round(this.#canvasPx * ratio);
    const high = Math.round(this.#viewPx * ratio);
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
      this.#canvas.style.width = `${this.#canvasPx}px`;
      this.#canvas.style.height = `${this.#viewPx}px`;
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  #schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const props = this.#props;
    if (props === undefined || this.#viewPx === 0) return;
    this.#frames++;
    const contentPx = this.#map.toContentPx(this.#host.scrollTop);
    const { rowPx } = this.#metrics;
    const first = Math.floor(contentPx / rowPx);
    const end = Math.min(props.visible.nodes.length, Math.ceil((contentPx + this.#viewPx) / rowPx));
    const blockStart = Math.floor(first / blockRows) * blockRows;
    if (blockStart !== this.#blockStart) {
      this.#blockStart = blockStart;
      this.#rows.invalidate();
    }
    this.#rows.show({ ...props, rows: props.visible.nodes }, first, end, blockStart);
    this.#treeInner.style.transform = `translateY(${blockStart * rowPx - contentPx}px)`;
    this.#placeBand(props, contentPx);
    paintBars(this.#context, this.#scene(props, contentPx));
    const active = props.selected >= 0 && (props.visible.rowOf[props.selected] ?? -1) >= first;
    if (active && (props.visible.rowOf[props.selected] ?? -1) < end) {
      this.#host.setAttribute('aria-activedescendant', rowElementId(props.selected));
    } else this.#host.removeAttribute('aria-activedescendant');
  }

  #placeBand(props: WaterfallProps, contentPx: number): void {
    const row = props.visible.rowOf[this.#hovered] ?? -1;
    this.#band.hidden = row < 0 || this.#hovered === props.selected;
    if (row >= 0) this.#band.style.transform = `translateY(${row * this.#metrics.rowPx - contentPx}px)`;
  }

  #scene(props: WaterfallProps, contentPx: number): BarScene {
    return {
      model: props.model,
      rows: props.visible.nodes,
      serviceColors: props.serviceColors,
      colors: this.#colors,
      metrics: this.#metrics,
      widthPx: this.#canvasPx,
      heightPx: this.#viewPx,
      contentPx,
      window: props.window,
      ticks: this.#ticks,
      selected: props.selected,
      hovered: this.#hovered,
      marked: props.marked,
      open: props.open,
      coverage: this.#coverage,
    };
  }

  #listen(): void {
    const { signal } = this.#abort;
    this.#host.addEventListener('scroll', () => this.#schedule(), { signal, passive: true });
    const surface: PointerSurface = {
      nodeAt: (event) => this.#nodeAt(event),
      timeAt: (event) => this.#timeAt(event),
      isOnBars: (event) => event.clientX >= this.#canvas.getBoundingClientRect().left,
      isFoldable: (node) => (this.#props?.model.subtreeSize[node] ?? 1) > 1,
      barsWidthPx: () => this.#canvasPx,
      hover: (node) => this.#hover(node),
    };
    listenToPointer(this.#host, surface, this.#events, signal);
  }

  #hover(node: number): void {
    if (node === this.#hovered) return;
    this.#hovered = node;
    this.#events.onHover(node);
    this.#schedule();
  }

  #nodeAt(event: MouseEvent): number {
    const props = this.#props;
    if (props === undefined) return -1;
    const y = event.clientY - this.#host.getBoundingClientRect().top;
    const row = Math.floor((this.#map.toContentPx(this.#host.scrollTop) + y) / this.#metrics.rowPx);
    return props.visible.nodes[row] ?? -1;
  }

  #timeAt(event: MouseEvent): number | undefined {
    if (this.#props === undefined) return undefined;
    const x = Math.max(0, event.clientX - this.#canvas.getBoundingClientRect().left);
    return pxToTime(x, this.#props.window, this.#canvasPx, this.#metrics.paddingPx);
  }
}
