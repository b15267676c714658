// Hot path: the client's side of every HTTP/1.1 request. Guarded by bench/gateway.
import { STATUS_CODES } from 'node:http';
import type { ClientConnection } from '../exchange.ts';
import type { ResponseHead } from '../headers/forward-response.ts';
import { fieldsByName } from '../http1/fields-by-name.ts';
import { checkFields } from '../http1/check-head.ts';
import type { ReceivedFields } from '../http1/fields.ts';
import { fieldLines } from '../http1/message-writer.ts';
import type { MessageWriter } from '../http1/message-writer.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { Http1Connection } from '../server/http1-connection.ts';
import type { BodyListener, Downstream, DownstreamListener, HeadOptions, TakenOver } from './downstream.ts';
import { untilDrained } from './drained.ts';
import { GatewayError } from '../../errors.ts';

/** One request of an HTTP/1.1 connection. */
export class Http1Downstream implements Downstream {
  readonly connection: ClientConnection;
  readonly authority = undefined;
  readonly method: string;
  readonly target: string;
  readonly httpVersion: '1.0' | '1.1';
  readonly rawHeaders: readonly string[];
  readonly wantsUpgrade: boolean;
  readonly received: ReceivedFields | undefined;
  readonly #connection: Http1Connection;
  readonly #writer: MessageWriter;
  readonly #head: RequestHead;
  #headers: ReturnType<typeof fieldsByName> | undefined;
  #listener: DownstreamListener | undefined;
  /** The connection is not used again. */
  #last: boolean;
  #bodyAsked = false;
  #headSent = false;
  /** Nothing follows the head. */
  #bodiless = false;
  /** The client cannot tell a response that was cut off from one that is complete. */
  #unframed = false;
  #over = false;

  constructor(connection: Http1Connection, head: RequestHead) {
    this.connection = connection.client;
    this.method = head.method;
    this.target = head.target;
    this.httpVersion = head.version;
    this.rawHeaders = head.fields;
    this.received = head.received;
    // The opening of a WebSocket (RFC 6455 section 4.1); other upgrades are ignored, as the protocol allows.
    this.wantsUpgrade = head.upgrade === 'websocket' && head.method === 'GET';
    this.#connection = connection;
    this.#writer = connection.writer;
    this.#head = head;
    this.#last = !head.keepAlive;
  }

  get headers(): ReturnType<typeof fieldsByName> {
    return (this.#headers ??= fieldsByName(this.rawHeaders));
  }

  get bodyEnded(): boolean {
    return this.#connection.bodyEnded;
  }

  get headSent(): boolean {
    return this.#headSent;
  }

  get closed(): boolean {
    return this.#over;
  }

  listen(listener: DownstreamListener): void {
    this.#listener = listener;
  }

  readBody(listener: BodyListener): void {
    if (this.#bodyAsked) throw new GatewayError('invalid_state', 'a request body can be read only once');
    this.#bodyAsked = true;
    if (this.#head.expect !== '' && this.httpVersion === '1.1' && !this.#headSent && !this.bodyEnded) {
      this.#writer.head('HTTP/1.1 100 Continue\r\n\r\n', false);
      this.#writer.flush();
    }
    this.#connection.readBody(listener);
  }

  pauseBody(): void {
    if (!this.#over) this.#connection.pauseBody();
  }

  resumeBody(): void {
    if (!this.#over) this.#connection.resumeBody();
  }

  onBodyBroken(): void {
    this.#last = true;
  }

  sendInterim(status: number, fields: readonly string[]): void {
    if (this.#headSent || this.#over || this.httpVersion === '1.0') return;
    this.#writer.head(`${statusLine(status)}${fieldLines(fields)}\r\n`, false);
    this.#writer.flush();
  }

  sendHead(head: ResponseHead, { close, bodiless }: HeadOptions): void {
    if (!head.checked) checkFields(head.headers);
    // A body that was never asked for, though the client waits to be asked: it may come or not.
    const unasked = this.#head.expect !== '' && !this.#bodyAsked && !this.bodyEnded;
    if (close || unasked || this.wantsUpgrade) this.#last = true;
    const counted = bodiless || head.contentLength >= 0;
    const chunked = !counted && this.httpVersion === '1.1';
    if (!counted && !chunked) this.#last = this.#unframed = true;
    if (this.#last) this.connection.closing = true;
    this.#bodiless = bodiless;
    this.#headSent = true;
    let text = statusLine(head.status) + head.lines + fieldLines(head.headers);
    if (!head.dated) text += dateLine();
    if (chunked) text += 'Transfer-Encoding: chunked\r\n';
    if (this.#last) text += 'Connection: close\r\n';
    else if (this.httpVersion === '1.0') text += 'Connection: keep-alive\r\n';
    this.#writer.head(`${text}\r\n`, chunked);
    // What comes with the head goes out with it; a head that comes alone must not wait for more.
    if (!this.#writer.corked) process.nextTick(flush, this.#writer);
  }

  cork(): void {
    this.#writer.cork();
  }

  uncork(): void {
    this.#writer.uncork();
  }

  write(chunk: Buffer | string): boolean {
    if (this.#over || this.#bodiless) return true;
    return this.#writer.body(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }

  writeLatin1(text: string): boolean {
    return this.#over || this.#bodiless || this.#writer.text(text);
  }

  drained(): Promise<void> {
    return this.#writer.ready ? Promise.resolve() : untilDrained(this.#connection.socket);
  }

  end(trailers?: readonly string[]): void {
    if (this.#over) return;
    this.#writer.end(trailers === undefined ? '' : fieldLines(trailers));
    if (this.#writer.idle) this.#finish();
    else this.#connection.socket.write('', (error) => (error ? this.onClosed() : this.#finish()));
  }

  cut(): void {
    const { socket } = this.#connection;
    if (this.#unframed) socket.resetAndDestroy();
    else socket.destroy();
  }

  takeOver(head: string): TakenOver {
    if (!this.wantsUpgrade) throw new GatewayError('invalid_state', 'the client did not ask for an upgrade');
    this.#over = true;
    const first = this.#connection.takeOver();
    const { socket } = this.#connection;
    socket.write(head, 'latin1');
    return { socket, first };
  }

  /** There is room for more. */
  onDrain(): void {
    this.#listener?.onDrain();
  }

  /** The connection is gone. */
  onClosed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener?.onClose(false);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener?.onClose(true);
    this.#connection.requestOver(this.#last);
  }
}

function flush(writer: MessageWriter): void {
  writer.flush();
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

const date = { second: 0, line: '' };

/** Who passes on a response without a Date adds one (RFC 9110 section 6.6.1). */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== date.second) {
    date.second = second;
    date.line = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return date.line;
}
