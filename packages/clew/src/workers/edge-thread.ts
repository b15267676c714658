import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { ClewError } from '../errors.ts';
import { BatchReceiver } from './batch-receiver.ts';
import type { BatchReceiverOptions } from './batch-receiver.ts';
import { errorOf } from './protocol.ts';
import type { ControlMessage, ControlRequest, WorkerMessage, WorkerSetup } from './protocol.ts';

/** Makes the thread of a worker; replaced by tests that end it. */
export type SpawnWorker = (setup: WorkerSetup, batchPort: MessagePort) => Worker;

/** Starts `edge-worker.ts`. */
export const spawnEdgeWorker: SpawnWorker = (setup, batchPort) => {
  // From source the entry is TypeScript, in the published package JavaScript.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./edge-worker.${extension}`, import.meta.url), {
    name: `clew-edge-${setup.index}`,
    workerData: { setup, batchPort },
    transferList: [batchPort],
  });
};

/** What a thread tells its owner. */
export interface EdgeThreadHooks extends BatchReceiverOptions {
  readonly message: (message: Exclude<WorkerMessage, { readonly kind: 'answer' }>) => void;
  /** The thread ended unasked, with so many batches in flight. */
  readonly lost: (reason: string, batchesInFlight: number) => void;
}

/** One edge worker as the main thread sees it: one life, questions and answers, its batches. */
export class EdgeThread {
  readonly batches: BatchReceiver;
  readonly #worker: Worker;
  readonly #index: number;
  readonly #calls = new Map<number, PromiseWithResolvers<void>>();
  readonly #hooks: EdgeThreadHooks;
  #lastCall = 0;
  #ended: string | undefined;

  constructor(setup: WorkerSetup, spawn: SpawnWorker, hooks: EdgeThreadHooks) {
    this.#index = setup.index;
    this.#hooks = hooks;
    const { port1, port2 } = new MessageChannel();
    this.batches = new BatchReceiver(port1, hooks);
    this.#worker = spawn(setup, port2);
    this.#worker.on('message', (message: WorkerMessage) => this.#onMessage(message));
    let reason = 'it ended';
    this.#worker.on('error', (error: unknown) => (reason = error instanceof Error ? error.message : String(error)));
    this.#worker.on('exit', () => this.#onExit(reason));
  }

  /** Whether the thread lives. */
  get alive(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Asks for something and waits until it is done. Rejects with what the worker threw, or with `worker_lost` when the thread ends
   * meanwhile. `deadline` is passed on, and does not end the waiting.
   */
  async ask(request: ControlRequest, deadline?: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) throw this.#lostError(this.#ended);
    const call = ++this.#lastCall;
    const answer = Promise.withResolvers<void>();
    this.#calls.set(call, answer);
    this.#post({ kind: 'ask', call, request });
    const onExpired = (): void => this.#post({ kind: 'expire', call });
    deadline?.addEventListener('abort', onExpired, { once: true });
    try {
      await answer.promise;
    } finally {
      deadline?.removeEventListener('abort', onExpired);
    }
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#ended ??= 'it was told to end';
    this.batches.close();
    await this.#worker.terminate();
  }

  #post(message: ControlMessage): void {
    this.#worker.postMessage(message);
  }

  #onMessage(message: WorkerMessage): void {
    if (message.kind !== 'answer') return this.#hooks.message(message);
    const answer = this.#calls.get(message.call);
    this.#calls.delete(message.call);
    if (message.failure === undefined) answer?.resolve();
    else answer?.reject(errorOf(message.failure));
  }

  #onExit(reason: string): void {
    const unasked = this.#ended === undefined;
    this.#ended ??= reason;
    const error = this.#lostError(this.#ended);
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
    const lost = this.batches.close();
    if (unasked) this.#hooks.lost(reason, lost);
  }

  #lostError(reason: string): ClewError {
    return new ClewError('worker_lost', `edge worker ${this.#index} went away (${reason})`);
  }
}
