import { toPlain } from '@clew/model';
import type { KeyValue, PlainEvent, PlainLink, PlainResource, PlainScope, PlainSpan, SpanBatch } from '@clew/model';
import { pairsText, plainText, typedText } from './value-text.ts';

/** Spans of one scope, and scopes of one resource, in the order they first appear. */
interface ScopeGroup {
  readonly scope: PlainScope;
  readonly spans: PlainSpan[];
}
interface ResourceGroup {
  readonly resource: PlainResource;
  readonly scopes: ScopeGroup[];
}

/** Number of resources that spans of the batch refer to. */
export function resourceCount(batch: SpanBatch): number {
  const resources = new Set<number>();
  for (let row = 0; row < batch.count; row++) resources.add(batch.scopeTable.resources[batch.scopes[row]!]!);
  return resources.size;
}

/** A line for each resource, scope and span. */
export function normalText(batch: SpanBatch): string {
  const lines: string[] = [];
  for (const [i, { resource, scopes }] of grouped(batch).entries()) {
    lines.push(joined(`ResourceTraces #${i}`, schemaText(resource.schemaUrl), pairsText(resource.attributes)));
    for (const [j, { scope, spans }] of scopes.entries()) {
      const version = scope.version === '' ? '' : `@${scope.version}`;
      const attributes = pairsText(scope.attributes);
      lines.push(joined(`ScopeTraces #${j}`, `${scope.name}${version}`, schemaText(scope.schemaUrl), attributes));
      for (const span of spans) lines.push(joined(span.name, span.traceId, span.spanId, pairsText(span.attributes)));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Everything the batch says. */
export function detailedText(batch: SpanBatch): string {
  const lines: string[] = [];
  for (const [i, { resource, scopes }] of grouped(batch).entries()) {
    lines.push(
      `ResourceSpans #${i}`,
      `Resource SchemaURL: ${resource.schemaUrl}`,
      ...attributeLines('Resource attributes:', resource.attributes),
    );
    if (resource.entityRefs.length > 0) lines.push(`Entity references: ${plainText(resource.entityRefs)}`);
    for (const [j, { scope, spans }] of scopes.entries()) {
      lines.push(
        `ScopeSpans #${j}`,
        `ScopeSpans SchemaURL: ${scope.schemaUrl}`,
        `InstrumentationScope ${scope.name} ${scope.version}`,
      );
      lines.push(...attributeLines('InstrumentationScope attributes:', scope.attributes));
      for (const [k, span] of spans.entries()) lines.push(...spanLines(k, span));
    }
  }
  return `${lines.join('\n')}\n`;
}

const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const codes = ['Unset', 'Ok', 'Error'];

function spanLines(index: number, span: PlainSpan): string[] {
  return [
    `Span #${index}`,
    labelled('Trace ID', span.traceId),
    labelled('Parent ID', span.parentSpanId),
    labelled('ID', span.spanId),
    labelled('Name', span.name),
    labelled('Kind', kinds[span.kind] ?? `Unknown(${span.kind})`),
    ...(span.traceState === '' ? [] : [labelled('TraceState', span.traceState)]),
    labelled('Start time', timeText(span.startUnixNano)),
    labelled('End time', timeText(span.endUnixNano)),
    labelled('Status code', codes[span.statusCode] ?? `Unknown(${span.statusCode})`),
    labelled('Status message', span.statusMessage),
    ...countLine('DroppedAttributesCount', span.droppedAttributes),
    ...countLine('DroppedEventsCount', span.droppedEvents),
    ...countLine('DroppedLinksCount', span.droppedLinks),
    ...attributeLines('Attributes:', span.attributes),
    ...(span.events.length === 0 ? [] : ['Events:', ...span.events.flatMap(eventLines)]),
    ...(span.links.length === 0 ? [] : ['Links:', ...span.links.flatMap(linkLines)]),
  ];
}

function eventLines(event: PlainEvent, index: number): string[] {
  return [
    `SpanEvent #${index}`,
    `     -> Name: ${event.name}`,
    `     -> Timestamp: ${timeText(event.timeUnixNano)}`,
    `     -> DroppedAttributesCount: ${event.droppedAttributes}`,
    ...attributeLines('     -> Attributes::', event.attributes, '          '),
  ];
}

function linkLines(link: PlainLink, index: number): string[] {
  return [
    `SpanLink #${index}`,
    `     -> Trace ID: ${link.traceId}`,
    `     -> ID: ${link.spanId}`,
    `     -> TraceState: ${link.traceState}`,
    `     -> DroppedAttributesCount: ${link.droppedAttributes}`,
    ...attributeLines('     -> Attributes::', link.attributes, '          '),
  ];
}

function attributeLines(title: string, attributes: readonly KeyValue[], indent = '     '): string[] {
  if (attributes.length === 0) return [];
  return [title, ...attributes.map(({ key, value }) => `${indent}-> ${key}: ${typedText(value)}`)];
}

function labelled(label: string, value: string): string {
  return `    ${label.padEnd(15)}: ${value}`;
}

function countLine(label: string, count: number): string[] {
  return count === 0 ? [] : [labelled(label, String(count))];
}

/** `2006-01-02 15:04:05.999999999 +0000 UTC`: trailing zeros of the fraction are left out. */
export function timeText(unixNano: bigint): string {
  const seconds = unixNano / 1_000_000_000n;
  const fraction = (unixNano % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const iso = new Date(Number(seconds) * 1000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`;
}

function schemaText(url: string): string {
  return url === '' ? '' : `[${url}]`;
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}

/** `toPlain` gives spans of one row the same resource and scope object. */
function grouped(batch: SpanBatch): ResourceGroup[] {
  const groups = new Map<PlainResource, Map<PlainScope, PlainSpan[]>>();
  for (const span of toPlain(batch)) {
    let scopes = groups.get(span.resource);
    if (scopes === undefined) groups.set(span.resource, (scopes = new Map()));
    const spans = scopes.get(span.scope);
    if (spans === undefined) scopes.set(span.scope, [span]);
    else spans.push(span);
  }
  return [...groups].map(([resource, scopes]) => ({
    resource,
    scopes: [...scopes].map(([scope, spans]) => ({ scope, spans })),
  }));
}
