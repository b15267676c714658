import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';

/** How a call ended. */
export interface GrpcOutcome {
  readonly httpStatus: number | undefined;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
}

/** Where OTLP traces go in gRPC. */
export const exportPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** A session over cleartext HTTP/2, as gRPC clients open it. */
export function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  return new Promise((resolve, reject) => {
    session.once('connect', () => resolve(session));
    session.once('error', reject);
  });
}

/** Sends frames that are ready-made (5-byte prefix included) and waits for the call's end. */
export async function callWithFrames(
  port: number,
  frames: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<GrpcOutcome> {
  const session = await openSession(port);
  try {
    return await exchange(session, frames, headers);
  } finally {
    session.destroy();
  }
}

/** One call on an open session. */
export function exchange(
  session: ClientHttp2Session,
  frames: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<GrpcOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<GrpcOutcome>();
  const stream = session.request({
    ':method': 'POST',
    ':path': exportPath,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  let response: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (received) => (response = received));
  stream.on('trailers', (received) => (trailers = received));
  stream.on('error', reject);
  stream.on('close', () => {
    const status = trailers['grpc-status'] ?? response['grpc-status'];
    const message = trailers['grpc-message'] ?? response['grpc-message'];
    resolve({
      httpStatus: Number(response[':status']) || undefined,
      grpcStatus: status === undefined ? undefined : String(status),
      grpcMessage: message === undefined ? undefined : decodeURIComponent(String(message)),
      headers: response,
      trailers,
    });
  });
  stream.resume();
  stream.end(Buffer.from(frames));
  return promise;
}

/** A message with gRPC's 5-byte prefix. */
export function framed(message: Uint8Array, compressed = false): Uint8Array {
  const frame = Buffer.alloc(5 + message.length);
  frame[0] = compressed ? 1 : 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
