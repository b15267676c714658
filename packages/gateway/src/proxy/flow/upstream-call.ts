// Hot path: one attempt. Guarded by bench/gateway.
import type { Socket } from 'node:net';
import type { CircuitPass } from '../../agents/index.ts';
import type { Attempt } from '../exchange.ts';
import type { ReceivedFields } from '../http1/fields.ts';
import type { PooledCall } from '../upstream/connection-pool.ts';
import type { Target } from '../upstream/target.ts';
import type { UpstreamConnection, WireRequest } from '../upstream/upstream-connection.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { GatewayError } from '../../errors.ts';

/** Is told how an attempt goes. After `onCallFailed` or `onCallEnded` nothing follows. Trailers are name, value, name, value, … */
export interface CallListener {
  /** What comes between these two came together. */
  onCallReadBegin(): void;
  onCallReadEnd(): void;
  /** An interim response. */
  onCallInterim(call: UpstreamCall, status: number, received: ReceivedFields): void;
  /** A final response head. */
  onCallHead(call: UpstreamCall, status: number, received: ReceivedFields): void;
  onCallData(call: UpstreamCall, chunk: Buffer): void;
  /** The whole body, one byte a character. */
  onCallText(call: UpstreamCall, body: string): void;
  onCallEnded(call: UpstreamCall, trailers: readonly string[]): void;
  onCallUpgraded(call: UpstreamCall, received: ReceivedFields, socket: Socket): void;
  onCallFailed(call: UpstreamCall, error: GatewayError): void;
  /** Everything about the attempt is known. */
  onCallSettled(call: UpstreamCall): void;
}

/** What is sent. */
export interface UpstreamRequest {
  readonly attempt: Attempt;
  readonly upstream: Upstream;
  readonly target: Target;
  readonly pass: CircuitPass | undefined;
  readonly request: WireRequest;
}

/** One attempt while it runs. */
export class UpstreamCall implements PooledCall {
  readonly attempt: Attempt;
  readonly request: WireRequest;
  readonly target: Target;
  /** Whether anything may have been sent to the upstream. */
  sent = false;
  /** What the response is for is gone: it is read to its end, if that is near, so that the connection can be used again. */
  discarding = false;
  readonly #listener: CallListener;
  readonly #upstream: Upstream;
  readonly #pass: CircuitPass | undefined;
  #connection: UpstreamConnection | undefined;
  #discardedBytes = 0;
  #settled = false;
  /** Whether the listener knows that something is being read: what it began for that, it must end. */
  #readReported = false;

  constructor({ attempt, request, target, upstream, pass }: UpstreamRequest, listener: CallListener) {
    this.attempt = attempt;
    this.request = request;
    this.target = target;
    this.#listener = listener;
    this.#upstream = upstream;
    this.#pass = pass;
  }

  get settled(): boolean {
    return this.#settled;
  }

  start(): void {
    this.target.active++;
    this.target.pool.send(this, this.attempt.startMs);
  }

  /** Gives the attempt up; the listener is told of the failure, unless it was discarded. */
  abort(reason: GatewayError): void {
    if (this.#settled) return;
    const connection = this.#connection;
    this.#connection = undefined;
    // Without a connection it waits for one, or for one to come about; that one will come about, the request will not go out on it.
    if (connection === undefined) this.target.pool.forget(this);
    else connection.destroy();
    this.#fail(reason);
  }

  /** Reads what is left of the response for nobody. */
  discard(): void {
    this.discarding = true;
    this.#settleAnswered(performance.now());
    this.resume();
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  onConnection(connection: UpstreamConnection): void {
    this.#connection = connection;
    this.sent = true;
    this.attempt.connectionReused = connection.uses > 0;
    this.attempt.remoteAddress = connection.remoteAddress;
  }

  onReadBegin(): void {
    this.#readReported = !this.discarding;
    if (this.#readReported) this.#listener.onCallReadBegin();
  }

  onReadEnd(): void {
    if (this.#readReported) this.#listener.onCallReadEnd();
  }

  onInterim(status: number, received: ReceivedFields): void {
    this.#listener.onCallInterim(this, status, received);
  }

  onResponseHead(status: number, received: ReceivedFields, nowMs: number): void {
    this.attempt.status = status;
    this.attempt.headMs = nowMs;
    this.#listener.onCallHead(this, status, received);
  }

  onResponseData(piece: Buffer): void {
    if (!this.discarding) {
      this.#listener.onCallData(this, piece);
      return;
    }
    this.#discardedBytes += piece.length;
    if (this.#discardedBytes <= maxDiscardBytes) return;
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  onResponseText(body: string): void {
    if (!this.discarding) this.#listener.onCallText(this, body);
  }

  onResponseEnd(trailers: readonly string[], nowMs: number): void {
    this.#connection = undefined;
    this.#settleAnswered(nowMs);
    if (!this.discarding) this.#listener.onCallEnded(this, trailers);
  }

  onUpgraded(received: ReceivedFields, socket: Socket, first: Buffer): void {
    this.#connection = undefined;
    this.attempt.status = 101;
    this.attempt.headMs = performance.now();
    if (first.length > 0) socket.unshift(first);
    this.#listener.onCallUpgraded(this, received, socket);
    this.#settle(false, '', this.attempt.headMs);
  }

  onFailed(error: GatewayError): void {
    this.#connection = undefined;
    this.#fail(error);
  }

  #fail(error: GatewayError): void {
    if (this.#settled) return;
    const { attempt } = this;
    attempt.failure = error.code as NonNullable<Attempt['failure']>;
    attempt.failureMessage = error.message;
    const givenUp = error.code === 'aborted' || error.code === 'body_too_large' || error.code === 'body_broken';
    if (givenUp) attempt.failure = 'aborted';
    this.#settle(givenUp ? undefined : true, error.message, performance.now());
    if (!this.discarding) this.#listener.onCallFailed(this, error);
  }

  #settleAnswered(nowMs: number): void {
    const { status } = this.attempt;
    const failed = status >= 500;
    this.#settle(failed, failed ? `status ${status}` : '', nowMs);
  }

  /** `failed` undefined = the attempt says nothing about the target. */
  #settle(failed: boolean | undefined, reason: string, nowMs: number): void {
    if (this.#settled) return;
    this.#settled = true;
    this.target.active--;
    this.attempt.endMs = nowMs;
    this.#pass?.end(failed === undefined ? 'neither' : failed ? 'failure' : 'success');
    if (failed !== undefined) this.#upstream.record(this.target, failed, reason, nowMs);
    this.#listener.onCallSettled(this);
  }
}

/** A response nobody wants is read this far before its connection is closed instead. */
const maxDiscardBytes = 64 * 1024;
