// Hot path: reads every HTTP/1.1 request from its connection. Guarded by bench/gateway.
//
// A connection has one request at a time: what a client sends ahead waits, unread beyond a bound, until the response before
// it is written. Whatever a phase does not expect ends the connection.
import type { Socket } from 'node:net';
import type { ListenerConfig } from '../../config/model/listener.ts';
import { Http1Downstream } from '../downstream/http1-downstream.ts';
import type { BodyListener } from '../downstream/downstream.ts';
import type { ClientConnection } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { RequestFlow } from '../flow/request-flow.ts';
import type { GatewayContext } from '../flow/gateway-context.ts';
import { BodyDecoder, Framing } from '../http1/body-decoder.ts';
import type { BodyPieces } from '../http1/body-decoder.ts';
import { ReadEnd, problemOf } from '../http1/fields.ts';
import { MessageWriter } from '../http1/message-writer.ts';
import { PartialHead, usualHeadBytes } from '../http1/partial-head.ts';
import { RequestHead, readRequestHead } from '../http1/request-head.ts';
import { isShared, readAsStream, readBytes } from '../http1/socket-bytes.ts';
import { connectRefusal } from './http2-server.ts';
import { refuseUnread } from './unread-request.ts';

/** How HTTP/1.1 is served besides what the listener's configuration says. */
export interface Http1Options {
  /** For a whole request head. */
  readonly headTimeoutMs: number;
  /** What is read of a head; limits below that answer by themselves. */
  readonly maxHeadBytes: number;
}

/** What connections belong to. */
export interface Http1Owner {
  readonly listener: ListenerConfig;
  readonly context: GatewayContext;
  readonly options: Http1Options;
  /** The connection is closed, or was given away. */
  onConnectionOver(connection: Http1Connection): void;
}

const Phase = Object.freeze({
  /** A head is awaited, or has come in part. */
  HEAD: 0,
  /** There is a request; its body may not have ended. */
  REQUEST: 1,
  /** The response is written; what is left of the request's body is read for nobody. */
  REST: 2,
  /** The last response is written: what comes is thrown away until the client closes. */
  LINGER: 3,
  /** It is closed, or speaks another protocol. */
  OVER: 4,
} as const);
type Phase = (typeof Phase)[keyof typeof Phase];

/** What a client may send ahead before it is not read any more. */
const maxHeldBytes = 64 * 1024;
/** What is taken of a body, or after the end, for nobody: closing at once would lose the response. */
const maxLingerBytes = 1024 * 1024;
const lingerMs = 1000;

/** Nobody reads. */
const nobody: BodyPieces = { onBodyPiece() {} };

/** One connection of a client. */
export class Http1Connection implements BodyPieces {
  readonly client: ClientConnection;
  readonly socket: Socket;
  readonly writer: MessageWriter;
  readonly #owner: Http1Owner;
  readonly #body = new BodyDecoder();
  #phase: Phase = Phase.HEAD;
  /** When the phase was first seen to be the present one; 0 = not yet. */
  #sinceMs = 0;
  /** When the first part of a head came; 0 = none has. */
  #headSinceMs = 0;
  readonly #partialHead = new PartialHead();
  /** What has come and cannot be read yet. */
  #held: Buffer | undefined;
  /** Whether something is being read: whoever makes more of it readable need not read it. */
  #pumping = false;
  /** What is being read must be copied to be kept. */
  #borrowed = false;
  #downstream: Http1Downstream | undefined;
  #flow: RequestFlow | undefined;
  #reader: BodyListener | undefined;
  #readerPaused = false;
  #lingered = 0;

