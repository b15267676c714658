import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigIo, DirectoryEntry, FileKind } from './io.ts';

/** The file system and environment of this process. */
export const nodeConfigIo: ConfigIo = {
  readFile: (path) => readFile(path, 'utf8'),
  listDirectory,
  kindOf,
  env: process.env,
};

async function listDirectory(path: string): Promise<readonly DirectoryEntry[]> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return Promise.all(names.map(async (name) => ({ name, kind: await kindOf(join(path, name)) })));
}

async function kindOf(path: string): Promise<FileKind> {
  try {
    const found = await stat(path);
    if (found.isFile()) return 'file';
    if (found.isDirectory()) return 'directory';
    return found.isSocket() ? 'socket' : 'other';
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}

/** Nothing there, or nothing that this process may look at. */
function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'ELOOP';
}
