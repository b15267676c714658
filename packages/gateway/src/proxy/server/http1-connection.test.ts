import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/http1/raw-client.ts';
import { eventually, startBackend, startGateway } from '../../../test/proxy/harness.ts';

const routes = (port: number, more = ''): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; ${more} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

/** Answers with the path and what came as the body. */
async function startEcho() {
  return startBackend((request, response) => {
    let body = '';
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => response.end(`<${request.method} ${request.url} ${body}>`));
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('requests that are sent ahead', () => {
  it('are answered in their order, thousands of them, whoever answers', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(`
      routes {
        route "local" { matches { path "/health" }; builtin-handler "health" }
        route "r" { matches { path-prefix "/" }; upstream "b" }
      }
      upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`);
    const client = new RawClient(gateway.port);
    const count = 3000;
    let bytes = '';
    for (let n = 0; n < count; n++) bytes += n % 3 === 0 ? get(`/${n}`) : get('/health', `X-Request-Id: n${n}\r\n`);
    client.write(bytes + get('/last', 'Connection: close\r\n'));
    const text = await client.rest();
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(count + 1);
    const seen = [...text.matchAll(/<GET \/(\d+|last) >|X-Correlation-Id: n(\d+)/g)].map(([, a, b]) => a ?? b);
    expect(seen).toEqual([...Array.from({ length: count }, (_, n) => String(n)), 'last']);
    expect(gateway.server.snapshot().activeRequests).toBe(0);
  });

  it('do not pile up on each other, however tiny and many they are', async () => {
    const gateway = await startGateway(`
      routes { route "local" { matches { path "/h" }; builtin-handler "health" } }`);
    const client = new RawClient(gateway.port);
    const count = 20_000;
    client.write(`${'GET /h HTTP/1.1\r\nHost:a\r\n\r\n'.repeat(count)}${get('/h', 'Connection: close\r\n')}`);
    expect((await client.rest()).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(count + 1);
  });

  it('are read wherever their bytes are cut', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    const bytes = `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX-T: 1\r\n\r\nPUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ndef${get('/c', 'Connection: close\r\n')}`;
    for (const byte of bytes) await client.send(byte);
    const text = await client.rest();
    expect(text.match(/<[^>]*>/g)).toEqual(['<POST /a abc>', '<PUT /b def>', '<GET /c >']);
  });

  it('wait unread when they are many and the first takes its time', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((request, response) => {
      if (request.url === '/slow') held.push(() => response.end('<slow>'));
      else response.end(`<${request.url}>`);
    });
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(get('/slow'));
    await eventually(() => held.length === 1);
    const filler = `X-F: ${'x'.repeat(3000)}\r\nX-G: ${'y'.repeat(3000)}\r\n`;
    const count = 6000;
    let sent = 0;
    const pour = (): void => {
      while (sent < count) {
        const last = sent === count - 1 ? 'Connection: close\r\n' : '';
        if (!client.socket.write(get(`/${sent++}`, filler + last))) return;
      }
    };
    client.socket.on('drain', pour);
    pour();
    // What the gateway and the system hold is bounded: the client cannot get rid of its 36 MB.
    let before = -1;
    await eventually(async () => {
      before = client.socket.bytesWritten - client.socket.writableLength;
      await pause(200);
      return sent < count && before === client.socket.bytesWritten - client.socket.writableLength;
    }, 'the client having to wait');
    expect(before).toBeLessThan(20_000_000);
    held[0]!();
    const text = await client.rest();
    const seen = text.match(/<[^>]*>/g)!;
    expect(seen).toHaveLength(count + 1);
    expect(seen.slice(1).every((path, index) => path === `</${index}>`)).toBe(true);
  });

  it('are not served behind the last response of their connection', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(get('/a', 'Connection: close\r\n') + get('/b'));
    expect((await client.rest()).match(/<[^>]*>/g)).toEqual(['<GET /a >']);
    expect(backend.requests).toHaveLength(1);
  });
});

describe('heads that come slowly', () => {
  it('get their whole time, however long the connection was idle before', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port), { headTimeoutMs: 2000 });
    const client = new RawClient(gateway.port);
    client.write(get('/a'));
    await client.until('<GET /a >');
    await pause(2200);
    client.write('GET /b HTTP/1.1\r\n');
    // Longer than it takes to be looked at.
    await pause(700);
    client.write('Host: a\r\n\r\n');
    expect(await client.until('<GET /b >')).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('are no heads when only empty lines came behind a body', async () => {
    const backend = await startEcho();
    const gateway = await startGateway(routes(backend.port), { headTimeoutMs: 200 });
    const client = new RawClient(gateway.port);
    client.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx\r\n\r\n`);
    await client.until('<POST /a x>');
    await pause(800);
    expect(client.over).toBe(false);
    client.write(get('/b'));
    await client.until('<GET /b >');
    client.write('\r\n');
    client.socket.end();
    expect(await client.rest()).not.toContain('HTTP/1.1 4');
    expect(gateway.recorder.ended).toHaveLength(2);
  });

  it('are refused when they are longer than anything that could be answered, at once', async () => {
    const gateway = await startGateway(routes(1));
    const client = new RawClient(gateway.port);
    client.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(200 * 1024)}`);
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('are read byte by byte, however long they are', async () => {
    const gateway = await startGateway(`
      limits { max-header-size 20000; max-header-value-bytes 20000 }
      routes { route "local" { matches { path-prefix "/" }; builtin-handler "health" } }`);
    const client = new RawClient(gateway.port);
    for (const byte of get('/a', `X: ${'x'.repeat(9000)}\r\n`)) await client.send(byte);
    expect(await client.until('}')).toMatch(/^HTTP\/1\.1 200 /);
    client.write(get('/b', 'Connection: close\r\n'));
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([1, 2, 3])('are found to be whole though their end comes in two parts, %i bytes late', async (late) => {
    const gateway = await startGateway(`
      limits { max-header-size 20000; max-header-value-bytes 20000 }
      routes { route "local" { matches { path-prefix "/" }; builtin-handler "health" } }`);
    const client = new RawClient(gateway.port);
    const head = get('/a', `X: ${'x'.repeat(5000)}\r\nConnection: close\r\n`);
    await client.send(head.slice(0, -late));
    // Long enough to be read by itself; if it is not, there is nothing to see.
    await pause(50);
    await client.send(head.slice(-late));
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('are refused for what is wrong with them though they are long and not whole', async () => {
    const gateway = await startGateway(routes(1));
    const client = new RawClient(gateway.port);
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(5000)}`);
    await client.send(`\nY: ${'y'.repeat(5000)}`);
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 400 /);
  });
});
