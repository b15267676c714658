/** OTLP `SpanKind` numbers. Batches keep whatever was sent, numbers not listed here included. */
export const SpanKind = Object.freeze({
  UNSPECIFIED: 0,
  INTERNAL: 1,
  SERVER: 2,
  CLIENT: 3,
  PRODUCER: 4,
  CONSUMER: 5,
} as const);
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind];

/** OTLP `Status.StatusCode` numbers. */
export const StatusCode = Object.freeze({ UNSET: 0, OK: 1, ERROR: 2 } as const);
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];
