import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HttpReply, ServerRequest } from '../exchange.ts';
import { RawClient, eventually, listen } from '../test/harness.ts';
import type { ListenerOptions } from '../listener/types.ts';
import { textReply } from './answer.ts';
import { readDecodedBody } from './decoded-body.ts';

const setting = { maxBytes: 1_000_000, limitSetting: 'max_request_body_size' };

async function serve(
  handler: (request: ServerRequest) => HttpReply | Promise<HttpReply>,
  options: Partial<ListenerOptions> = {},
) {
  const listener = await listen(options);
  listener.lease.mountHttp({ paths: ['/v1/traces'], handler, onRejected: (reason) => listener.rejected.push(reason) });
  return { ...listener, url: `http://127.0.0.1:${listener.port}/v1/traces` };
}

const sized = (extra: Partial<Parameters<ServerRequest['readBody']>[0]> = {}) => {
  return async (request: ServerRequest): Promise<HttpReply> => {
    const body = await readDecodedBody(request, { ...setting, ...extra });
    return textReply(200, String(body.length));
  };
};

describe('request bodies', () => {
  it('are refused at once when Content-Length is too large, and the client sees the reply', async () => {
    const { url, rejected } = await serve(sized());
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(3_000_000) });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('at least 3000000 bytes, max_request_body_size allows 1000000');
    expect(rejected).toEqual(['body_too_large']);
  });

  it('are refused when a chunked body grows too large', async () => {
    const { port, rejected } = await serve(sized());
    const client = new RawClient(port);
    client.send('POST /v1/traces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let count = 0; count < 12; count++) client.send(`${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`);
    expect(await client.until('too large')).toContain('HTTP/1.1 413');
    expect(rejected).toEqual(['body_too_large']);
  });

  it('are refused when they inflate too far', async () => {
    const { url } = await serve(sized());
    const body = zlib.gzipSync(Buffer.alloc(50_000_000));
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-encoding': 'gzip' } });
    expect([response.status, await response.text()]).toEqual([413, expect.stringContaining('inflates to at least')]);
  });

  it('are refused when their compression is truncated, unknown or stacked too high', async () => {
    const { url } = await serve(sized());
    const body = zlib.gzipSync('a span');
    const post = async (encoding: string, bytes: Uint8Array<ArrayBuffer>) => {
      const response = await fetch(url, { method: 'POST', body: bytes, headers: { 'content-encoding': encoding } });
      return [response.status, await response.text()];
    };
    expect(await post('gzip', Uint8Array.from(body.subarray(0, -3)))).toEqual([
      400,
      'cannot decompress gzip data: unexpected end of file',
    ]);
    expect(await post('br', Uint8Array.from(body))).toEqual([400, 'unsupported Content-Encoding: br']);
    expect((await post('gzip, gzip, gzip', Uint8Array.from(body)))[0]).toBe(400);
    expect(await post('gzip, gzip', Uint8Array.from(zlib.gzipSync(body)))).toEqual([200, '6']);
  });

  it('are refused when they come too slowly', async () => {
    const { port, rejected } = await serve(sized({ idleTimeoutMs: 30 }));
    const client = new RawClient(port);
    client.send('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    expect(await client.until('idle timeout of 30 ms')).toContain('HTTP/1.1 408');
    expect(rejected).toEqual(['slow_body']);
  });

  it('are refused when they trickle beyond the total time', async () => {
    const { port } = await serve(sized({ totalTimeoutMs: 60 }));
    const client = new RawClient(port);
    client.send('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
    const timer = setInterval(() => client.send('x'), 5);
    expect(await client.until('total timeout of 60 ms')).toContain('HTTP/1.1 408');
    clearInterval(timer);
  });

  it('are refused with 503 when all bodies together hold too much, which is given back afterwards', async () => {
    const { url, lease } = await serve(sized(), { connections: { maxInFlightBodyBytes: 50_000 } });
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(60_000) });
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringContaining('max_in_flight_body_bytes'),
    ]);
    await eventually(() => lease.snapshot().inFlightBodyBytes === 0, 'the bytes to be given back');
    expect((await fetch(url, { method: 'POST', body: Buffer.alloc(40_000) })).status).toBe(200);
  });

  it('end with an abort signal when the client goes away', async () => {
    let caught: unknown;
    const { port, lease, rejected } = await serve(async (request) => {
      caught = await request.readBody(setting).catch((error: unknown) => error);
      expect(request.signal.aborted).toBe(true);
      return textReply(200, '');
    });
    const client = new RawClient(port);
    client.send('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    await eventually(() => lease.snapshot().inFlightRequests === 1, 'the request');
    client.socket.destroy();
    await eventually(() => lease.snapshot().inFlightRequests === 0, 'the end of the request');
    expect(caught).toMatchObject({ code: 'aborted' });
    expect(rejected).toEqual([]);
  });

  it('may be asked for once', async () => {
    const { url } = await serve(async (request) => {
      await request.readBody(setting);
      await expect(request.readBody(setting)).rejects.toMatchObject({ code: 'closed' });
      return textReply(200, 'refused');
    });
    expect(await (await fetch(url, { method: 'POST', body: 'x' })).text()).toBe('refused');
  });
});

