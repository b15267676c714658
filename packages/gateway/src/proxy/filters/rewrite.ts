import type { PathRewrite, RedirectFilter, UrlRewriteFilter } from '../../config/model/filter.ts';
import type { Exchange } from '../exchange.ts';

/** A path after a rewrite; `prefix` replaces what the route's prefix condition matched. */
export function rewritePath(rewrite: PathRewrite, exchange: Exchange): string {
  if (rewrite.kind === 'full') return rewrite.path;
  const matched = exchange.matchedPrefix;
  const rest = exchange.path.startsWith(matched) ? exchange.path.slice(matched.length) : exchange.path;
  return joinPath(rewrite.prefix, rest);
}

function joinPath(prefix: string, rest: string): string {
  const left = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  const right = rest === '' || rest.startsWith('/') ? rest : `/${rest}`;
  const joined = left + right;
  return joined.startsWith('/') ? joined : `/${joined}`;
}

/** What goes upstream after a rewrite. */
export interface RewrittenTarget {
  readonly path: string;
  readonly host?: string;
}

/** Applies a `url-rewrite`. */
export function rewriteTarget(settings: UrlRewriteFilter, exchange: Exchange): RewrittenTarget {
  const path = settings.path === undefined ? exchange.path : rewritePath(settings.path, exchange);
  return { path, ...(settings.hostname === undefined ? {} : { host: settings.hostname }) };
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** The Location of a `redirect`: what it does not say stays as the client asked. */
export function redirectLocation(settings: RedirectFilter, exchange: Exchange): string {
  const ownScheme = exchange.connection.tls === undefined ? 'http' : 'https';
  const scheme = settings.scheme ?? ownScheme;
  const { host, port: ownPort } = splitAuthority(exchange.authority);
  const hostname = settings.hostname ?? host;
  // A port belongs to a scheme and a host; it stays only with both.
  const keptPort = settings.scheme === undefined && settings.hostname === undefined ? ownPort : undefined;
  const port = settings.port ?? keptPort;
  const path = settings.path === undefined ? exchange.path : rewritePath(settings.path, exchange);
  const query = exchange.query === '' ? '' : `?${exchange.query}`;
  const shownPort = port === undefined || port === defaultPorts[scheme] ? '' : `:${port}`;
  return `${scheme}://${hostname}${shownPort}${path}${query}`;
}

function splitAuthority(authority: string): { readonly host: string; readonly port: number | undefined } {
  const match = /^(.*?)(?::([0-9]{1,5}))?$/.exec(authority);
  const port = match?.[2];
  return { host: match?.[1] ?? authority, port: port === undefined ? undefined : Number(port) };
}
