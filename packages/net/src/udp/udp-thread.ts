import { Worker } from 'node:worker_threads';
import type { UdpMessage, UdpRequest } from './messages.ts';

/** Who is told what a socket in the thread does. */
export interface SocketOwner {
  onMessage(message: UdpMessage): void;
  /** The thread ended unasked; nothing more will come. */
  onLost(reason: string): void;
}

/** The one thread that receives datagrams: started with the first socket, ended with the last. */
class UdpThread {
  readonly #owners = new Map<number, SocketOwner>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** Adds a socket and returns its number. */
  add(owner: SocketOwner): number {
    const id = ++this.#lastId;
    this.#owners.set(id, owner);
    this.#worker ??= this.#start();
    return id;
  }

  async remove(id: number): Promise<void> {
    this.#owners.delete(id);
    if (this.#owners.size > 0) return;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  post(request: UdpRequest): void {
    this.#worker?.postMessage(request);
  }

  #start(): Worker {
    // From source the entry is TypeScript, in the published package JavaScript.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./udp-worker.${extension}`, import.meta.url), { name: 'clew-udp' });
    let reason = 'it ended';
    worker.on('message', (message: UdpMessage) => this.#owners.get(message.id)?.onMessage(message));
    worker.on('error', (error: unknown) => (reason = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => this.#onExit(worker, reason));
    return worker;
  }

  #onExit(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const lost = [...this.#owners.values()];
    this.#owners.clear();
    for (const owner of lost) owner.onLost(reason);
  }
}

/** The process's. */
export const udpThread: UdpThread = new UdpThread();
