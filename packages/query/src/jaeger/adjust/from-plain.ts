import type { PlainResource, PlainScope, PlainSpan } from '@clew/model';
import type { AdjustableResource, AdjustableScope, AdjustableSpan } from './span.ts';

/** A copy of decoded spans that adjusters may change; spans of one resource or scope keep sharing it. */
export function toAdjustable(spans: readonly PlainSpan[]): AdjustableSpan[] {
  const resources = new Map<PlainResource, AdjustableResource>();
  const scopes = new Map<PlainScope, AdjustableScope>();
  return spans.map((span) => ({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    traceState: span.traceState,
    name: span.name,
    kind: span.kind,
    startNano: span.startUnixNano,
    endNano: span.endUnixNano,
    statusCode: span.statusCode,
    statusMessage: span.statusMessage,
    flags: span.flags,
    attributes: [...span.attributes],
    events: span.events.map((event) => ({
      timeNano: event.timeUnixNano,
      name: event.name,
      attributes: [...event.attributes],
    })),
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      attributes: [...link.attributes],
    })),
    resource: shared(resources, span.resource, ({ attributes }) => ({ attributes: [...attributes] })),
    scope: shared(scopes, span.scope, ({ name, version, attributes }) => ({
      name,
      version,
      attributes: [...attributes],
    })),
    warnings: [],
  }));
}

function shared<K, V>(known: Map<K, V>, key: K, make: (key: K) => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make(key);
  known.set(key, made);
  return made;
}
