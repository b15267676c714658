/** Formats that people read. Exact values belong into titles and copies; see `formatNanoExact`. */

const units = [
  { nano: 86_400e9, unit: 'd' },
  { nano: 3_600e9, unit: 'h' },
  { nano: 60e9, unit: 'm' },
  { nano: 1e9, unit: 's' },
  { nano: 1e6, unit: 'ms' },
  { nano: 1e3, unit: 'µs' },
] as const;

/** A duration in three significant digits: `1.40 s`, `12.3 ms`, `850 ns`; from a minute up `2m 05s`. */
export function formatDuration(nano: number): string {
  if (nano >= 60e9) return longDuration(nano);
  for (const { nano: size, unit } of units.slice(3)) {
    // Rounded first, so that 999.96 ms is written as 1 s.
    const value = Number((nano / size).toPrecision(3));
    if (value >= 1) return `${trimZeros(value.toPrecision(3))} ${unit}`;
  }
  return `${Math.round(nano)} ns`;
}

function longDuration(nano: number): string {
  const seconds = Math.round(nano / 1e9);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}d ${pad(hours % 24)}h`;
}

function trimZeros(text: string): string {
  return text.includes('.') && text.endsWith('0') ? text.replace(/\.?0+$/, '') : text;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** A duration with every nanosecond, for titles and copies: `1.400000123 s`. */
export function formatNanoExact(nano: number): string {
  if (nano < 1e3) return `${nano} ns`;
  const { nano: size, unit } = nano >= 1e9 ? units[3] : nano >= 1e6 ? units[4] : units[5];
  const digits = Math.log10(size);
  const whole = Math.floor(nano / size);
  const rest = String(Math.round(nano - whole * size))
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return `${whole}${rest === '' ? '' : `.${rest}`} ${unit}`;
}

/** A duration for a screen reader: `1.4 seconds`. */
export function speakDuration(nano: number): string {
  const words: Readonly<Record<string, string>> = {
    s: 'seconds',
    ms: 'milliseconds',
    µs: 'microseconds',
    ns: 'nanoseconds',
  };
  return formatDuration(nano).replace(/ (s|ms|µs|ns)$/, (_, unit: string) => ` ${words[unit] ?? unit}`);
}

const grouped = new Intl.NumberFormat('en-US');

/** A whole number with thousands separated: `12,804`. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** A large number in few characters: `1.2k`, `48M`. */
export function formatShortCount(value: number): string {
  if (value < 1000) return String(Math.round(value));
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= size * 0.9995) return `${trimZeros((value / size).toPrecision(value >= size * 100 ? 3 : 2))}${unit}`;
  }
  return formatCount(value);
}

/** `n spans`, `1 span`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Bytes with binary units. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1024 || unit === 'TiB') return `${unit === 'B' ? value : value.toPrecision(3)} ${unit}`;
    value /= 1024;
  }
  return `${bytes} B`;
}

/** Clock time with milliseconds in the reader's zone: `14:03:22.015`. */
export function formatClock(unixMs: number, withMillis = true): string {
  const date = new Date(unixMs);
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return withMillis ? `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}` : clock;
}

/** Calendar day in the reader's zone: `2026-01-02`. */
export function formatDay(unixMs: number): string {
  const date = new Date(unixMs);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** Day and clock time. */
export function formatDateTime(unixMs: number): string {
  return `${formatDay(unixMs)} ${formatClock(unixMs)}`;
}

/** How long ago: `just now`, `5 min ago`, `3 h ago`, `2 d ago`; `in 5 min` when the clock disagrees. */
export function formatAgo(unixMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - unixMs) / 1000);
  const text = amount(Math.abs(seconds));
  if (text === undefined) return 'just now';
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

function amount(seconds: number): string | undefined {
  if (seconds < 5) return undefined;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A share as a percentage: `70%`, `0.4%`, `<0.1%`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1%';
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)}%`;
}

/** Milliseconds since 1970 of a nanosecond text, with its fraction; for display only. */
export function unixMsOf(unixNano: string): number {
  const nano = BigInt(unixNano);
  return Number(nano / 1_000_000n) + Number(nano % 1_000_000n) / 1e6;
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** The word for an OTLP span kind. */
export function kindName(kind: number): string {
  return kinds[kind] ?? `kind ${kind}`;
}
