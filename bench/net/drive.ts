// The client side of the benchmark: keeps a fixed number of requests running for some seconds.
import http from 'node:http';
import http2 from 'node:http2';

/** What is spoken. */
export type Protocol = 'http1' | 'grpc';

/** One measurement. */
export interface DriveOptions {
  readonly protocol: Protocol;
  readonly port: number;
  readonly bodyBytes: number;
  readonly seconds: number;
}

const connections = 16;

/** Runs requests one after another on each connection; returns requests per second. */
export async function drive(options: DriveOptions): Promise<number> {
  const body = Buffer.alloc(options.bodyBytes, 'span');
  const clients = Array.from({ length: connections }, () =>
    options.protocol === 'grpc' ? grpcClient(options.port, body) : http1Client(options.port, body),
  );
  const startedMs = performance.now();
  const endMs = startedMs + options.seconds * 1000;
  const counts = await Promise.all(
    clients.map(async ({ send }) => {
      let count = 0;
      for (; performance.now() < endMs; count++) await send();
      return count;
    }),
  );
  const elapsedS = (performance.now() - startedMs) / 1000;
  for (const { close } of clients) close();
  return counts.reduce((sum, count) => sum + count, 0) / elapsedS;
}

interface BenchClient {
  send(): Promise<void>;
  close(): void;
}

function http1Client(port: number, body: Buffer): BenchClient {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const options = {
    port,
    host: '127.0.0.1',
    path: '/echo',
    method: 'POST',
    agent,
    headers: { 'content-length': body.length },
  };
  return {
    send: () =>
      new Promise((resolve, reject) => {
        const request = http.request(options, (response) => {
          let size = 0;
          response.on('data', (piece: Buffer) => (size += piece.length));
          response.on('end', () => (size === body.length ? resolve() : reject(new Error(`echoed ${size} bytes`))));
        });
        request.on('error', reject).end(body);
      }),
    close: () => agent.destroy(),
  };
}

function grpcClient(port: number, body: Buffer): BenchClient {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const frame = Buffer.allocUnsafe(5 + body.length);
  frame[0] = 0;
  frame.writeUInt32BE(body.length, 1);
  body.copy(frame, 5);
  const headers = { ':method': 'POST', ':path': '/bench.Echo/Say', 'content-type': 'application/grpc', te: 'trailers' };
  return {
    send: () =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers);
        let size = 0;
        let status: unknown;
        stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
        stream.on('data', (piece: Buffer) => (size += piece.length));
        stream.on('error', reject);
        stream.on('end', () =>
          size === frame.length && status === '0'
            ? resolve()
            : reject(new Error(`echoed ${size}, status ${String(status)}`)),
        );
        stream.end(frame);
      }),
    close: () => session.close(),
  };
}
