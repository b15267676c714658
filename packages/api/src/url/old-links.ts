import { parseDurationNano } from '../query/duration.ts';
import { emptyFilter } from '../query/filter.ts';
import type { AttributeTerm, SearchFilter, TermValue } from '../query/filter.ts';
import { absorbErrorTag, parseTags } from '../query/tags.ts';
import { bareValue } from '../query/scanner.ts';
import { searchLimits } from '../requests.ts';
import { defaultExplore, formatExplore } from './explore.ts';
import { formatQuery, splitAddress } from './params.ts';
import { defaultRange } from './time.ts';
import type { TimeRangeText } from './time.ts';

/**
 * Translates an address of Jaeger's or Zipkin's page into one of this page; undefined when it is neither.
 * Links in run books and chats keep working after a change of backend.
 */
export function translateOldLink(address: string): string | undefined {
  const [path, params] = splitAddress(address);
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '/search') return fromJaegerSearch(params);
  const jaegerTrace = /^\/trace\/([^/]+)$/.exec(trimmed);
  if (jaegerTrace !== null && (params.has('uiFind') || params.has('uiEmbed'))) {
    return fromJaegerTrace(jaegerTrace[1] ?? '', params);
  }
  if (trimmed === '/dependencies') return '/map';
  if (trimmed === '/zipkin' || trimmed === '/zipkin/find') return fromZipkinSearch(params);
  if (trimmed === '/zipkin/dependency') return '/map';
  const zipkinTrace = /^\/zipkin\/traces\/([^/]+)$/.exec(trimmed);
  return zipkinTrace === null ? undefined : `/trace/${zipkinTrace[1] ?? ''}`;
}

function fromJaegerTrace(id: string, params: URLSearchParams): string {
  const unknown = [...params].filter(([name]) => name !== 'uiFind' && name !== 'uiEmbed');
  return `/trace/${id}${formatQuery([...unknown, ['f', params.get('uiFind') ?? undefined]])}`;
}

function fromJaegerSearch(params: URLSearchParams): string {
  const filter: SearchFilter = absorbErrorTag({
    ...emptyFilter,
    ...textField('service', params.get('service')),
    ...textField('operation', params.get('operation')),
    ...durationField('minDurationNano', params.get('minDuration')),
    ...durationField('maxDurationNano', params.get('maxDuration')),
    terms: jaegerTags(params),
  });
  const limit = Number(params.get('limit') ?? '');
  return formatExplore({
    ...defaultExplore,
    filter,
    range: jaegerRange(params),
    limit: Number.isInteger(limit) && limit >= 1 && limit <= searchLimits.max ? limit : searchLimits.default,
  });
}

/** Jaeger writes `tags` as a JSON object and `tag`, which may repeat, as `key:value`. */
function jaegerTags(params: URLSearchParams): readonly AttributeTerm[] {
  const terms: AttributeTerm[] = [];
  for (const text of params.getAll('tags')) terms.push(...jsonTags(text));
  for (const text of params.getAll('tag')) {
    const colon = text.indexOf(':');
    if (colon > 0) terms.push(equalTerm(text.slice(0, colon), bareValue(text.slice(colon + 1))));
  }
  return terms;
}

/** A JSON object as Jaeger writes it, else `key=value` words as people type them into such links. */
function jsonTags(text: string): readonly AttributeTerm[] {
  const parsed = parseJsonObject(text);
  if (parsed !== undefined)
    return Object.entries(parsed).map(([key, value]) => equalTerm(key, bareValue(String(value))));
  const words = parseTags(text);
  return words.ok ? words.value : [];
}

function parseJsonObject(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (caught) {
    // Not JSON after all; the caller reads it as words.
    if (caught instanceof SyntaxError) return undefined;
    throw caught;
  }
}

/** Absolute `start` and `end` in microseconds win over `lookback`, unless that is a fixed word such as `1h`. */
function jaegerRange(params: URLSearchParams): TimeRangeText {
  const lookback = params.get('lookback') ?? '';
  if (/^\d+[smhdw]$/.test(lookback)) return { from: `now-${lookback}`, to: 'now' };
  return absoluteRange(params.get('start'), params.get('end'), 1000) ?? defaultRange;
}

function absoluteRange(start: string | null, end: string | null, unitsPerMs: number): TimeRangeText | undefined {
  if (start === null || end === null || !/^\d{1,16}$/.test(start) || !/^\d{1,16}$/.test(end)) return undefined;
  const from = Math.floor(Number(start) / unitsPerMs);
  const to = Math.ceil(Number(end) / unitsPerMs);
  return { from: String(from), to: String(to) };
}

function fromZipkinSearch(params: URLSearchParams): string {
  const filter: SearchFilter = absorbErrorTag({
    ...emptyFilter,
    ...textField('service', params.get('serviceName')),
    ...textField('operation', params.get('spanName')),
    ...microsecondField('minDurationNano', params.get('minDuration')),
    ...microsecondField('maxDurationNano', params.get('maxDuration')),
    terms: zipkinTags(params.get('annotationQuery') ?? ''),
  });
  return formatExplore({ ...defaultExplore, filter, range: zipkinRange(params) });
}

/** Zipkin joins `key=value` and bare words by ` and `. */
function zipkinTags(text: string): readonly AttributeTerm[] {
  const terms: AttributeTerm[] = [];
  for (const entry of text.split(/ and /)) {
    const equals = entry.indexOf('=');
    const key = (equals < 0 ? entry : entry.slice(0, equals)).trim();
    if (key === '') continue;
    if (equals < 0)
      terms.push(key === 'error' ? equalTerm('error', { type: 'boolean', value: true }) : existsTerm(key));
    else terms.push(equalTerm(key, bareValue(entry.slice(equals + 1).trim())));
  }
  return terms;
}

function zipkinRange(params: URLSearchParams): TimeRangeText {
  const lookback = params.get('lookback') ?? '';
  if (/^\d+[smhd]$/.test(lookback)) return { from: `now-${lookback}`, to: 'now' };
  const endTs = params.get('endTs');
  if (endTs !== null && /^\d{1,15}$/.test(lookback) && /^\d{1,15}$/.test(endTs)) {
    return { from: String(Math.max(0, Number(endTs) - Number(lookback))), to: endTs };
  }
  return defaultRange;
}

function equalTerm(key: string, value: TermValue): AttributeTerm {
  return { scope: 'any', key, operator: '=', value };
}

function existsTerm(key: string): AttributeTerm {
  return { scope: 'any', key, operator: 'exists' };
}

/** Jaeger and Zipkin write `all` where nothing is chosen. */
function textField<K extends string>(name: K, text: string | null): { readonly [P in K]?: string } {
  return text === null || text === '' || text === 'all' ? {} : ({ [name]: text } as { readonly [P in K]?: string });
}

function durationField<K extends string>(name: K, text: string | null): { readonly [P in K]?: bigint } {
  const nano = text === null ? undefined : parseDurationNano(text);
  return nano === undefined ? {} : ({ [name]: nano } as { readonly [P in K]?: bigint });
}

/** Zipkin counts in microseconds when no unit is given. */
function microsecondField<K extends string>(name: K, text: string | null): { readonly [P in K]?: bigint } {
  return durationField(name, text !== null && /^\d+$/.test(text) ? `${text}us` : text);
}
