// A service that costs as little as possible: answers every HTTP/1.1 request, one after another on each connection, with the same
// kilobyte. It also is the tracing backend: OTLP over gRPC is read and acknowledged.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { acquireListener } from '@clew/net';

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
server.listen(0, '127.0.0.1');

const collector = await acquireListener({
  endpoint: { transport: 'tcp4', host: '127.0.0.1', port: 0 },
  owner: 'bench',
});
let exportedBytes = 0;
collector.mountGrpc({
  name: 'opentelemetry.proto.collector.trace.v1.TraceService',
  methods: {
    Export: {
      kind: 'unary',
      handle(message) {
        exportedBytes += message.length;
        return new Uint8Array(0);
      },
    },
  },
});

process.send?.({
  port: (server.address() as AddressInfo).port,
  collectorPort: collector.address.transport === 'tcp' ? collector.address.port : 0,
});
process.on('disconnect', () => process.exit(0));
