import { appendEvent, appendLink, appendResource, appendScope, appendSpan } from '@clew/model';
import { Carrier, CarrierFormat, SpanKind, StatusCode, emptyScope, plainResource, unixNano } from '@clew/model';
import type { KeyValue, SpanBatch, SpanId, TraceId, UnixNano } from '@clew/model';
import { inputError } from '../errors.ts';
import { limitError, resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { spanAttributes } from './decode-attributes.ts';
import { takeExceptions } from './decode-cause.ts';
import { takeLinks } from './decode-links.ts';
import { takeResource } from './decode-resource.ts';
import { parseSegmentId, parseXrayTraceId } from './ids.ts';
import { JsonNumber, JsonObject, isJsonArray, readJson } from './json-tree.ts';
import { pruned } from './json-paths.ts';
import { nanosOfSeconds } from './seconds.ts';

/** The ids a subsegment inherits from what it is embedded in. */
interface Enclosing {
  readonly traceId: TraceId | '';
  readonly spanId: SpanId | '';
}

/**
 * Appends the segment of a document, and the subsegments embedded in it, to `batch` as spans; returns their number. Fails with
 * `WireError`, leaving the batch as it was: `missing_member` without name, id, start time or (at the root) trace id, `invalid_id`,
 * `wrong_json_type` when one of these is something else, codes of malformed JSON and of limits. Everything else is kept whatever it is.
 */
export function decodeSegment(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): number {
  return decodeDocument(bytes, 0, batch, limits);
}

/** {@link decodeSegment} of the document that begins at `start`. */
export function decodeDocument(bytes: Uint8Array, start: number, batch: SpanBatch, limits: DecodeLimits): number {
  const resolved = resolveLimits(limits);
  const root = readJson(bytes, start, resolved.maxDepth);
  if (!(root instanceof JsonObject)) throw inputError('wrong_json_type', start, 'a segment document is not an object');
  const mark = batch.mark();
  try {
    new DocumentDecoder(batch, resolved).root(root);
  } catch (error) {
    batch.rollback(mark);
    throw error;
  }
  return batch.count - mark.spans;
}

/** Reads one document; built anew for each, as documents hold few spans and their JSON tree costs more. */
class DocumentDecoder {
  readonly #batch: SpanBatch;
  readonly #limits: Required<DecodeLimits>;
  #scope = 0;
  #spans = 0;
  #children = 0;

  constructor(batch: SpanBatch, limits: Required<DecodeLimits>) {
    this.#batch = batch;
    this.#limits = limits;
  }

  root(root: JsonObject): void {
    this.#countChildren(2, root);
    const parentId = optionalId(root, 'parent_id');
    const isSegment = parentId === '' || !isSubsegmentType(root);
    const attributes = takeResource(root, requiredText(root, 'name'), isSegment);
    const resource = appendResource(this.#batch, plainResource(attributes));
    this.#scope = appendScope(this.#batch, resource, xrayScope);
    this.#segment(root, undefined, parentId, isSegment);
  }

  #embedded(segment: JsonObject, enclosing: Enclosing): void {
    // An embedded subsegment's parent is what it lies in; one that says otherwise is kept beside that.
    const own = segment.get('parent_id');
    if (typeof own === 'string' && parseSegmentId(own) === enclosing.spanId) segment.members.delete('parent_id');
    this.#segment(segment, enclosing, enclosing.spanId, false);
  }

  #segment(segment: JsonObject, enclosing: Enclosing | undefined, parentSpanId: SpanId | '', isSegment: boolean): void {
    if (++this.#spans > this.#limits.maxSpans)
      throw limitError('too_many_spans', segment.offset, 'maxSpans', this.#limits.maxSpans);
    const batch = this.#batch;
    const ids = {
      traceId: takeTraceId(segment, enclosing),
      spanId: requiredId(segment, 'id'),
      parentSpanId,
    };
    if (enclosing === undefined) segment.members.delete('parent_id');
    if (!isSegment && segment.get('type') === 'subsegment') segment.members.delete('type');
    const name = takeName(segment);
    const times = takeTimes(segment);
    const subsegments = takeSubsegments(segment);
    const kind = isSegment ? SpanKind.SERVER : hasMember(segment, 'namespace') ? SpanKind.CLIENT : SpanKind.INTERNAL;
    const hasCause = pruned(segment.get('cause') ?? null) !== undefined && segment.get('cause') !== '';
    const causeId = takeCauseId(segment);
    const exceptions = takeExceptions(segment);
    const links = takeLinks(segment);
    this.#countChildren(exceptions.length + links.length, segment);
    const { attributes, failed } = spanAttributes(segment);
    const row = appendSpan(batch, this.#scope, {
      ...ids,
      ...times,
      ...noMore,
      name,
      kind,
      statusCode: failed || hasCause ? StatusCode.ERROR : StatusCode.UNSET,
      statusMessage: causeId,
      attributes,
    });
    this.#exceptions(exceptions, times.endUnixNano === 0n ? times.startUnixNano : times.endUnixNano);
    for (const link of links) appendLink(batch, link);
    batch.endSpan(row);
    for (const subsegment of subsegments) this.#embedded(subsegment, ids);
  }

  /** X-Ray does not say when an exception was thrown; it is taken to have ended the segment. */
  #exceptions(exceptions: readonly (readonly KeyValue[])[], timeUnixNano: UnixNano): void {
    for (const attributes of exceptions)
      appendEvent(this.#batch, { timeUnixNano, name: 'exception', attributes, droppedAttributes: 0 });
  }

  #countChildren(count: number, at: JsonObject): void {
    this.#children += count;
    if (this.#children > this.#limits.maxChildren)
      throw limitError('too_many_children', at.offset, 'maxChildren', this.#limits.maxChildren);
  }
}

const xrayScope = { ...emptyScope, attributes: [{ key: Carrier.FORMAT, value: CarrierFormat.XRAY }] };

const noMore = { traceState: '', flags: 0, droppedAttributes: 0, droppedEvents: 0, droppedLinks: 0 } as const;

/** Whether there is a member that is not `null`, which means absent. */
function hasMember(segment: JsonObject, name: string): boolean {
  return (segment.get(name) ?? null) !== null;
}

function isSubsegmentType(segment: JsonObject): boolean {
  const type = segment.get('type');
  return typeof type === 'string' && type.toLowerCase() === 'subsegment';
}

function takeName(segment: JsonObject): string {
  const name = requiredText(segment, 'name');
  segment.members.delete('name');
  return name;
}

function takeTraceId(segment: JsonObject, enclosing: Enclosing | undefined): TraceId | '' {
  if (enclosing !== undefined && !hasMember(segment, 'trace_id')) return enclosing.traceId;
  const text = requiredText(segment, 'trace_id');
  const id = parseXrayTraceId(text);
  if (id === undefined) throw invalidId(segment, 'trace_id', text, '1-<8 hexadecimal digits>-<24 hexadecimal digits>');
  segment.members.delete('trace_id');
  return id;
}

function requiredId(segment: JsonObject, name: string): SpanId | '' {
  const text = requiredText(segment, name);
  const id = parseSegmentId(text);
  if (id === undefined) throw invalidId(segment, name, text, '16 hexadecimal digits');
  segment.members.delete(name);
  return id;
}

/** An id that may be absent; it stays where it is. */
function optionalId(segment: JsonObject, name: string): SpanId | '' {
  if (!hasMember(segment, name)) return '';
  const text = requiredText(segment, name);
  const id = parseSegmentId(text);
  if (id === undefined) throw invalidId(segment, name, text, '16 hexadecimal digits');
  return id;
}

function takeTimes(segment: JsonObject): { readonly startUnixNano: UnixNano; readonly endUnixNano: UnixNano } {
  const startUnixNano = takeTime(segment, 'start_time');
  if (startUnixNano === undefined) throw missing(segment, 'start_time');
  return { startUnixNano, endUnixNano: takeTime(segment, 'end_time') ?? unixNano(0n) };
}

function takeTime(segment: JsonObject, name: string): UnixNano | undefined {
  const value = segment.get(name) ?? null;
  if (value === null) return undefined;
  const nanos = value instanceof JsonNumber ? nanosOfSeconds(value.text) : undefined;
  if (nanos === undefined) throw wrongType(segment, name, 'a number of seconds since 1970');
  segment.members.delete(name);
  return nanos;
}

function takeSubsegments(segment: JsonObject): readonly JsonObject[] {
  const list = segment.get('subsegments') ?? [];
  const subsegments = isJsonArray(list) ? list.filter((entry) => entry instanceof JsonObject) : undefined;
  if (subsegments === undefined || !isJsonArray(list) || subsegments.length < list.length)
    throw wrongType(segment, 'subsegments', 'a list of objects');
  segment.members.delete('subsegments');
  return subsegments;
}

/** `cause` may be the id of an exception elsewhere in the trace instead of an object; it becomes the status message. */
function takeCauseId(segment: JsonObject): string {
  const cause = segment.get('cause');
  if (typeof cause !== 'string') return '';
  segment.members.delete('cause');
  return cause;
}

function requiredText(segment: JsonObject, name: string): string {
  const value = segment.get(name) ?? null;
  if (value === null) throw missing(segment, name);
  if (typeof value !== 'string') throw wrongType(segment, name, 'a text');
  return value;
}

function missing(segment: JsonObject, name: string) {
  return inputError('missing_member', segment.offset, `the segment has no "${name}"`);
}

function wrongType(segment: JsonObject, name: string, wanted: string) {
  return inputError('wrong_json_type', segment.offset, `"${name}" of the segment is not ${wanted}`);
}

function invalidId(segment: JsonObject, name: string, text: string, wanted: string) {
  const shown = JSON.stringify(text.slice(0, 60));
  return inputError('invalid_id', segment.offset, `"${name}" of the segment is ${shown} instead of ${wanted}`);
}
