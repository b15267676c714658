import type { AdjustableSpan } from './span.ts';

/** Drops links that lead nowhere. */
export function dropEmptyLinks(spans: AdjustableSpan[]): AdjustableSpan[] {
  for (const span of spans) {
    const kept = span.links.filter((link) => link.traceId !== '' && link.spanId !== '');
    for (let i = kept.length; i < span.links.length; i++) span.warnings.push('Invalid span link removed');
    span.links = kept;
  }
  return spans;
}
