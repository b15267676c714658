import { spanIdOf, traceIdOf, type SpanId, type TraceId } from './ids.ts';
import type { AttributeCursor } from './batch/attribute-cursor.ts';
import type { EventCursor, LinkCursor } from './batch/child-cursors.ts';
import { SpanBatch } from './batch/span-batch.ts';
import { SpanCursor } from './batch/span-cursor.ts';
import { appendEvent, appendLink, appendResource, appendScope, appendSpan } from './batch/writer.ts';
import { unixNano, type UnixNano } from './times.ts';
import type { KeyValue } from './values/value.ts';

/**
 * Spans as plain objects: what tests compare, the command line prints and JSON APIs start from. Lossless: `fromPlain(toPlain(batch))`
 * holds the same spans. Texts are lossless text (`text.ts`); `shownForm` makes them fit for display.
 */
export interface PlainResource {
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributes: number;
  readonly schemaUrl: string;
  /** The `entity_refs` messages as OTLP wire bytes, each with its tag and length; empty when there are none. */
  readonly entityRefs: Uint8Array;
}

/** An instrumentation scope. */
export interface PlainScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributes: number;
  readonly schemaUrl: string;
}

/** Something that happened during a span. */
export interface PlainEvent {
  readonly timeUnixNano: UnixNano;
  readonly name: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributes: number;
}

/** A reference to another span. */
export interface PlainLink {
  readonly traceId: TraceId | '';
  readonly spanId: SpanId | '';
  readonly traceState: string;
  readonly flags: number;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributes: number;
}

/** One span with everything it carries. Spans of one resource or scope share the object. */
export interface PlainSpan {
  readonly resource: PlainResource;
  readonly scope: PlainScope;
  readonly traceId: TraceId | '';
  readonly spanId: SpanId | '';
  readonly parentSpanId: SpanId | '';
  readonly traceState: string;
  /** All 32 bits, unsigned. */
  readonly flags: number;
  readonly name: string;
  /** OTLP `SpanKind` as sent, a signed 32-bit number. */
  readonly kind: number;
  readonly startUnixNano: UnixNano;
  readonly endUnixNano: UnixNano;
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributes: number;
  readonly events: readonly PlainEvent[];
  readonly droppedEvents: number;
  readonly links: readonly PlainLink[];
  readonly droppedLinks: number;
}

/** What {@link plainSpan} needs at least, and what it lets be left out. */
export type PlainSpanInput = Partial<
  Omit<PlainSpan, 'traceId' | 'spanId' | 'parentSpanId' | 'attributes' | 'resource' | 'startUnixNano' | 'endUnixNano'>
> & {
  /** Hexadecimal ids, padded as `traceIdOf` does. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startUnixNano?: bigint;
  readonly endUnixNano?: bigint;
  readonly attributes?: Readonly<Record<string, KeyValue['value']>> | readonly KeyValue[];
  /** A shorthand for a resource with `service.name`. */
  readonly service?: string;
  readonly resource?: PlainResource;
};

/** A resource without anything. */
export const emptyResource: PlainResource = {
  attributes: [],
  droppedAttributes: 0,
  schemaUrl: '',
  entityRefs: new Uint8Array(0),
};

/** A scope without anything. */
export const emptyScope: PlainScope = { name: '', version: '', attributes: [], droppedAttributes: 0, schemaUrl: '' };

/** A plain span from its interesting parts; everything left out is empty or zero. */
export function plainSpan(input: PlainSpanInput): PlainSpan {
  const { service, attributes, parentSpanId, startUnixNano, endUnixNano, traceId, spanId, resource, ...rest } = input;
  return {
    resource: resource ?? (service === undefined ? emptyResource : plainResource({ 'service.name': service })),
    scope: emptyScope,
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    statusCode: 0,
    statusMessage: '',
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    ...rest,
    traceId: traceIdOf(traceId),
    spanId: spanIdOf(spanId),
    parentSpanId: parentSpanId === undefined || parentSpanId === '' ? '' : spanIdOf(parentSpanId),
    startUnixNano: unixNano(startUnixNano ?? 0n),
    endUnixNano: unixNano(endUnixNano ?? startUnixNano ?? 0n),
    attributes: attributes === undefined ? [] : keyValues(attributes),
  };
}

/** A resource with these attributes and nothing else. */
export function plainResource(
  attributes: Readonly<Record<string, KeyValue['value']>> | readonly KeyValue[],
): PlainResource {
  return { ...emptyResource, attributes: keyValues(attributes) };
}

/** Attributes from an object, in its order. */
export function keyValues(
  attributes: Readonly<Record<string, KeyValue['value']>> | readonly KeyValue[],
): readonly KeyValue[] {
  if (isKeyValues(attributes)) return attributes;
  return Object.entries(attributes).map(([key, value]) => ({ key, value }));
}

/** All spans of `batch`, in order, pending edits applied. */
export function toPlain(batch: SpanBatch): PlainSpan[] {
  const cursor = new SpanCursor(batch);
  const resources = new Map<number, PlainResource>();
  const scopes = new Map<number, PlainScope>();
  const spans: PlainSpan[] = [];
  while (cursor.next()) spans.push(spanAt(cursor, resources, scopes));
  return spans;
}

