import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { StoreError } from '../errors.ts';
import { cancelledError, engineError, timeoutError, unavailableError } from './engine-errors.ts';
import type { StatementContext } from './engine-errors.ts';
import { withoutException } from './exception-scan.ts';
import { exceptionCodeHeader, exceptionTagHeader } from './protocol.ts';

/** How to send one request to the engine: address, agent and credentials. */
export interface Route {
  readonly secure: boolean;
  readonly request: RequestOptions;
}

/** What is sent. */
export interface Outgoing {
  /** Path and parameters. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | { readonly stream: Readable; readonly bytes: number };
}

/** Called once: without an error when the answer was read to its end. `mayStillRun`: the engine may still be at work. */
export type ExchangeEnd = (error: StoreError | undefined, mayStillRun: boolean) => void;

/** The engine stops a statement at its deadline itself; this much later the client stops waiting for it to say so. */
const deadlineGraceMs = 2_000;
const maxErrorBytes = 64 * 1024;

/**
 * One statement's request and answer, with its deadline and its caller's signal.
 */
export class Exchange {
  readonly #context: StatementContext;
  readonly #callerSignal: AbortSignal | undefined;
  readonly #onEnd: ExchangeEnd;
  readonly #abort = new AbortController();
  readonly #onCallerAbort = (): void => this.#abort.abort();
  #watched = false;
  #deadlinePassed = false;
  #timer: NodeJS.Timeout | undefined;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #ended = false;

  constructor(context: StatementContext, callerSignal: AbortSignal | undefined, onEnd: ExchangeEnd) {
    this.#context = context;
    this.#callerSignal = callerSignal;
    this.#onEnd = onEnd;
  }

  /**
   * Sends the request and gives the body once the engine has begun to answer. Fails with a StoreError. May be called again
   * after a failure of which `neverSent` holds.
   */
  async start(route: Route, outgoing: Outgoing): Promise<AsyncIterable<Uint8Array>> {
    this.#watch();
    try {
      const response = await this.#send(route, outgoing);
      this.#response = response;
      if (response.statusCode !== 200) {
        const codeHeader = response.headers[exceptionCodeHeader];
        throw engineError(
          await readText(response),
          typeof codeHeader === 'string' ? codeHeader : undefined,
          this.#context,
        );
      }
      // A body nobody begins to read ends with the deadline; the turn it holds must come back then, too.
      response.once('close', () => setImmediate(() => this.end(this.#explain(new Error('the answer broke off')))));
      return this.#body(response);
    } catch (caught) {
      throw this.#explain(caught);
    }
  }

  /** Ends the exchange, once; later calls do nothing. */
  end(error: StoreError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort);
    const answered = this.#response?.complete === true;
    if (answered) {
      this.#response?.resume();
    } else {
      // To the embedded engine the closed connection is the wish to kill the statement.
      this.#request?.destroy();
    }
    this.#onEnd(error, this.#request !== undefined && !answered);
  }

  async *#body(response: IncomingMessage): AsyncGenerator<Uint8Array, void, void> {
    const tag = response.headers[exceptionTagHeader];
    const body = response as AsyncIterable<Uint8Array>;
    const context = this.#context;
    let outcome: StoreError | undefined = cancelledError(context);
    try {
      if (typeof tag !== 'string' || tag === '') yield* body;
      else yield* withoutException(body, tag, (text) => engineError(text, undefined, context));
      outcome = undefined;
    } catch (caught) {
      outcome = this.#explain(caught);
      throw outcome;
    } finally {
      this.end(outcome);
    }
  }

  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    const { timeoutMs } = this.#context.limits;
    if (this.#callerSignal?.aborted) this.#abort.abort();
    this.#callerSignal?.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (timeoutMs <= 0) return;
    this.#timer = setTimeout(() => {
      this.#deadlinePassed = true;
      this.#abort.abort();
    }, timeoutMs + deadlineGraceMs);
  }

  #send(route: Route, { target, headers, body }: Outgoing): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (route.secure ? httpsRequest : httpRequest)({
      ...route.request,
      method: 'POST',
      path: target,
      headers: {
        ...(route.request.headers as Record<string, string> | undefined),
        ...headers,
        'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.bytes,
      },
      signal: this.#abort.signal,
    });
    this.#request = request;
    request.once('response', resolve);
    request.on('error', reject);
    if (typeof body === 'string') request.end(body);
    else body.stream.once('error', (error) => request.destroy(error)).pipe(request);
    return promise;
  }

  /** What a failure of the connection means: the deadline, the caller's wish, or an engine that went away. */
  #explain(caught: unknown): StoreError {
    if (caught instanceof StoreError) return caught;
    if (this.#deadlinePassed) return timeoutError(this.#context);
    if (this.#callerSignal?.aborted) return cancelledError(this.#context);
    return unavailableError(this.#context, caught);
  }
}

/** Whether a request failed before anything of it reached an engine, so that sending it again cannot repeat it. */
export function neverSent(error: StoreError): boolean {
  const { cause } = error;
  return cause instanceof Error && 'syscall' in cause && cause.syscall === 'connect';
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > maxErrorBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, Math.min(bytes, maxErrorBytes));
}
