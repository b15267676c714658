import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { silentTelemetry } from '@clew/base';
import { createAuthority } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  onEnd,
  proxyConfig,
  send,
  startBackend,
  startGateway,
  startTcp,
} from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';
import { askHttp2, certificates, openHttp2, sendTls, shownCertificate, tlsListener } from '../../../test/proxy/tls.ts';
import { GatewayServer } from './gateway-server.ts';

const routes = (port: number, more = ''): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; ${more} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

describe('TLS', () => {
  it('serves HTTP/1.1 and tells the backend', async () => {
    const files = certificates();
    const { cert, key } = files.issue('own');
    const backend = await startBackend((request, response) =>
      response.end(String(request.headers['x-forwarded-proto'])),
    );
    const gateway = await startGateway(
      `${tlsListener(`cert-file "${cert}"; key-file "${key}"`)}\n${routes(backend.port)}`,
    );
    expect(await sendTls(gateway, { ca: files.ca })).toEqual({ status: 200, body: 'https' });
    const { tls } = (await gateway.recorder.exchange()).connection;
    expect(tls).toMatchObject({ version: 'TLSv1.3' });
    expect(tls!.handshakeMs).toBeGreaterThan(0);
  });

  it('shows the certificate of the name asked for, and new ones after a reload', async () => {
    const files = certificates();
    const own = files.issue('own');
    const other = files.issue('other');
    const wild = files.issue('wild');
    const text = `${tlsListener(`
      cert-file "${own.cert}"; key-file "${own.key}"
      sni { hostnames "a.test"; cert-file "${other.cert}"; key-file "${other.key}" }
      sni { hostnames "*.b.test"; cert-file "${wild.cert}"; key-file "${wild.key}" }`)}\n${routes(1)}`;
    const gateway = await startGateway(text);
    const names = ['a.test', 'x.b.test', 'y.x.b.test', 'c.test'];
    const shown = await Promise.all(names.map((name) => shownCertificate(gateway.port, name)));
    expect(shown).toEqual(['other', 'wild', 'own', 'own']);
    const renewed = createAuthority().issue('renewed');
    writeFileSync(other.cert, renewed.cert);
    writeFileSync(other.key, renewed.key);
    expect(gateway.server.reload(await proxyConfig(text))).toMatchObject({ result: 'success' });
    expect(await shownCertificate(gateway.port, 'a.test')).toBe('renewed');
    writeFileSync(other.cert, 'broken');
    expect(gateway.server.reload(await proxyConfig(text))).toMatchObject({ result: 'failure' });
    expect(await shownCertificate(gateway.port, 'a.test')).toBe('renewed');
    gateway.server.reloadCertificates();
    const told = gateway.recorder.certificates;
    expect(told).toMatchObject([
      { listenerId: 's', result: 'success' },
      { listenerId: 's', result: 'failure' },
    ]);
    expect(told[1]!.error).toContain(other.cert);
  });

  it('tells of clients that come to no agreement', async () => {
    const files = certificates();
    const { cert, key } = files.issue('own');
    const settings = `cert-file "${cert}"; key-file "${key}"; min-version "1.3"`;
    const gateway = await startGateway(`${tlsListener(settings)}\n${routes(1)}`);
    const { handshakes } = gateway.recorder;
    const old = tlsConnect({ host: '127.0.0.1', port: gateway.port, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    old.on('error', () => undefined); // Being refused shows as an alert.
    await eventually(() => handshakes.length === 1, 'the refusal');
    const hasty = connect(gateway.port, '127.0.0.1', () => hasty.destroy());
    await eventually(() => handshakes.length === 2, 'the loss');
    expect(handshakes).toEqual(['s refused', 's connection_lost']);
    expect(gateway.recorder.openConnections).toBe(0);
  });

  it('shows the renewed certificate also to clients that name no server', async () => {
    const files = certificates();
    const own = files.issue('own');
    const text = `${tlsListener(`cert-file "${own.cert}"; key-file "${own.key}"`)}\n${routes(1)}`;
    const gateway = await startGateway(text);
    expect(await shownCertificate(gateway.port, '')).toBe('own');
    const renewed = createAuthority().issue('renewed');
    writeFileSync(own.cert, renewed.cert);
    writeFileSync(own.key, renewed.key);
    gateway.server.reload(await proxyConfig(text));
    expect(await shownCertificate(gateway.port, '')).toBe('renewed');
  });

  it('follows a folder of certificates that tell by themselves whom they are for', async () => {
    const files = certificates();
    const own = files.issue('own');
    const folder = join(files.folder, 'more');
    mkdirSync(folder);
    const put = (name: string): void => {
      const issued = createAuthority().issue(name);
      writeFileSync(join(folder, 'a.key'), issued.key);
      writeFileSync(join(folder, 'a.crt'), issued.cert);
    };
    put('first');
    const settings = `cert-file "${own.cert}"; key-file "${own.key}"
      sni-certs { cert-folder "${folder}"; reload-mode "watch" }`;
    const gateway = await startGateway(`${tlsListener(settings)}\n${routes(1)}`);
    // The test authority issues for localhost.
    expect(await shownCertificate(gateway.port, 'localhost')).toBe('first');
    expect(await shownCertificate(gateway.port, 'other.test')).toBe('own');
    put('second');
    await eventually(async () => (await shownCertificate(gateway.port, 'localhost')) === 'second');
  });

  it('asks clients for certificates where it is told to', async () => {
    const files = certificates();
    const { cert, key } = files.issue('own');
    const backend = await startBackend((_request, response) => response.end('in'));
    const settings = `cert-file "${cert}"; key-file "${key}"; ca-file "${join(files.folder, 'ca.pem')}"; client-auth #true`;
    const gateway = await startGateway(`${tlsListener(settings)}\n${routes(backend.port)}`);
    await expect(sendTls(gateway, { ca: files.ca })).rejects.toThrow();
    const stranger = createAuthority().issue('stranger');
    await expect(sendTls(gateway, { ca: files.ca, ...stranger })).rejects.toThrow();
    const client = files.issue('client');
    const shown = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
    expect(await sendTls(gateway, { ca: files.ca, ...shown })).toEqual({ status: 200, body: 'in' });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'lets nobody in by a session (%s) of a listener that asks for less',
    async (version) => {
      const files = certificates();
      const { cert, key } = files.issue('own');
      const pair = `cert-file "${cert}"; key-file "${key}"`;
      const asking = `ca-file "${join(files.folder, 'ca.pem')}"; client-auth #true`;
      const listener = (id: string, more: string): string =>
        `listener "${id}" { address "127.0.0.1:0"; protocol "https"; tls { ${pair}; ${more} } }`;
      const { server } = await startGateway(`
      listeners { ${listener('open', '')}; ${listener('strict', asking)} }
      routes { route "r" { matches { path-prefix "/" }; builtin-handler "health" } }`);
      const ports = server.snapshot().listeners.map(({ port }) => port);
      /** Tells what came back, and gives the session. */
      const visit = (port: number, session?: Buffer): Promise<{ got: string; session: Buffer | undefined }> =>
        new Promise((resolve) => {
          const known = session === undefined ? {} : { session };
          const socket = tlsConnect({
            host: '127.0.0.1',
            port,
            rejectUnauthorized: false,
            maxVersion: version,
            ...known,
          });
          let ticket: Buffer | undefined;
          let got = '';
          socket.on('session', (issued) => (ticket = issued));
          socket.on('data', (part) => (got += part.toString()));
          socket.on('error', () => undefined); // Being refused shows as an alert.
          socket.on('close', () => resolve({ got, session: ticket }));
          socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        });
      const first = await visit(ports[0]!);
      expect(first.got).toContain('200 OK');
      expect((await visit(ports[0]!, first.session)).got).toContain('200 OK');
      expect((await visit(ports[1]!, first.session)).got).toBe('');
    },
  );

  it('does not start with a certificate that cannot be read', async () => {
    const config = await proxyConfig(
      `${tlsListener('cert-file "/nowhere.crt"; key-file "/nowhere.key"')}\n${routes(1)}`,
    );
    const server = new GatewayServer({ telemetry: silentTelemetry, version: '0' });
    await expect(server.start(config)).rejects.toMatchObject({ code: 'tls_config' });
  });
});

describe('TLS to upstreams', () => {
  async function startSecure(): Promise<{ port: number; caFile: string; names: string[] }> {
    const files = certificates();
    const authority = createAuthority();
    const caFile = join(files.folder, 'upstream-ca.pem');
    writeFileSync(caFile, authority.cert);
    const names: string[] = [];
    const server = createHttps(authority.issue('up'), (_request, response) => response.end('secure'));
    server.on('secureConnection', (socket) => names.push(String(Reflect.get(socket, 'servername'))));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onEnd(() => server.close().closeAllConnections());
    return { port: (server.address() as { port: number }).port, caFile, names };
  }

  it('verifies them with the authority given', async () => {
    const { port, caFile, names } = await startSecure();
    const gateway = await startGateway(
      `routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
       upstreams { upstream "b" { target "127.0.0.1:${port}"; tls { ca-cert "${caFile}"; sni "localhost" } } }`,
    );
    for (let n = 0; n < 3; n++) expect((await send(gateway, '/', { headers: { Host: `h${n}` } })).body).toBe('secure');
    // Whatever hosts are asked for, the connection stays.
    expect(names).toEqual(['localhost']);
  });

  it('refuses what nobody vouches for with 502, unless told not to look', async () => {
    const { port } = await startSecure();
    const text = (tls: string): string =>
      `routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
       upstreams { upstream "b" { target "127.0.0.1:${port}"; tls { ${tls} } } }`;
    const strict = await startGateway(text('insecure-skip-verify #false'));
    expect((await send(strict, '/')).status).toBe(502);
    expect((await strict.recorder.exchange()).attempts[0]!.failure).toBe('tls_error');
    const blind = await startGateway(text('insecure-skip-verify #true'));
    expect((await send(blind, '/')).body).toBe('secure');
  });
});

describe('HTTP/2', () => {
  async function secure(port: number, more = ''): Promise<{ gateway: TestGateway; session: http2.ClientHttp2Session }> {
    const files = certificates();
    const { cert, key } = files.issue('own');
    const gateway = await startGateway(
      `${more}\n${tlsListener(`cert-file "${cert}"; key-file "${key}"`)}\n${routes(port)}`,
    );
    return { gateway, session: openHttp2(gateway, files.ca) };
  }

  it('is served, with bodies, trailers and cookies as HTTP/1.1 has them', async () => {
    const backend = await startBackend((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        response.writeHead(200, { Trailer: 'X-Sum', 'X-Cookie': String(request.headers.cookie) });
        response.write(`${request.headers.host} ${request.method} ${request.url} ${body}`);
        response.addTrailers({ 'X-Sum': '1' });
        response.end();
      });
    });
    const { gateway, session } = await secure(backend.port);
    const answer = await askHttp2(
      session,
      { ':method': 'POST', ':path': '/x?y', ':authority': 'h.test', cookie: ['a=1', 'b=2'] },
      'body',
    );
    expect(answer.headers[':status']).toBe(200);
    expect(answer.body).toBe('h.test POST /x?y body');
    expect(answer.headers['x-cookie']).toBe('a=1; b=2');
    expect(answer.headers['x-correlation-id']).toBeDefined();
    expect(answer.headers['transfer-encoding']).toBeUndefined();
    expect(answer.trailers['x-sum']).toBe('1');
    expect(await gateway.recorder.exchange()).toMatchObject({
      httpVersion: '2.0',
      authority: 'h.test',
      end: 'complete',
    });
  });

  it('asks for a body that waits to be asked for', async () => {
    const backend = await startBackend((request, response) => {
      request.resume();
      request.on('end', () => response.end('done'));
    });
    const { session } = await secure(backend.port);
    const stream = session.request({ ':method': 'POST', ':path': '/', expect: '100-continue' });
    await new Promise((resolve) => stream.once('continue', resolve));
    stream.end('body');
    const answer = await new Promise<Buffer>((resolve) => void stream.once('data', resolve));
    expect(answer.toString()).toBe('done');
  });

  it('takes large bodies and ends its answer, with trailers or without', async () => {
    const backend = await startBackend((request, response) => {
      let bytes = 0;
      request.on('data', (part: Buffer) => (bytes += part.length));
      request.on('end', () => response.end(String(bytes)));
    });
    const { session } = await secure(backend.port);
    const answer = await askHttp2(session, { ':method': 'PUT', ':path': '/' }, Buffer.alloc(5_000_000));
    expect(answer.body).toBe('5000000');
  });

  it('serves many streams of one connection at once', async () => {
    const backend = await startBackend((request, response) => void setTimeout(() => response.end(request.url), 10));
    const { gateway, session } = await secure(backend.port);
    const bodies = await Promise.all(Array.from({ length: 50 }, (_, n) => askHttp2(session, { ':path': `/${n}` })));
    expect(bodies.map(({ body }) => body)).toEqual(bodies.map((_, n) => `/${n}`));
    expect(gateway.recorder.openConnections).toBe(1);
  });

  it.each([
    [{ ':path': '/../x' }, 400],
    [{ ':path': '/', 'x-a': 'b'.repeat(5000) }, 431],
    [{ ':path': '/', host: 'other.test', ':authority': 'a.test' }, 400],
  ])('refuses %j', async (headers, status) => {
    const backend = await startBackend((_request, response) => response.end());
    const { gateway, session } = await secure(backend.port);
    expect((await askHttp2(session, headers)).headers[':status']).toBe(status);
    expect(backend.requests).toHaveLength(0);
    expect((await gateway.recorder.exchange()).status).toBe(status);
  });

  it('ends the stream when the upstream breaks off', async () => {
    const port = await startTcp((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx', () => socket.destroy()));
    });
    const { gateway, session } = await secure(port);
    await expect(askHttp2(session, { ':path': '/' })).rejects.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
    expect((await gateway.recorder.exchange()).end).toBe('cut');
    // The others of the connection are not touched.
    expect(session.destroyed).toBe(false);
  });

  it('notices a client that gives a stream up', async () => {
    let closed = false;
    const backend = await startBackend((request) => request.on('close', () => (closed = true)));
    const { gateway, session } = await secure(backend.port);
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => {});
    await eventually(() => backend.requests.length === 1);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await eventually(() => closed);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 499, end: 'client_gone' });
  });
});
