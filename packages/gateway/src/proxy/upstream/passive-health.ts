/** Results looked back on. */
const windowSize = 100;
/** Fewer results say nothing. */
const minResults = 20;
/** How long a target is avoided before it gets another chance. */
const avoidMs = 10_000;

/** Judges a target by how requests to it went: more failures than half of the last 100, and it is avoided for a while. */
export class PassiveHealth {
  readonly #failed = new Uint8Array(windowSize);
  #at = 0;
  #results = 0;
  #failures = 0;
  #avoidUntilMs = 0;
  readonly #onRecovery: (reason: string) => void;

  /** `onRecovery` is told when a target that was avoided gets requests again, and why. */
  constructor(onRecovery: (reason: string) => void = () => undefined) {
    this.#onRecovery = onRecovery;
  }

  /** How many results are looked at. */
  get results(): number {
    return this.#results;
  }

  /** Share of failures among the results looked at, 0 to 1. */
  get failureRate(): number {
    return this.#results === 0 ? 0 : this.#failures / this.#results;
  }

  /** Whether the target is better avoided now. */
  avoided(nowMs: number): boolean {
    if (this.#avoidUntilMs === 0) return false;
    if (nowMs < this.#avoidUntilMs) return true;
    this.reset(`it was left alone for ${avoidMs / 1000} seconds`);
    return false;
  }

  /** Takes a result in; returns true when the target is to be avoided from now on. */
  record(failed: boolean, nowMs: number): boolean {
    if (this.#avoidUntilMs !== 0) this.avoided(nowMs);
    if (this.#results === windowSize) this.#failures -= this.#failed[this.#at]!;
    else this.#results++;
    this.#failed[this.#at] = failed ? 1 : 0;
    if (failed) this.#failures++;
    this.#at = (this.#at + 1) % windowSize;
    if (this.#avoidUntilMs !== 0 || this.#results < minResults || this.failureRate <= 0.5) return false;
    this.#avoidUntilMs = nowMs + avoidMs;
    return true;
  }

  /** Forgets everything, as after a probe that succeeded: the target gets requests again, for that `reason`. */
  reset(reason = 'a probe succeeded'): void {
    const wasAvoided = this.#avoidUntilMs !== 0;
    this.#failed.fill(0);
    this.#at = 0;
    this.#results = 0;
    this.#failures = 0;
    this.#avoidUntilMs = 0;
    if (wasAvoided) this.#onRecovery(reason);
  }
}
