// Hot path: answers every gRPC call (guarded by bench/net).
import { constants } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { ByteBudget } from '../byte-budget.ts';
import { compress } from '../codec/compress.ts';
import { decompress } from '../codec/decompress.ts';
import { parseContentEncoding } from '../codec/encoding.ts';
import type { ContentEncoding } from '../codec/encoding.ts';
import { NetError } from '../errors.ts';
import type { Peer, RejectReason, RequestHead, RequestHeaders } from '../exchange.ts';
import { defaultBodyIdleTimeoutMs, defaultMaxGrpcMessageBytes } from '../limits.ts';
import type { GrpcRoute } from '../listener/mounts.ts';
import { GrpcCode } from '../status/grpc-code.ts';
import { rpcStatus } from '../status/rpc-status.ts';
import type { RpcStatus } from '../status/rpc-status.ts';
import { acceptEncodingHeader, defaultGrpcEncodings, messageCodec } from './encoding.ts';
import { parseGrpcTimeoutMs, statusTrailers } from './metadata.ts';
import { frameMessage, inflatedMessageTooLarge, readSingleMessage } from './read-message.ts';
import type { GrpcCall } from './service.ts';
import { waitForDrain, watchReader } from '../http/drain.ts';
import type { SlowReader } from '../http/drain.ts';

/** What a listener gives to every call. */
export interface GrpcServeContext {
  readonly peer: Peer;
  readonly budget: ByteBudget;
  readonly head: RequestHead;
  readonly reader: SlowReader;
  /** Counts a rejection for the listener and for the service. */
  readonly reject: (reason: RejectReason, detail: string) => void;
  /** Told of a method that threw something without a status: a bug worth a log line. */
  readonly onFailure: (path: string, caught: unknown) => void;
}

/** Reply messages below this size are sent as they are: compression would make most of them larger. */
const minCompressBytes = 256;

/** setTimeout cannot wait longer; a deadline this far away is none. */
const maxTimerMs = 2 ** 31 - 1;

/** One call on one stream. */
export class GrpcExchange {
  readonly #stream: ServerHttp2Stream;
  readonly #route: GrpcRoute;
  readonly #context: GrpcServeContext;
  readonly #headers: RequestHeaders;
  readonly #controller = new AbortController();
  #trailers: Record<string, string> = {};
  #takenBytes = 0;
  #deadline: NodeJS.Timeout | undefined;
  #deadlineUnixMs: number | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, route: GrpcRoute, context: GrpcServeContext) {
    this.#stream = stream;
    this.#route = route;
    this.#context = context;
    this.#headers = headers;
    stream.on('close', () => this.#onClose());
  }

  /** Ends the call at once. */
  destroy(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.destroy();
  }

  /** Answers the call; never rejects. */
  async run(): Promise<void> {
    try {
      const call = await this.#open();
      const message = await this.#readMessage(call.encoding);
      await this.#answer(call, message);
    } catch (caught) {
      this.#fail(caught);
    } finally {
      clearTimeout(this.#deadline);
      this.#context.budget.release(this.#takenBytes);
    }
  }

  /** All that is decided on the headers, before a byte of the message is read. */
  async #open(): Promise<GrpcCall> {
    const { service } = this.#route;
    const encoding = this.#encoding();
    this.#startDeadline();
    const authAttributes = service.authenticate ? await this.#authenticate() : undefined;
    const call: GrpcCall = {
      path: this.#context.head.path,
      headers: this.#headers,
      peer: this.#context.peer,
      encoding,
      signal: this.#controller.signal,
      ...(this.#deadlineUnixMs === undefined ? {} : { deadlineUnixMs: this.#deadlineUnixMs }),
      ...(authAttributes ? { authAttributes } : {}),
    };
    const refusal = service.admit?.(call);
    if (refusal) {
      this.#context.reject('not_admitted', refusal.message);
      throw new NetError('rpc_failed', refusal.message, { status: refusal });
    }
    return call;
  }

  #encoding(): ContentEncoding {
    const named = this.#headers['grpc-encoding'];
    if (named === undefined || named === 'identity') return 'identity';
    const encoding = typeof named === 'string' ? parseContentEncoding(named) : undefined;
    const accepted = this.#route.service.encodings ?? defaultGrpcEncodings;
    if (encoding !== undefined && (encoding === 'identity' || accepted.includes(encoding))) return encoding;
    const message = `grpc: Decompressor is not installed for grpc-encoding "${String(named)}"`;
    this.#context.reject('unsupported_encoding', message);
    throw new NetError('unsupported_encoding', message, { status: rpcStatus(GrpcCode.unimplemented, message) });
  }

