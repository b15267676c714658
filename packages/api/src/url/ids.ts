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
 * Reads a trace id where nothing else is meant, as in an address: one to 32 hex digits in any case, or whatever {@link findTraceId} finds
 * one in.
 */
export function readTraceId(text: string): string | undefined {
  const trimmed = text.trim().toLowerCase();
  if (/^[0-9a-f]{1,32}$/.test(trimmed)) return /^0*$/.test(trimmed) ? undefined : trimmed.padStart(32, '0');
  return findTraceId(text);
}

/**
 * How clients and tools write trace ids, the least ambiguous first; what the groups hold, joined, is the id. Jaeger leaves out leading
 * zeros: eight digits are asked for, so that no time of day or word passes for an id.
 */
const idForms: readonly RegExp[] = [
  // X-Ray, in a header, a log line or alone: 1-<8>-<24>.
  /\b1-([0-9a-f]{8})-([0-9a-f]{24})\b/i,
  // W3C traceparent: <2>-<32>-<16>-<2>.
  /\b[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b/i,
  // B3 in one header: <16 or 32>-<16>, then perhaps a decision and a parent.
  /(?<![0-9a-f-])((?:[0-9a-f]{16}){1,2})-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?(?![0-9a-f-])/i,
  // Jaeger's uber-trace-id, perhaps with escaped colons: trace:span:parent:flags.
  /(?<![0-9a-f:])([0-9a-f]{8,32})(?::|%3a)[0-9a-f]{1,16}(?::|%3a)[0-9a-f]{1,16}(?::|%3a)[0-9a-f]{1,2}(?![0-9a-f:])/i,
  // Named in JSON, logfmt or an address.
  /(?:trace[_.-]?id["']?\s*[:=]\s*["']?|\/traces?\/)([0-9a-f-]{8,36})\b/i,
  /(?<![0-9a-f])([0-9a-f]{32})(?![0-9a-f])/i,
];

/**
 * Finds a trace id in anything a person may paste into the search box: an id, what a client sends in a header (`traceparent`, `b3`,
 * `uber-trace-id`, `X-Amzn-Trace-Id`), a log line or JSON that names a trace id, or an address of this page, Jaeger's, Zipkin's or Grafana's.
 */
export function findTraceId(text: string): string | undefined {
  const isB3 = /^\s*[0-9a-f]{16}-[0-9a-f]{16}\s*$/i.test(text);
  const whole = isB3 ? undefined : parseTraceId(text);
  if (whole !== undefined) return whole;
  for (const form of idForms) {
    const match = form.exec(text);
    if (match !== null) return parseTraceId(match.slice(1).join(''));
  }
  return undefined;
}
