import { readdirSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorMessage } from '@clew/base';
import type { Logger } from '@clew/base';

/** Editors write a file in several steps; all of them together are one change. */
const DEBOUNCE_MS = 200;

/** Folders watched at most: the configuration's own, those of included files, and those below it. */
const MAX_FOLDERS = 200;
const MAX_DEPTH = 4;

/**
 * Watches a configuration for changes. Folders are watched and not files, because editors replace files. What matters are the files
 * that were read, and any `.kdl` file below the folder of the first, which an include may come to match.
 */
export class ConfigWatch {
  readonly #onChange: () => void;
  readonly #logger: Logger;
  readonly #watchers = new Map<string, FSWatcher>();
  #files: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  /** `onChange` is called once for each burst of changes. */
  constructor(logger: Logger, onChange: () => void) {
    this.#logger = logger;
    this.#onChange = onChange;
  }

  /** Watches what belongs to these files from now on, the one named by the user first; none ends watching. */
  update(files: readonly string[]): void {
    this.#files = new Set(files.map((file) => resolve(file)));
    const folders = foldersOf([...this.#files]);
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.update([]);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => this.#changed(folder, name));
      // A folder that is removed ends its watcher; the reload that follows makes the list anew.
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#logger.warn('A folder of the configuration cannot be watched: changes in it are not noticed.', {
        folder,
        reason: errorMessage(error),
      });
    }
  }

  #concerns(folder: string, name: string): boolean {
    const path = join(folder, name);
    if (name.endsWith('.kdl') || this.#files.has(path)) return true;
    // Kubernetes changes all files of a ConfigMap at once, by giving this link another target.
    if (name === '..data') return true;
    if (name.startsWith('.') || this.#watchers.has(path) || !isFolder(path)) return false;
    // A new folder may have files already.
    this.update([...this.#files]);
    return this.#watchers.has(path);
  }

  #changed(folder: string, name: string | null): void {
    if (name !== null && !this.#concerns(folder, name)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, DEBOUNCE_MS).unref();
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function foldersOf(files: readonly string[]): ReadonlySet<string> {
  const folders = new Set(files.map((file) => dirname(file)));
  const [first] = files;
  if (first !== undefined) addBelow(dirname(first), 1, folders);
  return folders;
}

function addBelow(folder: string, depth: number, folders: Set<string>): void {
  let names: readonly string[];
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map((entry) => entry.name);
  } catch {
    return; // What cannot be listed cannot be included from either.
  }
  for (const name of names) {
    if (folders.size >= MAX_FOLDERS) return;
    const below = join(folder, name);
    folders.add(below);
    if (depth < MAX_DEPTH) addBelow(below, depth + 1, folders);
  }
}
