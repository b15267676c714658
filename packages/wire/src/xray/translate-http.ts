import { SpanKind } from '@clew/model';
import type { AttributeValue, PlainSpan } from '@clew/model';
import type { AttributeBag } from './attribute-bag.ts';
import { numberOfValue, textOfValue } from './attribute-text.ts';
import { JsonNumber } from './json-tree.ts';
import type { JsonObject } from './json-tree.ts';
import { setAt } from './json-paths.ts';

/** Attributes that make a span one of HTTP, and their names in older conventions; they end up in `http`. */
const httpKeys = {
  method: ['http.request.method', 'http.method'],
  status: ['http.response.status_code', 'http.status_code'],
  userAgent: ['user_agent.original', 'http.user_agent'],
  contentLength: ['http.response.body.size', 'http.response_content_length'],
} as const;

const urlKeys = {
  full: ['url.full', 'http.url'],
  scheme: ['url.scheme', 'http.scheme'],
  path: ['url.path'],
  query: ['url.query'],
} as const;

/** Fills `http` of a segment from attributes of any convention; returns the response's status. */
export function translateHttp(segment: JsonObject, span: PlainSpan, bag: AttributeBag): number | undefined {
  if (!isHttp(bag)) return undefined;
  const url = takeUrl(span, bag);
  const client = takeClient(span, bag);
  const status = numberOfValue(bag.takeFirstOf(...httpKeys.status));
  const set = (path: string, value: string | undefined) => {
    if (value !== undefined) setAt(segment, ['http', 'request', path], value);
  };
  set('method', textOfValue(bag.takeFirstOf(...httpKeys.method)));
  set('url', url);
  set('user_agent', textOfValue(bag.takeFirstOf(...httpKeys.userAgent)));
  set('client_ip', client.address);
  if (client.isForwarded) setAt(segment, ['http', 'request', 'x_forwarded_for'], true);
  setNumber(segment, 'status', status);
  setNumber(segment, 'content_length', numberOfValue(bag.takeFirstOf(...httpKeys.contentLength)));
  return status;
}

function isHttp(bag: AttributeBag): boolean {
  const keys = [...httpKeys.method, ...httpKeys.status, 'http.url', 'http.target', 'http.host', 'http.scheme'];
  return keys.some((key) => bag.peek(key) !== undefined);
}

function setNumber(segment: JsonObject, name: string, value: number | undefined): void {
  if (value !== undefined && Number.isFinite(value))
    setAt(segment, ['http', 'response', name], new JsonNumber(String(Math.trunc(value))));
}

/** `http.client_ip` is the older conventions' name for an address a proxy told; the peer itself is another. */
function takeClient(
  span: PlainSpan,
  bag: AttributeBag,
): { readonly address: string | undefined; readonly isForwarded: boolean } {
  const forwarded = textOfValue(bag.take('http.client_ip'));
  const peer = textOfValue(
    bag.peek('network.peer.address') ?? bag.peek('net.sock.peer.addr') ?? bag.peek('net.peer.ip'),
  );
  if (forwarded !== undefined) return { address: forwarded, isForwarded: true };
  if (span.kind !== SpanKind.SERVER) return { address: undefined, isForwarded: false };
  const address = textOfValue(bag.take('client.address'));
  return { address: address ?? peer, isForwarded: address !== undefined && peer !== undefined && address !== peer };
}

/** The URL, put together from its parts when it is not there as a whole. */
function takeUrl(span: PlainSpan, bag: AttributeBag): string | undefined {
  const full = textOfValue(bag.takeFirstOf(...urlKeys.full));
  const host = textOfValue(bag.take('http.host')) ?? hostOf(span, bag);
  const scheme = textOfValue(bag.takeFirstOf(...urlKeys.scheme)) ?? 'http';
  const target = takeTarget(bag);
  if (full !== undefined || host === undefined) return full;
  return `${scheme}://${withoutUsualPort(scheme, host)}${target}`;
}

function takeTarget(bag: AttributeBag): string {
  const path = textOfValue(bag.takeFirstOf(...urlKeys.path));
  const query = textOfValue(bag.takeFirstOf(...urlKeys.query));
  const target = textOfValue(bag.take('http.target'));
  const assembled = path === undefined ? undefined : path + (query === undefined ? '' : `?${query}`);
  const found = assembled ?? target ?? '/';
  return found.startsWith('/') ? found : `/${found}`;
}

/** Host and port as the side of the span that the kind says knows them. */
function hostOf(span: PlainSpan, bag: AttributeBag): string | undefined {
  const isServer = span.kind === SpanKind.SERVER;
  const first = (...keys: readonly string[]): AttributeValue | undefined =>
    keys.map((key) => bag.peek(key)).find((value) => textOfValue(value) !== undefined);
  const host = isServer
    ? first('server.address', 'http.server_name', 'net.host.name')
    : first('server.address', 'net.peer.name', 'net.peer.ip');
  const port = first('server.port', isServer ? 'net.host.port' : 'net.peer.port');
  const name = textOfValue(host);
  return name === undefined || port === undefined ? name : `${name}:${textOfValue(port)!}`;
}

function withoutUsualPort(scheme: string, host: string): string {
  const usual = scheme === 'https' ? ':443' : scheme === 'http' ? ':80' : undefined;
  return usual !== undefined && host.endsWith(usual) ? host.slice(0, -usual.length) : host;
}
