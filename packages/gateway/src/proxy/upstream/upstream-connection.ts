// Hot path: writes every request upstream and reads its response. Guarded by bench/gateway.
import type { Socket } from 'node:net';
import { BodyDecoder, Framing } from '../http1/body-decoder.ts';
import type { BodyPieces } from '../http1/body-decoder.ts';
import { ReadEnd, problemOf } from '../http1/fields.ts';
import type { ReceivedFields } from '../http1/fields.ts';
import { MessageWriter, fieldLines } from '../http1/message-writer.ts';
import { PartialHead, usualHeadBytes } from '../http1/partial-head.ts';
import { ResponseHeadRead, noFields, readResponseHead } from '../http1/response-head.ts';
import { isShared, readAsStream, readBytes } from '../http1/socket-bytes.ts';
import { attemptError } from './failure-reason.ts';
import { GatewayError } from '../../errors.ts';

/** Where the body of a request goes. */
export interface BodyTarget {
  /** Returns false when the upstream is slow; the body is told when it takes more. */
  onPiece(piece: Buffer): boolean;
  onEnd(trailers: readonly string[]): void;
  onFailed(error: GatewayError): void;
}

/** Where the body of a request comes from. */
export interface BodySource {
  /** Gives everything, from the beginning, to `target`. */
  sendTo(target: BodyTarget): void;
  /** The target takes more. */
  wanted(target: BodyTarget): void;
  /** The target takes nothing more. */
  release(target: BodyTarget): void;
}

/** A request as it is written. */
export interface WireRequest {
  readonly method: string;
  /** With its empty line; its fields have been checked. */
  readonly head: string;
  readonly body: BodySource | undefined;
  /** The head says that the body is chunked. */
  readonly chunked: boolean;
  /** The head asks for an upgrade. */
  readonly upgrade: boolean;
}

/** Is told how a request goes. After `onFailed`, `onResponseEnd` and `onUpgraded` nothing follows. */
export interface CallHandler {
  readonly request: WireRequest;
  /** What comes between these two came together. */
  onReadBegin(): void;
  onReadEnd(): void;
  /** An interim response but `100 Continue` and `101 Switching Protocols`. */
  onInterim(status: number, received: ReceivedFields): void;
  onResponseHead(status: number, received: ReceivedFields, nowMs: number): void;
  onResponseData(piece: Buffer): void;
  /** The whole body, one byte a character. */
  onResponseText(body: string): void;
  /** `trailers` are name, value, name, value, … */
  onResponseEnd(trailers: readonly string[], nowMs: number): void;
  onUpgraded(received: ReceivedFields, socket: Socket, first: Buffer): void;
  onFailed(error: GatewayError): void;
}

/** Whom a connection belongs to. */
export interface ConnectionOwner {
  /** For messages: `host:port`. */
  readonly name: string;
  /** How long the upstream may say nothing while a response is awaited; 0 = as long as it likes. */
  readonly readTimeoutMs: number;
  /** What the heads of a response may come to: its own, and those of interim responses before it. */
  readonly maxHeadBytes: number;
  /** The response is complete, and the connection can be used again; comes before `onResponseEnd`. */
  onFree(connection: UpstreamConnection): void;
  /** It cannot be used any more. Comes before the call is told. */
  onLost(connection: UpstreamConnection): void;
}

const nothing = Buffer.alloc(0);

