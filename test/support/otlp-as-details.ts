import type { Attribute, SpanDetails, SpanDetailsAnswer, TypedValue } from '@clew/api';
import type { OtlpAnyValue, OtlpAttribute, OtlpSpan, OtlpTraces } from './otlp-json.ts';

/** Everything of a span that the Clew API shows and Jaeger's JSON leaves out or rounds, beside what both show. */
export type ExpectedDetails = Omit<SpanDetails, 'resource' | 'scope'> & {
  readonly resource: readonly Attribute[];
  readonly scope: { readonly name: string; readonly version: string };
};

/** Every span of a request, by id, as the Clew API's span details must show it. */
export function expectedDetails(request: OtlpTraces): ReadonlyMap<string, ExpectedDetails> {
  const spans = request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((group) =>
      group.spans.map((span) => ({
        ...details(span),
        resource: sorted(resource.attributes.map(attribute)),
        scope: { name: group.scope?.name ?? '', version: group.scope?.version ?? '' },
      })),
    ),
  );
  return new Map(spans.map((span) => [span.spanId, span]));
}

/** What the API answered for one span, its resource and scope filled in. */
export function shownDetails(answer: SpanDetailsAnswer, spanId: string): ExpectedDetails | undefined {
  const span = answer.spans.find((one) => one.spanId === spanId);
  if (span === undefined) return undefined;
  const { name = '', version = '' } = answer.scopes[span.scope] ?? {};
  return {
    ...span,
    attributes: sorted(span.attributes),
    events: span.events.map((event) => ({ ...event, attributes: sorted(event.attributes) })),
    links: span.links.map((link) => ({ ...link, attributes: sorted(link.attributes) })),
    resource: sorted(answer.resources[span.resource]?.attributes ?? []),
    scope: { name, version },
  };
}

function details(span: OtlpSpan): Omit<SpanDetails, 'resource' | 'scope'> {
  return {
    id: span.spanId,
    spanId: span.spanId,
    ...(span.parentSpanId ? { parentSpanId: span.parentSpanId } : {}),
    name: span.name,
    kind: span.kind ?? 0,
    startUnixNano: span.startTimeUnixNano,
    endUnixNano: span.endTimeUnixNano,
    status: {
      code: span.status?.code ?? 0,
      ...(span.status?.message ? { message: span.status.message } : {}),
    },
    ...(span.traceState ? { traceState: span.traceState } : {}),
    flags: span.flags ?? 0,
    attributes: sorted((span.attributes ?? []).map(attribute)),
    droppedAttributes: span.droppedAttributesCount ?? 0,
    events: (span.events ?? []).map((event) => ({
      timeUnixNano: event.timeUnixNano,
      name: event.name,
      attributes: sorted((event.attributes ?? []).map(attribute)),
      droppedAttributes: event.droppedAttributesCount ?? 0,
    })),
    droppedEvents: span.droppedEventsCount ?? 0,
    links: (span.links ?? []).map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      flags: link.flags ?? 0,
      attributes: sorted((link.attributes ?? []).map(attribute)),
      droppedAttributes: link.droppedAttributesCount ?? 0,
    })),
    droppedLinks: span.droppedLinksCount ?? 0,
  };
}

const attribute = ({ key, value }: OtlpAttribute): Attribute => ({ key, value: typed(value) });

function typed(value: OtlpAnyValue): TypedValue {
  if (value.boolValue !== undefined) return { type: 'bool', value: value.boolValue };
  if (value.doubleValue !== undefined) return { type: 'double', value: value.doubleValue };
  if (value.intValue !== undefined) return { type: 'int', value: String(value.intValue) };
  if (value.arrayValue !== undefined) return { type: 'array', value: (value.arrayValue.values ?? []).map(typed) };
  return { type: 'string', value: value.stringValue ?? '' };
}

function sorted(attributes: readonly Attribute[]): Attribute[] {
  return [...attributes].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
