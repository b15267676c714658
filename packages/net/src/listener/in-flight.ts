/** A request that is being answered and can be given up. */
export interface Abandonable {
  /** Ends the exchange at once; its client sees a broken connection or stream. */
  destroy(): void;
}

/** The requests one owner is answering. */
export class InFlight {
  readonly #running = new Set<Abandonable>();
  readonly #waiters: (() => void)[] = [];

  get size(): number {
    return this.#running.size;
  }

  add(exchange: Abandonable): void {
    this.#running.add(exchange);
  }

  remove(exchange: Abandonable): void {
    this.#running.delete(exchange);
    if (this.#running.size > 0) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** Resolves when nothing runs any more; after `graceMs` what still runs is destroyed. */
  async drain(graceMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push(resolve);
    const timer = setTimeout(() => {
      for (const exchange of this.#running) exchange.destroy();
      resolve();
    }, graceMs);
    await promise;
    clearTimeout(timer);
  }
}
