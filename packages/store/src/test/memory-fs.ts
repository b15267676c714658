import type { DiskSpace, JournalFile, JournalFs } from '../journal/journal-fs.ts';

/** What a file holds now, and what it would hold after the power failed. */
interface MemoryInode {
  bytes: Uint8Array;
  syncedBytes: Uint8Array;
}

/** What {@link MemoryFs.powerLoss} does with bytes that were written and not synced. */
export type UnsyncedFate = 'lost' | 'kept' | 'torn';

/**
 * A file system in memory for tests: remembers what was synced, so that power can fail. Unsynced bytes are lost, kept or torn; unsynced directory
 * entries are lost or kept. Any operation can be made to fail.
 */
export class MemoryFs implements JournalFs {
  /** Called before every operation with its name and path; throwing makes it fail. */
  onOperation: (operation: string, path: string) => void = () => {};
  freeBytes = 1024 ** 4;
  #entries = new Map<string, MemoryInode>();
  #syncedEntries = new Map<string, MemoryInode>();
  readonly #directories = new Set<string>();

  async create(path: string): Promise<JournalFile> {
    await this.#step('create', path);
    if (this.#entries.has(path)) throw errno('EEXIST', path);
    const inode = { bytes: new Uint8Array(0), syncedBytes: new Uint8Array(0) };
    this.#entries.set(path, inode);
    return this.#file(path, inode);
  }

  async open(path: string): Promise<JournalFile> {
    await this.#step('open', path);
    const inode = this.#entries.get(path);
    if (inode === undefined) throw errno('ENOENT', path);
    return this.#file(path, inode);
  }

  async list(directory: string): Promise<string[]> {
    await this.#step('list', directory);
    const prefix = `${directory}/`;
    const names = [...this.#entries.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
    return names.filter((name) => !name.includes('/'));
  }

  async remove(path: string): Promise<void> {
    await this.#step('remove', path);
    this.#entries.delete(path);
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#step('makeDirectory', directory);
    this.#directories.add(directory);
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#step('syncDirectory', directory);
    const inside = (path: string): boolean => path.slice(0, path.lastIndexOf('/')) === directory;
    for (const path of this.#syncedEntries.keys()) {
      if (inside(path) && !this.#entries.has(path)) this.#syncedEntries.delete(path);
    }
    for (const [path, inode] of this.#entries) if (inside(path)) this.#syncedEntries.set(path, inode);
  }

  async space(directory: string): Promise<DiskSpace> {
    await this.#step('space', directory);
    return { freeBytes: this.freeBytes, totalBytes: 1024 ** 4 };
  }

  /** The file system as the next start finds it. `choose` decides the fate of each thing that was not synced. */
  powerLoss(choose: (path: string) => UnsyncedFate): MemoryFs {
    const after = new MemoryFs();
    after.freeBytes = this.freeBytes;
    const names = new Set([...this.#entries.keys(), ...this.#syncedEntries.keys()]);
    for (const path of names) {
      const now = this.#entries.get(path);
      const synced = this.#syncedEntries.get(path);
      const inode = now === synced || choose(path) === 'lost' ? synced : now;
      if (inode === undefined) continue;
      const bytes = survivingBytes(inode, choose(path));
      const copy = { bytes, syncedBytes: bytes };
      after.#entries.set(path, copy);
      after.#syncedEntries.set(path, copy);
    }
    return after;
  }

  /** Overwrites bytes of a file, as a failing disk does. */
  damage(path: string, change: (bytes: Uint8Array) => void): void {
    const inode = this.#entries.get(path)!;
    change(inode.bytes);
  }

  /** Paths of all files. */
  paths(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** Contents of a file. */
  contents(path: string): Uint8Array {
    return this.#entries.get(path)!.bytes;
  }

  #file(path: string, inode: MemoryInode): JournalFile {
    return {
      write: async (parts, position) => {
        await this.#step('write', path);
        let at = position;
        for (const part of parts) {
          inode.bytes = withBytes(inode.bytes, at, part);
          at += part.length;
        }
      },
      sync: async () => {
        await this.#step('sync', path);
        inode.syncedBytes = inode.bytes.slice();
      },
      truncate: async (length) => {
        await this.#step('truncate', path);
        inode.bytes = inode.bytes.slice(0, length);
      },
      size: async () => inode.bytes.length,
      read: async (position, length) => inode.bytes.slice(position, position + length),
      readAll: async () => {
        await this.#step('readAll', path);
        return inode.bytes.slice();
      },
      close: () => this.#step('close', path),
    };
  }

  async #step(operation: string, path: string): Promise<void> {
    this.onOperation(operation, path);
    // Really asynchronous, so that other work happens in between as it does on a disk.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function withBytes(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.max(bytes.length, at + part.length));
  result.set(bytes);
  result.set(part, at);
  return result;
}

function survivingBytes(inode: MemoryInode, fate: UnsyncedFate): Uint8Array {
  if (fate === 'lost') return inode.syncedBytes.slice();
  if (fate === 'kept' || inode.bytes.length <= inode.syncedBytes.length) return inode.bytes.slice();
  const torn = inode.bytes.slice();
  // The length reached the disk, the second half of the new bytes did not.
  torn.fill(0, inode.syncedBytes.length + ((torn.length - inode.syncedBytes.length) >>> 1));
  return torn;
}

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** A system error as Node makes them, for tests that let operations fail. */
export function systemError(code: string): Error {
  return errno(code, 'simulated');
}
