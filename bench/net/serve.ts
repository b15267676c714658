// The server side of the benchmark: `bare` or `clew`, for `http1` or `grpc`. Sends its port to its
// parent, and its CPU time in microseconds whenever asked.
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { acquireListener, parseListenEndpoint } from '@clew/net';

const [kind, protocol] = process.argv.slice(2);

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});

function bareHttp1(): http.Server {
  return http.createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => response.end(Buffer.concat(pieces)));
  });
}

function bareGrpc(): http2.Http2Server {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.concat(pieces));
    });
  });
  return server;
}

async function clew(): Promise<number> {
  const lease = await acquireListener({ endpoint: parseListenEndpoint('127.0.0.1:0'), owner: 'bench' });
  lease.mountHttp({
    paths: ['/echo'],
    handler: async (request) => ({
      status: 200,
      body: await request.readBody({ maxBytes: 1_000_000, limitSetting: 'max_request_body_size' }),
    }),
  });
  lease.mountGrpc({ name: 'bench.Echo', methods: { Say: { kind: 'unary', handle: (message) => message } } });
  if (lease.address.transport !== 'tcp') throw new Error('a TCP listener was asked for');
  return lease.address.port;
}

if (kind === 'clew') process.send?.(await clew());
else {
  const server = protocol === 'grpc' ? bareGrpc() : bareHttp1();
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}
process.on('disconnect', () => process.exit(0));
