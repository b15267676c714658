import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { GrpcClient } from '../client/grpc-client.ts';
import { HttpClient } from '../client/http-client.ts';
import { createAuthority } from '@clew/testkit';
import { RawClient, cleanUp, eventually, grpcJs, listen, unary } from '../test/harness.ts';
import { readTlsMaterials } from './materials.ts';
import type { TlsServerSettings } from './settings.ts';

const authority = createAuthority();
const server = authority.issue('server');
const client = authority.issue('a client');

async function serve(tls: TlsServerSettings) {
  const listener = await listen({ tls });
  listener.lease.mountHttp({
    paths: ['/who'],
    handler: (request) => ({
      status: 200,
      body: `${request.protocol} ${request.peer.certificateSubject ?? 'anonymous'}`,
    }),
  });
  listener.lease.mountGrpc({ name: 'test.Echo', methods: { Say: { kind: 'unary', handle: (message) => message } } });
  return { ...listener, url: `https://127.0.0.1:${listener.port}/who` };
}

const plain: TlsServerSettings = { certPem: server.cert, keyPem: server.key };

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'clew-tls-'));
  cleanUp(() => rmSync(path, { recursive: true }));
  return path;
}

function mutual(): TlsServerSettings {
  const clientCaFile = join(directory(), 'ca.pem');
  writeFileSync(clientCaFile, authority.cert);
  return { ...plain, clientCaFile };
}

async function get(url: string, options: https.RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ...options, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    });
    request.on('error', reject);
  });
}

async function text(http: HttpClient, url: string): Promise<string> {
  cleanUp(() => http.close());
  return Buffer.from((await http.request({ method: 'GET', url })).body).toString();
}

