/** What kind of thing lies at a path. */
export type FileKind = 'file' | 'directory' | 'socket' | 'other' | 'missing';

/** Everything outside that reading a configuration touches. */
export interface ConfigIo {
  /** The text of a file; rejects with an `Error` that says why not. */
  readFile(path: string): Promise<string>;
  /** Names in a folder with their kind; empty when there is no such folder. */
  listDirectory(path: string): Promise<readonly DirectoryEntry[]>;
  /** What lies at `path`; links are followed. */
  kindOf(path: string): Promise<FileKind>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One name in a folder. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileKind;
}
