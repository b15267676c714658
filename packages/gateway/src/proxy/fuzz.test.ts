// Bytes nobody foresaw: whatever comes, the gateway stays up, every request it begins ends, and nothing it was not sent
// reaches the backend.
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventually, send, startBackend, startGateway } from '../../test/proxy/harness.ts';

const pieces = fc.constantFrom(
  'GET ',
  'POST ',
  'HEAD ',
  '/',
  '/api/x',
  '*',
  'http://a.test/',
  ' HTTP/1.1\r\n',
  ' HTTP/1.0\r\n',
  '\r\n',
  '\n',
  '\r',
  'Host: a.test\r\n',
  'Content-Length: 3\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Connection: Upgrade\r\nUpgrade: websocket\r\n',
  'Expect: 100-continue\r\n',
  'X-A: b\r\n',
  'abc',
  '3\r\nabc\r\n',
  '0\r\n\r\n',
  ' ',
  ':',
  '\0',
);
const noise = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const request = fc.constant('POST /api/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc');
const stream = fc.array(
  fc.oneof({ weight: 6, arbitrary: pieces }, { weight: 1, arbitrary: noise }, { weight: 2, arbitrary: request }),
  {
    minLength: 1,
    maxLength: 20,
  },
);

describe('any bytes at all', () => {
  it('leave the gateway as it was', async () => {
    const backend = await startBackend((request, response) => {
      request.on('error', () => {});
      request.resume();
      request.on('end', () => response.end('ok'));
    });
    const complaints: string[] = [];
    backend.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      complaints.push(String(error.code));
      socket.destroy();
    });
    const gateway = await startGateway(`
      limits { max-connections-per-client 1000 }
      routes { route "r" { matches { path-prefix "/" }; upstream "b"; websocket #true } }
      upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`);
    await fc.assert(
      fc.asyncProperty(stream, fc.integer({ min: 1, max: 40 }), async (parts, cut) => {
        const bytes = Buffer.from(parts.join(''), 'latin1');
        await new Promise<void>((resolve) => {
          const socket = connect(gateway.port, '127.0.0.1', () => {
            // In two writes, so that heads and bodies are met half-way.
            socket.write(bytes.subarray(0, cut));
            socket.end(bytes.subarray(cut));
          });
          socket.on('error', () => {});
          socket.on('close', () => resolve());
          socket.resume();
        });
      }),
      { numRuns: 300 },
    );
    await eventually(
      () => gateway.recorder.started.length === gateway.recorder.ended.length,
      'the end of every request',
    );
    expect(gateway.server.snapshot().activeRequests).toBe(0);
    // Bodies that break off break off there, too; anything else would be bytes that are no HTTP.
    const broken = new Set(['ECONNRESET', 'HPE_INVALID_EOF_STATE']);
    expect(complaints.filter((code) => !broken.has(code))).toEqual([]);
    expect((await send(gateway, '/after')).body).toBe('ok');
    for (const { status } of gateway.recorder.ended) expect(status).toBeGreaterThan(0);
  });
});
