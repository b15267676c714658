// Bodies nobody reads, bodies that are asked for, and bodies that come when nobody is ready for them.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/http1/raw-client.ts';
import { eventually, onEnd, startBackend, startGateway, startTcp } from '../../../test/proxy/harness.ts';

const routes = (port: number, more = ''): string => `
  routes {
    route "x" { priority 200; matches { path "/local" }; builtin-handler "health" }
    route "r" { matches { path-prefix "/" }; upstream "b"; ${more} }
  }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

function startEcho() {
  return startBackend((request, response) => {
    const hash = createHash('sha256');
    let bytes = 0;
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    request.on('end', () => response.end(`<${request.url} ${bytes} ${hash.digest('hex').slice(0, 8)}>`));
  });
}

const post = (path: string, bytes: number, fields = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n${fields}\r\n`;

describe('a body nobody reads', () => {
  it('does not stand in the way of the next request', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    for (const bytes of [1, 5000, 300_000]) {
      client.write(post('/local', bytes) + 'x'.repeat(bytes));
      expect(await client.until('}')).toMatch(/^HTTP\/1\.1 200 /);
      // Cut anywhere, and with the next request right behind it.
      client.write(post('/local', bytes));
      await client.until('}');
      client.write('y'.repeat(bytes) + post('/next', 2));
      client.write('ab');
      expect(await client.until('>')).toContain('</next 2 ');
    }
    expect(backend.requests).toHaveLength(3);
  });

  it('ends the connection when there is too much of it', async () => {
    const gateway = await startGateway(`limits { max-body-size 100000000 }\n${routes(1)}`);
    const client = new RawClient(gateway.port);
    client.write(post('/local', 50_000_000));
    expect(await client.until('}')).toMatch(/^HTTP\/1\.1 200 [^]*\r\nX-Correlation-Id/);
    const piece = Buffer.alloc(50_000, 'x');
    let sent = 0;
    await eventually(() => {
      if (!client.socket.destroyed) client.write(piece);
      sent += piece.length;
      return client.socket.destroyed;
    }, 'the end of the connection');
    // A megabyte is read for nobody; what else was sent was still on its way.
    expect(sent).toBeLessThan(10_000_000);
    await eventually(() => gateway.server.snapshot().openConnections === 0);
    expect(gateway.recorder.ended).toHaveLength(1);
  });

  it('ends the connection when it does not come', async () => {
    const gateway = await startGateway(routes(1));
    const client = new RawClient(gateway.port);
    client.write(post('/local', 10));
    await client.until('}');
    await client.rest();
    await eventually(() => gateway.server.snapshot().openConnections === 0);
  });

  it('that turns out to be none ends the connection', async () => {
    const gateway = await startGateway(routes(1));
    const client = new RawClient(gateway.port);
    client.write('POST /local HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.until('}');
    client.write(`nonsense\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.rest();
    expect(gateway.recorder.ended).toHaveLength(1);
  });

  it('that the upstream has answered already is read past, and the connection serves on', async () => {
    let refused = 0;
    const port = await startTcp((socket) => {
      socket.once('data', (head: Buffer) => {
        if (head.includes('POST')) {
          refused++;
          socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
        } else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const gateway = await startGateway(routes(port));
    const client = new RawClient(gateway.port);
    client.write(`${post('/a', 200_000)}first`);
    expect(await client.until('no')).toMatch(/^HTTP\/1\.1 403 /);
    client.write('x'.repeat(200_000 - 5));
    client.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.until('ok')).toMatch(/^HTTP\/1\.1 200 /);
    expect(refused).toBe(1);
    // Half a request was written to the first connection: it cannot serve another one.
    expect(gateway.recorder.ended[1]!.attempts[0]!.connectionReused).toBe(false);
  });
});

describe('a body that comes before anybody can take it', () => {
  it.each([
    ['as it is', ''],
    ['gathered', 'policies { buffer-requests #true }'],
  ])('waits and arrives whole, %s', async (_title, policies) => {
    const backend = await startEcho();
    // The second request has to wait for its turn, without being read.
    const gateway = await startGateway(`
      limits { max-body-buffer-bytes 3000000 }
      filters { filter "slow" { type "rate-limit"; max-rps 2; burst 1; on-limit "delay"; max-delay-ms 5000 } }
      ${routes(backend.port, `filters "slow"; ${policies}`)}`);
    const body = Buffer.alloc(1_000_000, 'chunky ');
    const expected = createHash('sha256').update(body).digest('hex').slice(0, 8);
    const sendOne = async (): Promise<string> => {
      const client = new RawClient(gateway.port);
      client.write(post('/a', body.length));
      client.write(body);
      return client.until('>');
    };
    const answers = await Promise.all([sendOne(), sendOne()]);
    for (const answer of answers) expect(answer).toContain(`</a 1000000 ${expected}>`);
  });

  it('arrives whole in tiny chunks that are mostly padding', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.url === '/hold') held.push(() => response.end('held'));
        else response.end(`<${body.length}>`);
      });
    });
    const gateway = await startGateway(`
      routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
      upstreams { upstream "b" { target "127.0.0.1:${backend.port}"; connection-pool { max-connections 1 } } }`);
    const first = new RawClient(gateway.port);
    first.write('GET /hold HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => held.length === 1);
    const client = new RawClient(gateway.port);
    // 180 kB on the way in, 10 kB of body: nobody downstream would ever have to wait for room.
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let n = 0; n < 10; n++) await client.send('0000000000001\r\na\r\n'.repeat(1000));
    client.write('0\r\n\r\n');
    await eventually(() => gateway.recorder.attemptsStarted === 2);
    held[0]!();
    expect(await client.until('>')).toContain('<10000>');
  });
});

describe('a client that waits to be asked for its body', () => {
  const expecting = (path: string, fields = ''): string => post(path, 4, `Expect: 100-continue\r\n${fields}`);

  it('is asked once, when the body is wanted', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(expecting('/a'));
    expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('body');
    expect(await client.until('>')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*<\/a 4 /);
    expect(backend.requests[0]!.headers.expect).toBeUndefined();
    // The connection goes on.
    client.write(post('/b', 1));
    client.write('x');
    await client.until('</b 1 ');
  });

  it('that does not wait gets its answer all the same', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(`${expecting('/a', 'Connection: close\r\n')}body`);
    expect(await client.rest()).toContain('</a 4 ');
  });

  it('is told of a refusal, and not asked; the connection then ends, for the body may come or not', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port, 'policies { max-body-size "2B" }'));
    const client = new RawClient(gateway.port);
    client.write(expecting('/a'));
    const text = await client.rest();
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('Connection: close\r\n');
    const local = new RawClient(gateway.port);
    local.write(expecting('/local'));
    expect(await local.rest()).toMatch(/^HTTP\/1\.1 200 [^]*Connection: close\r\n/);
    expect(backend.requests).toHaveLength(0);
  });

  it('is not asked in HTTP/1.0, which has no such answer', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write('POST /a HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody');
    const text = await client.rest();
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain('</a 4 ');
  });

  it('is not asked when there is no body', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write('GET /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n');
    expect(await client.until('>')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('an upgrade', () => {
  const opening = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

  it('is ignored in HTTP/1.0', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port, 'websocket #true'));
    const client = new RawClient(gateway.port);
    client.write(`GET /a HTTP/1.0\r\nHost: a\r\n${opening}\r\n`);
    expect(await client.rest()).toContain('</a 0 ');
    expect(backend.requests[0]!.headers.upgrade).toBeUndefined();
  });

  it('passes megabytes in both directions, as fast as either side reads', async () => {
    const backend = await startBackend((_request, response) => response.end());
    backend.server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
      socket.on('error', () => {});
    });
    const gateway = await startGateway(routes(backend.port, 'websocket #true'));
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    onEnd(() => socket.destroy());
    socket.on('error', () => {});
    const sent = createHash('sha256');
    const got = createHash('sha256');
    let bytes = 0;
    let head = '';
    socket.write(`GET /a HTTP/1.1\r\nHost: a\r\n${opening}\r\n`);
    socket.on('data', (piece: Buffer) => {
      if (!head.includes('\r\n\r\n')) {
        head += piece.toString('latin1');
        return;
      }
      got.update(piece);
      bytes += piece.length;
      // A reader that needs a rest now and then.
      if (bytes % 7 !== 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), 2);
    });
    await eventually(() => head.includes('\r\n\r\n'));
    expect(head).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\n$/);
    const piece = Buffer.from(Array.from({ length: 100_003 }, (_, at) => (at * 31) & 0xff));
    for (let n = 0; n < 100; n++) {
      sent.update(piece);
      if (!socket.write(piece)) await new Promise<void>((resolve) => void socket.once('drain', resolve));
    }
    socket.end();
    await eventually(() => bytes === 100 * piece.length, 'all bytes');
    expect(got.digest('hex')).toBe(sent.digest('hex'));
    expect(await gateway.recorder.exchange()).toMatchObject({ upgraded: true, requestBodyBytes: bytes });
  });

  it.each([
    ['and the client does, too', true],
    ['and the client does not', false],
  ])('is over when the backend says so, %s', async (_title, answers) => {
    const backend = await startBackend((_request, response) => response.end());
    backend.server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      socket.resume();
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbye');
    });
    const gateway = await startGateway(routes(backend.port, 'websocket #true'));
    const client = new RawClient(gateway.port);
    client.write(`GET /a HTTP/1.1\r\nHost: a\r\n${opening}\r\nhello`);
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nbye$/);
    if (answers) client.socket.end('late');
    expect(await gateway.recorder.exchange()).toMatchObject({ upgraded: true, end: 'complete', responseBodyBytes: 3 });
    await eventually(() => gateway.server.snapshot().openConnections === 0, 'the end of the connection');
    expect(gateway.server.snapshot()).toMatchObject({ activeRequests: 0 });
  });
});
