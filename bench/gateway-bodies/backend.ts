// A service for bodies: `GET /bytes/N` answers with N bytes, anything with a body is read to its end and answered with its length.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const piece = Buffer.alloc(64 * 1024, 'clew ');

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    let left = Number(request.url!.split('/').at(-1));
    response.writeHead(200, { 'Content-Length': left });
    const send = (): void => {
      while (left > 0) {
        const next = left < piece.length ? piece.subarray(0, left) : piece;
        left -= next.length;
        if (!response.write(next)) {
          response.once('drain', send);
          return;
        }
      }
      response.end();
    };
    send();
    return;
  }
  let bytes = 0;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  request.on('end', () => response.end(String(bytes)));
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
