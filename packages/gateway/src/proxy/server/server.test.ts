import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { silentTelemetry } from '@clew/base';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  exchangeBytes,
  freePort,
  onEnd,
  proxyConfig,
  send,
  startBackend,
  startGateway,
  startTcp,
} from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';
import { GatewayServer } from './gateway-server.ts';

const routes = (port: number, more = ''): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; ${more} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('limits of connections and requests', () => {
  it('refuse connections of a client that has too many', async () => {
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(`limits { max-connections-per-client 2 }\n${routes(backend.port)}`);
    for (let n = 0; n < 2; n++) {
      const socket = connect(gateway.port, '127.0.0.1');
      onEnd(() => socket.destroy());
    }
    await eventually(() => gateway.server.snapshot().openConnections === 2);
    const refused = await exchangeBytes(gateway.port, request);
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toContain('Retry-After: 1\r\n');
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 503, blocked: 'connection_limit' });
  });

  it('take a client in again when its connections end', async () => {
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(`limits { max-total-connections 1 }\n${routes(backend.port)}`);
    for (let n = 0; n < 3; n++) {
      await eventually(() => gateway.server.snapshot().openConnections === 0);
      expect((await send(gateway, '/')).status).toBe(200);
    }
  });

  it('refuse requests beyond those in progress', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((_request, response) => held.push(() => response.end()));
    const gateway = await startGateway(`limits { max-in-flight-requests 1 }\n${routes(backend.port)}`);
    const first = send(gateway, '/');
    await eventually(() => held.length === 1);
    const second = await send(gateway, '/');
    expect(second).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    held[0]!();
    expect((await first).status).toBe(200);
    expect(gateway.recorder.ended.map(({ blocked }) => blocked)).toEqual(['in_flight_limit', undefined]);
  });

  it('end heads that come too slowly with 408', async () => {
    const gateway = await startGateway(routes(1), { headTimeoutMs: 200 });
    const answer = await exchangeBytes(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 408 });
  });

  it('close connections that are never used, without a word', async () => {
    const gateway = await startGateway(routes(1), { headTimeoutMs: 100 });
    expect(await exchangeBytes(gateway.port, '')).toBe('');
    expect(gateway.recorder.started).toHaveLength(0);
  });

  it('end connections after so many requests', async () => {
    const backend = await startBackend((_request, response) => response.end('ok'));
    const listeners = 'listeners { listener "h" { address "127.0.0.1:0"; keepalive-max-requests 2 } }';
    const gateway = await startGateway(`${listeners}\n${routes(backend.port)}`);
    const answer = await exchangeBytes(gateway.port, request + request + request);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(answer.toLowerCase().match(/connection: close/g)).toHaveLength(1);
  });

  it('serve several requests of one connection in their order', async () => {
    const backend = await startBackend((request, response) => {
      setTimeout(() => response.end(`<${request.url}>`), request.url === '/slow' ? 50 : 0);
    });
    const gateway = await startGateway(routes(backend.port));
    const answer = await exchangeBytes(
      gateway.port,
      'GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /quick HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer.indexOf('</slow>'.slice(2))).toBeLessThan(answer.indexOf('</quick>'.slice(2)));
    expect(gateway.recorder.ended).toHaveLength(2);
  });
});

