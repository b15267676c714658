// What holds for clients of HTTP/1.1 and of HTTP/2: trailers in both directions, early hints, values of any kind.
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../test/http1/raw-client.ts';
import { sendStream, startSecureGateway } from '../../test/http1/secure-gateway.ts';
import { eventually, send, startBackend, startTcp } from '../../test/proxy/harness.ts';

const routes = (port: number, more = ''): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; ${more} } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

/** Tells in the body what trailers came, and sends some. */
function startTrailing() {
  return startBackend((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write(JSON.stringify(request.rawTrailers));
      response.addTrailers({ 'X-Sum': '42', 'Set-Cookie': 'late=1' });
      response.end();
    });
  });
}

describe('trailers', () => {
  it('of requests and responses pass for clients of HTTP/1.1', async () => {
    const backend = await startTrailing();
    const gateway = await startSecureGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write(
      'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nConnection: close, TE\r\n\r\n' +
        '2\r\nab\r\n0\r\nX-Digest: 1\r\nContent-Length: 9\r\nAuthorization: x\r\nX-Two: 2\r\n\r\n',
    );
    const text = await client.rest();
    expect(text).toContain('["X-Digest","1","X-Two","2"]');
    expect(text).toMatch(/\r\n0\r\nX-Sum: 42\r\n\r\n$/);
  });

  it('of requests and responses pass for clients of HTTP/2', async () => {
    const backend = await startTrailing();
    const { session } = await startSecureGateway(routes(backend.port));
    const trailers = { 'x-digest': '1', 'content-type': 'x', 'x-two': '2' };
    const answer = await sendStream(session, { ':method': 'POST', te: 'trailers' }, { body: 'ab', trailers });
    expect(answer.body).toBe('["x-digest","1","x-two","2"]');
    expect(answer.trailers).toMatchObject({ 'x-sum': '42' });
    expect(answer.trailers['set-cookie']).toBeUndefined();
  });

  it('of responses are dropped for clients of HTTP/1.0, and where the length is known', async () => {
    const backend = await startTrailing();
    const gateway = await startSecureGateway(`
      limits { max-body-buffer-bytes 100000 }
      ${routes(backend.port, 'policies { buffer-requests #true }')}`);
    const old = new RawClient(gateway.port);
    old.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    expect((await old.rest()).endsWith('\r\n\r\n[]')).toBe(true);
    // A request that was gathered goes on with its length: there is no place for trailers any more.
    const client = new RawClient(gateway.port);
    client.write(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n',
    );
    expect(await client.rest()).toContain('\r\n[]\r\n');
    expect(backend.requests[1]!.headers['content-length']).toBe('1');
  });
});

describe('early hints', () => {
  const hinting = () =>
    startBackend((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('done'));
    });

  it('pass for clients of HTTP/1.1 and HTTP/2, and not for those of HTTP/1.0', async () => {
    const backend = await hinting();
    const gateway = await startSecureGateway(routes(backend.port));
    const client = new RawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.rest()).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
    );
    const stream = await sendStream(gateway.session, {});
    expect(stream.interim).toMatchObject([{ ':status': 103, link: '</style.css>; rel=preload' }]);
    expect(stream.body).toBe('done');
    const old = new RawClient(gateway.port);
    old.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    expect(await old.rest()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('are the only interim responses that pass', async () => {
    const port = await startTcp((socket) => {
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\nConnection: x\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        ),
      );
    });
    const gateway = await startSecureGateway(routes(port));
    const client = new RawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

describe('a body of HTTP/2', () => {
  it.each([
    ['shorter than its length', 'abc', '5'],
    ['longer than its length', 'abcdeGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n', '5'],
    ['there though its length is none', 'abc', '0'],
  ])('that is %s fails, and nothing of it is taken for a request', async (_title, body, length) => {
    const whole: string[] = [];
    const backend = await startBackend((request, response) => {
      request.on('error', () => {});
      request.on('end', () => whole.push(request.url!));
      request.resume();
      request.on('end', () => response.end('ok'));
    });
    const gateway = await startSecureGateway(routes(backend.port));
    const failure = await sendStream(gateway.session, { ':method': 'POST', 'content-length': length }, { body }).then(
      ({ headers }) => headers[':status'],
      (error: unknown) => String(error),
    );
    expect(failure).not.toBe(200);
    expect((await send(gateway, '/next')).body).toBe('ok');
    expect(whole).toEqual(['/next']);
  });
});

describe('HTTP/1.1 over TLS', () => {
  it('keeps every byte of bodies and of upgraded connections, in requests sent ahead', async () => {
    const backend = await startBackend((request, response) => {
      response.writeHead(200, { 'Content-Length': request.headers['content-length'] });
      request.pipe(response);
    });
    backend.server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    const gateway = await startSecureGateway(routes(backend.port, 'websocket #true'));
    const socket = gateway.connectTls();
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    const text = (): string => Buffer.concat(pieces).toString('latin1');
    const body = Buffer.from(Array.from({ length: 200_000 }, (_, at) => Math.imul(at, 0x9e3779b1) >>> 24));
    const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(post), body, Buffer.from(post), body]));
    await eventually(() => text().split(body.toString('latin1')).length === 3, 'both bodies');
    pieces.length = 0;
    const opening = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    socket.write(Buffer.concat([Buffer.from(opening), body]));
    await eventually(() => text().length > body.length && text().endsWith(body.toString('latin1')), 'the first bytes');
    for (let n = 0; n < 20; n++) socket.write(body);
    const whole = Buffer.concat(Array.from({ length: 21 }, () => body)).toString('latin1');
    await eventually(() => text().endsWith(`\r\n\r\n${whole}`), 'all bytes');
    socket.end();
    expect(await gateway.recorder.exchange(2)).toMatchObject({ upgraded: true, responseBodyBytes: whole.length });
  });
});

