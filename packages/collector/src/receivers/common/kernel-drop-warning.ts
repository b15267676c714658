/** Pause between two warnings about one thing that goes on. */
const pauseMs = 60_000;

/**
 * Datagrams that the kernel dropped, gathered so that a flood is one line a minute and not four a second: the first is told at once.
 */
export class KernelDropWarning {
  readonly #warn: (packets: number) => void;
  readonly #nowMs: () => number;
  #untold = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  /** `warn` is told how many were dropped since it was told last. */
  constructor(warn: (packets: number) => void, nowMs: () => number = () => performance.now()) {
    this.#warn = warn;
    this.#nowMs = nowMs;
  }

  dropped(packets: number): void {
    this.#untold += packets;
    if (this.#nowMs() - this.#toldMs < pauseMs) return;
    this.#toldMs = this.#nowMs();
    this.tellRest();
  }

  /** Tells what was not told yet. */
  tellRest(): void {
    if (this.#untold === 0) return;
    this.#warn(this.#untold);
    this.#untold = 0;
  }
}
