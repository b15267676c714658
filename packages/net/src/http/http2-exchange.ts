import { constants } from 'node:http2';
import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { NetError } from '../errors.ts';
import type { HttpReply } from '../exchange.ts';
import { waitForDrain, watchReader } from './drain.ts';
import type { SlowReader } from './drain.ts';
import type { WireRequest } from './wire-request.ts';

/** Headers that belong to an HTTP/1.1 connection and must not appear in HTTP/2 (RFC 9113 section 8.2.2). */
const connectionHeaders = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/** One request on an HTTP/2 stream that is no gRPC call. */
export class Http2Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;
  readonly #reader: SlowReader;

  constructor(stream: ServerHttp2Stream, wire: WireRequest, reader: SlowReader) {
    this.#reader = reader;
    this.#stream = stream;
    this.#isHead = wire.method === 'HEAD';
    stream.on('close', () => {
      if (!stream.writableFinished) wire.abandon(new NetError('aborted', 'the client went away'));
    });
  }

  /** Ends the exchange at once. */
  destroy(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.destroy();
  }

  /** Writes the reply; what is still arriving is refused. */
  async write(reply: HttpReply): Promise<void> {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.headersSent) return;
    const headers: OutgoingHttpHeaders = { ...(reply.headers as OutgoingHttpHeaders), ':status': reply.status };
    for (const name of connectionHeaders) delete headers[name];
    const { body } = reply;
    if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
      stream.respond(headers);
      return this.#pour(body);
    }
    if (reply.status !== 204 && reply.status !== 304) {
      headers['content-length'] = body === undefined ? 0 : Buffer.byteLength(body);
    }
    // A reply to HEAD says how long its body would be, but has none.
    const silent = body === undefined || body.length === 0 || this.#isHead;
    stream.respond(headers, { endStream: silent });
    if (!silent) stream.end(body);
    watchReader(stream, this.#reader.idleTimeoutMs, () => {
      this.#reader.onSlow();
      this.destroy();
    });
    if (!stream.readableEnded) this.#refuseRest();
  }

  /** RST_STREAM with NO_ERROR once the reply is complete: the client may stop sending (RFC 9113 section 8.1). */
  #refuseRest(): void {
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  async #pour(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const stream = this.#stream;
    try {
      for await (const piece of pieces) {
        if (stream.destroyed) return;
        if (!stream.write(piece)) await waitForDrain(stream, this.#reader);
      }
      stream.end();
    } catch (caught) {
      this.destroy();
      throw caught;
    }
  }
}
