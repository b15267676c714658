import type { ReplyHeaders, RequestHead } from '../exchange.ts';

/** Cross-origin rules of an HTTP mount; active only when `allowedOrigins` is not empty. */
export interface CorsSettings {
  /** Exact origins, patterns with one `*`, or `*`. */
  readonly allowedOrigins: readonly string[];
  /** Request headers allowed besides Accept, Content-Type and X-Requested-With; `*` allows any. */
  readonly allowedHeaders?: readonly string[];
  readonly exposedHeaders?: readonly string[];
  /** How long a browser may remember a preflight; 0 or absent says nothing. */
  readonly maxAgeSeconds?: number;
}

/** A compiled set of rules. */
export interface Cors {
  /** Whether the request is a preflight, which is answered 204 without reaching a handler. */
  isPreflight(head: RequestHead): boolean;
  /** Headers of a preflight's answer; those of a disallowed one only say `Vary`. */
  preflightHeaders(head: RequestHead): ReplyHeaders;
  /** Headers to add to an ordinary reply. */
  replyHeaders(head: RequestHead): ReplyHeaders;
}

const allowedMethods = ['GET', 'POST', 'HEAD'];
const safeHeaders = ['accept', 'content-type', 'x-requested-with'];
const preflightVary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

/** Compiles rules, or returns undefined when they name no origin and so do nothing. */
export function compileCors(settings: CorsSettings | undefined): Cors | undefined {
  if (!settings || settings.allowedOrigins.length === 0) return undefined;
  const isOrigin = compileOrigins(settings.allowedOrigins);
  const names = new Set([...safeHeaders, ...(settings.allowedHeaders ?? []).map((name) => name.toLowerCase())]);
  const anyHeader = names.has('*');
  const exposed = (settings.exposedHeaders ?? []).join(', ');
  const maxAgeSeconds = settings.maxAgeSeconds ?? 0;

  return {
    isPreflight: (head) => head.method === 'OPTIONS' && head.header('access-control-request-method') !== undefined,
    preflightHeaders(head) {
      const origin = head.header('origin');
      const method = head.header('access-control-request-method') ?? '';
      const wanted = requestedHeaders(head);
      const allowed =
        origin !== undefined &&
        isOrigin(origin) &&
        allowedMethods.includes(method.toUpperCase()) &&
        (anyHeader || wanted.every((name) => names.has(name)));
      if (!allowed) return { vary: preflightVary };
      return {
        vary: preflightVary,
        'access-control-allow-origin': origin,
        'access-control-allow-methods': method.toUpperCase(),
        'access-control-allow-credentials': 'true',
        ...(wanted.length > 0 ? { 'access-control-allow-headers': wanted.join(', ') } : {}),
        ...(maxAgeSeconds > 0 ? { 'access-control-max-age': String(maxAgeSeconds) } : {}),
      };
    },
    replyHeaders(head) {
      const origin = head.header('origin');
      if (origin === undefined || !isOrigin(origin)) return { vary: 'Origin' };
      return {
        vary: 'Origin',
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        ...(exposed === '' ? {} : { 'access-control-expose-headers': exposed }),
      };
    },
  };
}

function requestedHeaders(head: RequestHead): string[] {
  const list = head.header('access-control-request-headers') ?? '';
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** Origins compare without regard to case, and one `*` in a pattern stands for any text. */
function compileOrigins(patterns: readonly string[]): (origin: string) => boolean {
  const exact = new Set<string>();
  const wildcards: { head: string; tail: string }[] = [];
  for (const pattern of patterns.map((text) => text.toLowerCase())) {
    const star = pattern.indexOf('*');
    if (star < 0) exact.add(pattern);
    else wildcards.push({ head: pattern.slice(0, star), tail: pattern.slice(star + 1) });
  }
  return (origin) => {
    const wanted = origin.toLowerCase();
    if (exact.has(wanted)) return true;
    return wildcards.some(
      ({ head, tail }) =>
        wanted.length >= head.length + tail.length && wanted.startsWith(head) && wanted.endsWith(tail),
    );
  };
}
