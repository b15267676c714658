// Hot path: the client's side of every HTTP/1.1 request. Guarded by bench/gateway.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ProxyError } from '../errors.ts';
import type { ClientConnection } from '../exchange.ts';
import type { ResponseHead } from '../headers/forward-response.ts';
import type { BodyListener, Downstream, DownstreamListener, HeadOptions, TakenOver } from './downstream.ts';
import { untilDrained } from './drained.ts';

/** What comes of a body nobody wants before the connection is closed: closing at once would lose the response. */
const lingerBytes = 1024 * 1024;
const lingerMs = 1000;

/** What a request came with besides its head. */
export interface Http1Extras {
  /** It said `Expect: 100-continue`. */
  readonly expectsContinue?: boolean;
  /** It asked for a WebSocket; `first` is what followed its head. */
  readonly upgrade?: { readonly socket: Duplex; readonly first: Buffer };
}

const noExtras: Http1Extras = {};

/** One request of an HTTP/1.1 connection. */
export class Http1Downstream implements Downstream {
  readonly connection: ClientConnection;
  readonly authority = undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #extras: Http1Extras;
  #listener: DownstreamListener | undefined;
  #waitsForDrain = false;
  #bodyListener: BodyListener | undefined;
  #mustClose = false;
  /** Nothing was written since the head was made. */
  #headWaits = false;
  /** The head says that no body follows; node:http finds that out only after it has handed the request over. */
  #withoutBody = false;
  /** The rest of the body cannot be read, so nobody waits for it. */
  #bodyBroken = false;
  #endLinger: (() => void) | undefined;
  #takenOver = false;

  constructor(
    connection: ClientConnection,
    request: IncomingMessage,
    response: ServerResponse,
    extras: Http1Extras = noExtras,
  ) {
    this.connection = connection;
    this.#request = request;
    this.#response = response;
    this.#extras = extras;
  }

  get method(): string {
    return this.#request.method!;
  }

  get target(): string {
    return this.#request.url!;
  }

  get httpVersion(): '1.0' | '1.1' {
    return this.#request.httpVersionMinor === 0 ? '1.0' : '1.1';
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get headers(): Readonly<Record<string, string | readonly string[] | undefined>> {
    return this.#request.headers;
  }

  get wantsUpgrade(): boolean {
    return this.#extras.upgrade !== undefined;
  }

  get bodyEnded(): boolean {
    return this.#withoutBody || this.#request.complete;
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  listen(listener: DownstreamListener): void {
    this.#listener = listener;
    this.#response.on('close', () => this.#onClose());
  }

  readBody(listener: BodyListener): void {
    if (this.#bodyListener !== undefined) throw new ProxyError('invalid_state', 'a request body can be read only once');
    this.#bodyListener = listener;
    if (this.#extras.expectsContinue === true) this.#response.writeContinue();
    const request = this.#request;
    request.on('data', (chunk: Buffer) => listener.onBodyData(chunk));
    request.on('end', () => listener.onBodyEnd());
  }

  pauseBody(): void {
    this.#request.pause();
  }

  resumeBody(): void {
    this.#request.resume();
  }

  expectNoBody(): void {
    this.#withoutBody = true;
  }

  onBodyBroken(): void {
    this.#bodyBroken = true;
    this.#endLinger?.();
  }

  sendHead(head: ResponseHead, { close, bodiless }: HeadOptions): void {
    const response = this.#response;
    if (head.dated) response.sendDate = false;
    // A body that nobody will read any more cannot be told from the next request.
    const unread = !bodiless && head.contentLength >= 0 && !this.bodyEnded && this.#bodyListener === undefined;
    this.#mustClose = close || (this.#extras.expectsContinue === true && unread) || this.#extras.upgrade !== undefined;
    if (this.#mustClose) {
      head.headers.push('Connection', 'close');
      this.connection.closing = true;
    }
    response.writeHead(head.status, head.headers);
    this.#headWaits = true;
  }

  flushHead(): void {
    // Flushing what has gone out already would write again, though nothing.
    if (this.#headWaits) this.#response.flushHeaders();
    this.#headWaits = false;
  }

  write(chunk: Buffer | string): boolean {
    this.#headWaits = false;
    if (this.#response.write(chunk)) return true;
    if (!this.#waitsForDrain) {
      this.#waitsForDrain = true;
      this.#response.once('drain', () => {
        this.#waitsForDrain = false;
        this.#listener?.onDrain();
      });
    }
    return false;
  }

  get closed(): boolean {
    return this.#response.destroyed;
  }

  drained(): Promise<void> {
    return untilDrained(this.#response);
  }

  end(trailers?: readonly [string, string][]): void {
    if (trailers !== undefined && this.#response.chunkedEncoding) {
      this.#response.addTrailers(trailers as [string, string][]);
    }
    this.#headWaits = false;
    const unread = !this.bodyEnded && !this.#bodyBroken && this.#extras.upgrade === undefined;
    if (!unread) this.#response.end();
    else if (this.#mustClose) this.#linger();
    else {
      this.#response.end();
      this.#readRest();
    }
  }

  cut(): void {
    this.#response.destroy();
    this.#request.destroy();
  }

  takeOver(head: string): TakenOver {
    const { upgrade } = this.#extras;
    if (upgrade === undefined) throw new ProxyError('invalid_state', 'the client did not ask for an upgrade');
    this.#takenOver = true;
    this.#response.detachSocket(upgrade.socket as Socket);
    upgrade.socket.write(head, 'latin1');
    return upgrade;
  }

  /**
   * The response is written; its end, at which the connection is closed, waits for the client to finish sending. Closed
   * with bytes unread, the connection would be reset, and the client might never see the response.
   */
  #linger(): void {
    this.#endLinger = this.#discardBody(() => this.#response.end());
    this.#response.flushHeaders();
  }

  /** The connection goes on with the next request, if this one's body ends soon. */
  #readRest(): void {
    this.#discardBody(() => {
      if (!this.#request.complete) this.#request.destroy();
    });
  }

  /** Reads the body for nobody; `onEnough` is called once: at its end, or when that does not come soon enough. */
  #discardBody(onEnough: () => void): () => void {
    const request = this.#request;
    let bytes = 0;
    let over = false;
    const finish = (): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      request.off('data', count);
      onEnough();
    };
    const timer = setTimeout(finish, lingerMs);
    function count(chunk: Buffer): void {
      bytes += chunk.length;
      if (bytes > lingerBytes) finish();
    }
    request.on('data', count);
    request.once('end', finish);
    request.once('close', finish);
    request.resume();
    return finish;
  }

  #onClose(): void {
    if (!this.#takenOver) this.#listener?.onClose(this.#response.writableFinished);
  }
}
