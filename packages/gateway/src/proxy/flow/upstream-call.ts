// Hot path: one attempt, as undici's handler. Guarded by bench/gateway.
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { CircuitPass } from '../../agents/index.ts';
import { ProxyError } from '../errors.ts';
import type { Attempt } from '../exchange.ts';
import type { PooledCall, UpstreamConnection } from '../upstream/connection-pool.ts';
import { attemptError } from '../upstream/failure-reason.ts';
import type { Target } from '../upstream/target.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** Is told how an attempt goes. After `onCallFailed` or `onCallEnded` nothing follows. */
export interface CallListener {
  /** A final response head; the fields are raw bytes. */
  onCallHead(call: UpstreamCall, status: number, rawHeaders: readonly (Buffer | string)[]): void;
  onCallData(call: UpstreamCall, chunk: Buffer): void;
  onCallEnded(call: UpstreamCall, trailers: readonly (Buffer | string)[]): void;
  onCallUpgraded(call: UpstreamCall, rawHeaders: readonly (Buffer | string)[], socket: Duplex): void;
  onCallFailed(call: UpstreamCall, error: ProxyError): void;
  /** Everything about the attempt is known. */
  onCallSettled(call: UpstreamCall): void;
}

/** What is sent. */
export interface UpstreamRequest {
  readonly attempt: Attempt;
  readonly upstream: Upstream;
  readonly target: Target;
  readonly pass: CircuitPass | undefined;
  readonly dispatchOptions: Dispatcher.DispatchOptions;
}

/** One attempt while it runs. */
export class UpstreamCall implements PooledCall {
  readonly attempt: Attempt;
  readonly dispatchOptions: Dispatcher.DispatchOptions;
  connection: UpstreamConnection | undefined;
  /** Whether anything may have been sent to the upstream. */
  sent = false;
  /** What the response is for is gone: it is read to its end, if that is near, so that the connection can be used again. */
  discarding = false;
  readonly #listener: CallListener;
  readonly #upstream: Upstream;
  readonly #target: Target;
  readonly #pass: CircuitPass | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #abortReason: ProxyError | undefined;
  #discardedBytes = 0;
  #settled = false;

  constructor(request: UpstreamRequest, listener: CallListener) {
    this.attempt = request.attempt;
    this.dispatchOptions = request.dispatchOptions;
    this.#listener = listener;
    this.#upstream = request.upstream;
    this.#target = request.target;
    this.#pass = request.pass;
  }

  get settled(): boolean {
    return this.#settled;
  }

  get target(): Target {
    return this.#target;
  }

  start(): void {
    this.#target.active++;
    this.#target.pool.send(this);
  }

  /** Gives the attempt up; the listener is told of the failure, unless it was discarded. */
  abort(reason: ProxyError): void {
    if (this.#settled || this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    if (this.#controller !== undefined) this.#controller.abort(reason);
    else {
      // It waits for a connection, or for one to come about; that one will come about, the request will not go out on it.
      this.#target.pool.forget(this);
      this.#fail(reason);
    }
  }

  /** Reads what is left of the response for nobody. */
  discard(): void {
    this.discarding = true;
    const { status } = this.attempt;
    this.#settle(status >= 500, `status ${status}`);
    this.resume();
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#abortReason !== undefined) {
      controller.abort(this.#abortReason);
      return;
    }
    this.#controller = controller;
    this.sent = true;
    const connection = this.connection!;
    this.attempt.connectionReused = connection.uses++ > 0;
    this.attempt.remoteAddress = connection.remoteAddress;
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, status: number, _headers: unknown, socket: Duplex): void {
    this.attempt.status = status;
    this.attempt.headMs = performance.now();
    const { connection } = this;
    this.connection = undefined;
    if (connection !== undefined) this.#target.pool.surrender(connection);
    this.#listener.onCallUpgraded(this, rawFields(controller.rawHeaders), socket);
    this.#settle(false, '');
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Interim responses say nothing that a client of this gateway waits for.
    if (status < 200) return;
    this.attempt.status = status;
    this.attempt.headMs = performance.now();
    this.#listener.onCallHead(this, status, rawFields(controller.rawHeaders));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.discarding) {
      this.#listener.onCallData(this, chunk);
      return;
    }
    this.#discardedBytes += chunk.length;
    if (this.#discardedBytes > maxDiscardBytes) {
      this.#controller?.abort(new ProxyError('aborted', 'the response is not wanted and too long to read for nothing'));
    }
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#release();
    const { status } = this.attempt;
    this.#settle(status >= 500, `status ${status}`);
    if (!this.discarding) this.#listener.onCallEnded(this, rawFields(controller.rawTrailers));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#release();
    this.#fail(this.#abortReason ?? attemptError(error, this.#target.name, this.attempt.headMs > 0));
  }

  onNoConnection(error: ProxyError): void {
    this.#fail(error);
  }

  #fail(error: ProxyError): void {
    if (this.#settled) return;
    const { attempt } = this;
    attempt.failure = error.code as NonNullable<Attempt['failure']>;
    attempt.failureMessage = error.message;
    const givenUp = error.code === 'aborted' || error.code === 'body_too_large' || error.code === 'body_broken';
    if (givenUp) attempt.failure = 'aborted';
    this.#settle(givenUp ? undefined : true, error.message);
    if (!this.discarding) this.#listener.onCallFailed(this, error);
  }

  /** `failed` undefined = the attempt says nothing about the target. */
  #settle(failed: boolean | undefined, reason: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#target.active--;
    this.attempt.endMs = performance.now();
    this.#pass?.end(failed === undefined ? 'neither' : failed ? 'failure' : 'success');
    if (failed !== undefined) this.#upstream.record(this.#target, failed, reason);
    this.#listener.onCallSettled(this);
  }

  #release(): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.connection = undefined;
    this.#target.pool.release(connection);
  }
}

/** A response nobody wants is read this far before its connection is closed instead. */
const maxDiscardBytes = 64 * 1024;

const noFields: readonly Buffer[] = [];

function rawFields(raw: unknown): readonly (Buffer | string)[] {
  return Array.isArray(raw) ? (raw as readonly Buffer[]) : noFields;
}