describe('a TLS port', () => {
  it('answers HTTP/1.1 and gRPC', async () => {
    const { port, url } = await serve(plain);
    expect(await get(url, { ca: authority.cert })).toBe('http/1.1 anonymous');
    const grpc = grpcJs(port, {}, credentials.createSsl(Buffer.from(authority.cert)));
    expect((await unary(grpc, '/test.Echo/Say', Buffer.from('x'))).reply?.toString()).toBe('x');
  });

  it('chooses by ALPN', async () => {
    const { port } = await serve(plain);
    for (const [offered, chosen] of [
      [['h2', 'http/1.1'], 'h2'],
      [['http/1.1'], 'http/1.1'],
      [undefined, false],
    ] as const) {
      const socket = connect({
        port,
        host: '127.0.0.1',
        ca: authority.cert,
        ...(offered ? { ALPNProtocols: [...offered] } : {}),
      });
      await new Promise((resolve) => {
        socket.once('secureConnect', resolve);
      });
      expect(socket.alpnProtocol).toBe(chosen);
      socket.destroy();
    }
  });

  it('closes connections that speak plaintext and says so', async () => {
    const { port, rejected, notices } = await serve(plain);
    const raw = new RawClient(port);
    raw.send('GET /who HTTP/1.1\r\nHost: x\r\n\r\n');
    await raw.closed;
    expect(rejected).toEqual(['tls_expected']);
    expect(notices).toEqual([expect.stringContaining('plaintext to a TLS port')]);
  });

  it('counts handshakes that fail', async () => {
    const { url, rejected } = await serve(plain);
    await expect(get(url, {})).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    await expect(get(url, { ca: authority.cert, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
    await eventually(() => rejected.includes('tls_handshake'), 'the rejection');
  });

  it('with client_ca_file accepts only clients with a certificate of that authority, and knows their name', async () => {
    const { url } = await serve(mutual());
    const ca = authority.cert;
    await expect(get(url, { ca })).rejects.toThrow();
    const stranger = createAuthority('somebody else').issue('stranger');
    await expect(get(url, { ca, cert: stranger.cert, key: stranger.key })).rejects.toThrow();
    expect(await get(url, { ca, cert: client.cert, key: client.key })).toBe('http/1.1 a client');
  });

  it('uses a renewed certificate after the reload interval', async () => {
    const path = directory();
    const certFile = join(path, 'cert.pem');
    const keyFile = join(path, 'key.pem');
    const write = (pair: { cert: string; key: string }): void => {
      writeFileSync(certFile, pair.cert);
      writeFileSync(keyFile, pair.key);
    };
    write(server);
    const { port } = await serve({ certFile, keyFile, reloadIntervalMs: 20 });
    const subject = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', ca: authority.cert }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
        socket.on('error', reject);
      });
    expect(await subject()).toBe('server');
    write(authority.issue('renewed'));
    let seen = '';
    for (let attempts = 0; seen !== 'renewed' && attempts < 1000; attempts++) seen = await subject();
    expect(seen).toBe('renewed');
  });
});

describe('TLS clients', () => {
  const endpoint = (port: number): string => `127.0.0.1:${port}`;

  function grpc(port: number, tls: ConstructorParameters<typeof GrpcClient>[0]['tls']): GrpcClient {
    const made = new GrpcClient({ endpoint: endpoint(port), ...(tls ? { tls } : {}) });
    cleanUp(() => made.close());
    return made;
  }

  it('verify the server', async () => {
    const { port, url } = await serve(plain);
    await expect(text(new HttpClient(), url)).rejects.toMatchObject({ code: 'connect_failed' });
    await expect(grpc(port, {}).unary('/test.Echo/Say', Buffer.from('x'))).rejects.toMatchObject({
      code: 'connect_failed',
    });
    const tls = { caPem: authority.cert };
    expect(await text(new HttpClient({ tls }), url)).toBe('http/1.1 anonymous');
    expect(Buffer.from(await grpc(port, tls).unary('/test.Echo/Say', Buffer.from('x'))).toString()).toBe('x');
  });

  it('skip verification only when told to', async () => {
    const { port, url } = await serve(plain);
    const tls = { insecureSkipVerify: true };
    expect(await text(new HttpClient({ tls }), url)).toBe('http/1.1 anonymous');
    expect((await grpc(port, tls).unary('/test.Echo/Say', Buffer.from('x'))).length).toBe(1);
  });

  it('verify the name they are told to expect', async () => {
    const { port, url } = await serve(plain);
    const right = { caPem: authority.cert, serverNameOverride: 'localhost' };
    const wrong = { caPem: authority.cert, serverNameOverride: 'example.com' };
    expect(await text(new HttpClient({ tls: right }), url)).toBe('http/1.1 anonymous');
    await expect(text(new HttpClient({ tls: wrong }), url)).rejects.toThrow(/example\.com/);
    await expect(grpc(port, wrong).unary('/test.Echo/Say', Buffer.from('x'))).rejects.toThrow(/example\.com/);
  });

  it('present their certificate', async () => {
    const { port, url } = await serve(mutual());
    const tls = { caPem: authority.cert, certPem: client.cert, keyPem: client.key };
    expect(await text(new HttpClient({ tls }), url)).toBe('http/1.1 a client');
    expect((await grpc(port, tls).unary('/test.Echo/Say', Buffer.from('x'))).length).toBe(1);
  });
});

describe('TLS settings', () => {
  it.each<[string, TlsServerSettings, RegExp]>([
    ['a certificate without its key', { certPem: server.cert }, /cert is given without key/],
    ['a key without its certificate', { keyPem: server.key }, /key is given without cert/],
    [
      'file and PEM at once',
      { certPem: server.cert, certFile: '/x', keyPem: server.key },
      /cert_file and cert_pem exclude each other/,
    ],
    [
      'a file that is not there',
      { certFile: '/nowhere/cert.pem', keyPem: server.key },
      /cert_file cannot be read: ENOENT/,
    ],
    [
      'versions the wrong way round',
      { ...plain, minVersion: '1.3', maxVersion: '1.2' },
      /min_version 1.3 is above max_version 1.2/,
    ],
    ['an unknown curve', { ...plain, curvePreferences: ['P42'] }, /P42 is none of X25519/],
    ['no certificate at all', {}, /a server needs cert_file and key_file/],
    ['rubbish as a certificate', { certPem: 'rubbish', keyPem: 'rubbish' }, /cannot set up TLS/],
    ['an unknown cipher', { ...plain, cipherSuites: ['TLS_RSA_WITH_ROT13'], maxVersion: '1.2' }, /cannot set up TLS/],
  ])('refuse %s', async (_title, tls, message) => {
    await expect(listen({ tls })).rejects.toMatchObject({
      code: 'tls_config',
      message: expect.stringMatching(message),
    });
  });

  it('turn IANA names of ciphers into those of OpenSSL', () => {
    const cipherSuites = [
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_RSA_WITH_AES_256_CBC_SHA',
      'TLS_AES_128_GCM_SHA256',
    ];
    expect(readTlsMaterials({ cipherSuites }).ciphers).toBe(
      'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:AES256-SHA:TLS_AES_128_GCM_SHA256',
    );
  });
});
