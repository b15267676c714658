// What upstreams do with their connections, through a whole gateway.
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/http1/raw-client.ts';
import { eventually, exchangeBytes, send, startGateway, startTcp } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';

const routes = (port: number, route = ''): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; ${route} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Calls `answer` with each request head and the number of its connection. */
function startUpstream(answer: (socket: Socket, head: string, connection: number) => void): Promise<number> {
  let connections = 0;
  return startTcp((socket) => {
    const connection = connections++;
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 2);
        text = text.slice(end + 4);
        answer(socket, head, connection);
      }
    });
  });
}

function pool(gateway: TestGateway): { readonly connections: number; readonly idleConnections: number } {
  return gateway.server.snapshot().upstreams[0]!.targets[0]!;
}

describe('after a response the connection', () => {
  it.each([
    ['is used again when the length is known', ok, true],
    [
      'is used again when it is chunked',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      true,
    ],
    ['is used again when there is no body', 'HTTP/1.1 204 No Content\r\n\r\n', true],
    ['is used again when a 204 declares a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', true],
    [
      'is used again when HTTP/1.0 says so',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
      true,
    ],
    ['is closed when HTTP/1.0 says nothing', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', false],
    [
      'is closed when HTTP/1.0 sent chunks',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      false,
    ],
    [
      'is closed when the upstream says so',
      `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok`,
      false,
    ],
    ['is closed when an interim response said so', `HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${ok}`, false],
    [
      'is closed when the upstream keeps it for no time worth speaking of',
      `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok`,
      false,
    ],
    ['is closed when a second response came with it', ok + ok, false],
    ['is closed when a 204 has a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', false],
  ])('%s', async (_title, bytes, again) => {
    const used: number[] = [];
    const port = await startUpstream((socket, _head, connection) => {
      used.push(connection);
      socket.write(bytes);
    });
    const gateway = await startGateway(routes(port));
    const status = Number(/ (2\d\d) /.exec(bytes)![1]);
    for (let n = 0; n < 2; n++) {
      expect(await send(gateway, '/')).toMatchObject({ status, body: status === 204 ? '' : 'ok' });
    }
    expect(used).toEqual(again ? [0, 0] : [0, 1]);
  });

  it('is not used again when the upstream says something nobody asked for', async () => {
    let last: Socket | undefined;
    const used: number[] = [];
    const port = await startUpstream((socket, _head, connection) => {
      last = socket;
      used.push(connection);
      socket.write(ok);
    });
    const gateway = await startGateway(routes(port));
    await send(gateway, '/');
    expect(pool(gateway)).toMatchObject({ connections: 1, idleConnections: 1 });
    last!.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await eventually(() => pool(gateway).connections === 0, 'the end of the connection');
    expect((await send(gateway, '/')).body).toBe('ok');
    expect(used).toEqual([0, 1]);
  });

  it('is not used again when the upstream has closed it', async () => {
    const port = await startUpstream((socket) => socket.write(ok, () => socket.end()));
    const gateway = await startGateway(routes(port));
    for (let n = 0; n < 3; n++) {
      expect((await send(gateway, '/', { method: 'POST', body: 'x' })).body).toBe('ok');
      await eventually(() => pool(gateway).connections === 0, 'the end of the connection');
    }
  });
});

describe('a response', () => {
  it('without a length ends with its connection', async () => {
    const port = await startUpstream((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall there is'));
    const gateway = await startGateway(routes(port));
    expect((await send(gateway, '/')).body).toBe('all there is');
    expect(await gateway.recorder.exchange()).toMatchObject({ end: 'complete', responseBodyBytes: 12 });
  });

  it('without a length whose connection breaks is cut for the client, too', async () => {
    const port = await startUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
    });
    const gateway = await startGateway(routes(port));
    const client = new RawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until('half');
    const { upstreams } = gateway.server.snapshot();
    expect(upstreams[0]!.targets[0]!.activeRequests).toBe(1);
    await gateway.server.drain(0);
    expect(await client.rest()).not.toContain('\r\n0\r\n');
    expect(await gateway.recorder.exchange()).toMatchObject({ end: 'cut' });
  });

  it('that is not whole is no end for a client of HTTP/1.0, who sees the connection break', async () => {
    let last: Socket | undefined;
    const port = await startUpstream((socket) => {
      last = socket;
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    });
    const gateway = await startGateway(routes(port));
    const client = new RawClient(gateway.port);
    const codes: unknown[] = [];
    client.socket.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code));
    client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    await client.until('half');
    last!.end();
    await client.rest();
    expect(codes).toEqual(['ECONNRESET']);
  });

  it('keeps its head while others pass before the rest of it comes', async () => {
    let finish: (() => void) | undefined;
    const port = await startUpstream((socket, head) => {
      if (head.startsWith('GET /slow')) {
        socket.write('HTTP/1.1 200 OK\r\nX-Early: kept\r\nX-La');
        finish = () => void socket.write('te: too\r\nContent-Length: 2\r\n\r\nok');
      } else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'o'.repeat(5000)}`);
    });
    const gateway = await startGateway(routes(port));
    const slow = send(gateway, '/slow');
    await eventually(() => finish !== undefined);
    for (let n = 0; n < 5; n++) expect((await send(gateway, '/other')).body).toHaveLength(5000);
    finish!();
    expect(await slow).toMatchObject({ body: 'ok', headers: { 'x-early': 'kept', 'x-late': 'too' } });
  });

  it('may have a head of 60 KiB, and none of 70', async () => {
    const port = await startUpstream((socket, head) => {
      const bytes = Number(/\/(\d+)/.exec(head)![1]) * 1024;
      const lines = Array.from({ length: Math.floor(bytes / 1000) }, (_, n) => `X-${n}: ${'x'.repeat(980)}\r\n`).join(
        '',
      );
      const text = `HTTP/1.1 200 OK\r\n${lines}Content-Length: 2\r\n\r\nok`;
      // In two parts, so that what is known is read twice.
      socket.write(text.slice(0, 5000), () => socket.write(text.slice(5000)));
    });
    const gateway = await startGateway(routes(port));
    expect((await send(gateway, '/60', { maxHeaderSize: 1 << 20 })).body).toBe('ok');
    expect((await send(gateway, '/70', { maxHeaderSize: 1 << 20 })).status).toBe(502);
    expect((await gateway.recorder.exchange(1)).attempts[0]!.failure).toBe('invalid_response');
    expect(pool(gateway).connections).toBe(0);
  });

  it('may have a long head that comes in small pieces', async () => {
    const port = await startUpstream((socket) => {
      const head = `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(30_000)}\r\nContent-Length: 2\r\n\r\n`;
      socket.setNoDelay(true);
      let at = 0;
      const next = (): void => {
        if (at >= head.length) socket.write('ok');
        else socket.write(head.slice(at, (at += 997)), () => setImmediate(next));
      };
      next();
    });
    const gateway = await startGateway(routes(port));
    for (let n = 0; n < 2; n++) {
      const { status, body, headers } = await send(gateway, '/', { maxHeaderSize: 1 << 20 });
      expect([status, body, headers['x-long']?.length]).toEqual([200, 'ok', 30_000]);
    }
  });

  it('that never comes for interim ones is none', async () => {
    let ended = 0;
    const port = await startUpstream((socket) => {
      const hints = `HTTP/1.1 103 Early Hints\r\nLink: </${'x'.repeat(200)}>; rel=preload\r\n\r\n`.repeat(10);
      const more = (): void => {
        while (!socket.destroyed && socket.write(hints));
      };
      socket.on('drain', more);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => ended++);
      more();
    });
    const gateway = await startGateway(routes(port));
    const received = await exchangeBytes(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(received).toContain('HTTP/1.1 502 ');
    // As many as there is room for in a head.
    const hints = received.split('HTTP/1.1 103 ').length - 1;
    expect(hints).toBeGreaterThan(100);
    expect(hints).toBeLessThan(300);
    const { message } = (await gateway.recorder.exchange()).failure!;
    expect(message).toMatch(/interim responses .* exceed 65536 bytes \(max-response-head-bytes/);
    await eventually(() => ended === 1, 'the end of the connection');
  });

  it('that changes the protocol unasked is none', async () => {
    const port = await startUpstream((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
    );
    const gateway = await startGateway(routes(port));
    expect((await send(gateway, '/')).status).toBe(502);
  });

  it('that is retried leaves nothing behind that would hold the next one up', async () => {
    let tries = 0;
    const port = await startUpstream((socket) => {
      if (++tries === 1) socket.write('HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy');
      else socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    });
    const policy = 'retry-policy { max-attempts 2; backoff "1ms"; max-backoff "2ms"; retryable-status-codes 503 }';
    const gateway = await startGateway(routes(port, policy));
    const client = new RawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    // The upstream never says the rest: what it has said must come all the same.
    expect(await client.until('first')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('an upstream that closes its connection', () => {
  const head = 'HTTP/1.1 200 OK\r\nX-A: b\r\n';
  const bodies = {
    length: `${head}Content-Length: 6\r\n\r\nabcdef`,
    chunks: `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\nX-T: 1\r\n\r\n`,
  } as const;

  it.each(['length', 'chunks'] as const)('anywhere within a response with %s is seen by the client', async (kind) => {
    const bytes = bodies[kind];
    const headBytes = bytes.indexOf('\r\n\r\n') + 4;
    const port = await startUpstream((socket, request) => {
      const [, count, how] = /\/(\d+)-(\w+)/.exec(request)!;
      socket.write(bytes.slice(0, Number(count)), () => {
        if (how === 'fin') socket.end();
        else socket.resetAndDestroy();
      });
      if (count === '0') socket.destroy();
    });
    const gateway = await startGateway(routes(port));
    const outcomes = async (how: string): Promise<void> => {
      for (let count = 0; count <= bytes.length; count++) {
        const answer = await exchangeBytes(
          gateway.port,
          `POST /${count}-${how} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        );
        const whole =
          answer.startsWith('HTTP/1.1 200 ') &&
          (kind === 'length' ? answer.endsWith('abcdef') : answer.endsWith('0\r\nX-T: 1\r\n\r\n'));
        const failed = answer.startsWith('HTTP/1.1 502 ');
        // Where the connection is reset, what was sent before may be lost on the way.
        if (count === bytes.length) expect([answer, whole || (how === 'rst' && failed)]).toEqual([answer, true]);
        else expect([answer, whole]).toEqual([answer, false]);
        if (count < headBytes) expect([count, answer.slice(0, 12)]).toEqual([count, 'HTTP/1.1 502']);
      }
    };
    await outcomes('fin');
    await outcomes('rst');
    expect(gateway.server.snapshot().activeRequests).toBe(0);
    await eventually(() => pool(gateway).connections === 0, 'the end of all connections');
    const ends = gateway.recorder.ended.map(({ end }) => end);
    expect(ends.filter((end) => end === 'client_gone')).toEqual([]);
    expect(ends).toContain('cut');
  });
});
