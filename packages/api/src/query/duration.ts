const nanosPerUnit: Readonly<Record<string, bigint>> = Object.freeze({
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
});

const part = /(\d+)(?:\.(\d+))?(ns|us|µs|μs|ms|s|m|h|d)/y;

/**
 * Reads a duration as people and TraceQL write it: `250ms`, `1.5s`, `1h30m`. Gives whole nanoseconds;
 * undefined when the text is not a duration. Digits below a nanosecond are dropped.
 */
export function parseDurationNano(text: string): bigint | undefined {
  const trimmed = text.trim();
  let total = 0n;
  part.lastIndex = 0;
  do {
    const match = part.exec(trimmed);
    if (match === null) return undefined;
    const unit = nanosPerUnit[match[3] ?? ''];
    if (unit === undefined) return undefined;
    const fraction = (match[2] ?? '').slice(0, 18);
    total += BigInt(match[1] ?? '0') * unit;
    if (fraction !== '') total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  } while (part.lastIndex < trimmed.length);
  return total;
}

/**
 * Writes a duration exactly, in the largest of s, ms, us and ns that leaves at least one whole unit:
 * `1.5s`, `250ms`, `17ns`. Reading it back gives the same number.
 */
export function formatDurationExact(nano: bigint): string {
  for (const unit of ['s', 'ms', 'us'] as const) {
    const size = nanosPerUnit[unit] ?? 1n;
    if (nano < size) continue;
    const rest = nano % size;
    const digits = size.toString().length - 1;
    const fraction = rest.toString().padStart(digits, '0').replace(/0+$/, '');
    return `${nano / size}${fraction === '' ? '' : `.${fraction}`}${unit}`;
  }
  return `${nano}ns`;
}
