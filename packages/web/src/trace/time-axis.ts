/** The visible part of a trace, in nanoseconds from its start. */
export interface TimeWindow {
  readonly startNano: number;
  readonly endNano: number;
}

/** Nothing shorter than this is zoomed to: 10 ns. */
const minWindowNano = 10;

/** Round positions for grid lines: 1, 2 or 5 times a power of ten apart, at most `maxCount`. */
export function timeTicks(window: TimeWindow, maxCount: number): readonly number[] {
  const span = window.endNano - window.startNano;
  if (span <= 0 || maxCount < 1) return [];
  const rough = span / maxCount;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const ticks: number[] = [];
  for (let tick = Math.ceil(window.startNano / step) * step; tick <= window.endNano; tick += step) ticks.push(tick);
  return ticks;
}

/** Keeps a window within the trace, keeping its length if possible. */
export function clampWindow(window: TimeWindow, totalNano: number): TimeWindow {
  const length = Math.min(totalNano, Math.max(Math.min(minWindowNano, totalNano), window.endNano - window.startNano));
  const startNano = Math.max(0, Math.min(totalNano - length, window.startNano));
  return { startNano, endNano: startNano + length };
}

/** Makes the window shorter (factor below 1) or longer around a point that stays where it is. */
export function zoomWindow(window: TimeWindow, factor: number, atNano: number, totalNano: number): TimeWindow {
  const length = Math.max(Math.min(minWindowNano, totalNano), (window.endNano - window.startNano) * factor);
  const share = (atNano - window.startNano) / (window.endNano - window.startNano);
  const startNano = atNano - share * length;
  return clampWindow({ startNano, endNano: startNano + length }, totalNano);
}

/** Moves the window by a share of its length. */
export function panWindow(window: TimeWindow, share: number, totalNano: number): TimeWindow {
  const shift = (window.endNano - window.startNano) * share;
  return clampWindow({ startNano: window.startNano + shift, endNano: window.endNano + shift }, totalNano);
}

/** A window around a span with some air on both sides. */
export function windowAround(startNano: number, durationNano: number, totalNano: number): TimeWindow {
  const air = Math.max(durationNano * 0.15, 5);
  return clampWindow({ startNano: startNano - air, endNano: startNano + durationNano + air }, totalNano);
}

/** True when the window shows the whole trace. */
export function isWholeTrace(window: TimeWindow, totalNano: number): boolean {
  return window.startNano <= 0 && window.endNano >= totalNano;
}