  #startDeadline(): void {
    const text = this.#headers['grpc-timeout'];
    if (text === undefined) return;
    const timeoutMs = typeof text === 'string' ? parseGrpcTimeoutMs(text) : undefined;
    if (timeoutMs === undefined) {
      const message = `malformed grpc-timeout ${JSON.stringify(text)}: up to eight digits and one of H M S m u n are expected`;
      throw new NetError('malformed_frame', message, { status: rpcStatus(GrpcCode.internal, message) });
    }
    this.#deadlineUnixMs = Date.now() + timeoutMs;
    if (timeoutMs <= maxTimerMs) this.#deadline = setTimeout(() => this.#onDeadline(), timeoutMs);
  }

  #onDeadline(): void {
    const status = rpcStatus(GrpcCode.deadlineExceeded, 'the deadline of the call passed before it was answered');
    this.#controller.abort(new NetError('timed_out', status.message, { status }));
    this.#end(status);
  }

  async #authenticate(): Promise<Readonly<Record<string, string>> | undefined> {
    const outcome = await this.#route.service.authenticate?.(this.#context.head);
    if (!outcome || outcome.ok) return outcome?.attributes;
    this.#context.reject('unauthenticated', outcome.text);
    const code = outcome.status === 401 ? GrpcCode.unauthenticated : GrpcCode.permissionDenied;
    throw new NetError('rpc_failed', outcome.text, { status: rpcStatus(code, outcome.text) });
  }

  async #readMessage(encoding: ContentEncoding): Promise<Uint8Array> {
    const { service } = this.#route;
    const maxBytes = service.maxReceiveBytes ?? defaultMaxGrpcMessageBytes;
    try {
      const framed = await readSingleMessage(this.#stream, {
        maxBytes,
        idleTimeoutMs: service.bodyIdleTimeoutMs ?? defaultBodyIdleTimeoutMs,
        budget: this.#context.budget,
        onTaken: (bytes) => (this.#takenBytes += bytes),
      });
      if (!framed.compressed) return framed.bytes;
      return await inflateMessage(framed.bytes, encoding, maxBytes);
    } catch (caught) {
      if (caught instanceof NetError && isRejection(caught.code)) this.#context.reject(caught.code, caught.message);
      throw caught;
    }
  }

  async #answer(call: GrpcCall, message: Uint8Array): Promise<void> {
    const { method } = this.#route;
    if (method.kind === 'unary') {
      const reply = method.handle(message, call);
      const frame = await this.#frame(reply instanceof Promise ? await reply : reply, call.encoding);
      if (!this.#canWrite()) return;
      this.#respond(call.encoding, rpcStatus(GrpcCode.ok, ''));
      this.#stream.end(frame);
      this.#watchReader();
      return;
    }
    for await (const reply of method.handle(message, call)) {
      const frame = await this.#frame(reply, call.encoding);
      if (!this.#canWrite()) return;
      if (!this.#stream.headersSent) this.#respond(call.encoding, rpcStatus(GrpcCode.ok, ''));
      if (!this.#stream.write(frame)) await waitForDrain(this.#stream, this.#context.reader);
    }
    if (!this.#canWrite()) return;
    if (!this.#stream.headersSent) return this.#end(rpcStatus(GrpcCode.ok, ''));
    this.#stream.end();
    this.#watchReader();
  }

  #watchReader(): void {
    const { reader } = this.#context;
    watchReader(this.#stream, reader.idleTimeoutMs, () => {
      reader.onSlow();
      this.destroy();
    });
  }

  async #frame(reply: Uint8Array, encoding: ContentEncoding): Promise<Uint8Array> {
    if (encoding === 'identity' || reply.length < minCompressBytes) return frameMessage(reply, false);
    return frameMessage(await compress(reply, messageCodec(encoding)), true);
  }

  #canWrite(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#stream.writableEnded;
  }

  /** Sends the headers of a reply with messages; `trailerStatus` ends it unless a failure replaces it. */
  #respond(encoding: ContentEncoding, trailerStatus: RpcStatus): void {
    this.#trailers = statusTrailers(trailerStatus);
    this.#stream.respond(this.#replyHeaders(encoding), { waitForTrailers: true });
    this.#stream.once('wantTrailers', () => {
      if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers(this.#trailers);
    });
  }

  #replyHeaders(encoding: ContentEncoding): Record<string, string | number> {
    const headers: Record<string, string | number> = {
      ':status': 200,
      'content-type': replyContentType(this.#headers['content-type']),
      'grpc-accept-encoding': acceptEncodingHeader(this.#route.service.encodings ?? defaultGrpcEncodings),
    };
    if (encoding !== 'identity') headers['grpc-encoding'] = encoding;
    return headers;
  }

  #fail(caught: unknown): void {
    const { service } = this.#route;
    if (caught instanceof NetError && caught.code === 'aborted') return this.destroy();
    const ownStatus = caught instanceof NetError && caught.status ? caught.status : undefined;
    const fromPackage = caught instanceof NetError && caught.code !== 'rpc_failed' ? ownStatus : undefined;
    try {
      this.#end(fromPackage ?? service.toStatus?.(caught) ?? ownStatus ?? this.#unexpected(caught));
    } catch (broken) {
      this.#end(this.#unexpected(broken));
    }
  }

  #unexpected(caught: unknown): RpcStatus {
    this.#context.onFailure(this.#context.head.path, caught);
    return rpcStatus(GrpcCode.internal, caught instanceof Error ? caught.message : String(caught));
  }

  /** Ends the call with a status, as trailers only when nothing has been sent; what is still arriving is refused. */
  #end(status: RpcStatus): void {
    if (!this.#canWrite()) return;
    const stream = this.#stream;
    if (stream.headersSent) {
      this.#trailers = statusTrailers(status);
      stream.end();
      return;
    }
    stream.respond({ ...this.#replyHeaders('identity'), ...statusTrailers(status) }, { endStream: true });
    // The reply is complete, so the caller may stop sending: RST_STREAM with NO_ERROR (RFC 9113 section 8.1).
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #onClose(): void {
    if (this.#controller.signal.aborted) return;
    if (this.#stream.rstCode === constants.NGHTTP2_NO_ERROR && this.#stream.writableFinished) return;
    this.#controller.abort(new NetError('aborted', 'the caller cancelled the call or went away'));
  }
}

/** Inflates a message, wording failures as gRPC does. */
export async function inflateMessage(
  bytes: Uint8Array,
  encoding: ContentEncoding,
  maxBytes: number,
): Promise<Uint8Array> {
  if (encoding === 'identity') {
    const message = 'grpc: compressed flag set with identity or empty encoding';
    throw new NetError('malformed_frame', message, { status: rpcStatus(GrpcCode.internal, message) });
  }
  try {
    return await decompress(bytes, messageCodec(encoding), { maxBytes, limitSetting: 'max_recv_msg_size_mib' });
  } catch (caught) {
    if (!(caught instanceof NetError)) throw caught;
    if (caught.code === 'inflated_too_large') throw inflatedMessageTooLarge(Number(caught.details['bytes']), maxBytes);
    const message = `grpc: failed to decompress the received message: ${caught.message}`;
    throw new NetError(caught.code, message, { cause: caught, status: rpcStatus(GrpcCode.internal, message) });
  }
}

type BodyRejection = Extract<RejectReason, NetError['code']>;

const bodyRejections: readonly string[] = [
  'body_too_large',
  'inflated_too_large',
  'slow_body',
  'budget_exhausted',
  'malformed_encoding',
  'malformed_frame',
] satisfies BodyRejection[];

/** Whether a failure to read a body counts as a rejection, and not as a client that went away. */
export function isRejection(code: NetError['code']): code is BodyRejection {
  return bodyRejections.includes(code);
}

/** A reply repeats the request's message format, such as `application/grpc+proto`. */
function replyContentType(requested: string | readonly string[] | undefined): string {
  return typeof requested === 'string' && requested.startsWith('application/grpc+') ? requested : 'application/grpc';
}