describe('a reply before the body was read', () => {
  const refuse = () => textReply(503, 'queue full', { 'retry-after': '7' });

  it('reaches a client that is still sending a large body', async () => {
    const { url } = await serve(refuse);
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(20_000_000) });
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
      503,
      '7',
      'queue full',
    ]);
  });

  it('keeps the connection when the body is small', async () => {
    const { port } = await serve(refuse);
    const client = new RawClient(port);
    const request = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc';
    client.send(request);
    await client.until('queue full');
    client.send(request);
    await eventually(() => client.received.split('queue full').length === 3, 'the second reply');
  });

  it('comes instead of 100 Continue, so that the body need not be sent', async () => {
    const { port } = await serve(refuse);
    const client = new RawClient(port);
    client.send('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
    const received = await client.until('queue full');
    expect(received).toMatch(/^HTTP\/1.1 503/);
    expect(received.toLowerCase()).toContain('connection: close');
  });

  it('closes the connection of a client that never stops sending', async () => {
    const { port } = await serve(refuse);
    const client = new RawClient(port);
    client.send('POST /v1/traces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const timer = setInterval(() => client.send(`${(50_000).toString(16)}\r\n${'x'.repeat(50_000)}\r\n`), 1);
    await client.closed;
    clearInterval(timer);
    expect(client.received).toContain('queue full');
  });
});

it('sends 100 Continue once the body is wanted', async () => {
  const { port } = await serve(sized());
  const client = new RawClient(port);
  client.send('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
  await client.until('100 Continue');
  client.send('abc');
  expect(await client.until('\r\n\r\n3')).toContain('HTTP/1.1 200');
});

describe('request heads', () => {
  it('that are too large are answered 431', async () => {
    const { port, rejected } = await serve(sized());
    const client = new RawClient(port);
    client.send(`GET /v1/traces HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(await client.until('\r\n\r\n')).toContain('HTTP/1.1 431');
    expect(rejected).toEqual(['header_too_large']);
  });

  it('that are malformed are answered 400', async () => {
    const { port, rejected } = await serve(sized());
    const client = new RawClient(port);
    client.send('GET /v1/traces HTTP/1.1\r\nHost x\r\n\r\n');
    expect(await client.until('\r\n\r\n')).toContain('HTTP/1.1 400');
    expect(rejected).toEqual(['malformed_request']);
  });

  it('that take too long are answered 408', async () => {
    const { port, rejected } = await serve(sized(), { connections: { headerTimeoutMs: 50 } });
    const client = new RawClient(port);
    client.send('GET /v1/traces HTTP/1.1\r\nHost: x\r\n');
    expect(await client.until('\r\n\r\n')).toContain('HTTP/1.1 408');
    expect(rejected).toEqual(['header_timeout']);
  });
});

describe('replies', () => {
  it('are streamed piece by piece', async () => {
    const { url } = await serve(() => ({
      status: 200,
      body: (async function* pieces() {
        for (let count = 0; count < 50; count++) yield Buffer.alloc(10_000, 'x');
      })(),
    }));
    expect((await (await fetch(url)).text()).length).toBe(500_000);
  });

  it.each(['whole', 'streamed'])('that nobody takes end with the connection: %s', async (kind) => {
    const whole = Buffer.alloc(50_000_000);
    const pieces = async function* pieces() {
      for (let at = 0; at < whole.length; at += 100_000) yield whole.subarray(at, at + 100_000);
    };
    const { port, rejected, lease } = await serve(() => ({ status: 200, body: kind === 'whole' ? whole : pieces() }), {
      connections: { writeIdleTimeoutMs: 50 },
    });
    const client = new RawClient(port);
    client.socket.pause();
    client.send('GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => rejected.length > 0, 'the rejection');
    expect(rejected).toEqual(['slow_reader']);
    await eventually(() => lease.snapshot().connections.http1 === 0, 'the connection to be gone');
  });

  it('that fail midway break the connection instead of looking complete', async () => {
    const { url, notices } = await serve(() => ({
      status: 200,
      body: (async function* pieces() {
        yield Buffer.from('half');
        throw new Error('the other half is missing');
      })(),
    }));
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
    expect(notices).toEqual([expect.stringContaining('the other half is missing')]);
  });

  it('of a handler that throws are 500 without its words, which are told to the owner', async () => {
    const { url, notices } = await serve(() => {
      throw new TypeError('secret of the house');
    });
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([500, 'internal server error']);
    expect(notices).toEqual([expect.stringContaining('secret of the house')]);
  });
});
