import { constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { NetError } from '../errors.ts';
import { frameMessage, framePrefixBytes } from '../grpc/read-message.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { rpcStatus } from '../status/rpc-status.ts';
import { countCall } from './grpc-connection.ts';
import { brokenReply, replyTooLarge, statusOfReply, streamFailure, unavailable } from './grpc-failure.ts';

/** Who hears what comes on a stream. */
export interface GrpcStreamListener {
  /** A message has come. What it throws ends the stream with that error. */
  onMessage(message: Uint8Array): void;
  /**
   * The stream is over: without an error when the server ended it with OK or the client cancelled it. Called once.
   * Errors carry the status: `rpc_failed`, `malformed_frame`, `body_too_large`.
   */
  onEnd(error: Error | undefined): void;
}

/** A gRPC call with messages both ways. */
export class GrpcStream {
  readonly #stream: ClientHttp2Stream;
  readonly #maxReceiveBytes: number;
  readonly #listener: GrpcStreamListener;
  #pieces: Buffer[] = [];
  #size = 0;
  #wanted = framePrefixBytes;
  #headers: IncomingHttpHeaders = {};
  #trailers: IncomingHttpHeaders = {};
  #failure: Error | undefined;
  #cancelled = false;

  /** Fails with `rpc_failed` when the connection takes no more calls. */
  constructor(
    session: ClientHttp2Session,
    headers: OutgoingHttpHeaders,
    maxReceiveBytes: number,
    listener: GrpcStreamListener,
  ) {
    this.#maxReceiveBytes = maxReceiveBytes;
    this.#listener = listener;
    try {
      this.#stream = session.request(headers, { endStream: false });
    } catch (cause) {
      throw unavailable(`the connection takes no more calls: ${String(cause)}`, cause);
    }
    countCall(session, 1);
    this.#stream.on('response', (received) => (this.#headers = received));
    this.#stream.on('trailers', (received) => (this.#trailers = received));
    this.#stream.on('data', (piece: Buffer) => this.#onData(piece));
    // A server that ends its side has ended the call.
    this.#stream.on('end', () => this.#stream.end());
    this.#stream.on('error', (cause) => (this.#failure ??= streamFailure(this.#stream, cause)));
    this.#stream.on('close', () => {
      countCall(session, -1);
      this.#listener.onEnd(this.#endingError());
    });
  }

  /** Bytes sent that the connection has not taken yet. */
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  /** Sends a message. Fails with `closed` when the stream is over. */
  send(message: Uint8Array): void {
    if (this.#stream.closed || this.#stream.destroyed || this.#stream.writableEnded) {
      const text = 'the gRPC stream is over';
      throw new NetError('closed', text, { status: rpcStatus(GrpcCode.cancelled, text) });
    }
    this.#stream.write(frameMessage(message, false));
  }

  /** Ends the call from this side. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #onData(piece: Buffer): void {
    if (this.#failure !== undefined || this.#cancelled) return;
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size < this.#wanted) return;
    try {
      const bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#size);
      const rest = this.#takeMessages(bytes);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
    } catch (caught) {
      this.#failure = caught instanceof Error ? caught : new Error(String(caught));
      this.#stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  #takeMessages(bytes: Buffer): Buffer {
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      this.#wanted = left < framePrefixBytes ? framePrefixBytes : framePrefixBytes + this.#messageLength(bytes, at);
      if (left < this.#wanted || this.#cancelled) return bytes.subarray(at);
      const start = at + framePrefixBytes;
      at += this.#wanted;
      this.#listener.onMessage(bytes.subarray(start, at));
    }
  }

  #messageLength(bytes: Buffer, at: number): number {
    if (bytes[at] !== 0) throw brokenReply('a message of the stream is compressed, which nobody asked for');
    const length = bytes.readUInt32BE(at + 1);
    if (length > this.#maxReceiveBytes) throw replyTooLarge(length, this.#maxReceiveBytes);
    return length;
  }

  #endingError(): Error | undefined {
    if (this.#failure !== undefined && !this.#cancelled) {
      const answered = this.#trailers['grpc-status'] ?? this.#headers['grpc-status'];
      if (answered === undefined) return this.#failure;
    }
    if (this.#cancelled) return undefined;
    if (this.#headers[':status'] === undefined) return streamFailure(this.#stream, undefined);
    const status = statusOfReply(this.#headers, this.#trailers);
    if (status.code === GrpcCode.ok) return undefined;
    return new NetError('rpc_failed', `the stream ended with ${status.code}: ${status.message}`, { status });
  }
}
