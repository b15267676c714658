import type { Readable } from 'node:stream';
import type { ByteBudget } from '../byte-budget.ts';
import { NetError } from '../errors.ts';
import type { Peer, ReadBodyOptions, RequestHeaders, ServerRequest } from '../exchange.ts';
import { collectBody } from './collect-body.ts';

/** What a protocol adapter knows of a request. */
export interface WireRequestParts {
  readonly protocol: 'http/1.1' | 'h2';
  readonly method: string;
  /** Path and query as they stand in the request line or `:path`. */
  readonly target: string;
  readonly headers: RequestHeaders;
  readonly peer: Peer;
  readonly source: Readable;
  readonly budget: ByteBudget;
  /** Called once before the body is read: where `100-continue` is answered. */
  readonly onReadBody?: (() => void) | undefined;
  /** Told when the body cannot be read. */
  readonly onBodyFailure?: (error: NetError) => void;
}

/** A request on a wire. `release` must be called when the exchange is over. */
export class WireRequest implements ServerRequest {
  readonly protocol: 'http/1.1' | 'h2';
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly peer: Peer;
  authAttributes: Readonly<Record<string, string>> | undefined;
  readonly #parts: WireRequestParts;
  #takenBytes = 0;
  #bodyAsked = false;
  #bodyComplete = false;
  #gone: Error | undefined;
  #controller: AbortController | undefined;

  constructor(parts: WireRequestParts) {
    this.#parts = parts;
    this.protocol = parts.protocol;
    this.method = parts.method;
    this.headers = parts.headers;
    this.peer = parts.peer;
    const mark = parts.target.indexOf('?');
    this.path = mark < 0 ? parts.target : parts.target.slice(0, mark);
    this.query = mark < 0 ? '' : parts.target.slice(mark + 1);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#gone) this.#controller.abort(this.#gone);
    return this.#controller.signal;
  }

  /** Whether the body has been read to its end. */
  get bodyComplete(): boolean {
    return this.#bodyComplete;
  }

  header(name: string): string | undefined {
    const value = this.headers[name];
    return value === undefined || typeof value === 'string' ? value : value.join(', ');
  }

  async readBody(options: ReadBodyOptions): Promise<Uint8Array> {
    if (this.#bodyAsked) throw new NetError('closed', 'the request body was asked for twice; keep the first result');
    this.#bodyAsked = true;
    this.#parts.onReadBody?.();
    try {
      const body = await collectBody(this.#parts.source, {
        ...options,
        contentLength: contentLengthOf(this.headers),
        budget: this.#parts.budget,
        onTaken: (bytes) => (this.#takenBytes += bytes),
      });
      this.#bodyComplete = true;
      return body;
    } catch (caught) {
      if (caught instanceof NetError) this.#parts.onBodyFailure?.(caught);
      throw caught;
    }
  }

  /** Tells whoever works on the request that nobody waits for the reply any more. */
  abandon(reason: Error): void {
    this.#gone ??= reason;
    this.#controller?.abort(reason);
  }

  /** Gives the body's bytes back to the budget. */
  release(): void {
    this.#parts.budget.release(this.#takenBytes);
    this.#takenBytes = 0;
  }
}

/** The declared length of a body, when it is declared and sound. */
export function contentLengthOf(headers: RequestHeaders): number | undefined {
  const declared = headers['content-length'];
  if (typeof declared !== 'string' || !/^\d{1,15}$/.test(declared)) return undefined;
  return Number(declared);
}
