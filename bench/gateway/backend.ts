// A service that costs as little as possible: answers every HTTP/1.1 request, one after another on each connection, with the same
// kilobyte. It also is the tracing backend, which costs as little: OTLP over gRPC is thrown away and acknowledged.
import { createServer as createHttp2Server } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';

const body = JSON.stringify({ items: 'x'.repeat(1000) });
const response = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);

const server = createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece) => {
    // Requests have no bodies here, so each ends where its head does.
    const heads = (rest + piece.toString('latin1')).split('\r\n\r\n');
    rest = heads.pop()!;
    for (let index = 0; index < heads.length; index++) socket.write(response);
  });
});

/** An empty message: nothing was rejected. */
const accepted = Buffer.alloc(5);
const collector = createHttp2Server({ settings: { initialWindowSize: 4 * 1024 * 1024 } });
collector.on('session', (session) => session.setLocalWindowSize(16 * 1024 * 1024));
collector.on('stream', (stream) => {
  stream.on('error', () => stream.destroy());
  stream.resume();
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(accepted);
  });
});

async function listen(target: Server): Promise<number> {
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  return (target.address() as AddressInfo).port;
}

process.send?.({ port: await listen(server), collectorPort: await listen(collector) });
process.on('disconnect', () => process.exit(0));
