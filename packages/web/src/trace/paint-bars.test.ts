import { describe, expect, it } from 'vitest';
import { buildTrace } from './model.ts';
import { paintBars, pxToTime, timeToPx } from './paint-bars.ts';
import type { BarContext, BarScene } from './paint-bars.ts';
import { paintMinimap } from './paint-minimap.ts';
import type { CanvasColors } from './palette.ts';
import { skeletonOf } from './test-skeleton.ts';
import type { SampleSpan } from './test-skeleton.ts';

/** A context that writes down what is drawn with it. */
function recordingContext(): { readonly context: BarContext; readonly calls: Call[] } {
  const calls: Call[] = [];
  const state: Record<string, unknown> = { fillStyle: '', strokeStyle: '', globalAlpha: 1 };
  const context = new Proxy(state, {
    get(target, name: string) {
      if (name in target) return target[name];
      return (...args: unknown[]) =>
        void calls.push({ name, args, fill: target['fillStyle'], alpha: target['globalAlpha'] });
    },
    set(target, name: string, value) {
      target[name] = value;
      return true;
    },
  });
  return { context: context as unknown as BarContext, calls };
}

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly fill: unknown;
  readonly alpha: unknown;
}

const colors: CanvasColors = {
  background: 'background',
  text: 'text',
  textMuted: 'muted',
  gridLine: 'grid',
  line: 'line',
  lineStrong: 'strong',
  hover: 'hover',
  selected: 'selected',
  accent: 'accent',
  error: 'error',
  warning: 'warning',
  strip: 'strip',
  services: ['slot 0', 'slot 1', 'slot 2'],
  font: 'sans-serif',
};

function draw(spans: readonly SampleSpan[], changes: Partial<BarScene> = {}): readonly Call[] {
  const model = buildTrace(skeletonOf(spans));
  const { context, calls } = recordingContext();
  paintBars(context, {
    model,
    rows: model.order,
    serviceColors: model.skeleton.services.map((_, slot) => ({ slot, hatched: false })),
    colors,
    metrics: { rowPx: 24, barTopPx: 6, barPx: 12, paddingPx: 0 },
    widthPx: 1000,
    heightPx: 240,
    contentPx: 0,
    window: { startNano: 0, endNano: 1000 },
    ticks: [],
    selected: -1,
    hovered: -1,
    marked: undefined,
    open: new Uint8Array(model.nodeCount).fill(1),
    coverage: new Map(),
    ...changes,
  });
  return calls;
}

const rects = (calls: readonly Call[], fill: string) =>
  calls
    .filter((call) => (call.name === 'fillRect' || call.name === 'roundRect') && call.fill === fill)
    .map((call) => call.args);
const texts = (calls: readonly Call[]) => calls.filter((call) => call.name === 'fillText').map((call) => call.args[0]);

