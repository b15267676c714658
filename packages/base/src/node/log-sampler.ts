/** How many lines with one message are let through. */
export interface LogSampling {
  readonly enabled: boolean;
  /** Length of the window in which lines are counted, in milliseconds. */
  readonly tickMs: number;
  /** Lines let through at the start of each window. */
  readonly initial: number;
  /** After those, every n-th line; 0 lets none through. */
  readonly thereafter: number;
}

/** What applies unless configured otherwise: the reference collector's. */
export const defaultLogSampling: LogSampling = Object.freeze({
  enabled: true,
  tickMs: 10_000,
  initial: 10,
  thereafter: 100,
});

/** Messages counted at once; beyond them, counting starts over, which lets too many lines through and never too few. */
const maxMessages = 4096;

/** Decides, per level and message, which lines are written, so that a failing loop cannot fill a disk. */
export class LogSampler {
  readonly #sampling: LogSampling;
  readonly #now: () => number;
  readonly #windows = new Map<string, { startMs: number; count: number }>();

  /** `now` is a clock in milliseconds. */
  constructor(sampling: LogSampling, now: () => number = () => performance.now()) {
    this.#sampling = sampling;
    this.#now = now;
  }

  /** Whether a line with this level and message is written. */
  allows(level: string, message: string): boolean {
    const { enabled, tickMs, initial, thereafter } = this.#sampling;
    if (!enabled) return true;
    const key = `${level} ${message}`;
    const nowMs = this.#now();
    let window = this.#windows.get(key);
    if (window === undefined || nowMs - window.startMs >= tickMs) {
      if (window === undefined && this.#windows.size >= maxMessages) this.#windows.clear();
      this.#windows.set(key, (window = { startMs: nowMs, count: 0 }));
    }
    window.count++;
    if (window.count <= initial) return true;
    return thereafter > 0 && (window.count - initial) % thereafter === 0;
  }
}