/** The span at `row`. */
export function plainAt(batch: SpanBatch, row: number): PlainSpan {
  return spanAt(new SpanCursor(batch).moveTo(row), new Map(), new Map());
}

/**
 * A batch of these spans. Neighbours that share a resource and scope *object* share its row too, as do later spans of the
 * same objects; equal but distinct objects stay distinct rows.
 */
export function fromPlain(spans: readonly PlainSpan[], batch: SpanBatch = new SpanBatch()): SpanBatch {
  const resources = new Map<PlainResource, number>();
  const scopes = new Map<PlainResource, Map<PlainScope, number>>();
  for (const span of spans) {
    let resource = resources.get(span.resource);
    if (resource === undefined) {
      resource = appendResource(batch, span.resource);
      resources.set(span.resource, resource);
      scopes.set(span.resource, new Map());
    }
    const ofResource = scopes.get(span.resource)!;
    let scope = ofResource.get(span.scope);
    if (scope === undefined) {
      scope = appendScope(batch, resource, span.scope);
      ofResource.set(span.scope, scope);
    }
    const row = appendSpan(batch, scope, span);
    for (const event of span.events) appendEvent(batch, event);
    for (const link of span.links) appendLink(batch, link);
    batch.endSpan(row);
  }
  return batch;
}

function spanAt(cursor: SpanCursor, resources: Map<number, PlainResource>, scopes: Map<number, PlainScope>): PlainSpan {
  const { strings } = cursor.batch;
  return {
    resource: memo(resources, cursor.resource, () => resourceAt(cursor)),
    scope: memo(scopes, cursor.scope, () => scopeAt(cursor)),
    traceId: cursor.decodeTraceId(),
    spanId: cursor.decodeSpanId(),
    parentSpanId: cursor.decodeParentId(),
    traceState: strings.losslessText(cursor.traceState),
    flags: cursor.flags,
    name: strings.losslessText(cursor.name),
    kind: cursor.kind,
    startUnixNano: cursor.decodeStart(),
    endUnixNano: cursor.decodeEnd(),
    statusCode: cursor.statusCode,
    statusMessage: strings.losslessText(cursor.statusMessage),
    attributes: attributesAt(cursor.batch, cursor.attributes),
    droppedAttributes: cursor.droppedAttributes,
    events: eventsAt(cursor.batch, cursor.events),
    droppedEvents: cursor.droppedEvents,
    links: linksAt(cursor.batch, cursor.links),
    droppedLinks: cursor.droppedLinks,
  };
}

function resourceAt(cursor: SpanCursor): PlainResource {
  const { batch, resource } = cursor;
  const table = batch.resourceTable;
  const refs = table.entityRefs[resource * 2]!;
  return {
    attributes: attributesAt(batch, cursor.resourceAttributes),
    droppedAttributes: table.dropped[resource]!,
    schemaUrl: batch.strings.losslessText(table.schemaUrls[resource]!),
    entityRefs: batch.heap.slice(refs, refs + table.entityRefs[resource * 2 + 1]!),
  };
}

function scopeAt(cursor: SpanCursor): PlainScope {
  const { batch, scope } = cursor;
  const table = batch.scopeTable;
  return {
    name: batch.strings.losslessText(table.names[scope]!),
    version: batch.strings.losslessText(table.versions[scope]!),
    attributes: attributesAt(batch, cursor.scopeAttributes),
    droppedAttributes: table.dropped[scope]!,
    schemaUrl: batch.strings.losslessText(table.schemaUrls[scope]!),
  };
}

function eventsAt(batch: SpanBatch, events: EventCursor): PlainEvent[] {
  const list: PlainEvent[] = [];
  while (events.next()) {
    list.push({
      timeUnixNano: events.decodeTime(),
      name: batch.strings.losslessText(events.name),
      attributes: attributesAt(batch, events.attributes),
      droppedAttributes: events.droppedAttributes,
    });
  }
  return list;
}

function linksAt(batch: SpanBatch, links: LinkCursor): PlainLink[] {
  const list: PlainLink[] = [];
  while (links.next()) {
    list.push({
      traceId: links.decodeTraceId(),
      spanId: links.decodeSpanId(),
      traceState: batch.strings.losslessText(links.traceState),
      flags: links.flags,
      attributes: attributesAt(batch, links.attributes),
      droppedAttributes: links.droppedAttributes,
    });
  }
  return list;
}

/** All attributes the cursor stands before. */
export function attributesAt(batch: SpanBatch, attributes: AttributeCursor): KeyValue[] {
  const list: KeyValue[] = [];
  attributes.rewind();
  while (attributes.next())
    list.push({ key: batch.strings.losslessText(attributes.key), value: attributes.decodeValue() });
  return list;
}

function memo<T>(known: Map<number, T>, row: number, make: () => T): T {
  let value = known.get(row);
  if (value === undefined) {
    value = make();
    known.set(row, value);
  }
  return value;
}

function isKeyValues(
  attributes: Readonly<Record<string, unknown>> | readonly KeyValue[],
): attributes is readonly KeyValue[] {
  return Array.isArray(attributes);
}