describe('values of HTTP/2 clients', () => {
  it('reach the backend byte by byte, and never as lines of their own', async () => {
    const backend = await startBackend((request, response) => {
      request.resume();
      request.on('end', () => response.end(JSON.stringify([request.rawHeaders, request.rawTrailers])));
    });
    const { session } = await startSecureGateway(routes(backend.port));
    // Node writes these characters as single bytes; as UTF-8 the first two would be U+010A, whose lower byte is a line feed.
    const bytes = 'v\xc4\x8a\xe9';
    const evil = ['a\r\nEvil: 1', 'a\nEvil: 1', 'a\rEvil: 1', 'a\u010aEvil: 1', 'a\u010dEvil: 1'];
    const odd = Object.fromEntries(evil.map((text, index) => [`x-evil-${index}`, text]));
    const answer = await sendStream(
      session,
      { ':method': 'POST', 'x-bytes': bytes, ...odd },
      { body: 'x', trailers: { 'x-last': bytes, ...odd } },
    );
    const [headers, trailers] = JSON.parse(answer.body) as [string[], string[]];
    expect(headers[headers.indexOf('x-bytes') + 1]).toBe(bytes);
    expect(trailers).toEqual(['x-last', bytes]);
    expect([...headers, ...trailers].filter((text) => /evil/i.test(text))).toEqual([]);
  });

  it('that backends send reach them byte by byte', async () => {
    const port = await startTcp((socket) => {
      socket.once('data', () =>
        socket.end(Buffer.from('HTTP/1.1 200 OK\r\nX-Bytes: v\xc4\x8a\xe9\r\nContent-Length: 0\r\n\r\n', 'latin1')),
      );
    });
    const { session } = await startSecureGateway(routes(port));
    expect((await sendStream(session, {})).headers['x-bytes']).toBe('v\xc4\x8a\xe9');
  });

  it('that backends send twice reach clients of both versions', async () => {
    const twice = 'X-Content-Type-Options: nosniff\r\nETag: "a"\r\n'.repeat(2);
    const port = await startTcp((socket) => {
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\n${twice}Content-Length: 0\r\n\r\n`));
    });
    const gateway = await startSecureGateway(routes(port));
    const stream = await sendStream(gateway.session, {});
    expect(stream.headers).toMatchObject({ ':status': 200, etag: '"a"', 'x-content-type-options': 'nosniff' });
    const { rawHeaders } = await send(gateway, '/');
    expect(rawHeaders.filter((text) => text === 'nosniff')).toHaveLength(2);
  });

  it('that a configuration adds to responses fail openly when no head can hold them', async () => {
    const backend = await startBackend((_request, response) => response.end('ok'));
    const edit = 'policies { response-headers { set { "X-Odd" "a\\u{10a}Evil: 1" } } }';
    const gateway = await startSecureGateway(routes(backend.port, edit));
    const answer = await sendStream(gateway.session, {});
    expect(answer.headers[':status']).toBe(502);
    const client = new RawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const text = await client.rest();
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).not.toContain('Evil');
  });

  it('that a configuration adds to the answer of an upgrade fail the same way', async () => {
    const backend = await startBackend((_request, response) => response.end());
    backend.server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      socket.on('end', () => socket.destroy());
      socket.resume();
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const edit = 'websocket #true; policies { response-headers { set { "X-Odd" "a\\u{10a}Evil: 1" } } }';
    const gateway = await startSecureGateway(routes(backend.port, edit));
    const client = new RawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const text = await client.rest();
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).not.toContain('Evil');
  });
});
