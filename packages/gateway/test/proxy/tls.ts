// What tests of secure listeners share: certificates as files, and clients that speak TLS and HTTP/2.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { createAuthority } from '@clew/testkit';
import { onEnd } from './harness.ts';

/** Where a certificate and its key lie. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Certificates as files; they end with the test. The authority's own is `ca.pem` in the folder. */
export function certificates(): {
  readonly folder: string;
  readonly ca: string;
  issue(name: string): CertificateFiles;
} {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-tls-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const authority = createAuthority();
  writeFileSync(join(folder, 'ca.pem'), authority.cert);
  return {
    folder,
    ca: authority.cert,
    issue(name) {
      const issued = authority.issue(name);
      const paths = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
      writeFileSync(paths.cert, issued.cert);
      writeFileSync(paths.key, issued.key);
      return paths;
    },
  };
}

/** A secure listener on a port of the system's choosing; `tls` are settings of its `tls` block, `more` its others. */
export const tlsListener = (tls: string, more = ''): string =>
  `listeners { listener "s" { address "127.0.0.1:0"; protocol "https"; tls { ${tls} }; ${more} } }`;

/** Makes a request over TLS. */
export function sendTls(
  gateway: { readonly port: number },
  options: RequestOptions,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = httpsRequest({ host: '127.0.0.1', port: gateway.port, agent: false, ...options }, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => (body += part.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    });
    call.on('error', reject);
    call.end();
  });
}

/** The name on the certificate shown for a server name. */
export function shownCertificate(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Opens an HTTP/2 connection; it ends with the test. */
export function openHttp2(gateway: { readonly port: number }, ca: string): http2.ClientHttp2Session {
  const session = http2.connect(`https://127.0.0.1:${gateway.port}`, { ca });
  session.on('error', () => {});
  onEnd(() => session.destroy());
  return session;
}

/** A response on a stream. */
export interface StreamResponse {
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: http2.IncomingHttpHeaders;
}

/** Makes a request on an HTTP/2 connection. */
export function askHttp2(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<StreamResponse> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let got: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    let text = '';
    stream.on('response', (received) => (got = received));
    stream.on('trailers', (received) => (trailers = received));
    stream.on('data', (part: Buffer) => (text += part.toString()));
    stream.on('end', () => resolve({ headers: got, body: text, trailers }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}
