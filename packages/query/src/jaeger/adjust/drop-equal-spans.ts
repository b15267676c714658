import { canonicalJson } from '@clew/model';
import type { KeyValue } from '@clew/model';
import type { AdjustableResource, AdjustableScope, AdjustableSpan } from './span.ts';

/** Keeps the first of spans that are equal in everything: clients that retry send such copies. */
export function dropEqualSpans(spans: AdjustableSpan[]): AdjustableSpan[] {
  const byId = Map.groupBy(spans, (span) => span.spanId);
  const dropped = new Set<AdjustableSpan>();
  for (const group of byId.values()) {
    if (group.length === 1) continue;
    const seen = new Set<string>();
    for (const span of group) {
      const text = contentOf(span);
      if (seen.has(text)) dropped.add(span);
      seen.add(text);
    }
  }
  return dropped.size === 0 ? spans : spans.filter((span) => !dropped.has(span));
}

/** Everything a span carries, its resource and scope included, as one text. */
function contentOf(span: AdjustableSpan): string {
  const { resource, scope, attributes, events, links, warnings: _, ...plain } = span;
  return JSON.stringify([
    Object.values(plain).map(String),
    pairs(attributes),
    events.map((event) => [String(event.timeNano), event.name, pairs(event.attributes)]),
    links.map((link) => [link.traceId, link.spanId, pairs(link.attributes)]),
    resourceText(resource),
    scopeText(scope),
  ]);
}

const resourceText = (resource: AdjustableResource) => pairs(resource.attributes);
const scopeText = (scope: AdjustableScope) => [scope.name, scope.version, pairs(scope.attributes)];

/** The type is part of a value: 1 and "1" are different. */
function pairs(attributes: readonly KeyValue[]): string[][] {
  return attributes.map(({ key, value }) => [key, typeof value, canonicalJson(value)]);
}
