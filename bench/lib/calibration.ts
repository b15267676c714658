import { fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync, closeSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { percentile } from './percentiles.ts';

/** What this machine can do in this run, so that results can be read as ratios. */
export interface Calibration {
  readonly cores: number;
  readonly memoryGiB: number;
  readonly memoryCopyGBps: number;
  readonly appendSyncP50Ms: number;
  readonly appendSyncP99Ms: number;
}

const runs = 5;
const copyBytes = 64 * 1024 * 1024;
const syncs = 200;

/** Memory copy and append + fdatasync of 4 KiB; medians of five runs. */
export function calibrate(): Calibration {
  const copies = Array.from({ length: runs }, () => {
    const source = Buffer.alloc(copyBytes, 1);
    const target = Buffer.alloc(copyBytes);
    const startedMs = performance.now();
    for (let i = 0; i < 4; i++) source.copy(target);
    return (4 * copyBytes) / 1e9 / ((performance.now() - startedMs) / 1000);
  });
  const latencies = syncLatencies();
  return {
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    memoryCopyGBps: percentile(copies, 0.5),
    appendSyncP50Ms: percentile(latencies, 0.5),
    appendSyncP99Ms: percentile(latencies, 0.99),
  };
}

function syncLatencies(): number[] {
  const directory = mkdtempSync(join(tmpdir(), 'clew-calibrate-'));
  const file = openSync(join(directory, 'file'), 'a');
  const block = Buffer.alloc(4096, 7);
  const latencies = Array.from({ length: syncs }, () => {
    const startedMs = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - startedMs;
  });
  closeSync(file);
  rmSync(directory, { recursive: true });
  return latencies;
}

/** The calibration as lines of text. */
export function calibrationText(calibration: Calibration): string {
  return [
    `machine: ${calibration.cores} cores, ${calibration.memoryGiB} GiB, Node ${process.version}`,
    `memory copy ${calibration.memoryCopyGBps.toFixed(1)} GB/s; append + fdatasync of 4 KiB p50 ${calibration.appendSyncP50Ms.toFixed(2)} ms, p99 ${calibration.appendSyncP99Ms.toFixed(2)} ms`,
  ].join('\n');
}
