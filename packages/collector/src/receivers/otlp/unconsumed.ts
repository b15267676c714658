import { countDataPoints, countLogRecords, encodePartialSuccess } from '@clew/wire/otlp';
import type { OnUnconsumed } from './telemetry.ts';

/** The two encodings of an OTLP request. */
export type OtlpFormat = 'protobuf' | 'json';

/** Signals that may be accepted on the wire although no pipeline here takes them. */
export const unconsumedSignals = ['logs', 'metrics'] as const;

/** One of those signals. */
export type UnconsumedSignal = (typeof unconsumedSignals)[number];

const reasons: Readonly<Record<UnconsumedSignal, string>> = {
  logs: 'log records are not stored: no pipeline of this collector takes logs',
  metrics: 'metric data points are not stored: no pipeline of this collector takes metrics',
};

/**
 * The answer to logs and metrics nobody takes: success, because an SDK that exports them beside its traces must not retry for ever,
 * and a partial success that says how many were dropped and why.
 */
export function unconsumedResponse(
  signal: UnconsumedSignal,
  body: Uint8Array,
  format: OtlpFormat,
  onUnconsumed: OnUnconsumed,
): Uint8Array {
  const items = signal === 'logs' ? countLogRecords(body, format) : countDataPoints(body, format);
  onUnconsumed(signal, items);
  if (items === 0) return encodePartialSuccess({ rejected: 0n, message: '' }, format, signal);
  return encodePartialSuccess({ rejected: BigInt(items), message: reasons[signal] }, format, signal);
}
