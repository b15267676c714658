// The objects of Jaeger's JSON API (port 16686, `/api/*`), member order included.

/** The envelope of every answer; all five members are always present. */
export interface JaegerEnvelope<T> {
  readonly data: T;
  readonly total: number;
  readonly limit: 0;
  readonly offset: 0;
  readonly errors: readonly JaegerError[] | null;
}

/** A problem, of the whole answer or of one trace in it. */
export interface JaegerError {
  readonly code?: number;
  readonly msg: string;
  readonly traceID?: string;
}

/** A trace. Times are microseconds. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, JaegerProcess>>;
  readonly warnings: readonly string[] | null;
  /** Clew's own additions, left out with `strict=true`. */
  readonly duration?: number;
  readonly startTime?: number;
}

/** A span. Times are microseconds since 1970, truncated. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly flags?: number;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerKeyValue[];
  readonly logs: readonly JaegerLog[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

/** A pointer to another span. */
export interface JaegerReference {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceID: string;
  readonly spanID: string;
}

/** A typed tag. Integers beyond ±(2^53 − 1) are decimal text of type int64; bytes are base64. */
export interface JaegerKeyValue {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: string | number | boolean;
}

/** Something that happened within a span. */
export interface JaegerLog {
  readonly timestamp: number;
  readonly fields: readonly JaegerKeyValue[];
}

/** Who sent a span. */
export interface JaegerProcess {
  readonly serviceName: string;
  readonly tags: readonly JaegerKeyValue[];
}
