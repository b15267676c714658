// Clients that go away, at every moment of a request: nothing of it stays behind.
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/http1/raw-client.ts';
import { eventually, startBackend, startGateway, startTcp } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';

const routes = (port: number, more = '', upstream = ''): string => `
  routes {
    route "x" { priority 200; matches { path "/local" }; builtin-handler "health" }
    route "r" { matches { path-prefix "/" }; upstream "b"; ${more} }
  }
  upstreams { upstream "b" { target "127.0.0.1:${port}"; ${upstream} } }
`;

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Everything is as before the client came; `connections` to the upstream are left. */
async function expectNothingLeft({ server, recorder }: TestGateway, connections: number): Promise<void> {
  await eventually(() => server.snapshot().openConnections === 0, 'the end of the connection');
  await eventually(() => recorder.started.length === recorder.ended.length, 'the end of the request');
  await eventually(() => recorder.attemptsStarted === recorder.attemptsEnded, 'the end of the attempt');
  await eventually(() => server.snapshot().upstreams[0]!.targets[0]!.connections === connections, 'the pool at rest');
  expect(server.snapshot()).toMatchObject({ activeRequests: 0 });
  expect(server.snapshot().upstreams[0]!.targets[0]).toMatchObject({ activeRequests: 0, idleConnections: connections });
}

describe.each([
  ['says that it is over', (client: RawClient) => void client.socket.end()],
  ['breaks the connection', (client: RawClient) => void client.socket.resetAndDestroy()],
])('a client that %s', (_how, leave) => {
  it('before it has sent anything leaves nothing', async () => {
    const gateway = await startGateway(routes(1));
    const client = new RawClient(gateway.port);
    await eventually(() => gateway.server.snapshot().openConnections === 1);
    leave(client);
    await expectNothingLeft(gateway, 0);
    expect(gateway.recorder.started).toHaveLength(0);
  });

  it('within a head leaves no request', async () => {
    const gateway = await startGateway(routes(1));
    const client = new RawClient(gateway.port);
    await client.send('GET / HTTP/1.1\r\nHost');
    await eventually(() => gateway.server.snapshot().openConnections === 1);
    leave(client);
    await expectNothingLeft(gateway, 0);
    expect(gateway.recorder.ended.every(({ status }) => status === 400)).toBe(true);
  });

  it('while the answer is awaited ends the request upstream', async () => {
    let closed = 0;
    const backend = await startBackend((request) => request.on('close', () => closed++));
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(get('/'));
    await eventually(() => backend.requests.length === 1);
    leave(client);
    await expectNothingLeft(gateway, 0);
    await eventually(() => closed === 1, 'the end of the request upstream');
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 499, end: 'client_gone' });
  });

  it('while it waits for a connection leaves the queue', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((_request, response) => held.push(() => response.end('ok')));
    const gateway = await startGateway(routes(backend.port, '', 'connection-pool { max-connections 1 }'));
    const first = new RawClient(gateway.port);
    first.write(get('/first'));
    await eventually(() => held.length === 1);
    const client = new RawClient(gateway.port);
    client.write(get('/second'));
    await eventually(() => gateway.recorder.attemptsStarted === 2);
    leave(client);
    expect(await gateway.recorder.exchange()).toMatchObject({ path: '/second', status: 499, end: 'client_gone' });
    held[0]!();
    await first.until('ok');
    first.socket.end();
    await expectNothingLeft(gateway, 1);
    expect(backend.requests).toHaveLength(1);
  });

  it('within its body ends the request upstream', async () => {
    let broken = 0;
    const backend = await startBackend((request) => {
      request.on('error', () => broken++);
      request.resume();
    });
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
    await eventually(() => backend.requests.length === 1);
    leave(client);
    await eventually(() => broken === 1, 'the end of the request upstream');
    await expectNothingLeft(gateway, 0);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 499, end: 'client_gone' });
  });

  it('within its body, gathered before anything is sent, leaves nothing', async () => {
    const gateway = await startGateway(routes(1, 'policies { buffer-requests #true }'));
    const client = new RawClient(gateway.port);
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
    await eventually(() => gateway.recorder.started[0]?.requestBodyBytes === 4);
    leave(client);
    await expectNothingLeft(gateway, 0);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 499, attempts: [] });
  });

  it('within the response ends the response upstream', async () => {
    let closed = 0;
    const backend = await startBackend((_request, response) => {
      response.on('close', () => closed++);
      response.write('half');
    });
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(get('/'));
    await client.until('half');
    leave(client);
    await eventually(() => closed === 1, 'the end of the response upstream');
    await expectNothingLeft(gateway, 0);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 200, end: 'client_gone' });
  });

  it('between two requests leaves the connection upstream to others', async () => {
    const backend = await startBackend((_request, response) => response.end('ok'));
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(get('/'));
    await client.until('ok');
    leave(client);
    await expectNothingLeft(gateway, 1);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 200, end: 'complete' });
  });

  it('while the rest of a body is read for nobody leaves nothing', async () => {
    const gateway = await startGateway(routes(1));
    const client = new RawClient(gateway.port);
    client.write('POST /local HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
    await client.until('}');
    leave(client);
    await expectNothingLeft(gateway, 0);
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 200, end: 'complete' });
  });

  it('within an upgraded connection ends it on the other side', async () => {
    let closed = 0;
    const backend = await startBackend((_request, response) => response.end());
    backend.server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      socket.on('close', () => closed++);
      socket.on('end', () => socket.end());
      socket.resume();
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi');
    });
    const gateway = await startGateway(routes(backend.port, 'websocket #true'));
    const client = new RawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.until('hi');
    leave(client);
    await eventually(() => closed === 1, 'the end of the connection upstream');
    await expectNothingLeft(gateway, 0);
  });
});