describe('HTTP/1.0', () => {
  it('is answered and closed', async () => {
    const backend = await startBackend((_request, response) => {
      response.write('a');
      response.end('b');
    });
    const gateway = await startGateway(routes(backend.port));
    const answer = await exchangeBytes(gateway.port, 'GET / HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).not.toContain('chunked');
    expect(answer.endsWith('\r\n\r\nab')).toBe(true);
  });
});

describe('absolute targets', () => {
  it('name the host themselves', async () => {
    const backend = await startBackend((request, response) => response.end(`${request.headers.host} ${request.url}`));
    const gateway = await startGateway(routes(backend.port));
    const answer = await exchangeBytes(
      gateway.port,
      'GET http://other.test/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toContain('other.test /x?y');
  });
});

describe('WebSocket', () => {
  const opening =
    'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  async function openSocket(gateway: TestGateway, bytes: string): Promise<{ socket: Socket; text: () => string }> {
    const socket = connect(gateway.port, '127.0.0.1');
    let seen = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => (seen += part));
    socket.on('error', () => {});
    onEnd(() => socket.destroy());
    socket.write(bytes, 'latin1');
    return { socket, text: () => seen };
  }

  it('passes in both directions, beginning with what came along with the opening', async () => {
    const backend = await startBackend((_request, response) => response.end());
    backend.server.on('upgrade', (request, socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhello ${request.headers['upgrade']}`,
      );
      socket.on('data', (part: Buffer) => socket.write(`<${part.toString()}>`));
      socket.on('end', () => socket.end());
    });
    const gateway = await startGateway(routes(backend.port, 'websocket #true'));
    const { socket, text } = await openSocket(gateway, `${opening}early`);
    await eventually(() => text().includes('<early>'));
    expect(text()).toMatch(/^HTTP\/1\.1 101 /);
    expect(text().toLowerCase()).toContain('sec-websocket-accept: x\r\n');
    expect(text()).toContain('hello websocket');
    socket.write('more');
    await eventually(() => text().includes('<more>'));
    expect(gateway.recorder.ended).toHaveLength(0);
    socket.end();
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 101, upgraded: true, end: 'complete' });
  });

  it('passes a refusal of the backend on', async () => {
    const backend = await startBackend((_request, response) => response.writeHead(400).end('no sockets'));
    const gateway = await startGateway(routes(backend.port, 'websocket #true'));
    const answer = await exchangeBytes(gateway.port, opening);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('no sockets');
    expect((await gateway.recorder.exchange()).status).toBe(400);
  });

  it('fails like any other request when nobody is there', async () => {
    const gateway = await startGateway(routes(await freePort(), 'websocket #true'));
    expect(await exchangeBytes(gateway.port, opening)).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('ends when the backend breaks off', async () => {
    const port = await startTcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
    });
    const gateway = await startGateway(routes(port, 'websocket #true'));
    expect(await exchangeBytes(gateway.port, opening)).toMatch(/^HTTP\/1\.1 101 /);
    expect((await gateway.recorder.exchange()).upgraded).toBe(true);
  });
});

describe('starting, reloading, stopping', () => {
  it('names who has the port', async () => {
    const port = await startTcp(() => {});
    const config = await proxyConfig(`listeners { listener "h" { address "127.0.0.1:${port}" } }\n${routes(1)}`);
    const server = new GatewayServer({ telemetry: silentTelemetry, version: '0' });
    const failure = await server.start(config).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'bind_failed' });
    expect(String(failure)).toContain(`pid ${process.pid}`);
    expect(server.state).toBe('stopped');
  });

  it('takes a new configuration at once, while old requests finish', async () => {
    const held: (() => void)[] = [];
    const old = await startBackend((_request, response) => held.push(() => response.end('old')));
    const fresh = await startBackend((_request, response) => response.end('new'));
    const gateway = await startGateway(routes(old.port));
    const running = send(gateway, '/');
    await eventually(() => held.length === 1);
    expect(gateway.server.reload(await proxyConfig(routes(fresh.port)))).toMatchObject({ result: 'success' });
    expect((await send(gateway, '/')).body).toBe('new');
    held[0]!();
    expect((await running).body).toBe('old');
  });

  it('lets requests that have not reached their upstream yet go to the one they began with', async () => {
    const old = await startBackend((request, response) => {
      request.resume();
      request.on('end', () => response.end('old'));
    });
    const buffered = 'policies { buffer-requests #true }';
    const gateway = await startGateway(routes(old.port, buffered));
    const socket = connect(gateway.port, '127.0.0.1');
    onEnd(() => socket.destroy());
    let seen = '';
    socket.on('data', (part) => (seen += part.toString()));
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha');
    await eventually(() => gateway.recorder.started[0]?.requestBodyBytes === 2);
    gateway.server.reload(await proxyConfig(routes(await freePort())));
    expect(old.requests).toHaveLength(0);
    socket.write('lf');
    await eventually(() => seen.includes('old'));
  });

  it('keeps connections, health and rates of what did not change', async () => {
    const backend = await startBackend((_request, response) => response.end());
    const text = (extra: string): string =>
      `${extra}\nrate-limits { global { max-rps 1; burst 2 } }\n${routes(backend.port)}`;
    const gateway = await startGateway(text(''));
    await send(gateway, '/');
    gateway.server.reload(await proxyConfig(text('limits { max-header-count 50 }')));
    await send(gateway, '/');
    expect((await gateway.recorder.exchange(1)).attempts[0]!.connectionReused).toBe(true);
    expect((await send(gateway, '/')).status).toBe(429);
  });

  it('follows the default route of a listener that stays, even when its name changes', async () => {
    const text = (id: string, status: string): string => `
      listeners { listener "http" { address "127.0.0.1:0"; default-route "${id}"; keepalive-max-requests 1 } }
      routes { route "${id}" { matches { path "/only" }; builtin-handler "${status}" } }`;
    const gateway = await startGateway(text('before', 'health'));
    expect((await send(gateway, '/other')).status).toBe(200);
    const after = await proxyConfig(text('after', 'not-found').replace('max-requests 1', 'max-requests 9'));
    expect(gateway.server.reload(after)).toEqual({ result: 'success', restartNeeded: [] });
    const { body, headers } = await send(gateway, '/other', { headers: { Connection: 'keep-alive' } });
    expect(JSON.parse(body)).toMatchObject({ message: 'The requested resource could not be found.' });
    expect(headers.connection).not.toBe('close');
    expect((await gateway.recorder.exchange(1)).route?.id).toBe('after');
  });

  it('says what needs a restart', async () => {
    const gateway = await startGateway(routes(1));
    const changed = await proxyConfig(`system { worker-threads 3 }\n${routes(1)}`);
    expect(gateway.server.reload(changed)).toEqual({ result: 'success', restartNeeded: ['system'] });
  });

  it('lets requests finish before it stops, and takes no new ones', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((_request, response) => held.push(() => response.end('done')));
    const gateway = await startGateway(routes(backend.port));
    const running = send(gateway, '/');
    await eventually(() => held.length === 1);
    const stopping = gateway.server.drain(20_000);
    await expect(send(gateway, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(gateway.server.state).toBe('draining');
    held[0]!();
    const response = await running;
    expect(response).toMatchObject({ body: 'done', headers: { connection: 'close' } });
    expect(await stopping).toBe(true);
    expect(await gateway.server.drain(0)).toBe(true);
    expect(gateway.server.state).toBe('stopped');
  });

  it('cuts off what does not finish in time', async () => {
    const backend = await startBackend(() => {});
    const gateway = await startGateway(routes(backend.port));
    const running = send(gateway, '/').catch((error: unknown) => error);
    await eventually(() => backend.requests.length === 1);
    expect(await gateway.server.drain(50)).toBe(false);
    await running;
    expect(gateway.recorder.ended).toHaveLength(1);
    expect(gateway.server.snapshot().activeRequests).toBe(0);
  });
});