/** One connection to an upstream, which has one request at a time. */
export class UpstreamConnection implements BodyPieces, BodyTarget {
  /** `ip:port`. */
  readonly remoteAddress: string;
  /** The address alone. */
  readonly address: string;
  readonly connectedMs: number = performance.now();
  /** Requests sent. */
  uses = 0;
  /** When it became idle last. */
  idleMs = 0;
  /** How long the upstream keeps it idle, as it said; Infinity when it did not. */
  keepMs = Infinity;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #writer: MessageWriter;
  readonly #head = new ResponseHeadRead();
  readonly #body = new BodyDecoder();
  #call: CallHandler | undefined;
  #headRead = false;
  /** What the last head was read from. */
  #headText = '';
  readonly #partialHead = new PartialHead();
  /** Of the heads of interim responses to this request. */
  #interimBytes = 0;
  /** An interim response said that the connection ends. */
  #ending = false;
  #requestDone = true;
  /** A part of a head. */
  #held: Buffer | undefined;
  #readTimer: NodeJS.Timeout | undefined;
  /** When the upstream was heard last, or something began that it is not to blame for. */
  #heardMs = 0;
  #paused = false;
  /** What is being read must be copied to be kept. */
  #borrowed = false;
  #lost = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#writer = new MessageWriter(socket);
    this.address = socket.remoteAddress ?? '';
    const { address } = this;
    this.remoteAddress = `${address.includes(':') ? `[${address}]` : address}:${socket.remotePort}`;
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('drain', this.#onDrain);
    socket.on('close', this.#onClose);
  }

  /** It cannot be used any more. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Begins to read; what the upstream has sent already may end the connection. */
  open(): void {
    readBytes(this.#socket, this.#onBytes);
  }

  /** Sends a request, at `nowMs`; there is none under way. */
  run(call: CallHandler, nowMs: number): void {
    const { request } = call;
    this.#call = call;
    this.uses++;
    this.#headRead = false;
    this.#interimBytes = 0;
    this.#ending = false;
    this.#heardMs = nowMs;
    if (this.#readTimer === undefined) this.#watch(this.#owner.readTimeoutMs);
    this.#writer.head(request.head, request.chunked);
    if (request.body === undefined) {
      this.#requestDone = true;
      this.#writer.flush();
      return;
    }
    this.#requestDone = false;
    this.#writer.cork();
    request.body.sendTo(this);
    this.#writer.uncork();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#heardMs = performance.now();
    this.#socket.resume();
  }

  /** Gives up what is under way, without telling its call. */
  destroy(): void {
    this.#lose();
    this.#socket.destroy();
  }

  onPiece(piece: Buffer): boolean {
    return this.#writer.body(piece);
  }

  onEnd(trailers: readonly string[]): void {
    this.#requestDone = true;
    this.#writer.end(fieldLines(trailers));
    this.#heardMs = performance.now();
  }

  onFailed(error: GatewayError): void {
    this.#fail(error);
  }

  onBodyPiece(piece: Buffer): void {
    this.#call?.onResponseData(this.#borrowed ? Buffer.from(piece) : piece);
  }

  readonly #onBytes = (bytes: Buffer, length: number): void => {
    const call = this.#call;
    if (call === undefined) {
      // Nobody asked: whatever this is, it is no answer to the next request.
      this.destroy();
      return;
    }
    this.#heardMs = performance.now();
    this.#borrowed = isShared(bytes);
    call.onReadBegin();
    this.#read(length === bytes.length ? bytes : bytes.subarray(0, length), call);
    call.onReadEnd();
  };

  readonly #onEnd = (): void => {
    this.#heardMs = performance.now();
    if (this.#call === undefined) this.destroy();
    else if (this.#headRead && this.#body.close()) this.#responseOver(this.#call, false);
    else this.#fail(new GatewayError('connection_closed', this.#text('the upstream closed the connection')));
  };

  readonly #onError = (error: Error): void => {
    this.#fail(attemptError(error, this.#owner.name));
  };

  readonly #onDrain = (): void => {
    if (!this.#requestDone) this.#call?.request.body?.wanted(this);
  };

  readonly #onClose = (): void => {
    this.#fail(new GatewayError('connection_closed', this.#text('the connection was closed')));
  };

  #read(piece: Buffer, call: CallHandler): void {
    let rest = piece;
    while (!this.#headRead) {
      if (this.#held !== undefined) {
        rest = Buffer.concat([this.#held, rest]);
        this.#held = undefined;
        this.#borrowed = false;
      }
      if (!this.#readHead(rest)) return;
      const { end, status, received, contentLength } = this.#head;
      // Of a small response everything is text already.
      const body = this.#headText.length === rest.length && contentLength === rest.length - end ? this.#headText : '';
      rest = end === rest.length ? nothing : rest.subarray(end);
      if (status === 101) {
        this.#upgrade(call, rest);
        return;
      }
      if (status < 200) {
        this.#interimBytes += end;
        this.#ending ||= !this.#head.keepAlive;
        if (status !== 100) call.onInterim(status, received);
        if (this.#call !== call || rest.length === 0) return;
        continue;
      }
      this.#headRead = true;
      this.#frame(call.request.method);
      call.onResponseHead(status, received, this.#heardMs);
      if (this.#call !== call) return;
      if (body !== '' && !this.#body.ended) {
        call.onResponseText(body.slice(end));
        if (this.#call === call) this.#responseOver(call, true);
        return;
      }
    }
    const end = this.#body.read(rest, 0, this);
    if (this.#call !== call) return;
    if (this.#body.problem !== '') {
      this.#fail(new GatewayError('invalid_response', this.#text(`the body cannot be read: ${this.#body.problem}`)));
    } else if (this.#body.ended) this.#responseOver(call, end === rest.length);
  }

  /** Returns false when more is needed, or it is no head. */
  #readHead(bytes: Buffer): boolean {
    const head = this.#head;
    const maxBytes = this.#owner.maxHeadBytes - this.#interimBytes;
    if (this.#partialHead.isFarFromWhole(bytes, maxBytes)) {
      this.#hold(bytes);
      return false;
    }
    this.#headText = bytes.toString('latin1', 0, Math.min(bytes.length, usualHeadBytes, maxBytes));
    let outcome = readResponseHead(this.#headText, head);
    if (outcome === undefined && bytes.length > usualHeadBytes) {
      this.#headText = bytes.toString('latin1', 0, Math.min(bytes.length, maxBytes));
      outcome = readResponseHead(this.#headText, head);
    }
    if (outcome === true) {
      this.#partialHead.reset();
      return true;
    }
    if (outcome === ReadEnd.BROKEN) {
      this.#fail(new GatewayError('invalid_response', this.#text(`the answer is no HTTP/1.1: ${problemOf()}`)));
    } else if (bytes.length >= maxBytes) this.#fail(this.#headTooLarge());
    else {
      this.#partialHead.readInVain(bytes.length);
      this.#hold(bytes);
    }
    return false;
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#borrowed ? Buffer.from(bytes) : bytes;
  }

  #headTooLarge(): GatewayError {
    const limit = `${this.#owner.maxHeadBytes} bytes (max-response-head-bytes of its upstream)`;
    const what = this.#interimBytes === 0 ? 'exceeds' : 'and the interim responses before it exceed';
    return new GatewayError('invalid_response', this.#text(`the head of the response ${what} ${limit}`));
  }

  /** RFC 9112 section 6.3. */
  #frame(method: string): void {
    const { status, chunked, contentLength } = this.#head;
    if (method === 'HEAD' || status === 204 || status === 304) this.#body.begin(Framing.NONE);
    else if (chunked) this.#body.begin(Framing.CHUNKED);
    else if (contentLength >= 0) this.#body.begin(Framing.LENGTH, contentLength);
    else this.#body.begin(Framing.UNTIL_CLOSE);
  }

  /** `clean`: nothing came behind the response. */
  #responseOver(call: CallHandler, clean: boolean): void {
    const { trailers } = this.#body;
    const { keepAlive, keepAliveSeconds } = this.#head;
    // What is idle does not hold on to what it read last.
    this.#headText = '';
    this.#head.received = noFields;
    const reusable = clean && keepAlive && !this.#ending && this.#requestDone && !this.#socket.destroyed;
    this.#call = undefined;
    if (!this.#requestDone) call.request.body?.release(this);
    if (reusable) {
      this.resume();
      this.idleMs = this.#heardMs;
      if (keepAliveSeconds >= 0) this.keepMs = Math.max(keepAliveSeconds * 1000 - clockSlackMs, 0);
      this.#owner.onFree(this);
    } else this.destroy();
    call.onResponseEnd(trailers, this.#heardMs);
  }

  #upgrade(call: CallHandler, first: Buffer): void {
    if (!call.request.upgrade) {
      this.#fail(
        new GatewayError('invalid_response', this.#text('the upstream changes the protocol, which nobody asked for')),
      );
      return;
    }
    const { received } = this.#head;
    const socket = this.#socket;
    this.#call = undefined;
    this.#lose();
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('drain', this.#onDrain);
    socket.off('close', this.#onClose);
    readAsStream(socket);
    call.onUpgraded(received, socket, this.#borrowed ? Buffer.from(first) : first);
  }

  #fail(error: GatewayError): void {
    const call = this.#call;
    this.#call = undefined;
    this.destroy();
    if (call === undefined) return;
    if (!this.#requestDone) call.request.body?.release(this);
    call.onFailed(error);
  }

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    clearTimeout(this.#readTimer);
    const call = this.#call;
    this.#call = undefined;
    if (call !== undefined && !this.#requestDone) call.request.body?.release(this);
    this.#owner.onLost(this);
  }

  /** Setting a timer for each request would be felt: there is one, and what it finds when it fires decides. */
  #watch(delayMs: number): void {
    if (this.#owner.readTimeoutMs <= 0) return;
    this.#readTimer = setTimeout(onReadTimeout, delayMs, this).unref();
  }

  /** It is time to look whether the upstream says too little. */
  onReadTimer(): void {
    this.#readTimer = undefined;
    if (this.#call === undefined || this.#lost) return;
    const { readTimeoutMs } = this.#owner;
    const leftMs = this.#heardMs + readTimeoutMs - performance.now();
    // Who does not read, and who still sends, cannot complain; both have limits of their own.
    if (this.#paused || !this.#requestDone) this.#watch(readTimeoutMs);
    else if (leftMs > 0) this.#watch(Math.ceil(leftMs));
    else {
      const what = this.#headRead ? 'the rest of the response' : 'the head of the response';
      const message = this.#text(`${what} did not come within ${this.#owner.readTimeoutMs} ms`);
      this.#fail(new GatewayError('read_timeout', message));
    }
  }

  #text(what: string): string {
    return `the exchange with ${this.#owner.name} failed: ${what}`;
  }
}

/** A hint is about when the other side's clock began; a request must not meet the closing. */
const clockSlackMs = 1000;

function onReadTimeout(connection: UpstreamConnection): void {
  connection.onReadTimer();
}
