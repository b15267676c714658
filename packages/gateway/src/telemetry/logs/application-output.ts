import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage } from '@clew/base';

/** Where the application log goes: standard error, or a file. Lines are few and written at once, so that a crash loses none. */
export class ApplicationOutput {
  readonly #stderr: (text: string) => void;
  #path: string | undefined;
  #fd: number | undefined;

  /** `stderr` takes lines as long as there is no file, and again when it cannot be written. */
  constructor(stderr: (text: string) => void) {
    this.#stderr = stderr;
  }

  write(line: string): void {
    if (this.#fd === undefined) return this.#stderr(line);
    try {
      writeSync(this.#fd, line);
    } catch (error) {
      this.#stderr(`${this.#path}: ${errorMessage(error)}\n${line}`);
    }
  }

  /** Writes to `path` from now on, whose folders are made; undefined is standard error. */
  use(path: string | undefined): void {
    if (path === this.#path) return;
    this.close();
    this.#path = path;
    this.reopen();
  }

  /** Opens the file anew, for it may have been renamed. */
  reopen(): void {
    if (this.#path === undefined) return;
    const old = this.#fd;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#fd = openSync(this.#path, 'a', 0o640);
    } catch (error) {
      this.#stderr(`The application log cannot be opened: ${errorMessage(error)}\n`);
      return;
    }
    if (old !== undefined) closeSync(old);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#path = undefined;
  }
}
