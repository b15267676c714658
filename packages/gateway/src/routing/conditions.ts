// Hot path: runs for every request and allocates nothing but a decoded query parameter where one is escaped.
// Guarded by bench/gateway-routing.
import { compilePattern } from '@clew/base';
import type { Pattern } from '@clew/base';
import type { RouteConditions, ValueCondition } from '../config/model/route.ts';
import type { RoutableRequest } from './request.ts';

/** Values of one name, any of which will do; null when presence is enough. */
interface NamedValues {
  readonly name: string;
  readonly values: readonly string[] | null;
}

/** Everything a route asks of a request but its path. */
export class OtherConditions {
  /** Whether the answer depends on more than host, method and path. */
  readonly readsMore: boolean;
  readonly needsHost: boolean;
  readonly #methods: readonly string[];
  readonly #exactHosts: readonly string[];
  /** What hosts must end with: `.example.com`. */
  readonly #hostSuffixes: readonly string[];
  readonly #hostPatterns: readonly Pattern[];
  readonly #headers: readonly NamedValues[];
  readonly #query: readonly NamedValues[];

  constructor({ hosts, methods, headers, query }: RouteConditions) {
    const hostsOf = (kind: 'exact' | 'wildcard' | 'regex') =>
      hosts.filter((host) => host.kind === kind).map(({ value }) => value);
    this.#methods = methods;
    this.#exactHosts = hostsOf('exact');
    this.#hostSuffixes = hostsOf('wildcard').map((host) => host.slice(1));
    // Hosts are compared in lower case; whoever wrote the pattern need not know.
    this.#hostPatterns = hostsOf('regex').map((source) => mustCompile(`(?i)${source}`));
    this.#headers = groupByName(headers);
    this.#query = groupByName(query);
    this.needsHost = hosts.length > 0;
    this.readsMore = this.#headers.length + this.#query.length > 0;
  }

  /** Whether method and host hold. @param host as {@link normalizeHost} makes it */
  holdForTarget(method: string, host: string): boolean {
    if (this.#methods.length > 0 && !this.#methods.includes(method)) return false;
    return !this.needsHost || this.#hostHolds(host);
  }

  /** Whether headers and query hold. */
  holdForRest(request: RoutableRequest): boolean {
    for (const wanted of this.#headers) if (!headerHolds(request.headers[wanted.name], wanted.values)) return false;
    for (const wanted of this.#query) if (!parameterHolds(request.query, wanted)) return false;
    return true;
  }

  #hostHolds(host: string): boolean {
    if (this.#exactHosts.includes(host)) return true;
    for (const suffix of this.#hostSuffixes) {
      // At least one label before the suffix, and none of them empty.
      if (host.length > suffix.length && host.endsWith(suffix) && !host.startsWith('.')) return true;
    }
    for (const pattern of this.#hostPatterns) if (pattern.test(host)) return true;
    return false;
  }
}

/** Compiles a pattern that was checked when the configuration was read. */
export function mustCompile(source: string): Pattern {
  const compiled = compilePattern(source);
  if (!compiled.ok)
    throw new Error(`the pattern ${JSON.stringify(source)} was accepted and does not compile: ${compiled.error}`);
  return compiled.value;
}

function groupByName(conditions: readonly ValueCondition[]): NamedValues[] {
  const groups = new Map<string, string[] | null>();
  for (const { name, value } of conditions) {
    const known = groups.get(name);
    if (value === undefined || known === null) groups.set(name, null);
    else if (known === undefined) groups.set(name, [value]);
    else known.push(value);
  }
  return [...groups].map(([name, values]) => ({ name, values }));
}

function headerHolds(found: unknown, values: readonly string[] | null): boolean {
  // Only strings and lists of them are headers; `constructor` and the like are not.
  if (typeof found === 'string') return values === null || values.includes(found);
  if (!Array.isArray(found)) return false;
  if (values === null) return found.length > 0;
  for (const line of found) if (values.includes(line)) return true;
  return false;
}

function parameterHolds(query: string, { name, values }: NamedValues): boolean {
  let start = 0;
  while (start < query.length) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    const equals = query.indexOf('=', start);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (spanEquals(query, start, nameEnd, name)) {
      if (values === null) return true;
      const valueStart = Math.min(nameEnd + 1, end);
      for (const value of values) if (spanEquals(query, valueStart, end, value)) return true;
    }
    start = end + 1;
  }
  return false;
}

/** Whether `query[start, end)`, decoded, is `wanted`; a plus may stand for itself or for a space. */
function spanEquals(query: string, start: number, end: number, wanted: string): boolean {
  if (end - start === wanted.length && query.startsWith(wanted, start)) return true;
  if (end - start < wanted.length) return false;
  const raw = query.slice(start, end);
  if (!raw.includes('%') && !raw.includes('+')) return false;
  return decoded(raw) === wanted || decoded(raw.replaceAll('+', ' ')) === wanted;
}

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    // Not percent-encoded UTF-8: nothing a condition could mean, unless it is written just so.
    return raw;
  }
}
