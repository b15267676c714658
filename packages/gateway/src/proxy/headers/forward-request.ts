// Hot path: makes the head of every request that goes upstream. Guarded by bench/gateway.
import type { Exchange } from '../exchange.ts';
import { FieldAction, connectionOptions, requestFields } from './field-actions.ts';
import { removeField } from './fields.ts';
import type { FieldsToldApart } from './name-table.ts';

/** What `X-Forwarded-By` says. */
const forwardedBy = 'Clew';

/** How heads are made besides what the exchange says. */
export interface ForwardRequestOptions {
  /** Whether trace headers are the gateway's to write; otherwise those received pass through. */
  readonly traced: boolean;
  /** Whether the Content-Length received still holds. */
  readonly keepLength: boolean;
  /** Replaces the Host received. */
  readonly host?: string | undefined;
}

/**
 * The fields of a request as they go on: without what belongs to the client's connection, with the gateway's own. Where
 * requests are traced, `traceparent` is left out: it differs between attempts, see `traceLines`.
 */
export function forwardRequestHeaders(exchange: Exchange, options: ForwardRequestOptions): string[] {
  const received = exchange.requestHeaders;
  const forwarded: string[] = ['Host', options.host ?? exchange.authority];
  let named: readonly string[] | undefined;
  let forwardedFor = '';
  for (let at = 0; at + 1 < received.length; at += 2) {
    const name = received[at]!;
    const value = received[at + 1]!;
    switch (requestFields.action(name)) {
      case FieldAction.PASS:
        forwarded.push(name, value);
        break;
      case FieldAction.CONNECTION: {
        const options = connectionOptions(value);
        if (options !== undefined) named = named === undefined ? options : [...named, ...options];
        break;
      }
      case FieldAction.TE:
        if (/(?:^|,)\s*trailers\s*(?:[;,]|$)/i.test(value)) forwarded.push('TE', 'trailers');
        break;
      case FieldAction.FORWARDED_FOR:
        forwardedFor += `${value}, `;
        break;
      case FieldAction.TRACE:
        if (!options.traced) forwarded.push(name, value);
        break;
      case FieldAction.CONTENT_LENGTH:
        if (options.keepLength) forwarded.push(name, value);
        break;
      default:
    }
  }
  if (named !== undefined) removeNamed(forwarded, named);
  const { connection, correlationId } = exchange;
  forwarded.push(
    'X-Correlation-Id',
    correlationId,
    'X-Trace-Id',
    correlationId,
    'X-Forwarded-By',
    forwardedBy,
    'X-Forwarded-For',
    forwardedFor + connection.clientIp,
    'X-Forwarded-Proto',
    connection.tls === undefined ? 'http' : 'https',
  );
  if (exchange.authority !== '') forwarded.push('X-Forwarded-Host', exchange.authority);
  return forwarded;
}

/** The same as lines with their ends; undefined when the fields have to be looked at one by one. */
export function forwardRequestLines(
  exchange: Exchange,
  { passing, specials }: FieldsToldApart,
  options: ForwardRequestOptions,
): string | undefined {
  const { connection, correlationId, authority } = exchange;
  let lines = `Host: ${options.host ?? authority}\r\n${passing}`;
  let forwardedFor = '';
  for (let at = 0; at < specials.length; at += 2) {
    const name = specials[at]!;
    const value = specials[at + 1]!;
    switch (requestFields.action(name)) {
      case FieldAction.CONNECTION:
        if (connectionOptions(value) !== undefined) return undefined;
        break;
      case FieldAction.TE:
        return undefined;
      case FieldAction.FORWARDED_FOR:
        forwardedFor += `${value}, `;
        break;
      case FieldAction.TRACE:
        if (!options.traced) lines += `${name}: ${value}\r\n`;
        break;
      case FieldAction.CONTENT_LENGTH:
        if (options.keepLength) lines += `${name}: ${value}\r\n`;
        break;
      case FieldAction.PASS:
        lines += `${name}: ${value}\r\n`;
        break;
      default:
    }
  }
  const scheme = connection.tls === undefined ? 'http' : 'https';
  lines +=
    `X-Correlation-Id: ${correlationId}\r\nX-Trace-Id: ${correlationId}\r\nX-Forwarded-By: ${forwardedBy}\r\n` +
    `X-Forwarded-For: ${forwardedFor}${connection.clientIp}\r\nX-Forwarded-Proto: ${scheme}\r\n`;
  return authority === '' ? lines : `${lines}X-Forwarded-Host: ${authority}\r\n`;
}

/** What a `Connection` field may not take away: the message would not arrive, or not be the same. */
const indispensable: ReadonlySet<string> = new Set(['host', 'content-length', 'content-type', 'content-encoding']);

function removeNamed(headers: string[], named: readonly string[]): void {
  for (const name of named) {
    if (!indispensable.has(name)) removeField(headers, name);
  }
}
