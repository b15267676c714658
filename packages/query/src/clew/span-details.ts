import type { Attribute, ResourceDetails, ScopeDetails, SpanDetails, SpanDetailsAnswer, TypedValue } from '@clew/api';
import { base64Of, isArray, isCarrierKey, shownForm } from '@clew/model';
import type { AttributeValue, KeyValue, PlainResource, PlainScope, ShownTrace } from '@clew/model';

/**
 * Everything known of the spans with these ids, in row order of the view. An id that several spans were sent with gives all of them; the
 * ids under which the skeleton tells them apart give one.
 */
export function spanDetails(trace: ShownTrace, ids: readonly string[]): SpanDetailsAnswer {
  const { view } = trace;
  const wanted = new Set(ids);
  const found = new Set<string>();
  const resources = new Table<PlainResource, ResourceDetails>(resourceDetails);
  const scopes = new Table<PlainScope, ScopeDetails>(scopeDetails);
  const spans: SpanDetails[] = [];
  for (let row = 0; row < view.count; row++) {
    const matching = [view.idOf(row), view.spanIds[row]!].filter((id) => wanted.has(id));
    if (matching.length === 0) continue;
    for (const id of matching) found.add(id);
    const { resource, scope } = view.span(row);
    const shownResource = { ...resource, attributes: [...resource.attributes, ...trace.liftedAttributes(row)] };
    const shownScope = { ...scope, ...trace.scope(row) };
    spans.push(
      details(trace, row, {
        resource: resources.indexOf(shownResource),
        scope: isEmptyScope(shownScope) ? -1 : scopes.indexOf(shownScope),
      }),
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

function details(trace: ShownTrace, row: number, from: Pick<SpanDetails, 'resource' | 'scope'>): SpanDetails {
  const span = trace.view.span(row);
  return {
    id: trace.view.idOf(row),
    spanId: span.spanId,
    ...(span.parentSpanId === '' ? {} : { parentSpanId: span.parentSpanId }),
    name: shownForm(span.name),
    kind: span.kind,
    startUnixNano: String(span.startUnixNano),
    endUnixNano: String(span.endUnixNano),
    status: {
      code: trace.statusCode(row),
      ...(span.statusMessage === '' ? {} : { message: shownForm(span.statusMessage) }),
    },
    ...(span.traceState === '' ? {} : { traceState: shownForm(span.traceState) }),
    flags: span.flags,
    attributes: attributes(trace.attributes(row)),
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
    ...from,
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
  return (
    scope.name === '' && scope.version === '' && scope.schemaUrl === '' && attributes(scope.attributes).length === 0
  );
}

/** Attributes that carry facts of other protocols are the store's own business. */
function attributes(list: readonly KeyValue[]): Attribute[] {
  return list
    .filter(({ key }) => !isCarrierKey(key))
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
