import type { JaegerSpan, JaegerTag, JaegerTrace } from './jaeger.ts';
import type { OtlpAnyValue, OtlpAttribute, OtlpSpan, OtlpTraces } from './otlp-json.ts';

const kinds = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

/** What Jaeger's JSON must say of a span, order of tags aside. Written from the documented mapping, apart from the program's. */
export interface ExpectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly operationName: string;
  readonly references: JaegerSpan['references'];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: JaegerSpan['logs'];
  readonly service: string;
  readonly processTags: readonly JaegerTag[];
}

/** Every span of a request as Jaeger's JSON must show it. */
export function expectedSpans(request: OtlpTraces): ExpectedSpan[] {
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
    const processTags = sorted(resource.attributes.filter(({ key }) => key !== 'service.name').map(tag));
    return scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        ...expectedSpan(span, scope),
        service: service ?? 'OTLPResourceNoServiceName',
        processTags,
      })),
    );
  });
}

/** The same facts of a span that came out, so that the two can be compared whole. */
export function factsOf(trace: JaegerTrace, span: JaegerSpan): ExpectedSpan {
  const process = trace.processes[span.processID];
  return {
    traceId: span.traceID,
    spanId: span.spanID,
    operationName: span.operationName,
    references: span.references,
    startTime: span.startTime,
    duration: span.duration,
    tags: sorted(span.tags),
    logs: span.logs.map(({ timestamp, fields }) => ({ timestamp, fields: sorted(fields) })),
    service: process?.serviceName ?? '',
    processTags: sorted(process?.tags ?? []),
  };
}

function expectedSpan(span: OtlpSpan, scope: { readonly name: string; readonly version?: string } | undefined) {
  const start = BigInt(span.startTimeUnixNano);
  const parent = { refType: 'CHILD_OF', traceID: span.traceId, spanID: span.parentSpanId ?? '' };
  const links = (span.links ?? []).map((link) => ({
    refType: 'FOLLOWS_FROM',
    traceID: link.traceId,
    spanID: link.spanId,
  }));
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    operationName: span.name,
    references: span.parentSpanId ? [parent, ...links] : links,
    startTime: Number(start / 1000n),
    duration: Number((BigInt(span.endTimeUnixNano) - start) / 1000n),
    tags: sorted([...(span.attributes ?? []).map(tag), ...derivedTags(span, scope)]),
    logs: (span.events ?? []).map((event) => ({
      timestamp: Number(BigInt(event.timeUnixNano) / 1000n),
      fields: sorted([text('event', event.name), ...(event.attributes ?? []).map(tag)]),
    })),
  };
}

function derivedTags(span: OtlpSpan, scope: { readonly name: string; readonly version?: string } | undefined) {
  const tags: JaegerTag[] = [];
  if (scope?.name) tags.push(text('otel.scope.name', scope.name));
  if (scope?.version) tags.push(text('otel.scope.version', scope.version));
  const kind = kinds[span.kind ?? 0];
  if (kind) tags.push(text('span.kind', kind));
  if (span.status?.code === 1) tags.push(text('otel.status_code', 'OK'));
  if (span.status?.code === 2)
    tags.push(text('otel.status_code', 'ERROR'), { key: 'error', type: 'bool', value: true });
  if (span.status?.message) tags.push(text('otel.status_description', span.status.message));
  if (span.traceState) tags.push(text('w3c.tracestate', span.traceState));
  return tags;
}

function tag({ key, value }: OtlpAttribute): JaegerTag {
  if (value.boolValue !== undefined) return { key, type: 'bool', value: value.boolValue };
  if (value.doubleValue !== undefined) return { key, type: 'float64', value: value.doubleValue };
  if (value.intValue !== undefined) {
    const exact = Number.isSafeInteger(Number(value.intValue));
    return { key, type: 'int64', value: exact ? Number(value.intValue) : String(value.intValue) };
  }
  if (value.arrayValue !== undefined) return text(key, JSON.stringify(plain(value)));
  return text(key, value.stringValue ?? '');
}

function plain(value: OtlpAnyValue): unknown {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plain);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? '';
}

const text = (key: string, value: string): JaegerTag => ({ key, type: 'string', value });

function sorted(tags: readonly JaegerTag[]): JaegerTag[] {
  return [...tags].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
