import type { IncomingMessage, ServerResponse } from 'node:http';
import { NetError } from '../errors.ts';
import type { HttpReply } from '../exchange.ts';
import { maxDiscardBytes, maxDiscardMs } from '../limits.ts';
import { waitForDrain, watchReader } from './drain.ts';
import type { SlowReader } from './drain.ts';
import { contentLengthOf } from './wire-request.ts';
import type { WireRequest } from './wire-request.ts';

/** One request on an HTTP/1.1 connection. */
export class Http1Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #wire: WireRequest;
  readonly #reader: SlowReader;

  constructor(request: IncomingMessage, response: ServerResponse, wire: WireRequest, reader: SlowReader) {
    this.#reader = reader;
    this.#request = request;
    this.#response = response;
    this.#wire = wire;
    response.on('close', () => {
      if (!response.writableFinished) wire.abandon(new NetError('aborted', 'the client went away'));
    });
    // A failing response also closes, which is handled above; without a listener Node would end the process.
    response.on('error', () => undefined);
  }

  /** Ends the exchange at once. */
  destroy(): void {
    this.#request.socket.destroy();
  }

  /** Writes the reply. `keepAlive` false closes the connection afterwards. */
  async write(reply: HttpReply, keepAlive: boolean): Promise<void> {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    const unread = this.#hasUnreadBody();
    const headers: Record<string, string | number | string[]> = {};
    if (reply.headers) Object.assign(headers, reply.headers);
    if (!keepAlive || (unread && !this.#fitsDiscard())) headers['connection'] = 'close';
    const { body } = reply;
    if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
      response.writeHead(reply.status, headers);
      return this.#stream(body);
    }
    if (reply.status !== 204 && reply.status !== 304) {
      headers['content-length'] = body === undefined ? 0 : Buffer.byteLength(body);
    }
    response.writeHead(reply.status, headers);
    if (!unread) response.end(body);
    else await this.#discardThenEnd(body);
    watchReader(response, this.#reader.idleTimeoutMs, () => {
      this.#reader.onSlow();
      this.destroy();
    });
  }

  #hasUnreadBody(): boolean {
    if (this.#wire.bodyComplete || this.#request.complete) return false;
    const length = contentLengthOf(this.#wire.headers);
    return (length !== undefined && length > 0) || this.#wire.headers['transfer-encoding'] !== undefined;
  }

  #fitsDiscard(): boolean {
    const length = contentLengthOf(this.#wire.headers);
    // A client that asked for 100-continue and got none may or may not send its body: only closing is safe.
    return length !== undefined && length <= maxDiscardBytes && this.#wire.headers['expect'] === undefined;
  }

  /**
   * Sends the whole reply but leaves it open until the rest of the body came, up to a bound. Closing at once would
   * make the kernel answer the bytes still arriving with a reset, and the client would lose the reply.
   */
  async #discardThenEnd(body: string | Uint8Array | undefined): Promise<void> {
    const request = this.#request;
    if (body !== undefined && body.length > 0) this.#response.write(body);
    else this.#response.flushHeaders();
    const whole = await new Promise<boolean>((resolve) => {
      let discarded = 0;
      const timer = setTimeout(resolve, maxDiscardMs, false);
      const done = (complete: boolean): void => {
        clearTimeout(timer);
        resolve(complete);
      };
      request.on('data', (piece: Buffer) => {
        discarded += piece.length;
        if (discarded > maxDiscardBytes) done(false);
      });
      request.on('end', () => done(true));
      request.on('close', () => done(false));
      request.on('error', () => done(false));
      request.resume();
    });
    this.#response.end();
    if (!whole) request.socket.destroySoon();
  }

  async #stream(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const response = this.#response;
    try {
      for await (const piece of pieces) {
        if (response.destroyed) return;
        if (!response.write(piece)) await waitForDrain(response, this.#reader);
      }
      response.end();
    } catch (caught) {
      // The status line is gone, so only a broken connection can tell the client that the reply is incomplete.
      this.destroy();
      throw caught;
    }
  }
}
