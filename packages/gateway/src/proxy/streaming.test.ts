import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  exchangeBytes,
  onEnd,
  send,
  startBackend,
  startGateway,
  startTcp,
} from '../../test/proxy/harness.ts';

const text = (port: number, more = '', upstream = ''): string => `
  limits { max-body-size 2147483647 }
  routes { route "api" { matches { path-prefix "/" }; upstream "b"; ${more} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}"; ${upstream} } }
`;

const chunk = Buffer.alloc(256 * 1024, 'x');
const chunks = 1200; // About 300 MB: far more than every buffer on the way together.

/** Writes as fast as the other side takes it. */
async function pour(stream: {
  write(chunk: Buffer): boolean;
  once(event: 'drain', f: () => void): unknown;
  end(): unknown;
}): Promise<void> {
  for (let n = 0; n < chunks; n++) {
    if (!stream.write(chunk)) await new Promise<void>((resolve) => stream.once('drain', resolve));
  }
  stream.end();
}

/** The most memory outside the heap while something happens. */
async function peakOf(work: Promise<unknown>): Promise<number> {
  const memory = (): number => {
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  const start = memory();
  let peak = start;
  const timer = setInterval(() => (peak = Math.max(peak, memory())), 5);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
  return peak - start;
}

describe('streaming', () => {
  it('passes large responses without keeping them', async () => {
    const backend = await startBackend((_request, response) => void pour(response));
    const gateway = await startGateway(text(backend.port));
    const download = new Promise<number>((resolve, reject) => {
      let bytes = 0;
      httpRequest({ host: '127.0.0.1', port: gateway.port, path: '/big', agent: false }, (response) => {
        response.on('data', (part: Buffer) => (bytes += part.length));
        response.on('end', () => resolve(bytes));
        response.on('error', reject);
      }).end();
    });
    // Client, gateway and backend share this process, garbage and all.
    expect(await peakOf(download)).toBeLessThan((chunk.length * chunks) / 2);
    expect(await download).toBe(chunk.length * chunks);
    expect((await gateway.recorder.exchange()).responseBodyBytes).toBe(chunk.length * chunks);
  });

  it('passes large requests without keeping them', async () => {
    const backend = await startBackend((request, response) => {
      let bytes = 0;
      request.on('data', (part: Buffer) => (bytes += part.length));
      request.on('end', () => response.end(String(bytes)));
    });
    const gateway = await startGateway(text(backend.port));
    const upload = new Promise<string>((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: gateway.port, path: '/', method: 'PUT', agent: false },
        (response) => {
          let body = '';
          response.on('data', (part: Buffer) => (body += part.toString()));
          response.on('end', () => resolve(body));
        },
      );
      request.on('error', reject);
      void pour(request);
    });
    expect(await peakOf(upload)).toBeLessThan((chunk.length * chunks) / 2);
    expect(await upload).toBe(String(chunk.length * chunks));
  });

  it('stops an upstream whose client does not read, and serves others meanwhile', async () => {
    let written = 0;
    const backend = await startBackend((request, response) => {
      if (request.url === '/quick') response.end('quick');
      else {
        const write = (): void => {
          let more = true;
          while (more && !response.destroyed) {
            more = response.write(chunk);
            written += chunk.length;
          }
        };
        response.on('drain', write);
        write();
      }
    });
    const gateway = await startGateway(text(backend.port));
    const socket = connect(gateway.port, '127.0.0.1');
    onEnd(() => socket.destroy());
    socket.pause();
    socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
    let last = -1;
    // It has stopped when nothing was written for a while.
    await eventually(async () => {
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return written > 0 && written === last;
    });
    expect(written).toBeLessThan(64_000_000);
    expect((await send(gateway, '/quick')).body).toBe('quick');
  });

  it('sends the head and the first byte before the rest exists', async () => {
    let answer: ServerResponse | undefined;
    const backend = await startBackend((_request, response) => {
      answer = response;
      response.writeHead(200, { 'X-Early': '1' });
      response.flushHeaders();
    });
    const gateway = await startGateway(text(backend.port));
    const head = await new Promise<IncomingMessage>((resolve) => {
      httpRequest({ host: '127.0.0.1', port: gateway.port, agent: false }, resolve).end();
    });
    expect(head.headers['x-early']).toBe('1');
    answer!.write('a');
    const first = await new Promise<Buffer>((resolve) => void head.once('data', resolve));
    expect(first.toString()).toBe('a');
    answer!.end('b');
    await new Promise((resolve) => head.on('end', resolve).resume());
  });

  it('sends a request body on before it is complete', async () => {
    const backend = await startBackend((request, response) => {
      request.once('data', (part: Buffer) => response.write(`got ${part.toString()}`));
      request.on('end', () => response.end());
    });
    const gateway = await startGateway(text(backend.port));
    const request = httpRequest({ host: '127.0.0.1', port: gateway.port, method: 'POST', agent: false });
    request.write('one');
    const response = await new Promise<IncomingMessage>((resolve) => void request.once('response', resolve));
    const first = await new Promise<Buffer>((resolve) => void response.once('data', resolve));
    expect(first.toString()).toBe('got one');
    request.end('two');
    await new Promise((resolve) => response.on('end', resolve).resume());
    expect((await gateway.recorder.exchange()).requestBodyBytes).toBe(6);
  });

  it('keeps bytes as they are', async () => {
    const body = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7919) & 0xff));
    const backend = await startBackend((request, response) => {
      response.writeHead(200, { 'Content-Length': String(body.length) });
      request.pipe(response);
    });
    const gateway = await startGateway(text(backend.port));
    const digest = await new Promise<string>((resolve) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: gateway.port, method: 'POST', agent: false },
        (response) => {
          const hash = createHash('sha256');
          response.on('data', (part: Buffer) => hash.update(part));
          response.on('end', () => resolve(hash.digest('hex')));
        },
      );
      request.end(body);
    });
    expect(digest).toBe(createHash('sha256').update(body).digest('hex'));
  });

  it('asks for a body only when somebody wants it', async () => {
    const backend = await startBackend((request, response) => {
      request.resume();
      request.on('end', () => response.end('done'));
    });
    const gateway = await startGateway(text(backend.port));
    const request = httpRequest({
      host: '127.0.0.1',
      port: gateway.port,
      method: 'POST',
      agent: false,
      headers: { Expect: '100-continue', 'Content-Length': '2' },
    });
    request.flushHeaders();
    await new Promise<void>((resolve) => void request.once('continue', resolve));
    request.end('ok');
    const response = await new Promise<IncomingMessage>((resolve) => void request.once('response', resolve));
    expect(response.statusCode).toBe(200);
    response.resume();
    const missing = await exchangeBytes(
      (
        await startGateway(
          'routes { route "r" { matches { path "/x" }; upstream "b" } }\nupstreams { upstream "b" { target "127.0.0.1:1" } }',
        )
      ).port,
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    );
    expect(missing).toMatch(/^HTTP\/1\.1 404 /);
    expect(missing).not.toContain('100 Continue');
  });

  it('passes trailers of responses on', async () => {
    const backend = await startBackend((_request, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('body');
      response.addTrailers({ 'X-Sum': '42' });
      response.end();
    });
    const gateway = await startGateway(text(backend.port));
    const response = await send(gateway, '/');
    expect(response.body).toBe('body');
    expect(response.trailers).toEqual({ 'x-sum': '42' });
  });

  it('keeps the length of what HEAD and 304 do not send', async () => {
    const backend = await startBackend((request, response) => {
      if (request.url === '/304') response.writeHead(304, { ETag: '"a"' }).end();
      else if (request.url === '/204') response.writeHead(204).end();
      else response.writeHead(200, { 'Content-Length': '1000' }).end();
    });
    const gateway = await startGateway(text(backend.port));
    const head = await send(gateway, '/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '1000' } });
    expect(await send(gateway, '/304')).toMatchObject({ status: 304, body: '', headers: { etag: '"a"' } });
    expect(await send(gateway, '/204')).toMatchObject({ status: 204, body: '' });
    // One connection served them all: HEAD does not cost the upstream's connection.
    expect(gateway.recorder.ended.map(({ attempts }) => attempts[0]!.connectionReused)).toEqual([false, true, true]);
  });

  it('cuts the client off when the upstream breaks off, so that nobody takes half for whole', async () => {
    const port = await startTcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.destroy());
      });
    });
    const gateway = await startGateway(text(port));
    await expect(send(gateway, '/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    const exchange = await gateway.recorder.exchange();
    expect(exchange).toMatchObject({ status: 200, end: 'cut', responseBodyBytes: 4 });
    expect(exchange.attempts[0]!.failure).toBe('connection_closed');
  });

  it('cuts chunked responses off the same way', async () => {
    const port = await startTcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () => socket.end());
      });
    });
    const gateway = await startGateway(text(port));
    const answer = await exchangeBytes(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer).not.toContain('\r\n0\r\n\r\n');
    expect((await gateway.recorder.exchange()).end).toBe('cut');
  });

  it('gives the upstream up when the client goes away', async () => {
    let closed = false;
    const backend = await startBackend((request) => request.on('close', () => (closed = true)));
    const gateway = await startGateway(text(backend.port));
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => backend.requests.length === 1);
    socket.destroy();
    await eventually(() => closed, 'the end of the upstream request');
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 499, end: 'client_gone' });
    expect(gateway.recorder.attemptsEnded).toBe(1);
  });

  it('answers 413 to bodies that turn out to be too large, and reads no further', async () => {
    const backend = await startBackend((request) => request.on('error', () => {}).resume());
    const gateway = await startGateway(text(backend.port, 'policies { max-body-size "100KB" }'));
    const declared = await send(gateway, '/', { method: 'POST', body: Buffer.alloc(200 * 1024) });
    expect(declared.status).toBe(413);
    expect(backend.requests).toHaveLength(0);
    const undeclared = await send(gateway, '/', {
      method: 'POST',
      headers: { 'Transfer-Encoding': 'chunked' },
      body: Buffer.alloc(200 * 1024),
    });
    expect(undeclared.status).toBe(413);
    await gateway.recorder.exchange(1);
    expect(gateway.recorder.ended.map(({ blocked }) => blocked)).toEqual(['body_size_exceeded', 'body_size_exceeded']);
  });

  it('answers a request whose response comes before its body has been sent', async () => {
    const backend = await startBackend((_request, response) => {
      response.writeHead(401, { Connection: 'close' });
      response.end('no');
    });
    const gateway = await startGateway(text(backend.port));
    const socket = connect(gateway.port, '127.0.0.1');
    onEnd(() => socket.destroy());
    let seen = '';
    socket.on('data', (part) => (seen += part.toString('latin1')));
    socket.on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nfirst');
    await eventually(() => seen.endsWith('0\r\n\r\n'), 'the response');
    expect(seen).toMatch(/^HTTP\/1\.1 401 /);
  });
});
