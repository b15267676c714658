import type { TraceSkeleton } from '@clew/api';

/** How a waterfall is drawn. */
export interface WaterfallOptions {
  /** Characters per line, at least 60. */
  readonly columns: number;
  readonly color: boolean;
  /** Rows drawn at most; what is left out is counted. */
  readonly maxRows: number;
}

interface Row {
  readonly index: number;
  readonly depth: number;
}

const reset = '\u001b[0m';
const red = '\u001b[31m';
const dim = '\u001b[2m';
/** Colours of services, in the order in which services appear. */
const serviceColors = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94].map((code) => `\u001b[${code}m`);
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/** A trace as lines of text: the tree on the left, bars on the right, durations between. */
export function waterfall(trace: TraceSkeleton, options: WaterfallOptions): string {
  const rows = orderedRows(trace);
  const width = Math.max(60, options.columns);
  const labelWidth = Math.floor(width * 0.45);
  const durationWidth = 10;
  const barWidth = width - labelWidth - durationWidth - 2;
  const starts = startsOf(trace);
  const lines = [header(trace), ''];
  for (const row of rows.slice(0, options.maxRows)) {
    const label = fit(labelOf(trace, row), labelWidth);
    const duration = durationText(trace.columns.durationNano[row.index]!).padStart(durationWidth);
    const bar = barOf(trace, row.index, starts[row.index]!, barWidth);
    lines.push(
      paint(trace, row.index, label, options.color) +
        shade(duration, options.color) +
        '  ' +
        paint(trace, row.index, bar, options.color),
    );
  }
  if (rows.length > options.maxRows) lines.push(`… ${rows.length - options.maxRows} more spans (--rows shows more)`);
  for (const warning of trace.warnings) lines.push(`! ${warning.message}`);
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Duration in the unit that reads best: `1.4 s`, `12 ms`, `830 µs`. */
export function durationText(nanos: number): string {
  if (nanos >= 1e9) return `${number(nanos / 1e9)} s`;
  if (nanos >= 1e6) return `${number(nanos / 1e6)} ms`;
  if (nanos >= 1e3) return `${number(nanos / 1e3)} µs`;
  return `${nanos} ns`;
}

const number = (value: number) =>
  (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(/\.0+$/, '');

function header(trace: TraceSkeleton): string {
  const errors = trace.columns.statuses.filter((status) => status === 2).length;
  const start = new Date(Number(BigInt(trace.startUnixNano) / 1_000_000n)).toISOString();
  const counts = `${trace.spanCount} spans, ${trace.services.length} services, ${errors} errors`;
  return `trace ${trace.traceId}  ${durationText(Number(trace.durationNano))}  ${counts}  ${start}`;
}

/** Depth first in order of start; spans whose parent is missing are roots. A cycle was broken by the server. */
function orderedRows(trace: TraceSkeleton): Row[] {
  const children = new Map<number, number[]>();
  for (let i = trace.spanCount - 1; i >= 0; i--) {
    const parent = Math.max(-1, trace.columns.parents[i]!);
    const list = children.get(parent);
    if (list) list.push(i);
    else children.set(parent, [i]);
  }
  const ordered: Row[] = [];
  const pending: Row[] = (children.get(-1) ?? []).map((index) => ({ index, depth: 0 }));
  for (let row = pending.pop(); row !== undefined; row = pending.pop()) {
    ordered.push(row);
    for (const index of children.get(row.index) ?? []) pending.push({ index, depth: row.depth + 1 });
  }
  return ordered;
}

/** Nanoseconds after the trace's start, per row. */
function startsOf(trace: TraceSkeleton): number[] {
  let at = 0;
  return trace.columns.startDeltaNano.map((delta) => (at += delta));
}

function labelOf(trace: TraceSkeleton, { index, depth }: Row): string {
  const service = trace.services[trace.columns.services[index]!] ?? '(no service)';
  const mark = trace.columns.statuses[index] === 2 ? '✗ ' : '';
  return `${'  '.repeat(Math.min(depth, 12))}${mark}${service}: ${trace.names[trace.columns.names[index]!] ?? ''}`;
}

function barOf(trace: TraceSkeleton, index: number, startNano: number, width: number): string {
  const total = Math.max(1, Number(trace.durationNano));
  const from = (startNano / total) * width;
  const length = Math.max(1 / 8, (trace.columns.durationNano[index]! / total) * width);
  const whole = Math.floor(length);
  const part = eighths[Math.round((length - whole) * 8)] ?? '';
  return ' '.repeat(Math.min(Math.floor(from), width - 1)) + '█'.repeat(whole) + part;
}

function fit(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length > width - 1) return `${characters.slice(0, width - 2).join('')}… `;
  return text + ' '.repeat(width - characters.length);
}

function paint(trace: TraceSkeleton, index: number, text: string, color: boolean): string {
  if (!color) return text;
  if (trace.columns.statuses[index] === 2) return red + text + reset;
  const service = Math.max(0, trace.columns.services[index]!);
  return serviceColors[service % serviceColors.length]! + text + reset;
}

function shade(text: string, color: boolean): string {
  return color ? dim + text + reset : text;
}
