import { Worker } from 'node:worker_threads';
import type { FromThread, ThreadAnswers, ThreadRequest, ThreadSetup, ToThread } from './thread-protocol.ts';
import { GatewayError } from '../errors.ts';

/** What a thread tells besides answers. */
export interface ThreadHooks {
  message(
    message: Exclude<FromThread, { readonly kind: 'answer' | 'failure' | 'started' | 'startFailed' }>,
    thread: GatewayThread,
  ): void;
  /** It could not start, or ended unasked. */
  lost(thread: GatewayThread, reason: string): void;
}

/** Another thread of the gateway, as the first one sees it. */
export class GatewayThread {
  readonly index: number;
  /** Settles when it serves requests, or cannot. */
  readonly started: Promise<void>;
  readonly #worker: Worker;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #starting = Promise.withResolvers<void>();
  #lastCall = 0;
  #ending = false;
  #startFailed = false;
  #reason = 'it ended';

  constructor(setup: ThreadSetup, hooks: ThreadHooks) {
    this.index = setup.index;
    this.started = this.#starting.promise;
    // From source the entry is TypeScript, in the published package JavaScript.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./thread-entry.${extension}`, import.meta.url), {
      name: `clew-gateway-${setup.index}`,
      workerData: setup,
    });
    this.#worker.on('message', (message: FromThread) => this.#onMessage(message, hooks));
    this.#worker.on(
      'error',
      (error) => (this.#reason = error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
    this.#worker.on('exit', () => this.#onExit(hooks));
  }

  /** Fails with `thread_lost` when the thread ends meanwhile, and with what went wrong in it. */
  ask<K extends ThreadRequest['kind']>(
    request: Extract<ThreadRequest, { readonly kind: K }>,
  ): Promise<ThreadAnswers[K]> {
    const call = ++this.#lastCall;
    const answer = Promise.withResolvers<unknown>();
    this.#calls.set(call, answer);
    this.send({ kind: 'ask', call, request });
    return answer.promise as Promise<ThreadAnswers[K]>;
  }

  send(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  /** Stops serving, then ends. */
  async stop(limitMs: number, flushMs: number): Promise<boolean> {
    this.#ending = true;
    if (this.#startFailed) return true;
    try {
      return await this.ask({ kind: 'stop', limitMs, flushMs });
    } finally {
      await this.#worker.terminate();
    }
  }

  #onMessage(message: FromThread, hooks: ThreadHooks): void {
    switch (message.kind) {
      case 'started':
        return this.#starting.resolve();
      case 'startFailed':
        this.#reason = message.reason;
        this.#startFailed = true;
        this.#starting.reject(new GatewayError('start_failed', message.reason));
        return void this.#worker.terminate();
      case 'answer':
        this.#calls.get(message.call)?.resolve(message.value);
        this.#calls.delete(message.call);
        return;
      case 'failure':
        this.#calls.get(message.call)?.reject(new GatewayError('start_failed', message.reason));
        this.#calls.delete(message.call);
        return;
      default:
        return hooks.message(message, this);
    }
  }

  #onExit(hooks: ThreadHooks): void {
    const error = new GatewayError('thread_lost', `thread ${this.index} of the gateway ended: ${this.#reason}`);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#starting.reject(error);
    if (!this.#ending) hooks.lost(this, this.#reason);
  }
}
