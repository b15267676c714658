import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';

/** Makes the entries of a directory durable: files created, renamed or removed in it survive a power cut afterwards. */
export async function fsyncDirectory(path: string): Promise<void> {
  // Windows cannot open directories; its file systems journal their metadata themselves.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a directory and its missing parents, durably. */
export async function ensureDirectory(path: string): Promise<void> {
  const firstCreated = await mkdir(path, { recursive: true });
  if (firstCreated === undefined) return;
  for (let at = path; ; at = dirname(at)) {
    await fsyncDirectory(dirname(at));
    if (at === firstCreated || dirname(at) === at) return;
  }
}

/**
 * Replaces a file so that a reader, or a restart after a power cut, sees either the old content or the new one whole: a
 * temporary sibling is written and synced, renamed over the target, and the directory synced. Nothing is left behind when
 * it fails.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await fsyncDirectory(directory);
}

/** Removes a file, durably; a file that is not there is fine. */
export async function removeFileDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await fsyncDirectory(dirname(path));
}
