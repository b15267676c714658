import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Sends one request at a time over one connection and says what became of it. */
export interface Sender {
  /** Resolves to the HTTP or gRPC status (200 or 0 is success). */
  send(body: Uint8Array): Promise<number>;
  close(): void;
}

/** Where and as what an HTTP sender posts. */
export interface HttpTarget {
  readonly path: string;
  readonly contentType: string;
}

const otlp: HttpTarget = { path: '/v1/traces', contentType: 'application/x-protobuf' };

/** HTTP over a bare socket: a benchmark's client should cost as little as it can. */
export function httpSender(host: string, port: number, { path, contentType }: HttpTarget = otlp): Promise<Sender> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port, noDelay: true });
    let settle: ((status: number) => void) | undefined;
    let fail: (error: Error) => void = reject;
    let received = Buffer.alloc(0);
    socket.on('data', (piece) => {
      received = received.length === 0 ? piece : Buffer.concat([received, piece]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = received.toString('latin1', 0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      received = received.subarray(end + 4 + length);
      settle?.(Number(head.slice(9, 12)));
    });
    socket.on('error', (error) => fail(error));
    socket.once('connect', () => {
      resolve({
        send(body) {
          return new Promise((done, failed) => {
            settle = done;
            fail = failed;

            socket.cork();
            socket.write(
              `POST ${path} HTTP/1.1\r\nhost: ${host}:${port}\r\ncontent-type: ${contentType}\r\ncontent-length: ${body.length}\r\n\r\n`,
            );
            socket.write(body);
            socket.uncork();
          });
        },
        close: () => socket.destroy(),
      });
    });
  });
}

const exportPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** OTLP/gRPC over one HTTP/2 session. */
export function grpcSender(host: string, port: number): Promise<Sender> {
  return new Promise((resolve, reject) => {
    const session: ClientHttp2Session = connectHttp2(`http://${host}:${port}`);
    session.once('error', reject);
    session.once('connect', () => resolve({ send: (body) => call(session, body), close: () => session.destroy() }));
  });
}

function call(session: ClientHttp2Session, body: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': exportPath,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const frame = Buffer.allocUnsafe(5 + body.length);
    frame[0] = 0;
    frame.writeUInt32BE(body.length, 1);
    frame.set(body, 5);
    let status = -1;
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status']);
    });
    stream.on('trailers', (trailers) => (status = Number(trailers['grpc-status'])));
    stream.on('data', () => {});
    stream.on('end', () => resolve(status));
    stream.on('error', reject);
    stream.end(frame);
  });
}
