import {
  Carrier,
  CarrierFormat,
  JAEGER_WARNINGS,
  OPENTRACING_REF_TYPE,
  base64Of,
  canonicalJson,
  isCarrierKey,
} from '@clew/model';
import type { AttributeValue, KeyValue } from '@clew/model';
import { sortByKey } from './adjust/sort-attributes.ts';
import { attributeOf } from './adjust/span.ts';
import type { AdjustableSpan } from './adjust/span.ts';
import type { JaegerKeyValue, JaegerLog, JaegerProcess, JaegerReference, JaegerSpan, JaegerTrace } from './model.ts';

const kindTags = ['', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const STATUS_OK = 1;
const STATUS_ERROR = 2;
const noServiceName = 'OTLPResourceNoServiceName';

/** How a trace is written. */
export interface EncodeOptions {
  /** Sort tags by key, as adjusted answers have them. */
  readonly sorted: boolean;
  /** Leave out the members Jaeger does not have. */
  readonly strict: boolean;
  /** Warnings about the trace as a whole. */
  readonly warnings?: readonly string[];
}

/** The trace object of Jaeger's JSON API. Spans are ordered by start and id, which its clients may not rely on but like. */
export function encodeTrace(spans: readonly AdjustableSpan[], options: EncodeOptions): JaegerTrace {
  const processes = new Processes(options.sorted);
  const ordered = [...spans].sort(byStart);
  const encoded = ordered.map((span) => encodeSpan(span, processes, options.sorted));
  const trace: JaegerTrace = {
    traceID: jaegerTraceId(ordered[0]?.traceId ?? ''),
    spans: encoded,
    processes: processes.all,
    warnings: options.warnings?.length ? [...options.warnings] : null,
  };
  if (options.strict) return trace;
  let start = ordered[0]?.startNano ?? 0n;
  let end = start;
  for (const span of ordered) {
    if (span.startNano < start) start = span.startNano;
    if (span.endNano > end) end = span.endNano;
  }
  return { ...trace, duration: micros(end - start), startTime: micros(start) };
}

/** 16 digits when the high half is zero, else 32. */
export function jaegerTraceId(hex: string): string {
  return hex.startsWith('0000000000000000') ? hex.slice(16) : hex;
}

function byStart(a: AdjustableSpan, b: AdjustableSpan): number {
  if (a.startNano !== b.startNano) return a.startNano < b.startNano ? -1 : 1;
  return a.spanId < b.spanId ? -1 : a.spanId > b.spanId ? 1 : 0;
}

function encodeSpan(span: AdjustableSpan, processes: Processes, sorted: boolean): JaegerSpan {
  const flags = jaegerFlags(span);
  const warnings = [...sentWarnings(span), ...span.warnings];
  return {
    traceID: jaegerTraceId(span.traceId),
    spanID: span.spanId,
    ...(flags === 0 ? {} : { flags }),
    operationName: span.name,
    references: references(span),
    startTime: micros(span.startNano),
    duration: micros(span.endNano - span.startNano),
    tags: tags(span, sorted),
    logs: span.events.map(encodeEvent),
    processID: processes.idOf(span),
    warnings: warnings.length === 0 ? null : warnings,
  };
}

function tags(span: AdjustableSpan, sorted: boolean): JaegerKeyValue[] {
  const sent = span.attributes.filter(({ key }) => !isHidden(key));
  const own = new Set(sent.map(({ key }) => key));
  // A client of Jaeger's own may have sent a derived tag itself; what it sent is what is shown.
  const missing = (tag: KeyValue) => !own.has(tag.key);
  const all = [...scopeTags(span).filter(missing), ...sent, ...statusTags(span).filter(missing)];
  if (sorted) sortByKey(all);
  return all.map(keyValue);
}

function scopeTags({ scope }: AdjustableSpan): KeyValue[] {
  return [
    { key: 'otel.scope.name', value: scope.name },
    { key: 'otel.scope.version', value: scope.version },
  ].filter(({ value }) => value !== '');
}

function statusTags(span: AdjustableSpan): KeyValue[] {
  const list: KeyValue[] = [];
  const kind = kindTags[span.kind] ?? '';
  if (kind !== '') list.push({ key: 'span.kind', value: kind });
  if (span.statusCode === STATUS_OK) list.push({ key: 'otel.status_code', value: 'OK' });
  if (span.statusCode === STATUS_ERROR) {
    list.push({ key: 'otel.status_code', value: 'ERROR' }, { key: 'error', value: true });
  }
  if (span.statusMessage !== '') list.push({ key: 'otel.status_description', value: span.statusMessage });
  if (span.traceState !== '') list.push({ key: 'w3c.tracestate', value: span.traceState });
  return list;
}

/** Attributes that carry facts of another protocol, and Jaeger's own carrier of warnings. */
function isHidden(key: string): boolean {
  return isCarrierKey(key) || key === JAEGER_WARNINGS;
}

/** Warnings that came with the span, from a Jaeger component that had adjusted it: a list of texts, shown as text whatever else it is. */
function sentWarnings({ attributes }: AdjustableSpan): string[] {
  return attributes
    .filter(({ key }) => key === JAEGER_WARNINGS)
    .flatMap(({ value }) => (Array.isArray(value) ? (value as readonly AttributeValue[]) : [value]))
    .map((value) => (typeof value === 'string' ? value : canonicalJson(value)));
}

/** Jaeger's span flags, which came in by Jaeger's protocols and have no OTLP field. */
function jaegerFlags(span: AdjustableSpan): number {
  const value = attributeOf(span.attributes, Carrier.JAEGER_FLAGS);
  return typeof value === 'bigint' ? Number(value) : 0;
}

/**
 * The parent first, then the links. A link of OpenTelemetry's that points at the parent tells the type of the reference to it and is no
 * reference of its own; among those Jaeger sent it was one more.
 */
function references(span: AdjustableSpan): JaegerReference[] {
  const list: JaegerReference[] = [];
  if (span.parentSpanId !== '') {
    const refType = refTypeOf(attributeOf(span.attributes, Carrier.JAEGER_PARENT_REF_TYPE) ?? 'child_of');
    list.push({ refType, traceID: jaegerTraceId(span.traceId), spanID: span.parentSpanId });
  }
  const isJaegers = attributeOf(span.scope.attributes, Carrier.FORMAT) === CarrierFormat.JAEGER;
  for (const link of span.links) {
    const type = attributeOf(link.attributes, OPENTRACING_REF_TYPE);
    const refType = refTypeOf(type);
    const isParent = span.parentSpanId !== '' && link.spanId === span.parentSpanId && link.traceId === span.traceId;
    if (isParent && !isJaegers) {
      if (type !== undefined) list[0] = { ...list[0]!, refType };
    } else list.push({ refType, traceID: jaegerTraceId(link.traceId), spanID: link.spanId });
  }
  return list;
}

function refTypeOf(type: AttributeValue | undefined): JaegerReference['refType'] {
  return type === 'child_of' ? 'CHILD_OF' : 'FOLLOWS_FROM';
}

function encodeEvent(event: AdjustableSpan['events'][number]): JaegerLog {
  const sent = event.attributes.filter(({ key }) => !isCarrierKey(key));
  const named = event.name === '' || sent.some(({ key }) => key === 'event');
  const fields = named ? sent : [{ key: 'event', value: event.name }, ...sent];
  return { timestamp: micros(event.timeNano), fields: fields.map(keyValue) };
}

function keyValue({ key, value }: KeyValue): JaegerKeyValue {
  if (value === null) return { key, type: 'string', value: '' };
  switch (typeof value) {
    case 'string':
      return { key, type: 'string', value };
    case 'boolean':
      return { key, type: 'bool', value };
    case 'bigint':
      return { key, type: 'int64', value: safeInteger(value) };
    case 'number':
      return { key, type: 'float64', value: Number.isFinite(value) ? value : String(value) };
    default:
      if (value instanceof Uint8Array) return { key, type: 'binary', value: base64Of(value) };
      return { key, type: 'string', value: canonicalJson(value) };
  }
}

/** A number when it is exact as one, else decimal text. */
function safeInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Whole microseconds. Beyond 2^53 (the year 2255) the nearest number JSON readers can hold. */
function micros(nanos: bigint): number {
  return Number(nanos / 1000n);
}

/** Hands out p1, p2, … to distinct processes in the order they are met. */
class Processes {
  readonly all: Record<string, JaegerProcess> = {};
  readonly #ids = new Map<string, string>();
  readonly #known = new Map<AdjustableSpan['resource'], string>();
  readonly #sorted: boolean;

  constructor(sorted: boolean) {
    this.#sorted = sorted;
  }

  idOf(span: AdjustableSpan): string {
    const known = this.#known.get(span.resource);
    if (known !== undefined) return known;
    const process = encodeProcess(span.resource.attributes, this.#sorted);
    const content = JSON.stringify(process);
    const id = this.#ids.get(content) ?? `p${this.#ids.size + 1}`;
    this.#ids.set(content, id);
    this.#known.set(span.resource, id);
    this.all[id] = process;
    return id;
  }
}

function encodeProcess(attributes: readonly KeyValue[], sorted: boolean): JaegerProcess {
  const service = attributeOf(attributes, 'service.name');
  const others = asSent(attributes).filter(({ key }) => key !== 'service.name' && !isHidden(key));
  if (sorted) sortByKey(others);
  return { serviceName: typeof service === 'string' ? service : noServiceName, tags: others.map(keyValue) };
}

/** Tags of a process under the names Jaeger's clients gave them, where their carriers tell that they had others. */
function asSent(attributes: readonly KeyValue[]): readonly KeyValue[] {
  const wasHostname = attributeOf(attributes, Carrier.JAEGER_HOSTNAME) === true;
  const wasVersion = attributeOf(attributes, Carrier.JAEGER_VERSION) === true;
  if (!wasHostname && !wasVersion) return attributes;
  return attributes.map((attribute) => {
    const { key, value } = attribute;
    if (wasHostname && key === 'host.name') return { key: 'hostname', value };
    const isVersion = wasVersion && key === 'opencensus.exporterversion' && typeof value === 'string';
    if (!isVersion || !value.startsWith(VERSION_PREFIX)) return attribute;
    return { key: 'jaeger.version', value: value.slice(VERSION_PREFIX.length) };
  });
}

/** What a client's version is prefixed with when it becomes OpenTelemetry's attribute. */
const VERSION_PREFIX = 'Jaeger-';
