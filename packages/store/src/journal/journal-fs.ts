import { open, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { fdatasync, ftruncate, writev } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * What the journal needs of a file system, so that tests can put one underneath that forgets whatever was not synced. Errors are Node's, with
 * their `code` (`ENOSPC`, `EACCES`, `ENOENT`).
 */
export interface JournalFs {
  /** Makes a new, empty file; fails when it exists. Durable only after `syncDirectory`. */
  create(path: string): Promise<JournalFile>;
  /** Opens an existing file for reading and writing. */
  open(path: string): Promise<JournalFile>;
  /** Names in a directory; empty when it does not exist. */
  list(directory: string): Promise<string[]>;
  /** Removes a file; nothing happens when it is gone already. */
  remove(path: string): Promise<void>;
  /** Makes a directory and its parents, durably. */
  makeDirectory(directory: string): Promise<void>;
  /** Makes creations and removals in a directory durable. */
  syncDirectory(directory: string): Promise<void>;
  /** Room on the file system that holds `directory`, in bytes. */
  space(directory: string): Promise<DiskSpace>;
}

/** Room on a file system, in bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** An open file. */
export interface JournalFile {
  /** Writes all of `parts` one behind the other at `position`. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>;
  /** Makes what was written durable (contents and length). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  /** Up to `length` bytes from `position`; fewer at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** The whole contents. */
  readAll(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The real one. */
export const nodeJournalFs: JournalFs = {
  create: async (path) => new NodeJournalFile(await open(path, 'wx+')),
  open: async (path) => new NodeJournalFile(await open(path, 'r+')),
  async list(directory) {
    try {
      return await readdir(directory);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  },
  remove: (path) => rm(path, { force: true }),
  async makeDirectory(directory) {
    const first = await mkdir(directory, { recursive: true });
    if (first === undefined) return;
    // A new directory is an entry of its parent, and is lost with all it holds when that is not synced.
    for (let made = directory; made.length >= first.length; made = dirname(made))
      await this.syncDirectory(dirname(made));
  },
  async syncDirectory(directory) {
    // Windows can neither open nor sync a directory; NTFS journals its entries.
    if (process.platform === 'win32') return;
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async space(directory) {
    const stats = await statfs(directory);
    return { freeBytes: stats.bavail * stats.bsize, totalBytes: stats.blocks * stats.bsize };
  },
};

/** Whether a caught value is a system error with this code. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The callback functions of node:fs: their promise forms cost 30 µs more an operation. */
class NodeJournalFile implements JournalFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<void> {
    let remaining = parts.filter((part) => part.length > 0);
    let at = position;
    while (remaining.length > 0) {
      const written = await this.#writev(remaining, at);
      if (written === 0) throw new Error(`writing to the journal at offset ${at} wrote nothing`);
      at += written;
      remaining = withoutFirst(remaining, written);
    }
  }

  #writev(parts: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      // One call takes at most IOV_MAX = 1024 buffers on Linux.
      writev(this.#handle.fd, parts.slice(0, 1024), position, (error, written) =>
        error === null ? resolve(written) : reject(error),
      );
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#handle.fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      ftruncate(this.#handle.fd, length, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const { bytesRead } = await this.#handle.read(bytes, at, length - at, position + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  }

  async readAll(): Promise<Uint8Array> {
    return this.read(0, await this.size());
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function withoutFirst(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  const rest: Uint8Array[] = [];
  for (const part of parts) {
    if (skip >= part.length) skip -= part.length;
    else {
      rest.push(skip === 0 ? part : part.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}
