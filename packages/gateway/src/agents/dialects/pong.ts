/** Someone who waits for an answer to a ping; pings of one connection are answered in order. */
export class PongWaiters {
  #waiters: { resolve(): void; reject(error: Error): void }[] = [];

  /** Resolves with the next pong. */
  wait(send: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      send();
      this.#waiters.push({ resolve, reject });
    });
  }

  /** A pong has come. */
  answer(): void {
    this.#waiters.shift()?.resolve();
  }

  /** No pong will come any more. */
  fail(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
