import { errorMessage, fail, ok } from '@clew/base';
import type { Result } from '@clew/base';
import { parseTraceId } from '@clew/model';
import { goQuote, parseGoBool, parseGoDuration, parseGoInt } from './go-text.ts';

/** What `GET /api/traces` asks for: a search by conditions, or traces by id. */
export interface SearchParams {
  readonly traceIds: readonly string[];
  readonly service: string;
  readonly operation: string;
  /** Bounds on span starts, nanoseconds since 1970. */
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly minDurationNano: bigint | undefined;
  readonly maxDurationNano: bigint | undefined;
  readonly limit: number;
  readonly raw: boolean;
}

/** Default reach of a search into the past: 48 hours. */
const defaultLookbackNano = 48n * 3_600_000_000_000n;
const defaultLimit = 100;
/** The largest number of traces one answer may hold; larger requests are clamped silently. */
export const maxSearchLimit = 20_000;

/**
 * Reads the parameters of a trace search. Problems are reported in the order in which Jaeger validates, with its texts:
 * start, end, tags, limit, minDuration, maxDuration, traceID, raw, then service presence, then duration order.
 *
 * @param nowUnixNano the default end of the search
 */
export function parseSearchParams(query: URLSearchParams, nowUnixNano: bigint): Result<SearchParams, string> {
  const start = microseconds(query, 'start', nowUnixNano - defaultLookbackNano);
  if (!start.ok) return start;
  const end = microseconds(query, 'end', nowUnixNano);
  if (!end.ok) return end;
  const tags = parseTags(query);
  if (!tags.ok) return tags;
  const limit = parseLimit(query);
  if (!limit.ok) return limit;
  const minDuration = duration(query, 'minDuration');
  if (!minDuration.ok) return minDuration;
  const maxDuration = duration(query, 'maxDuration');
  if (!maxDuration.ok) return maxDuration;
  const traceIds = parseTraceIds(query);
  if (!traceIds.ok) return traceIds;
  const raw = parseRaw(query);
  if (!raw.ok) return raw;
  const service = query.get('service') ?? '';
  if (service === '' && traceIds.value.length === 0) return fail("parameter 'service' is required");
  if (minDuration.value !== undefined && maxDuration.value !== undefined && maxDuration.value < minDuration.value) {
    return fail("'maxDuration' should be greater than 'minDuration'");
  }
  return ok({
    traceIds: traceIds.value,
    service,
    operation: query.get('operation') ?? '',
    startUnixNano: start.value,
    endUnixNano: end.value,
    tags: [...tags.value],
    minDurationNano: minDuration.value,
    maxDurationNano: maxDuration.value,
    limit: limit.value,
    raw: raw.value,
  });
}

/** A microsecond parameter as nanoseconds; `missing` when it is absent. */
export function microseconds(query: URLSearchParams, name: string, missing: bigint): Result<bigint, string> {
  const text = query.get(name);
  if (text === null || text === '') return ok(missing);
  const parsed = parseGoInt(text);
  return parsed.ok ? ok(parsed.value * 1000n) : fail(`unable to parse param '${name}': ${parsed.error}`);
}

/** The `raw` parameter. */
export function parseRaw(query: URLSearchParams): Result<boolean, string> {
  const text = query.get('raw');
  if (text === null || text === '') return ok(false);
  const parsed = parseGoBool(text);
  return parsed.ok ? parsed : fail(`unable to parse param 'raw': ${parsed.error}`);
}

function duration(query: URLSearchParams, name: string): Result<bigint | undefined, string> {
  const text = query.get(name);
  if (text === null || text === '') return ok(undefined);
  const parsed = parseGoDuration(text);
  return parsed.ok ? parsed : fail(`unable to parse param '${name}': ${parsed.error}`);
}

function parseLimit(query: URLSearchParams): Result<number, string> {
  const text = query.get('limit');
  if (text === null || text === '') return ok(defaultLimit);
  const parsed = parseGoInt(text, 32);
  if (!parsed.ok) return parsed;
  if (parsed.value <= 0n) return fail('search depth must be greater than 0 and less than max traces');
  return ok(Math.min(Number(parsed.value), maxSearchLimit));
}

