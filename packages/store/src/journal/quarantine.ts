import { join } from 'node:path';
import type { JournalFs } from './journal-fs.ts';

/** Why something was set aside; becomes the readable file beside it. */
export interface QuarantineNote {
  readonly reason: string;
  readonly [fact: string]: string | number | boolean;
}

/**
 * Where data goes that cannot be stored or read, so that a person can look at it: each item is a file of bytes and a `.json` file of the same name
 * that says what it is and why it is here. Setting the same thing aside twice gives one item.
 */
export class Quarantine {
  readonly directory: string;
  readonly #fs: JournalFs;

  constructor(fs: JournalFs, directory: string) {
    this.#fs = fs;
    this.directory = directory;
  }

  /** Durably keeps `bytes` as `name` (with its extension) and returns the path. */
  async put(name: string, bytes: Uint8Array, note: QuarantineNote): Promise<string> {
    await this.#fs.makeDirectory(this.directory);
    const path = join(this.directory, name);
    await this.#write(path, bytes);
    await this.#write(
      `${path}.json`,
      Buffer.from(`${JSON.stringify({ ...note, file: name, bytes: bytes.length }, undefined, 2)}\n`),
    );
    await this.#fs.syncDirectory(this.directory);
    return path;
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#fs.remove(path);
    const file = await this.#fs.create(path);
    try {
      await file.write([bytes], 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
