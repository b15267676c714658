import { constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { compress } from '../codec/compress.ts';
import { parseContentEncoding } from '../codec/encoding.ts';
import type { ContentEncoding } from '../codec/encoding.ts';
import { NetError } from '../errors.ts';
import { messageCodec } from '../grpc/encoding.ts';
import { formatGrpcTimeout } from '../grpc/metadata.ts';
import { framePrefix, framePrefixBytes } from '../grpc/read-message.ts';
import { inflateMessage } from '../grpc/serve.ts';
import { defaultMaxGrpcMessageBytes } from '../limits.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { rpcStatus } from '../status/rpc-status.ts';
import type { TlsClientSettings } from '../tls/settings.ts';
import { parseGrpcTarget } from './endpoint.ts';
import { GrpcConnection, countCall } from './grpc-connection.ts';
import type { ClientKeepaliveSettings, ConnectionState } from './grpc-connection.ts';
import { brokenReply, replyTooLarge, statusOfReply, streamFailure, unavailable } from './grpc-failure.ts';
import { GrpcStream } from './grpc-stream.ts';
import type { GrpcStreamListener } from './grpc-stream.ts';

/** Where and how a gRPC client calls. */
export interface GrpcClientOptions {
  /** `host:port`, `http://…` (plaintext), `https://…` (TLS), `dns:///…`, `unix:///…`. */
  readonly endpoint: string;
  /** TLS is on unless the scheme is http or `tls.insecure` is set. */
  readonly tls?: TlsClientSettings;
  /** Default identity; gzip, zstd, snappy and deflate are possible. */
  readonly compression?: ContentEncoding;
  /** The encoding's own scale, see `compress`. */
  readonly compressionLevel?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly userAgent?: string;
  /** Instead of the endpoint's host in `:authority`. */
  readonly authority?: string;
  /** Largest reply, before and after decompression. Default 4 MiB. */
  readonly maxReceiveBytes?: number;
  /** Default 10,000. */
  readonly connectTimeoutMs?: number;
  readonly keepalive?: ClientKeepaliveSettings;
  /** After failures to connect, calls fail at once for a time that grows up to this. Default 120,000. */
  readonly maxReconnectDelayMs?: number;
}

/** How one call is made. */
export interface GrpcCallOptions {
  /** Sent as `grpc-timeout`; the call fails with DEADLINE_EXCEEDED after it. 0 or absent = none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

const wireEncodings: readonly ContentEncoding[] = ['identity', 'gzip', 'zstd', 'snappy', 'deflate'];

/** Makes gRPC calls with encoded messages over one connection, which is remade when lost. */
export class GrpcClient {
  readonly #options: GrpcClientOptions;
  readonly #compression: ContentEncoding;
  readonly #connection: GrpcConnection;

  /** Fails with `invalid_setting` or `tls_config`; connecting begins with the first call. */
  constructor(options: GrpcClientOptions) {
    const target = parseGrpcTarget(options.endpoint);
    const tls = options.tls ?? {};
    this.#options = options;
    this.#compression = options.compression ?? 'identity';
    if (!wireEncodings.includes(this.#compression)) {
      const message = `compression ${this.#compression} is not possible with gRPC: use one of ${wireEncodings.join(', ')}`;
      throw new NetError('invalid_setting', message);
    }
    const secure = target.kind === 'tcp' && target.scheme ? target.scheme === 'https' : !tls.insecure;
    const { connectTimeoutMs = 10_000, keepalive = {}, maxReconnectDelayMs } = options;
    this.#connection = new GrpcConnection({ target, tls, secure, connectTimeoutMs, keepalive, maxReconnectDelayMs });
  }

  get state(): ConnectionState['kind'] {
    return this.#connection.state.kind;
  }

  /**
   * Calls `/package.Service/Method`. Fails with a `NetError` that carries the status: `rpc_failed` (the server's
   * answer), `connect_failed`, `timed_out`, `aborted`, `closed`, `body_too_large`, `malformed_frame`.
   */
  async unary(path: string, message: Uint8Array, options: GrpcCallOptions = {}): Promise<Uint8Array> {
    return this.unaryEncoded(path, await this.encode(message), options);
  }

  /** Compresses a message, for calls that may be repeated; without compression it is the very same bytes. */
  async encode(message: Uint8Array): Promise<Uint8Array> {
    if (this.#compression === 'identity') return message;
    return compress(message, messageCodec(this.#compression), this.#options.compressionLevel);
  }

  /** As `unary`, with what `encode` made. It is sent from where it lies and must not change until the call has ended. */
  async unaryEncoded(path: string, encoded: Uint8Array, options: GrpcCallOptions = {}): Promise<Uint8Array> {
    const session = await this.#connection.session();
    if (options.signal?.aborted) throw abortedError(options.signal);
    const { headers, frame, encoding, trailers } = await call(session, this.#headers(path, options), encoded, {
      ...options,
      compressed: this.#compression !== 'identity',
      maxReceiveBytes: this.#maxReceiveBytes,
    });
    const status = statusOfReply(headers, trailers);
    if (status.code !== GrpcCode.ok) {
      throw new NetError('rpc_failed', `${path} answered ${status.code}: ${status.message}`, { status });
    }
    return this.#decode(frame, encoding);
  }

  /**
   * Opens a stream of messages both ways, uncompressed. Fails with `connect_failed`, `closed` or `rpc_failed`; how the
   * stream ends later is told to the listener.
   */
  async openStream(path: string, listener: GrpcStreamListener): Promise<GrpcStream> {
    const session = await this.#connection.session();
    // Messages of a stream are framed as they are, whatever unary calls compress with.
    const { 'grpc-encoding': _compression, ...headers } = this.#headers(path, {});
    headers['grpc-accept-encoding'] = 'identity';
    return new GrpcStream(session, headers, this.#maxReceiveBytes, listener);
  }

  /** Lets running calls finish and closes the connection. Idempotent. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  get #maxReceiveBytes(): number {
    return this.#options.maxReceiveBytes ?? defaultMaxGrpcMessageBytes;
  }

  #headers(path: string, options: GrpcCallOptions): OutgoingHttpHeaders {
    const { headers, userAgent, authority } = this.#options;
    return {
      ...lowerCased(headers),
      ...lowerCased(options.headers),
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-accept-encoding': 'identity,gzip,zstd,snappy,deflate',
      ...(authority ? { ':authority': authority } : {}),
      ...(userAgent ? { 'user-agent': userAgent } : {}),
      ...(this.#compression === 'identity' ? {} : { 'grpc-encoding': this.#compression }),
      ...(options.timeoutMs ? { 'grpc-timeout': formatGrpcTimeout(options.timeoutMs) } : {}),
    };
  }

  async #decode(frame: Uint8Array, encoding: string | undefined): Promise<Uint8Array> {
    if (frame.length < framePrefixBytes) throw brokenReply('the reply carries no message');
    const length = Buffer.from(frame.buffer, frame.byteOffset).readUInt32BE(1);
    if (frame.length !== framePrefixBytes + length) {
      throw brokenReply(`the reply announces ${length} bytes and carries ${frame.length - framePrefixBytes}`);
    }
    const message = frame.subarray(framePrefixBytes);
    if (frame[0] === 0) return message;
    const known = parseContentEncoding(encoding);
    if (!known) throw brokenReply(`the reply is compressed with ${String(encoding)}, which nobody asked for`);
    return inflateMessage(message, known, this.#maxReceiveBytes);
  }
}

interface CallReply {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly frame: Uint8Array;
  readonly encoding: string | undefined;
}

interface UnaryCall extends GrpcCallOptions {
  readonly compressed: boolean;
  readonly maxReceiveBytes: number;
}

function call(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  message: Uint8Array,
  options: UnaryCall,
): Promise<CallReply> {
  return new Promise((resolve, reject) => {
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(headers);
    } catch (cause) {
      reject(unavailable(`the connection takes no more calls: ${String(cause)}`, cause));
      return;
    }
    countCall(session, 1);
    const pieces: Buffer[] = [];
    let size = 0;
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    let failure: NetError | undefined;
    const giveUp = (error: NetError): void => {
      failure ??= error;
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const timer = options.timeoutMs
      ? setTimeout(() => giveUp(deadlineError(options.timeoutMs)), options.timeoutMs)
      : undefined;
    const onAbort = (): void => giveUp(abortedError(options.signal));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    stream.on('response', (received) => (head = received));
    stream.on('trailers', (received) => (trailers = received));
    stream.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > options.maxReceiveBytes + framePrefixBytes) giveUp(replyTooLarge(size, options.maxReceiveBytes));
      else pieces.push(piece);
    });
    stream.on('error', (cause) => (failure ??= streamFailure(stream, cause)));
    stream.on('close', () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      countCall(session, -1);
      const encoding = head['grpc-encoding'];
      const complete = head['grpc-status'] !== undefined || trailers['grpc-status'] !== undefined;
      if (failure && !complete) reject(failure);
      else if (head[':status'] === undefined) reject(streamFailure(stream, undefined));
      else
        resolve({
          headers: head,
          trailers,
          frame: Buffer.concat(pieces, size),
          encoding: encoding as string | undefined,
        });
    });
    // In one write, without copying the message behind its prefix.
    stream.cork();
    stream.write(framePrefix(message, options.compressed));
    stream.end(message);
  });
}

function lowerCased(headers: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}

function deadlineError(timeoutMs: number | undefined): NetError {
  const message = `the call was not answered within ${timeoutMs} ms`;
  return new NetError('timed_out', message, { status: rpcStatus(GrpcCode.deadlineExceeded, message) });
}

function abortedError(signal: AbortSignal | undefined): NetError {
  const message = 'the call was given up by its caller';
  return new NetError('aborted', message, { cause: signal?.reason, status: rpcStatus(GrpcCode.cancelled, message) });
}
