import { Carrier, CarrierFormat, SpanKind, StatusCode, isCarrierKey } from '@clew/model';
import type { AttributeValue, KeyValue, PlainEvent, PlainLink, PlainResource, PlainSpan } from '@clew/model';
import { AttributeBag } from './attribute-bag.ts';
import { LOGS_MEMBER } from './decode-resource.ts';
import { formatXrayTraceId, randomSegmentId } from './ids.ts';
import { JsonNumber, JsonObject, isJsonArray } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { jsonPath, mergeInto, numberOf, objectIn, setAt, valueAt } from './json-paths.ts';
import { jsonOfAttribute, jsonOfText } from './json-values.ts';
import {
  ANNOTATIONS_KEY,
  AWS_MEMBER_KEY,
  METADATA_PREFIX,
  derivedResourceKeys,
  exceptionMembers,
  resourceMembers,
  spanMembers,
} from './members.ts';
import { addMetadata } from './metadata.ts';
import { secondsOfNanos } from './seconds.ts';
import { joinSqlUrl } from './sql-url.ts';
import { framesOfStackText } from './stack-text.ts';

/** Whether a span came in a segment document. */
export function isFromXray(span: PlainSpan): boolean {
  return span.scope.attributes.some(({ key, value }) => key === Carrier.FORMAT && value === CarrierFormat.XRAY);
}

/** Where in a document a span is put: at its root, or in the segment that is its parent. */
export type Place = 'root' | { readonly embeddedIn: PlainSpan };

/**
 * The segment a span was decoded from, with what processors changed since. Where a value can come from what was sent and from what
 * decoding derived, what was sent is written. Attributes that no member of X-Ray has, which processors added, become metadata.
 */
export function restoreSegment(span: PlainSpan, place: Place): JsonObject {
  const bag = new AttributeBag(span.attributes);
  const isRoot = place === 'root';
  const rest = readCarrier(bag.take(Carrier.XRAY_REST));
  const segment = new JsonObject();
  segment.set('name', isRoot ? rootName(span) : span.name);
  segment.set('id', span.spanId === '' ? randomSegmentId() : span.spanId);
  segment.set('start_time', new JsonNumber(secondsOfNanos(span.startUnixNano)));
  if (span.endUnixNano !== 0n) segment.set('end_time', new JsonNumber(secondsOfNanos(span.endUnixNano)));
  restoreAnnotations(segment, bag);
  restoreMembers(segment, bag);
  restoreCause(segment, span);
  if (isRoot) restoreResource(segment, span.resource);
  restoreLinks(segment, span.links);
  restoreLeftovers(segment, bag);
  if (rest instanceof JsonObject) mergeInto(segment, rest);
  restoreStatus(segment, span);
  placeSegment(segment, span, place);
  return segment;
}

function rootName(span: PlainSpan): string {
  const service = span.resource.attributes.find(({ key }) => key === 'service.name')?.value;
  return span.kind === SpanKind.SERVER && typeof service === 'string' ? service : span.name;
}

/** The members that say where a segment belongs, written last: what was left over of an embedded one must not move it. */
function placeSegment(segment: JsonObject, span: PlainSpan, place: Place): void {
  if (place !== 'root') {
    if (place.embeddedIn.traceId !== span.traceId) segment.set('trace_id', formatXrayTraceId(span.traceId));
    return;
  }
  segment.set('trace_id', formatXrayTraceId(span.traceId));
  if (span.parentSpanId === '') return;
  segment.set('parent_id', span.parentSpanId);
  const type = segment.get('type');
  const saysSo = typeof type === 'string' && type.toLowerCase() === 'subsegment';
  if (span.kind !== SpanKind.SERVER && !saysSo) segment.set('type', 'subsegment');
}

/** First of all: an annotation may have the name of another attribute, and then stands behind it. */
function restoreAnnotations(segment: JsonObject, bag: AttributeBag): void {
  const keys = bag.take(ANNOTATIONS_KEY);
  if (!Array.isArray(keys)) return;
  const annotations: [string, Json][] = [];
  for (const key of keys) {
    const value = typeof key === 'string' ? bag.takeLast(key) : undefined;
    if (value !== undefined) annotations.push([key as string, jsonOfAttribute(value)]);
  }
  if (annotations.length > 0) segment.set('annotations', new JsonObject(annotations));
}

function restoreMembers(segment: JsonObject, bag: AttributeBag): void {
  for (const { path, key } of spanMembers) {
    const value = bag.take(key);
    if (value !== undefined) setAt(segment, path, jsonOfAttribute(value));
  }
  const connection = bag.peek('db.connection_string');
  if (typeof connection !== 'string') return;
  bag.take('db.connection_string');
  const database = bag.take('db.namespace');
  setAt(segment, ['sql', 'url'], joinSqlUrl(connection, typeof database === 'string' ? database : undefined));
}

