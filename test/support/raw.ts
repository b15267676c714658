import { connect } from 'node:net';
import { request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';

/** What came back over a bare socket until it was closed. */
export interface RawOutcome {
  /** The status of an HTTP/1.1 answer, when there was one. */
  readonly status: number | undefined;
  readonly text: string;
}

/** Writes bytes to a port and listens until the other side closes. The socket stays open on this side until then. */
export function rawExchange(port: number, bytes: Uint8Array | string): Promise<RawOutcome> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (piece: Buffer) => received.push(piece));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Being cut off in the middle of sending is one way to be turned away.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => {
      const text = Buffer.concat(received).toString('latin1');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      resolve({ status: status === undefined ? undefined : Number(status), text });
    });
  });
}

/** An HTTP/1.1 answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** One request by node:http, which unlike fetch sends any method, header and framing it is told to. */
export function httpExchange(
  port: number,
  options: { readonly method?: string; readonly path?: string; readonly headers?: OutgoingHttpHeaders },
  body: Uint8Array | readonly Uint8Array[] = new Uint8Array(0),
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const call = request({
      host: '127.0.0.1',
      port,
      method: options.method ?? 'POST',
      path: options.path ?? '/v1/traces',
      headers: { connection: 'close', ...options.headers },
    });
    call.on('response', (response) => {
      answered = true;
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(pieces).toString('utf8'),
        }),
      );
    });
    call.on('error', (error) => {
      if (!answered) reject(error); // After the answer the server may close while the body is still on its way.
    });
    if (body instanceof Uint8Array) call.end(body);
    else {
      for (const piece of body) call.write(piece);
      call.end();
    }
  });
}
