import type { SpanId, TraceId } from '@clew/model';

/**
 * Ids of AWS X-Ray: a trace id is the version, the seconds of the first request and 96 random bits, `1-58406520-a006649127e371903a2de979`;
 * with the hyphens gone it is a W3C trace id. A segment id is 16 hexadecimal digits.
 */

/** The trace id a document writes as `text`; `undefined` when it is none, `''` when it is zero, which means absent. */
export function parseXrayTraceId(text: string): TraceId | '' | undefined {
  const match = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i.exec(text);
  return match === null ? undefined : (nonZero(`${match[1]!}${match[2]!}`) as TraceId | '');
}

/** A trace id as documents write it. */
export function formatXrayTraceId(id: TraceId | ''): string {
  const digits = id.padStart(32, '0');
  return `1-${digits.slice(0, 8)}-${digits.slice(8)}`;
}

/** The id of a segment; `undefined` when `text` is none, `''` when it is zero. */
export function parseSegmentId(text: string): SpanId | '' | undefined {
  return /^[0-9a-f]{16}$/i.test(text) ? (nonZero(text) as SpanId | '') : undefined;
}

function nonZero(digits: string): string {
  return /[^0]/.test(digits) ? digits.toLowerCase() : '';
}

/** A new segment id. */
export function randomSegmentId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  bytes[0]! |= 1;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