function restoreCause(segment: JsonObject, span: PlainSpan): void {
  const exceptions = span.events.filter(({ name }) => name === 'exception').map(restoreException);
  if (exceptions.length > 0) setAt(segment, ['cause', 'exceptions'], exceptions);
  else if (span.statusMessage !== '' && segment.get('cause') === undefined) segment.set('cause', span.statusMessage);
}

/** An error that the document did not tell was set by a processor. */
function restoreStatus(segment: JsonObject, span: PlainSpan): void {
  if (span.statusCode !== StatusCode.ERROR || segment.get('cause') !== undefined) return;
  const isFlagged = ['fault', 'error', 'throttle'].some((flag) => segment.get(flag) === true);
  const status = numberOf(valueAt(segment, ['http', 'response', 'status'])) ?? 0;
  if (!isFlagged && status < 400) segment.set('fault', true);
}

function restoreException(event: PlainEvent): JsonObject {
  const bag = new AttributeBag(event.attributes);
  const exception = new JsonObject();
  for (const { path, key } of exceptionMembers) {
    const value = bag.take(key);
    if (value !== undefined) setAt(exception, path, jsonOfAttribute(value));
  }
  const sent = readCarrier(bag.take(Carrier.XRAY_STACK));
  const text = bag.take('exception.stacktrace');
  const frames = isJsonArray(sent) ? sent : typeof text === 'string' ? framesOfStackText(text) : [];
  if (frames.length > 0) exception.set('stack', frames);
  const rest = readCarrier(bag.take(Carrier.XRAY_REST));
  if (rest instanceof JsonObject) mergeInto(exception, rest);
  return exception;
}

function restoreLinks(segment: JsonObject, links: readonly PlainLink[]): void {
  if (links.length > 0) segment.set('links', links.map(restoreLink));
}

function restoreLink({ traceId, spanId, attributes }: PlainLink): JsonObject {
  const link = new JsonObject([
    ['trace_id', formatXrayTraceId(traceId)],
    ['id', spanId.padStart(16, '0')],
  ]);
  const bag = new AttributeBag(attributes);
  const rest = readCarrier(bag.take(Carrier.XRAY_REST));
  for (const [key, value] of bag.rest()) objectIn(link, 'attributes').set(key, jsonOfAttribute(value));
  if (rest instanceof JsonObject) mergeInto(link, rest);
  return link;
}

function restoreResource(segment: JsonObject, { attributes }: PlainResource): void {
  const bag = new AttributeBag(attributes);
  const listed = bag.take(Carrier.XRAY_MEMBERS);
  const sent = new Set<AttributeValue>(Array.isArray(listed) ? listed : []);
  for (const { path, name, key } of resourceMembers) {
    const value = sent.has(name) ? bag.take(key) : undefined;
    if (value !== undefined) setAt(segment, path, jsonOfAttribute(value));
  }
  if (sent.has(LOGS_MEMBER)) restoreLogGroups(segment, bag);
  const origin = segment.get('origin');
  const knownAsAws = segment.get('aws') !== undefined || (typeof origin === 'string' && origin.startsWith('AWS::'));
  if (bag.peek('cloud.provider') === 'aws' && !knownAsAws) objectIn(segment, 'aws');
  for (const [key, value] of bag.rest()) {
    if (!derivedResourceKeys.has(key) && !isCarrierKey(key))
      addMetadata(segment, `otel.resource.${key}`, jsonOfAttribute(value));
  }
}

function restoreLogGroups(segment: JsonObject, bag: AttributeBag): void {
  const names = bag.take('aws.log.group.names');
  const arns = bag.take('aws.log.group.arns');
  if (!Array.isArray(names)) return;
  const groups = (names as readonly AttributeValue[]).map((name, at) => {
    const arn: AttributeValue | undefined = Array.isArray(arns) ? (arns as readonly AttributeValue[])[at] : undefined;
    const group = new JsonObject([['log_group', jsonOfAttribute(name)]]);
    if (arn !== undefined) group.set('arn', jsonOfAttribute(arn));
    return group;
  });
  setAt(segment, jsonPath(LOGS_MEMBER), groups);
}

/** What is left: metadata first, so that attributes processors added join the namespace they go to; then those. */
function restoreLeftovers(segment: JsonObject, bag: AttributeBag): void {
  const others: KeyValue[] = [];
  for (const [key, value] of bag.rest()) {
    if (key.startsWith(METADATA_PREFIX) && typeof value === 'string') {
      const json = readCarrier(value);
      objectIn(segment, 'metadata').set(key.slice(METADATA_PREFIX.length), json === undefined ? value : json);
    } else if (!isCarrierKey(key)) others.push({ key, value });
  }
  for (const { key, value } of others) {
    const member = AWS_MEMBER_KEY.exec(key)?.[1];
    if (member === undefined) addMetadata(segment, key, jsonOfAttribute(value));
    else setAt(segment, ['aws', member], jsonOfAttribute(value));
  }
}

function readCarrier(value: AttributeValue | undefined): Json | undefined {
  return typeof value === 'string' ? jsonOfText(value) : undefined;
}
