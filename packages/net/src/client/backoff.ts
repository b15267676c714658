/** A growing series of delays. */
export interface BackoffSettings {
  readonly initialMs: number;
  readonly multiplier: number;
  readonly maxMs: number;
  /** Share of a delay by which it may differ either way, 0 to 1. */
  readonly jitter: number;
}

/** Exponential backoff with jitter; `random` is replaced in tests. */
export class Backoff {
  readonly #settings: BackoffSettings;
  readonly #random: () => number;
  #intervalMs: number;

  constructor(settings: BackoffSettings, random: () => number = Math.random) {
    this.#settings = settings;
    this.#random = random;
    this.#intervalMs = settings.initialMs;
  }

  /** The next delay: the interval, more or less by the jitter; then the interval grows to its maximum. */
  nextMs(): number {
    const { jitter, multiplier, maxMs } = this.#settings;
    const delayMs = this.#intervalMs * (1 + jitter * (2 * this.#random() - 1));
    this.#intervalMs = Math.min(maxMs, this.#intervalMs * multiplier);
    return delayMs;
  }

  /** Starts anew after a success. */
  reset(): void {
    this.#intervalMs = this.#settings.initialMs;
  }
}
