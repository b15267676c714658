import type { Attribute, ResourceDetails, ScopeDetails, SpanDetails, SpanDetailsAnswer, TypedValue } from '@clew/api';
import { base64Of, isArray, shownForm } from '@clew/model';
import type { AttributeValue, KeyValue, PlainResource, PlainScope, PlainSpan, TraceView } from '@clew/model';

/** Everything known of the spans with these ids, in row order of the view. */
export function spanDetails(view: TraceView, ids: readonly string[]): SpanDetailsAnswer {
  const wanted = new Set(ids);
  const found = new Set<string>();
  const resources = new Table<PlainResource, ResourceDetails>(resourceDetails);
  const scopes = new Table<PlainScope, ScopeDetails>(scopeDetails);
  const spans: SpanDetails[] = [];
  for (let row = 0; row < view.count; row++) {
    const id = view.spanIds[row]!;
    if (!wanted.has(id)) continue;
    found.add(id);
    const span = view.span(row);
    spans.push(
      details(span, resources.indexOf(span.resource), isEmptyScope(span.scope) ? -1 : scopes.indexOf(span.scope)),
    );
  }
  return {
    spans,
    resources: resources.values,
    scopes: scopes.values,
    notFound: ids.filter((id) => !found.has(id)),
    warnings: [],
  };
}

function details(span: PlainSpan, resource: number, scope: number): SpanDetails {
  return {
    spanId: span.spanId,
    ...(span.parentSpanId === '' ? {} : { parentSpanId: span.parentSpanId }),
    name: shownForm(span.name),
    kind: span.kind,
    startUnixNano: String(span.startUnixNano),
    endUnixNano: String(span.endUnixNano),
    status: { code: span.statusCode, ...(span.statusMessage === '' ? {} : { message: shownForm(span.statusMessage) }) },
    ...(span.traceState === '' ? {} : { traceState: shownForm(span.traceState) }),
    flags: span.flags,
    attributes: attributes(span.attributes),
    droppedAttributes: span.droppedAttributes,
    events: span.events.map((event) => ({
      timeUnixNano: String(event.timeUnixNano),
      name: shownForm(event.name),
      attributes: attributes(event.attributes),
      droppedAttributes: event.droppedAttributes,
    })),
    droppedEvents: span.droppedEvents,
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      ...(link.traceState === '' ? {} : { traceState: shownForm(link.traceState) }),
      flags: link.flags,
      attributes: attributes(link.attributes),
      droppedAttributes: link.droppedAttributes,
    })),
    droppedLinks: span.droppedLinks,
    resource,
    scope,
  };
}

function resourceDetails(resource: PlainResource): ResourceDetails {
  const service = resource.attributes.find(({ key }) => key === 'service.name')?.value;
  return {
    ...(typeof service === 'string' ? { service: shownForm(service) } : {}),
    attributes: attributes(resource.attributes),
    droppedAttributes: resource.droppedAttributes,
    ...(resource.schemaUrl === '' ? {} : { schemaUrl: resource.schemaUrl }),
  };
}

function scopeDetails(scope: PlainScope): ScopeDetails {
  return {
    name: shownForm(scope.name),
    ...(scope.version === '' ? {} : { version: shownForm(scope.version) }),
    attributes: attributes(scope.attributes),
    droppedAttributes: scope.droppedAttributes,
    ...(scope.schemaUrl === '' ? {} : { schemaUrl: scope.schemaUrl }),
  };
}

function isEmptyScope(scope: PlainScope): boolean {
  return scope.name === '' && scope.version === '' && scope.attributes.length === 0 && scope.schemaUrl === '';
}

/** Attributes that carry facts of other protocols are the store's own business. */
function attributes(list: readonly KeyValue[]): Attribute[] {
  return list
    .filter(({ key }) => !key.startsWith('clew.carrier.'))
    .map(({ key, value }) => ({ key: shownForm(key), value: typedValue(value) }));
}

function typedValue(value: AttributeValue): TypedValue {
  if (value === null) return { type: 'empty' };
  switch (typeof value) {
    case 'string':
      return { type: 'string', value: shownForm(value) };
    case 'boolean':
      return { type: 'bool', value };
    case 'bigint':
      return { type: 'int', value: value.toString() };
    case 'number':
      return { type: 'double', value: Number.isFinite(value) ? value : (String(value) as 'NaN') };
    default:
      if (value instanceof Uint8Array) return { type: 'bytes', value: base64Of(value) };
      if (isArray(value)) return { type: 'array', value: value.map(typedValue) };
      return {
        type: 'kvlist',
        value: value.entries.map((entry) => ({ key: shownForm(entry.key), value: typedValue(entry.value) })),
      };
  }
}

/** Numbers equal things in the order they are met. */
class Table<From, To> {
  readonly values: To[] = [];
  readonly #known = new Map<string, number>();
  readonly #make: (from: From) => To;

  constructor(make: (from: From) => To) {
    this.#make = make;
  }

  indexOf(from: From): number {
    const made = this.#make(from);
    const content = JSON.stringify(made);
    const known = this.#known.get(content);
    if (known !== undefined) return known;
    this.#known.set(content, this.values.length);
    return this.values.push(made) - 1;
  }
}
