import type { CommandIo } from '../cli/command.ts';

/** How often a progress line is rewritten. */
const intervalMs = 200;

/** A line on standard error that is rewritten while work goes on; silent when that is no terminal. */
export class Progress {
  readonly #io: CommandIo;
  #lastMs = 0;
  #shown = false;

  constructor(io: CommandIo) {
    this.#io = io;
  }

  /** Shows `text`, unless it was just rewritten. */
  update(text: string): void {
    if (this.#io.stderr.isTTY !== true) return;
    const now = Date.now();
    if (now - this.#lastMs < intervalMs) return;
    this.#lastMs = now;
    this.#shown = true;
    this.#io.stderr.write(`\r\u001b[K${text}`);
  }

  /** Removes the line. */
  done(): void {
    if (this.#shown) this.#io.stderr.write('\r\u001b[K');
  }
}