describe('a client that does not read its response to the end', () => {
  it('is told apart from one that does', async () => {
    const size = 30_000_000;
    // In one piece: the gateway has all of it and can get rid of a part only.
    const port = await startTcp((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size));
      });
    });
    const gateway = await startGateway(routes(port));
    const client = new RawClient(gateway.port);
    client.write(get('/'));
    await client.until('\r\n\r\n');
    client.socket.pause();
    let before = -1;
    await eventually(async () => {
      before = gateway.recorder.started[0]!.responseBodyBytes;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return before > 0 && before === gateway.recorder.started[0]!.responseBodyBytes;
    }, 'the gateway having to wait');
    client.socket.resetAndDestroy();
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 200, end: 'client_gone' });
    await expectNothingLeft(gateway, 0);
  });
});

describe('idle connections', () => {
  const listener = (settings: string): string => `listeners { listener "h" { address "127.0.0.1:0"; ${settings} } }`;

  it('end after the time the listener gives them, however many requests they had', async () => {
    const gateway = await startGateway(`${listener('keepalive-timeout-secs 1')}\n${routes(1)}`);
    const client = new RawClient(gateway.port);
    for (let n = 0; n < 2; n++) {
      client.write(get('/local'));
      await client.until('}');
    }
    expect(await client.rest()).toBe('');
    await eventually(() => gateway.server.snapshot().openConnections === 1, 'the client’s turn');
    client.socket.end();
    await expectNothingLeft(gateway, 0);
    expect(gateway.recorder.ended).toHaveLength(2);
  });

  it('end when the gateway stops, and those with a request when it is answered', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((_request, response) => held.push(() => response.end('ok')));
    const gateway = await startGateway(routes(backend.port));
    const [idle, busy] = [new RawClient(gateway.port), new RawClient(gateway.port)];
    idle.write(get('/local'));
    await idle.until('}');
    busy.write(get('/'));
    await eventually(() => held.length === 1);
    const drained = gateway.server.drain(20_000);
    expect(await idle.rest()).toBe('');
    busy.write(get('/behind'));
    held[0]!();
    expect(await busy.rest()).toMatch(/^HTTP\/1\.1 200 [^]*Connection: close[^]*ok$/);
    expect(await drained).toBe(true);
    expect(backend.requests).toHaveLength(1);
  });
});
