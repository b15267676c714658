import { SpanKind, isCarrierKey } from '@clew/model';
import type { AttributeValue, PlainLink, PlainSpan } from '@clew/model';
import { AttributeBag } from './attribute-bag.ts';
import { textOfValue } from './attribute-text.ts';
import { formatXrayTraceId, randomSegmentId } from './ids.ts';
import { JsonNumber, JsonObject } from './json-tree.ts';
import { objectIn } from './json-paths.ts';
import { jsonOfAttribute } from './json-values.ts';
import { isAwsSdk, isDependency, segmentName } from './segment-name.ts';
import { secondsOfNanos } from './seconds.ts';
import { addAttributes } from './translate-attributes.ts';
import type { IndexOptions } from './translate-attributes.ts';
import { translateAws } from './translate-aws.ts';
import { translateCause } from './translate-cause.ts';
import { translateHttp } from './translate-http.ts';
import { translateSql } from './translate-sql.ts';

/** How spans of other formats are put into segment documents. */
export interface TranslateOptions extends IndexOptions {
  /** CloudWatch log groups of spans whose resource names none. */
  readonly logGroupNames: readonly string[];
}

/**
 * The segment of a span that did not come in a segment document. What X-Ray has a member for goes there; what is left becomes
 * annotations when indexed, else metadata. Events other than exceptions, trace state and flags have no place in X-Ray and are lost.
 */
export function translateSegment(span: PlainSpan, options: TranslateOptions): JsonObject {
  const isSubsegment = span.kind !== SpanKind.SERVER && span.parentSpanId !== '';
  const bag = new AttributeBag(span.attributes);
  const resource = new AttributeBag(span.resource.attributes);
  const { name, isRemote } = segmentName(span, bag, resource);
  const namespace = namespaceOf(span, bag, isRemote, isSubsegment);
  const segment = new JsonObject([
    ['name', name],
    ['id', span.spanId === '' ? randomSegmentId() : span.spanId],
    ['trace_id', formatXrayTraceId(span.traceId)],
  ]);
  if (span.parentSpanId !== '') segment.set('parent_id', span.parentSpanId);
  if (isSubsegment) segment.set('type', 'subsegment');
  if (namespace !== undefined) segment.set('namespace', namespace);
  setTimes(segment, span);
  const httpStatus = translateHttp(segment, span, bag);
  translateCause(segment, span, resource, httpStatus);
  translateSql(segment, bag);
  translateAws(segment, bag, resource, options.logGroupNames);
  const user = textOfValue(bag.takeFirstOf('enduser.id', 'user.id'));
  if (user !== undefined) segment.set('user', user);
  if (span.links.length > 0) segment.set('links', span.links.map(linkJson));
  addAttributes(segment, span, bag, isSubsegment ? [] : span.resource.attributes, options);
  return segment;
}

function namespaceOf(
  span: PlainSpan,
  bag: AttributeBag,
  isRemote: boolean,
  isSubsegment: boolean,
): 'aws' | 'remote' | undefined {
  if (isAwsSdk(bag) || (isDependency(span.kind) && bag.peekText('aws.service') !== undefined)) return 'aws';
  if (span.kind === SpanKind.CLIENT && isRemote) return 'remote';
  const isNamed = isDependency(span.kind) && bag.peekText('aws.remote.service') !== undefined;
  return isSubsegment && isNamed ? 'remote' : undefined;
}

/** A span that has not ended is one in progress. */
function setTimes(segment: JsonObject, span: PlainSpan): void {
  segment.set('start_time', new JsonNumber(secondsOfNanos(span.startUnixNano)));
  if (span.endUnixNano === 0n) segment.set('in_progress', true);
  else segment.set('end_time', new JsonNumber(secondsOfNanos(span.endUnixNano)));
}

function linkJson({ traceId, spanId, attributes }: PlainLink): JsonObject {
  const link = new JsonObject([
    ['trace_id', formatXrayTraceId(traceId)],
    ['id', spanId.padStart(16, '0')],
  ]);
  for (const { key, value } of attributes) {
    if (!isCarrierKey(key) && value !== null) objectIn(link, 'attributes').set(key, jsonOfAttribute(value));
  }
  return link;
}

/** Attributes of what a local root called, which its service segment does not have. */
const dependencyKeys: ReadonlySet<string> = new Set([
  'aws.remote.service',
  'aws.remote.operation',
  'remoteTarget',
  'K8s.RemoteNamespace',
]);
/** Members of `aws` that tell the call. */
const callMembers = ['operation', 'account_id', 'region', 'request_id', 'queue_url', 'table_name', 'table_names'];

/**
 * The documents of a client, producer or consumer span that is the first of its service in a trace (`aws.span.kind` is `LOCAL_ROOT`): a
 * segment for the service, and under it a subsegment for what it called, without which the service would not be on X-Ray's map.
 */
export function translateLocalRoot(span: PlainSpan, options: TranslateOptions): readonly JsonObject[] {
  const serviceId = serviceIdOf(span.spanId);
  const dependency = translateSegment({ ...span, parentSpanId: serviceId as PlainSpan['parentSpanId'] }, options);
  if (dependency.get('namespace') === undefined) dependency.set('namespace', 'remote');
  if (span.kind === SpanKind.CONSUMER) dependency.members.delete('links');
  return [dependency, serviceSegment(span, serviceId, options)];
}

function serviceSegment(span: PlainSpan, id: string, options: TranslateOptions): JsonObject {
  const attributes = span.attributes.filter(({ key }) => !dependencyKeys.has(key));
  // As a server span it is a segment, and called by its service.
  const segment = translateSegment(
    { ...span, kind: SpanKind.SERVER, spanId: id as PlainSpan['spanId'], attributes },
    options,
  );
  for (const name of ['http', 'sql', 'namespace']) segment.members.delete(name);
  const aws = segment.get('aws');
  if (aws instanceof JsonObject) for (const name of callMembers) aws.members.delete(name);
  if (span.kind !== SpanKind.CONSUMER) segment.members.delete('links');
  keepResourceMetadata(segment);
  return segment;
}

function keepResourceMetadata(segment: JsonObject): void {
  const metadata = segment.get('metadata');
  if (!(metadata instanceof JsonObject)) return;
  for (const [namespace, values] of metadata.members) {
    const members = values instanceof JsonObject ? values.members : new Map<string, AttributeValue>();
    for (const key of members.keys()) if (!key.startsWith('otel.resource.')) members.delete(key);
    if (members.size === 0) metadata.members.delete(namespace);
  }
  if (metadata.members.size === 0) segment.members.delete('metadata');
}

/** The same id for the same span, so that sending a span again does not make another segment. */
function serviceIdOf(spanId: string): string {
  if (spanId === '') return randomSegmentId();
  const id = BigInt(`0x${spanId}`) ^ 0x5e6f_7ce1_d0c5_a1b3n;
  return (id === 0n ? 1n : id).toString(16).padStart(16, '0');
}
