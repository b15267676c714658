import { NetError } from '../errors.ts';
import type { BoundAddress, ListenEndpoint } from './types.ts';

/**
 * Reads an endpoint as servers are configured: `host:port`, `:port`, `[::]:port`, or a path for `unix`.
 *
 * `localhost` means 127.0.0.1, as it does for the reference, so that IPv4-only clients find it. Fails with
 * `invalid_setting`.
 */
export function parseListenEndpoint(text: string, transport: ListenEndpoint['transport'] = 'tcp'): ListenEndpoint {
  if (transport === 'unix') {
    if (text === '') throw invalid(text, 'transport unix needs a path');
    return { transport, path: text };
  }
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (!match) throw invalid(text, 'host:port, :port or [IPv6]:port is expected');
  const port = Number(match[3]);
  if (port > 65_535) throw invalid(text, `port ${port} is larger than 65535`);
  return { transport, host: normalizeHost(match[1] ?? match[2] ?? '', transport), port };
}

function normalizeHost(host: string, transport: ListenEndpoint['transport']): string {
  if (host === '') return transport === 'tcp4' ? '0.0.0.0' : '::';
  if (host === 'localhost') return transport === 'tcp6' ? '::1' : '127.0.0.1';
  return host;
}

function invalid(text: string, why: string): NetError {
  return new NetError('invalid_setting', `cannot listen on endpoint ${JSON.stringify(text)}: ${why}`);
}

/** An endpoint or address for people: `127.0.0.1:4317`, `[::]:4317`, `unix:/run/clew.sock`. */
export function formatAddress(address: BoundAddress | ListenEndpoint): string {
  if (address.transport === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
