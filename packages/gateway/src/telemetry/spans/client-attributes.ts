import type { Exchange } from '../../proxy/exchange.ts';
import { int, text } from './keys.ts';
import type { SpanBytes } from './span-bytes.ts';

/**
 * The attributes that say who asked whom: `server.address`, `server.port`, `client.address`, `user_agent.original` and
 * `network.protocol.version`.
 */
export function addClient(out: SpanBytes, { connection, authority, httpVersion }: Exchange, userAgent: string): void {
  addAuthority(out, authority, connection.localPort);
  out.text(text['client.address'], connection.clientIp);
  out.text(text['user_agent.original'], userAgent);
  out.text(text['network.protocol.version'], httpVersion === '2.0' ? '2' : httpVersion);
}

/** `server.address` and `server.port` from an authority as sent; the port of the listener when it names none. */
function addAuthority(out: SpanBytes, authority: string, localPort: number): void {
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > 0 && colon > authority.lastIndexOf(']');
  const port = hasPort ? Number(authority.slice(colon + 1)) : localPort;
  out.text(text['server.address'], hasPort ? authority.slice(0, colon) : authority);
  if (port > 0 && port < 65_536) out.int(int['server.port'], port);
}
