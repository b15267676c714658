import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { createAuthority } from '@clew/testkit';
import { onEnd, startGateway } from '../proxy/harness.ts';
import type { TestGateway } from '../proxy/harness.ts';

/** A gateway with a plain and a TLS listener. */
export interface SecureGateway extends TestGateway {
  /** An HTTP/2 client of it. */
  readonly session: http2.ClientHttp2Session;
  /** A connection for HTTP/1.1 over TLS. */
  connectTls(): TLSSocket;
}

/** Starts a gateway that speaks HTTP/1.1 and, over TLS, HTTP/2. */
export async function startSecureGateway(text: string): Promise<SecureGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-http-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const authority = createAuthority();
  const issued = authority.issue('own');
  const [cert, key] = [join(folder, 'own.crt'), join(folder, 'own.key')];
  writeFileSync(cert, issued.cert);
  writeFileSync(key, issued.key);
  const gateway = await startGateway(`
    listeners {
      listener "plain" { address "127.0.0.1:0" }
      listener "tls" { address "127.0.0.1:0"; protocol "https"; tls { cert-file "${cert}"; key-file "${key}" } }
    }
    ${text}`);
  const { port } = gateway.server.snapshot().listeners[1]!;
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca: authority.cert });
  session.on('error', () => {});
  onEnd(() => session.destroy());
  const connectTls = (): TLSSocket => {
    const socket = tlsConnect({ host: '127.0.0.1', port, ca: authority.cert, ALPNProtocols: ['http/1.1'] });
    socket.on('error', () => {});
    onEnd(() => socket.destroy());
    return socket;
  };
  return { ...gateway, session, connectTls };
}

/** What an HTTP/2 client got. */
export interface StreamAnswer {
  readonly interim: readonly http2.IncomingHttpHeaders[];
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: http2.IncomingHttpHeaders;
}

/** Sends a request over HTTP/2. */
export function sendStream(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  content: { readonly body?: string; readonly trailers?: http2.OutgoingHttpHeaders } = {},
): Promise<StreamAnswer> {
  return new Promise((resolve, reject) => {
    const { body, trailers: own } = content;
    const stream = session.request(headers, { endStream: body === undefined, waitForTrailers: own !== undefined });
    const interim: http2.IncomingHttpHeaders[] = [];
    let got: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    let text = '';
    stream.on('headers', (received) => void interim.push(received));
    stream.on('response', (received) => (got = received));
    stream.on('trailers', (received) => (trailers = received));
    stream.on('wantTrailers', () => stream.sendTrailers(own!));
    stream.on('data', (part: Buffer) => (text += part.toString()));
    stream.on('end', () => resolve({ interim, headers: got, body: text, trailers }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}
