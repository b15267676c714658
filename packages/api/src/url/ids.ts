/**
 * Reads a trace id as people paste it: 32 or 16 hex digits in any case, with dashes, with leading zeros
 * missing (at least 8 digits), or as base64. Undefined when the text is none of these.
 */
export function parseTraceId(text: string): string | undefined {
  const trimmed = text.trim();
  const hex = trimmed.replace(/-/g, '').toLowerCase();
  if (/^[0-9a-f]{8,32}$/.test(hex) && !/^0*$/.test(hex)) return hex.padStart(32, '0');
  return fromBase64(trimmed);
}

/** Reads a span id: up to 16 hex digits in any case. */
export function parseSpanId(text: string): string | undefined {
  const hex = text.trim().toLowerCase();
  return /^[0-9a-f]{1,16}$/.test(hex) ? hex.padStart(16, '0') : undefined;
}

function fromBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/_-]{22}(==)?$/.test(text)) return undefined;
  const bytes = atob(text.replace(/-/g, '+').replace(/_/g, '/').slice(0, 22));
  let hex = '';
  for (let i = 0; i < bytes.length; i++) hex += bytes.charCodeAt(i).toString(16).padStart(2, '0');
  return hex.length === 32 && !/^0*$/.test(hex) ? hex : undefined;
}

/**
 * Finds a trace id in anything a person may paste into the search box: an id, a `traceparent`, a log line
 * or JSON that names a trace id, or an address of this page, Jaeger's, Zipkin's or Grafana's.
 */
export function findTraceId(text: string): string | undefined {
  const whole = parseTraceId(text);
  if (whole !== undefined) return whole;
  const traceparent = /\b[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b/i.exec(text);
  if (traceparent !== null) return parseTraceId(traceparent[1] ?? '');
  const named = /(?:trace[_.-]?id["']?\s*[:=]\s*["']?|\/traces?\/)([0-9a-f-]{16,36})\b/i.exec(text);
  if (named !== null) return parseTraceId(named[1] ?? '');
  const bare = /(?<![0-9a-f])([0-9a-f]{32})(?![0-9a-f])/i.exec(text);
  return bare === null ? undefined : parseTraceId(bare[1] ?? '');
}
