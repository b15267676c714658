import type { SeriesAnswer } from '@clew/api';

/** A bucket of the strip. */
export interface Bucket {
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly count: number;
  readonly errors: number;
}

/** The buckets of a series with their times in milliseconds. */
export function bucketsOf(series: SeriesAnswer): readonly Bucket[] {
  const from = BigInt(series.range.fromUnixNano);
  const step = BigInt(series.stepNano);
  const toMs = (nano: bigint): number => Number(nano / 1000n) / 1000;
  return series.counts.map((count, index) => ({
    fromUnixMs: toMs(from + step * BigInt(index)),
    toUnixMs: toMs(from + step * BigInt(index + 1)),
    count,
    errors: series.errors[index] ?? 0,
  }));
}

const stepsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3,
  7200e3, 10_800e3, 21_600e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3, 2_592_000e3,
];

/** Round clock times within a range, at most `maxCount`, on the reader's local hours and days. */
export function clockTicks(fromMs: number, toMs: number, maxCount: number): readonly number[] {
  const wanted = (toMs - fromMs) / Math.max(1, maxCount);
  const step = stepsMs.find((candidate) => candidate >= wanted) ?? wanted;
  const offset = new Date(fromMs).getTimezoneOffset() * 60_000;
  const ticks: number[] = [];
  for (let tick = Math.ceil((fromMs - offset) / step) * step + offset; tick <= toMs; tick += step) ticks.push(tick);
  return ticks;
}

/** Height of a bar for a count: never less than two pixels for something. */
export function barHeight(count: number, most: number, heightPx: number): number {
  return count === 0 || most === 0 ? 0 : Math.max(2, Math.round((count / most) * heightPx));
}

/** The part of a bar that stands for errors: never nothing for one, and never all of it unless all failed. */
export function errorHeight(errors: number, count: number, barPx: number): number {
  if (errors === 0 || barPx === 0) return 0;
  if (errors >= count) return barPx;
  return Math.max(1, Math.min(barPx - 1, Math.round((errors / count) * barPx)));
}
