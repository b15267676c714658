/** How long answers are waited for that may never come: not every agent answers the end of a request. */
const patienceMs = 5_000;

interface Due {
  count: number;
  settle: (() => void) | undefined;
}

/**
 * Answers that may still come about requests nobody waits for: given-up calls, and the end of a request. Until they have
 * come, or are not to be expected any more, no other request may have the same name on the connection: one of them would
 * be taken for its answer.
 */
export class LateAnswers {
  readonly #due = new Map<string, Due>();

  /** One more answer may come about this request. */
  expect(key: string): void {
    const due = this.#due.get(key);
    if (due === undefined) this.#due.set(key, { count: 1, settle: undefined });
    else due.count++;
  }

  /** An answer has come that nobody waits for. */
  came(key: string): void {
    const due = this.#due.get(key);
    if (due === undefined || --due.count > 0) return;
    this.#due.delete(key);
    const { settle } = due;
    // Tables of the map that are no longer in use may still have it, and must not keep the request with it.
    due.settle = undefined;
    settle?.();
  }

  /** Resolves when no answer about this request is to be expected any more. To be asked once, when it is over. */
  settled(key: string): Promise<void> {
    const due = this.#due.get(key);
    if (due === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#due.delete(key);
        resolve();
      }, patienceMs);
      timer.unref();
      due.settle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The connection is gone: nothing will come any more. */
  clear(): void {
    for (const { settle } of this.#due.values()) settle?.();
    this.#due.clear();
  }
}