describe('bars of the waterfall', () => {
  it('begin and end at the time of their span, with its duration beside them', () => {
    const calls = draw([
      { start: 0, duration: 1000, service: 'a' },
      { parent: 0, start: 250, duration: 500, service: 'b' },
    ]);
    expect(rects(calls, 'slot 1')).toEqual([[250, 30, 500, 12, 2]]);
    expect(texts(calls)).toEqual(['1 µs', '500 ns']);
  });

  it('are thin while children run and full where the span itself did', () => {
    const calls = draw([
      { start: 0, duration: 1000, service: 'a' },
      { parent: 0, start: 250, duration: 500, service: 'b' },
    ]);
    expect(rects(calls, 'slot 0')).toEqual([
      [0, 9, 1000, 6],
      [0, 6, 250, 12],
      [750, 6, 250, 12],
    ]);
  });

  it('are whole when the span is folded', () => {
    const calls = draw(
      [
        { start: 0, duration: 1000, service: 'a' },
        { parent: 0, start: 250, duration: 500, service: 'b' },
      ],
      {
        open: new Uint8Array(2),
      },
    );
    expect(rects(calls, 'slot 0')).toEqual([[0, 6, 1000, 12, 2]]);
  });

  it('are never too short to be seen', () => {
    const calls = draw([
      { start: 0, duration: 1000, service: 'a' },
      { parent: 0, start: 250, duration: 0, service: 'b' },
    ]);
    expect(rects(calls, 'slot 1')).toEqual([[250, 30, 2, 12, 2]]);
  });

  it('of errors end in a mark of their own', () => {
    const calls = draw([{ start: 0, duration: 500, service: 'a', status: 2 }]);
    expect(rects(calls, 'error')).toEqual([[498, 4, 2, 16]]);
    expect(calls.filter((call) => call.name === 'stroke')).toHaveLength(1);
  });

  it('outside the zoomed part are an arrow at the edge', () => {
    const calls = draw(
      [
        { start: 0, duration: 10, service: 'a' },
        { start: 900, duration: 100, service: 'b' },
      ],
      {
        window: { startNano: 400, endNano: 500 },
      },
    );
    expect(calls.filter((call) => call.name === 'moveTo').map((call) => call.args[0])).toEqual([997, 3]);
    expect(texts(calls)).toEqual([]);
  });

  it('of missing parents are dashed outlines', () => {
    const calls = draw([{ parent: 'dead00000000beef', start: 0, duration: 1000, service: 'a' }]);
    expect(calls.find((call) => call.name === 'setLineDash')?.args).toEqual([[4, 3]]);
    expect(calls.some((call) => call.name === 'strokeRect')).toBe(true);
  });

  it('that do not match are dimmed, their figures are not', () => {
    const calls = draw([{ start: 0, duration: 500, service: 'a' }], { marked: new Uint8Array(1) });
    expect(calls.find((call) => call.name === 'roundRect')?.alpha).toBeLessThan(0.5);
    expect(calls.find((call) => call.name === 'fillText')?.alpha).toBe(1);
  });

  it('are drawn for rows on screen only, however many there are', () => {
    const spans = Array.from({ length: 50_000 }, (_, i) => ({
      ...(i === 0 ? {} : { parent: 0 }),
      start: i,
      duration: 5,
      service: 'a',
      name: 'n',
    }));
    const calls = draw(spans, { contentPx: 24 * 30_000 + 12, window: { startNano: 0, endNano: 50_000 } });
    expect(texts(calls)).toHaveLength(11);
    expect(calls.length).toBeLessThan(100);
  });

  it('of a span with a hundred thousand children cost no more rectangles than there are pixels', () => {
    const spans = Array.from({ length: 100_000 }, (_, i) =>
      i === 0
        ? { start: 0, duration: 1_000_000, service: 'a', name: 'n' }
        : { parent: 0, start: i * 10, duration: 5, service: 'b', name: 'n' },
    );
    const calls = draw(spans, { heightPx: 24, window: { startNano: 0, endNano: 1_000_000 } });
    expect(rects(calls, 'slot 0').length).toBeLessThan(2100);
  });
});

describe('the time axis in pixels', () => {
  it('goes there and back', () => {
    const window = { startNano: 100, endNano: 300 };
    expect(timeToPx(200, window, 1016, 8)).toBe(508);
    expect(pxToTime(508, window, 1016, 8)).toBe(200);
  });
});

describe('the minimap', () => {
  it('draws a run of equal cells as one rectangle and errors along the lower edge', () => {
    const { context, calls } = recordingContext();
    const lanes = { lanes: 1, columns: 4, cells: Uint8Array.from([1, 1, 0, 2]), errors: Uint8Array.from([0, 0, 0, 1]) };
    paintMinimap(context, lanes, colors, 400, 56);
    expect(rects(calls, 'slot 0')).toEqual([[0, 0, 200, 5]]);
    expect(rects(calls, 'slot 1')).toEqual([[300, 0, 100, 5]]);
    expect(rects(calls, 'error')).toEqual([[300, 53, 100, 3]]);
  });
});
