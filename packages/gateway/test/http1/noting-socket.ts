import type { Socket } from 'node:net';

/** A socket that keeps what is written, one byte a character, in the portions the system would get. */
export class NotingSocket {
  readonly writes: string[] = [];
  writable = true;
  writableNeedDrain = false;
  writableLength = 0;
  #corked: string[] | undefined;

  /** For who wants a real one. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  get text(): string {
    return this.writes.join('');
  }

  /** Told when what was written is with the system, or never will be. */
  onWritten: ((error?: Error) => void) | undefined;

  write(bytes: string | Buffer, encoding?: BufferEncoding | ((error?: Error | null) => void)): boolean {
    if (typeof encoding === 'function') {
      this.onWritten = encoding;
      return true;
    }
    const text = (typeof bytes === 'string' ? Buffer.from(bytes, encoding) : bytes).toString('latin1');
    if (this.#corked === undefined) this.writes.push(text);
    else this.#corked.push(text);
    return !this.writableNeedDrain;
  }

  cork(): void {
    this.#corked = [];
  }

  uncork(): void {
    this.writes.push(this.#corked!.join(''));
    this.#corked = undefined;
  }
}
