/** What routing looks at in a request. */
export interface RoutableRequest {
  /** As received; HTTP methods are upper case. */
  readonly method: string;
  /** `:authority` or the Host header as received, with its port if there is one; empty when there is none. */
  readonly authority: string;
  /** The undecoded path without query; `*` for `OPTIONS *`. */
  readonly path: string;
  /** The undecoded query without its question mark; empty when there is none. */
  readonly query: string;
  /** By lower-case name, as `node:http` and `node:http2` have them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A request target cut into what routing needs. */
export interface RequestTarget {
  /** Present when the target names it (`GET http://host/path`); it then replaces the Host header (RFC 9112, 3.2.2). */
  readonly authority?: string;
  readonly path: string;
  readonly query: string;
}

/** Cuts a request target; a fragment, which no client may send, is dropped. Undefined when it is none of the known forms. */
export function splitRequestTarget(target: string): RequestTarget | undefined {
  if (target === '*') return { path: '*', query: '' };
  if (target.startsWith('/')) return splitQuery(target);
  const absolute = /^https?:\/\/([^/?#]+)(.*)$/is.exec(target);
  if (absolute === null) return undefined;
  const rest = absolute[2]!;
  return { authority: absolute[1]!, ...splitQuery(rest.startsWith('/') ? rest : `/${rest}`) };
}

function splitQuery(target: string): RequestTarget {
  const fragment = target.indexOf('#');
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  const mark = whole.indexOf('?');
  return mark < 0 ? { path: whole, query: '' } : { path: whole.slice(0, mark), query: whole.slice(mark + 1) };
}

/** A host as conditions compare it: lower case, without port and without the dot of a root name. */
export function normalizeHost(authority: string): string {
  const colon = authority.lastIndexOf(':');
  // A colon inside brackets belongs to an IPv6 address.
  const host = colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority;
  const lower = host.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
