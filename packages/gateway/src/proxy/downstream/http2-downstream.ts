import { constants } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { ClientConnection } from '../exchange.ts';
import type { ResponseHead } from '../headers/forward-response.ts';
import { checkFields } from '../http1/check-head.ts';
import type { BodyListener, Downstream, DownstreamListener, HeadOptions, TakenOver } from './downstream.ts';
import { untilDrained } from './drained.ts';
import { GatewayError } from '../../errors.ts';

/** One stream of an HTTP/2 connection. */
export class Http2Downstream implements Downstream {
  readonly connection: ClientConnection;
  readonly method: string;
  readonly target: string;
  readonly authority: string | undefined;
  readonly httpVersion = '2.0';
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
  readonly wantsUpgrade = false;
  readonly received = undefined;
  readonly #stream: ServerHttp2Stream;
  #listener: DownstreamListener | undefined;
  #waitsForDrain = false;
  #bodyEnded: boolean;
  #bodiless = false;
  #finished = false;
  #receivedTrailers: readonly string[] = [];
  #trailers: Record<string, string | string[]> | undefined;

  constructor(
    connection: ClientConnection,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ) {
    this.connection = connection;
    this.#stream = stream;
    this.headers = headers;
    this.method = headers[':method'] ?? '';
    this.target = headers[':path'] ?? '';
    this.authority = headers[':authority'] ?? headers.host;
    this.rawHeaders = withoutPseudoFields(rawHeaders);
    this.#bodyEnded = stream.endAfterHeaders;
    // They may come long before anybody reads the body.
    if (!this.#bodyEnded) {
      stream.once('trailers', (_headers, _flags, raw) => (this.#receivedTrailers = withoutPseudoFields(raw)));
    }
  }

  get bodyEnded(): boolean {
    return this.#bodyEnded;
  }

  get headSent(): boolean {
    return this.#stream.headersSent;
  }

  listen(listener: DownstreamListener): void {
    this.#listener = listener;
    const stream = this.#stream;
    stream.on('finish', () => (this.#finished = true));
    stream.on('close', () => {
      this.#listener?.onClose(this.#finished && stream.rstCode === constants.NGHTTP2_NO_ERROR);
    });
    // What went wrong shows in how the stream closed.
    stream.on('error', () => {});
  }

  readBody(listener: BodyListener): void {
    const stream = this.#stream;
    if (this.headers.expect?.toLowerCase() === '100-continue' && !stream.headersSent) {
      stream.additionalHeaders({ ':status': constants.HTTP_STATUS_CONTINUE });
    }
    stream.on('data', (chunk: Buffer) => listener.onBodyData(chunk));
    stream.on('end', () => {
      this.#bodyEnded = true;
      listener.onBodyEnd(this.#receivedTrailers);
    });
  }

  pauseBody(): void {
    this.#stream.pause();
  }

  resumeBody(): void {
    this.#stream.resume();
  }

  onBodyBroken(): void {
    // A stream whose body breaks is over.
  }

  sendHead(head: ResponseHead, { bodiless }: HeadOptions): void {
    if (!head.checked) checkFields(head.headers);
    this.#bodiless = bodiless;
    const headers = { ':status': String(head.status), ...headerObject(head.headers) };
    // A Date is added where there is none.
    this.#stream.respond(headers, { endStream: bodiless, waitForTrailers: !bodiless });
    if (bodiless) return;
    // Without any, this ends the stream; closing it instead would look like giving up to a client that is still sending.
    this.#stream.on('wantTrailers', () => this.#stream.sendTrailers(this.#trailers ?? {}));
  }

  sendInterim(status: number, fields: readonly string[]): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return;
    this.#stream.additionalHeaders({ ':status': status, ...headerObject(fields) });
  }

  cork(): void {
    // HTTP/2 gathers frames by itself.
  }

  uncork(): void {}

  write(chunk: Buffer | string): boolean {
    if (this.#stream.destroyed || this.#stream.write(chunk)) return true;
    if (!this.#waitsForDrain) {
      this.#waitsForDrain = true;
      this.#stream.once('drain', () => {
        this.#waitsForDrain = false;
        this.#listener?.onDrain();
      });
    }
    return false;
  }

  writeLatin1(text: string): boolean {
    return this.write(Buffer.from(text, 'latin1'));
  }

  get closed(): boolean {
    return this.#stream.destroyed;
  }

  drained(): Promise<void> {
    return untilDrained(this.#stream);
  }

  end(trailers?: readonly string[]): void {
    if (trailers !== undefined) this.#trailers = headerObject(trailers);
    if (!this.#bodiless) this.#stream.end();
    // What the client still sends of a body nobody reads is not worth flow-control credit.
    if (!this.#bodyEnded) this.#stream.resume();
  }

  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  takeOver(): TakenOver {
    throw new GatewayError('invalid_state', 'HTTP/2 streams cannot be upgraded');
  }
}

function headerObject(fields: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at + 1 < fields.length; at += 2) append(headers, fields[at]!, fields[at + 1]!);
  return headers;
}

function append(headers: Record<string, string | string[]>, name: string, value: string): void {
  const lower = name.toLowerCase();
  const known = headers[lower];
  if (known === undefined) headers[lower] = value;
  else if (typeof known === 'string') headers[lower] = [known, value];
  else known.push(value);
}

/** Fields as HTTP/1.1 would have them: no pseudo fields, and cookies in one field (RFC 9113 section 8.2.3). */
function withoutPseudoFields(raw: readonly string[]): string[] {
  const fields: string[] = [];
  let cookieAt = -1;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!;
    if (name.startsWith(':')) continue;
    if (name !== 'cookie') fields.push(name, raw[at + 1]!);
    else if (cookieAt >= 0) fields[cookieAt] += `; ${raw[at + 1]!}`;
    else cookieAt = fields.push(name, raw[at + 1]!) - 1;
  }
  return fields;
}
