import type { JaegerSpan, JaegerTag, JaegerTrace } from './jaeger.ts';

/** A Thrift tag as the companions of captures write it. */
interface ThriftTag {
  readonly key: string;
  readonly vType: 'STRING' | 'BOOL' | 'LONG' | 'DOUBLE' | 'BINARY';
  readonly value: unknown;
}

/** A Thrift batch as the companions of captures write it: ids as 16 digits, 64-bit integers as text. */
export interface ThriftBatch {
  readonly process: { readonly serviceName: string; readonly tags: readonly ThriftTag[] };
  readonly spans: readonly {
    readonly traceIdHigh: string;
    readonly traceIdLow: string;
    readonly spanId: string;
    readonly parentSpanId: string;
    readonly operationName: string;
    readonly references: readonly {
      readonly refType: string;
      readonly traceIdHigh: string;
      readonly traceIdLow: string;
      readonly spanId: string;
    }[];
    readonly flags: number;
    readonly startTimeUs: string;
    readonly durationUs: string;
    readonly tags: readonly ThriftTag[];
    readonly logs: readonly { readonly timestampUs: string; readonly fields: readonly ThriftTag[] }[];
  }[];
}

const types = { STRING: 'string', BOOL: 'bool', LONG: 'int64', DOUBLE: 'float64', BINARY: 'binary' } as const;
const noId = '0000000000000000';

/** What Jaeger's JSON must say of every span of a batch. */
export function expectedOfThrift({ process, spans }: ThriftBatch) {
  return spans.map((span) => {
    const traceId = shown(span.traceIdHigh, span.traceIdLow);
    const parent =
      span.parentSpanId === noId ? [] : [{ refType: 'CHILD_OF', traceID: traceId, spanID: span.parentSpanId }];
    const references = span.references.map((reference) => ({
      refType: reference.refType,
      traceID: shown(reference.traceIdHigh, reference.traceIdLow),
      spanID: reference.spanId,
    }));
    return {
      traceId,
      spanId: span.spanId,
      operationName: span.operationName,
      flags: span.flags,
      references: [...parent, ...references.filter(({ spanID }) => spanID !== span.parentSpanId)],
      startTime: Number(span.startTimeUs),
      duration: Number(span.durationUs),
      tags: span.tags.map(tag),
      logs: span.logs.map(({ timestampUs, fields }) => ({
        timestamp: Number(timestampUs),
        fields: sorted(fields.map(tag)),
      })),
      service: process.serviceName,
      processTags: sorted(process.tags.map(tag)),
    };
  });
}

/** Keys that Jaeger itself shows on the process although they were sent on spans. */
const moved = /^telemetry\.(sdk\.(language|name|version)|distro\.(name|version))$/;

/**
 * The facts of a span that came out, tags reduced to those that were sent: more may be derived, none may be missing. Of the process's tags
 * those are left out that Jaeger moved there from spans.
 */
export function sentFactsOf(
  trace: JaegerTrace,
  span: JaegerSpan & { readonly flags?: number },
  sent: { readonly tags: readonly JaegerTag[]; readonly processTags: readonly JaegerTag[] },
) {
  const process = trace.processes[span.processID];
  const processTags = process?.tags ?? [];
  return {
    traceId: span.traceID,
    spanId: span.spanID,
    operationName: span.operationName,
    flags: span.flags ?? 0,
    references: span.references,
    startTime: span.startTime,
    duration: span.duration,
    tags: sent.tags.map(({ key }) => find(moved.test(key) ? processTags : span.tags, key)),
    logs: span.logs.map(({ timestamp, fields }) => ({ timestamp, fields: sorted(fields) })),
    service: process?.serviceName,
    processTags: sorted(processTags.filter(({ key }) => !moved.test(key) || find(sent.processTags, key) !== undefined)),
  };
}

function sorted(tags: readonly JaegerTag[]): JaegerTag[] {
  return tags.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function find(tags: readonly JaegerTag[], key: string): JaegerTag | undefined {
  return tags.find((one) => one.key === key);
}

function tag({ key, vType, value }: ThriftTag): JaegerTag {
  return { key, type: types[vType], value: vType === 'LONG' ? Number(value) : value };
}

/** A trace id as Jaeger shows it: 16 digits when the high half is zero. */
function shown(high: string, low: string): string {
  return high === noId ? low : high + low;
}
