// Hot path: looks at every request head before anything is done with it. Guarded by bench/gateway.
import { normalizeHost, splitRequestTarget } from '../../routing/request.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import type { GatewayLimits } from '../server/limits.ts';
import type { Downstream } from './downstream.ts';

/** What a head says about the body. */
export interface BodyDeclaration {
  readonly hasBody: boolean;
  /** -1 when it is not declared. */
  readonly contentLength: number;
}

const noBody: BodyDeclaration = { hasBody: false, contentLength: -1 };

/** A head that is as it must be, or what is wrong with it. */
export type CheckedHead =
  | { readonly ok: true; readonly body: BodyDeclaration }
  | { readonly ok: false; readonly failure: GatewayFailure; readonly blocked: Exchange['blocked'] };

const okWithoutBody: CheckedHead = { ok: true, body: noBody };

/** Characters no target may have: controls, space, DEL, and whatever is not ASCII. */
const badTarget = /[^\x21-\x7e]/;
const badAuthority = /[^A-Za-z0-9._~!$&'()*+,;=:%[\]-]/;

/**
 * Checks a request head and fills the exchange from it. What is no HTTP at all has been refused before; here is refused what
 * two servers could read differently, and what exceeds limits (RFC 9112 sections 3.2, 5 and 6; RFC 9110 section 17).
 */
export function checkHead(downstream: Downstream, exchange: Exchange, limits: GatewayLimits): CheckedHead {
  const { rawHeaders, target } = downstream;
  exchange.method = downstream.method;
  exchange.target = target;
  exchange.httpVersion = downstream.httpVersion;
  exchange.requestHeaders = rawHeaders;
  let host: string | undefined = downstream.authority;
  let hosts = 0;
  let contentLength = -1;
  let codings = 0;
  let headerBytes = 0;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    const value = rawHeaders[at + 1]!;
    headerBytes += name.length + value.length;
    if (!limits.headerNameBytes.allows(name.length)) return oversized(limits.headerNameBytes.exceeded(name.length));
    if (!limits.headerValueBytes.allows(value.length)) return oversized(limits.headerValueBytes.exceeded(value.length));
    if (name.length === 4 && name.toLowerCase() === 'host') {
      hosts++;
      if (downstream.httpVersion !== '2.0') host = value;
    } else if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (contentLength >= 0 || !/^[0-9]{1,15}$/.test(value)) return malformed('bad_content_length', value);
      contentLength = Number(value);
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      codings++;
      if (value.toLowerCase() !== 'chunked') return malformed('bad_transfer_encoding', value);
    }
  }
  exchange.authority = host ?? '';
  const fits = limits.targetBytes.allows(target.length);
  const split = fits && !badTarget.test(target) ? splitRequestTarget(target) : undefined;
  if (split !== undefined) {
    exchange.path = split.path;
    exchange.query = split.query;
    if (split.authority !== undefined) exchange.authority = split.authority;
  } else {
    // For logs only.
    const mark = target.indexOf('?');
    exchange.path = mark < 0 ? target : target.slice(0, mark);
  }
  if (!limits.headerCount.allows(rawHeaders.length / 2)) {
    return {
      ok: false,
      failure: limitFailure(400, 'header_count', limits.headerCount.exceeded(rawHeaders.length / 2).message),
      blocked: 'header_count_exceeded',
    };
  }
  if (!limits.headerBytes.allows(headerBytes)) return oversized(limits.headerBytes.exceeded(headerBytes));
  if (!fits) {
    const { message } = limits.targetBytes.exceeded(target.length);
    return { ok: false, failure: limitFailure(414, 'target_size', message), blocked: 'header_size_exceeded' };
  }
  if (split === undefined || (target === '*' && downstream.method !== 'OPTIONS'))
    return malformed('bad_target', target);
  if (target.includes('#')) return malformed('bad_target', target);
  if (climbs(split.path)) return malformed('bad_path', split.path);
  if (hosts > 1 || (host === undefined && downstream.httpVersion === '1.1'))
    return malformed('bad_host', String(hosts));
  if (badAuthority.test(exchange.authority)) return malformed('bad_host', exchange.authority);
  if (downstream.httpVersion === '2.0') {
    if (exchange.authority === '') return malformed('bad_host', 'none');
    const own = hostField(rawHeaders, hosts);
    if (own !== undefined && normalizeHost(own) !== normalizeHost(exchange.authority))
      return malformed('bad_host', own);
    const declared = downstream.bodyEnded ? noBody : { hasBody: true, contentLength };
    return { ok: true, body: declared };
  }
  if (codings > 0 && (codings > 1 || contentLength >= 0 || downstream.httpVersion === '1.0')) {
    return malformed('bad_transfer_encoding', 'with a length, twice, or in HTTP/1.0');
  }
  if (codings === 0 && contentLength <= 0) return okWithoutBody;
  return { ok: true, body: { hasBody: true, contentLength } };
}

function hostField(rawHeaders: readonly string[], hosts: number): string | undefined {
  if (hosts === 0) return undefined;
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  return rawHeaders[at + 1];
}

/**
 * Whether a path leaves the place it seems to name, for a server that decodes it: `..` in any spelling between separators in
 * any spelling, or a byte that ends text in some languages. Routes are matched on the undecoded path.
 */
function climbs(path: string): boolean {
  const encoded = path.includes('%');
  if (!encoded && !path.includes('..') && !path.includes('\\')) return false;
  const decoded = encoded
    ? path
        .replace(/%2e/gi, '.')
        .replace(/%2f/gi, '/')
        .replace(/%5c/gi, '\\')
        // Servers that decode twice exist, and no honest client writes dots like this.
        .replace(/%252e/gi, '.')
        .replace(/%252f/gi, '/')
    : path;
  if (/%00|%0[ad]/i.test(path)) return true;
  return decoded.split(/[/\\]/).some((segment) => segment === '..' || segment.startsWith('..;'));
}

function malformed(reason: string, seen: string): CheckedHead {
  const message = `the request cannot be taken: ${reason.replaceAll('_', ' ')} (${JSON.stringify(seen.slice(0, 100))})`;
  const failure: GatewayFailure = { status: 400, type: 'RequestValidation', reason, message, closeConnection: true };
  return { ok: false, failure, blocked: 'malformed_request' };
}

function oversized(error: Error): CheckedHead {
  return { ok: false, failure: limitFailure(431, 'header_size', error.message), blocked: 'header_size_exceeded' };
}

function limitFailure(status: number, reason: string, message: string): GatewayFailure {
  return { status, type: 'LimitExceeded', reason, message, closeConnection: true };
}
