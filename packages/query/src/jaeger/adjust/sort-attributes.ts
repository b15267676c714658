import type { KeyValue } from '@clew/model';
import { distinct } from './span.ts';
import type { AdjustableSpan } from './span.ts';

/** Sorts attributes of every level by key, and events by name, so that equal content reads equal. */
export function sortAttributes(spans: AdjustableSpan[]): AdjustableSpan[] {
  for (const span of spans) {
    sortByKey(span.attributes);
    for (const event of span.events) sortByKey(event.attributes);
    for (const link of span.links) sortByKey(link.attributes);
    span.events.sort((a, b) => compareText(a.name, b.name));
  }
  for (const resource of distinct(spans, (span) => span.resource)) sortByKey(resource.attributes);
  for (const scope of distinct(spans, (span) => span.scope)) sortByKey(scope.attributes);
  return spans;
}

/** Orders by key, byte by byte as Go does; equal keys keep their order. */
export function sortByKey(attributes: KeyValue[]): void {
  attributes.sort((a, b) => compareText(a.key, b.key));
}

/** Orders text by code point, which is the order of its UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return utf8Rank(x) - utf8Rank(y);
  }
  return a.length - b.length;
}

/** Where a UTF-16 unit sorts by its UTF-8 bytes: surrogates (beyond the plane) after everything else. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