  constructor(socket: Socket, client: ClientConnection, owner: Http1Owner) {
    this.socket = socket;
    this.client = client;
    this.#owner = owner;
    this.writer = new MessageWriter(socket);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('drain', this.#onDrain);
    socket.on('close', this.#onClose);
    readBytes(socket, this.#onBytes);
  }

  /** Whether the client has sent its request's whole body. */
  get bodyEnded(): boolean {
    return this.#body.ended;
  }

  /** Gives the body to `reader`, beginning with what is here already. */
  readBody(reader: BodyListener): void {
    this.#reader = reader;
    this.#readHeld();
    if (!this.#readerPaused) this.socket.resume();
  }

  pauseBody(): void {
    this.#readerPaused = true;
    this.socket.pause();
  }

  resumeBody(): void {
    if (!this.#readerPaused) return;
    this.#readerPaused = false;
    this.socket.resume();
    this.#readHeld();
  }

  /** The response is written; `last`: nothing may follow it. */
  requestOver(last: boolean): void {
    this.#flow = undefined;
    this.#downstream = undefined;
    this.#reader = undefined;
    this.#readerPaused = false;
    if (last) this.#endGently();
    else {
      this.#enter(this.#body.ended ? Phase.HEAD : Phase.REST);
      this.#lingered = 0;
      this.socket.resume();
      this.#pump();
    }
  }

  /** Gives the socket away, with what the client has sent beyond its request. */
  takeOver(): Buffer {
    this.#release();
    const first = this.#held ?? Buffer.alloc(0);
    this.#held = undefined;
    const own = this.#borrowed ? Buffer.from(first) : first;
    readAsStream(this.socket);
    return own;
  }

  /** Ends the connection if nothing is under way. */
  closeIfIdle(): void {
    if (this.#phase === Phase.HEAD && this.#held === undefined) this.#endGently();
  }

  /** Ends what takes too long. Called every now and then. */
  check(nowMs: number): void {
    if (this.#sinceMs === 0) this.#sinceMs = nowMs;
    const elapsedMs = nowMs - this.#sinceMs;
    switch (this.#phase) {
      case Phase.HEAD:
        this.#checkHead(elapsedMs, nowMs);
        break;
      case Phase.REST:
      case Phase.LINGER:
        if (elapsedMs >= lingerMs) this.socket.destroy();
        break;
      default:
    }
  }

  onBodyPiece(piece: Buffer): void {
    this.#reader?.onBodyData(this.#borrowed ? Buffer.from(piece) : piece);
  }

  #checkHead(elapsedMs: number, nowMs: number): void {
    const { headTimeoutMs } = this.#owner.options;
    if (this.#held !== undefined) {
      if (nowMs - this.#headSinceMs >= headTimeoutMs)
        this.#refuse(408, 'head_timeout', 'Timeout', `no head within ${headTimeoutMs} ms`);
    } else if (this.client.requests === 0) {
      // Opened in advance, as browsers do, and never used: there is nothing to answer.
      if (elapsedMs >= headTimeoutMs) this.socket.destroy();
    } else {
      const { keepaliveTimeoutMs } = this.#owner.listener;
      if (keepaliveTimeoutMs > 0 && elapsedMs >= keepaliveTimeoutMs) this.#endGently();
    }
  }

  readonly #onBytes = (bytes: Buffer, length: number): void => {
    switch (this.#phase) {
      case Phase.HEAD:
      case Phase.REST:
        this.#take(bytes, length);
        this.#pump();
        break;
      case Phase.REQUEST:
        this.#take(bytes, length);
        this.#readHeld();
        break;
      case Phase.LINGER:
        this.#lingered += length;
        if (this.#lingered > maxLingerBytes) this.socket.destroy();
        break;
      default:
    }
  };

  readonly #onEnd = (): void => {
    if (this.#phase === Phase.HEAD && this.#held !== undefined) {
      this.#refuse(400, 'bad_request', 'RequestValidation', 'the client closed its side within a request');
    } else if (this.#phase === Phase.HEAD) this.socket.end();
    // Who does not listen any more is not answered; who only says no more cannot be told from that.
    else this.socket.destroy();
  };

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onDrain = (): void => {
    this.#downstream?.onDrain();
  };

  readonly #onClose = (): void => {
    this.#release();
    this.#downstream?.onClosed();
  };

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#sinceMs = 0;
    this.#headSinceMs = 0;
    this.#partialHead.reset();
  }

  #release(): void {
    if (this.#phase === Phase.OVER) return;
    this.#enter(Phase.OVER);
    const { socket } = this;
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('close', this.#onClose);
    this.#owner.onConnectionOver(this);
  }

  /** Holds what has come; as long as it is borrowed, it is for this turn only. */
  #take(bytes: Buffer, length: number): void {
    const piece = length === bytes.length ? bytes : bytes.subarray(0, length);
    if (this.#held === undefined) {
      this.#held = piece;
      this.#borrowed = isShared(bytes);
    } else {
      this.#held = Buffer.concat([this.#held, piece]);
      this.#borrowed = false;
    }
  }

  /** What is held now is held beyond this turn. */
  #keep(): void {
    if (this.#held === undefined) return;
    if (this.#borrowed) this.#held = Buffer.from(this.#held);
    this.#borrowed = false;
    if (this.#held.length > maxHeldBytes && this.#phase === Phase.REQUEST) this.socket.pause();
  }

  /** Reads what is held, as far as the phase allows. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#held !== undefined) {
      if (this.#phase === Phase.REST) this.#readRest(this.#held);
      else if (this.#phase !== Phase.HEAD || !this.#readHead(this.#held)) break;
    }
    this.#keep();
    this.#pumping = false;
  }

  /** Returns false when more is needed, or nothing will come of it. */
  #readHead(held: Buffer): boolean {
    const { maxHeadBytes } = this.#owner.options;
    if (this.#partialHead.isFarFromWhole(held, maxHeadBytes)) return false;
    const head = new RequestHead();
    let outcome = readRequestHead(held.toString('latin1', 0, Math.min(held.length, usualHeadBytes)), head);
    if (outcome === undefined && held.length > usualHeadBytes) {
      outcome = readRequestHead(held.toString('latin1', 0, Math.min(held.length, maxHeadBytes)), head);
    }
    if (outcome === true) {
      this.#held = head.end === held.length ? undefined : held.subarray(head.end);
      this.#serve(head);
      return true;
    }
    if (outcome === ReadEnd.BROKEN) {
      this.#refuse(400, 'bad_request', 'RequestValidation', `no request could be read: ${problemOf()}`);
    } else if (held.length >= maxHeadBytes) {
      const message = `no request could be read: its head exceeds ${maxHeadBytes} bytes`;
      this.#refuse(431, 'header_size', 'LimitExceeded', message);
    } else this.#awaitHead(held, head.start);
    return false;
  }

  /** The head has begun, unless only empty lines have come; these count for nothing. */
  #awaitHead(held: Buffer, start: number): void {
    if (start > 0) this.#held = start === held.length ? undefined : held.subarray(start);
    if (this.#held === undefined) return;
    if (this.#headSinceMs === 0) this.#headSinceMs = performance.now();
    this.#partialHead.readInVain(held.length - start);
  }

  #serve(head: RequestHead): void {
    const { client } = this;
    const { listener, context } = this.#owner;
    // Sent behind a request whose response is the last: read as a request, but perhaps meant as part of another one.
    if (client.closing) return;
    // What is wrong with the framing is found before anything is read of the body.
    if (head.coded) this.#body.begin(Framing.CHUNKED);
    else this.#body.begin(Framing.LENGTH, head.contentLength > 0 ? head.contentLength : 0);
    this.#enter(Phase.REQUEST);
    const downstream = new Http1Downstream(this, head);
    const flow = new RequestFlow(downstream, listener, context);
    this.#downstream = downstream;
    this.#flow = flow;
    if (head.method === 'CONNECT') flow.start(connectRefusal);
    else if (head.expect !== '' && head.expect !== '100-continue') flow.start(expectationFailed);
    else flow.start();
  }

  /** Gives the body's reader what is held of the body. */
  #readHeld(): void {
    const held = this.#held;
    if (held === undefined || this.#reader === undefined || this.#readerPaused || this.#body.ended) {
      this.#keep();
      return;
    }
    this.#held = undefined;
    const flow = this.#flow;
    const end = this.#body.read(held, 0, this);
    if (this.#body.problem !== '') {
      flow?.onBrokenBody(this.#body.problem);
      return;
    }
    if (end < held.length) {
      this.#held = held.subarray(end);
      this.#keep();
    }
    // The reader may have ended it all.
    if (this.#body.ended && this.#flow === flow) this.#reader?.onBodyEnd(this.#body.trailers);
    else if (this.#phase === Phase.HEAD) this.#pump();
  }

  #readRest(held: Buffer): void {
    const end = this.#body.read(held, 0, nobody);
    this.#lingered += end;
    this.#held = end < held.length ? held.subarray(end) : undefined;
    if (this.#body.problem !== '' || this.#lingered > maxLingerBytes) this.socket.destroy();
    else if (this.#body.ended) this.#enter(Phase.HEAD);
  }

  /** Says that nothing more comes and waits for the client to say the same: closed with bytes unread, the connection would be reset, and the client might never see the response. */
  #endGently(): void {
    this.client.closing = true;
    this.#held = undefined;
    this.#lingered = 0;
    this.#enter(Phase.LINGER);
    this.socket.end();
    this.socket.resume();
  }

  #refuse(status: number, reason: string, type: GatewayFailure['type'], message: string): void {
    this.#held = undefined;
    this.#enter(Phase.LINGER);
    const failure = { status, type, reason, message, closeConnection: true };
    refuseUnread(this.socket, this.client, this.#owner.context, failure);
  }
}

const expectationFailed: GatewayFailure = {
  status: 417,
  type: 'RequestValidation',
  reason: 'expectation_failed',
  message: 'the request has an Expect field other than 100-continue',
  closeConnection: true,
};
