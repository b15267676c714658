import type { AgentAnswer } from '../answer.ts';
import type { CallContext } from '../dialects/connection.ts';
import { asAgentError } from '../errors.ts';
import type { AgentMessage, CancelReason, RequestMetadata, RequestSummary } from '../message.ts';
import { connectTimeoutMs } from '../settings.ts';
import type { AgentClient, ClientCall, ToldEnd } from './agent-client.ts';
import { CallScope } from './call-scope.ts';
import { stateLost } from './pooled-connection.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { GatewayError } from '../../errors.ts';

/** How one call is made. */
export interface SessionCallOptions {
  readonly timeoutMs: number;
  /** W3C trace context of this call. */
  readonly traceparent?: string;
}

/**
 * What one agent hears about one request. All of it goes over one connection, because agents remember requests by
 * connection, and one event at a time.
 */
export class AgentSession {
  readonly #client: AgentClient;
  readonly #metadata: RequestMetadata;
  readonly #requestNumber = randomRequestNumber();
  #pinned: PooledConnection | undefined;
  #scope: CallScope | undefined;
  #previous: Promise<unknown> | undefined;
  #finished: Promise<void> | undefined;
  #failed = false;
  #end: ToldEnd | undefined;

  constructor(client: AgentClient, metadata: RequestMetadata) {
    this.#client = client;
    this.#metadata = metadata;
  }

  /** Whether the agent has heard of the request. */
  get begun(): boolean {
    return this.#pinned !== undefined;
  }

  /** Asks the agent. Fails with an `AgentError`; after that it always does, for the agent is no longer asked. */
  call(message: AgentMessage, options: SessionCallOptions): Promise<AgentAnswer> {
    const previous = this.#previous;
    const call = previous === undefined ? this.#call(message, options) : this.#callAfter(previous, message, options);
    const settled = call.then(noop, noop);
    this.#previous = settled;
    void settled.then(() => {
      if (this.#previous === settled) this.#previous = undefined;
    });
    return call;
  }

  /** Gives up the running call, if there is one. */
  abort(reason: CancelReason): void {
    if (this.#scope === undefined) return;
    this.#scope.cancelReason = reason;
    this.#scope.end(new GatewayError('aborted', `the call was given up: ${reason}`));
  }

  /** Tells the agent that the request is over, if it has heard of it or wants to hear of every request. Never rejects. */
  finish(summary: RequestSummary): Promise<void> {
    return (this.#finished ??= this.#finish(summary));
  }

  /** After the end: resolves when another request may have the same name. */
  async forgotten(): Promise<void> {
    await this.#end?.forgotten;
  }

  async #callAfter(
    previous: Promise<unknown>,
    message: AgentMessage,
    options: SessionCallOptions,
  ): Promise<AgentAnswer> {
    await previous;
    return this.#call(message, options);
  }

  async #call(message: AgentMessage, options: SessionCallOptions): Promise<AgentAnswer> {
    const scope = new CallScope(`agent ${this.#client.settings.id}`, options.timeoutMs);
    this.#scope = scope;
    const call: ClientCall = {
      message,
      context: this.#context(options.traceparent),
      scope,
      pinned: this.#pinned,
      onSent: (pooled) => {
        this.#pinned = pooled;
      },
    };
    try {
      if (this.#failed) throw stateLost();
      return await this.#client.call(call);
    } catch (error) {
      // A late answer could be taken for the next one, and the agent may have missed something.
      this.#failed = true;
      throw error;
    } finally {
      scope.settle();
      this.#scope = undefined;
    }
  }

  #context(traceparent?: string): CallContext {
    const known = { metadata: this.#metadata, requestNumber: this.#requestNumber };
    return traceparent === undefined ? known : { ...known, traceparent };
  }

  async #finish(summary: RequestSummary): Promise<void> {
    const client = this.#client;
    if (this.begun || client.takes('request_complete')) await this.#tellFinish(summary);
    client.sessionEnded();
  }

  async #tellFinish(summary: RequestSummary): Promise<void> {
    const client = this.#client;
    const context = this.#context();
    const scope = new CallScope(`telling agent ${client.settings.id} that a request is over`, connectTimeoutMs);
    try {
      this.#end = await client.finish({ scope, pinned: this.#pinned, context, summary });
    } catch (caught) {
      client.telemetry.finishFailed(asAgentError(caught, 'protocol', 'cannot end the request'));
    } finally {
      scope.settle();
    }
  }
}

function noop(): void {}

/** Random, because it must be unique over all processes that talk to the agent; 52 bits are exact in JSON. */
function randomRequestNumber(): number {
  return 1 + Math.floor(Math.random() * 2 ** 52);
}