function parseTags(query: URLSearchParams): Result<Map<string, string>, string> {
  const tags = new Map<string, string>();
  for (const text of query.getAll('tag')) {
    const colon = text.indexOf(':');
    if (colon < 0) return fail(`malformed 'tag' parameter, expecting key:value, received: ${text}`);
    tags.set(text.slice(0, colon), text.slice(colon + 1));
  }
  for (const text of query.getAll('tags')) {
    const parsed = parseTagsJson(text);
    if (!parsed.ok) return fail(`malformed 'tags' parameter, cannot unmarshal JSON: ${parsed.error}`);
    for (const [key, value] of parsed.value) tags.set(key, value);
  }
  return ok(tags);
}

/** A JSON object of strings, refused with the wording of Go's decoder. */
function parseTagsJson(text: string): Result<[string, string][], string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (caught) {
    return fail(syntaxError(text, errorMessage(caught)));
  }
  const goType = 'map[string]string';
  if (value === null) return ok([]);
  if (typeof value !== 'object' || Array.isArray(value)) {
    return fail(`json: cannot unmarshal ${goKind(value)} into Go value of type ${goType}`);
  }
  const entries: [string, string][] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member === null) entries.push([key, '']);
    else if (typeof member === 'string') entries.push([key, member]);
    else return fail(`json: cannot unmarshal ${goKind(member)} into Go value of type string`);
  }
  return ok(entries);
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

/** What V8 says of a syntax error, beside what Go's decoder says of the same one. */
const expectations: readonly (readonly [RegExp, string])[] = [
  [/property name/, 'looking for beginning of object key string'],
  [/after property name/, 'after object key'],
  [/after property value/, 'after object key:value pair'],
  [/after array element/, 'after array element'],
  [/non-whitespace/, 'after top-level value'],
  [/control character/, 'in string literal'],
  [/escape/, 'in string escape code'],
];

/** Go's message for a text that V8 refused with `message`. */
function syntaxError(text: string, message: string): string {
  if (/end of JSON|Unterminated/.test(message) || text.trim() === '') return 'unexpected end of JSON input';
  const token = /Unexpected token '(.)'/u.exec(message)?.[1];
  const position = Number(/at position (\d+)/.exec(message)?.[1] ?? -1);
  const character = text[position] ?? token ?? text.trim()[0]!;
  if (position >= text.length) return 'unexpected end of JSON input';
  // "after property name" also matches the first pattern, so later patterns win.
  const where =
    expectations.filter(([pattern]) => pattern.test(message)).at(-1)?.[1] ?? 'looking for beginning of value';
  return `invalid character ${goRune(character)} ${where}`;
}

function goRune(character: string): string {
  return character === "'" ? String.raw`'\''` : `'${goQuote(character).slice(1, -1).replaceAll('\\"', '"')}'`;
}

function parseTraceIds(query: URLSearchParams): Result<string[], string> {
  const ids: string[] = [];
  for (const text of query.getAll('traceID')) {
    const id = readJaegerTraceId(text);
    if (!id.ok) return fail(`cannot parse traceID param: ${id.error}`);
    ids.push(id.value);
  }
  return ok(ids);
}

const base64Trace = /^[A-Za-z0-9+/_-]{11,24}={0,2}$/;

/**
 * A trace id as Jaeger's routes accept it: up to 32 hexadecimal digits, shorter ones padded, or base64 of the 8 or 16 bytes.
 * The value is 32 lower-case digits.
 */
export function readJaegerTraceId(text: string): Result<string, string> {
  if (/^[0-9a-fA-F]{1,32}$/.test(text)) return ok(parseTraceId(text) ?? '0'.repeat(32));
  if (text.length <= 24 && base64Trace.test(text)) {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length === 16 || bytes.length === 8) return ok(bytes.toString('hex').padStart(32, '0'));
  }
  if (text.length > 32) return fail(`TraceID cannot be longer than 32 hex characters: ${text}`);
  // Go parses the high and the low 64 bits apart and names the one that failed.
  const high = text.length > 16 ? text.slice(0, text.length - 16) : '';
  const failing = high !== '' && !/^[0-9a-fA-F]+$/.test(high) ? high : text.slice(-16);
  return fail(`strconv.ParseUint: parsing ${goQuote(failing)}: invalid syntax`);
}
