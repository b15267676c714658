import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isErrno, nodeJournalFs as fs } from './journal-fs.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-fs-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('the file system under the journal', () => {
  it('makes directories with their parents, once or twice, and syncs them', async () => {
    const deep = join(directory, 'a', 'b', 'c');
    await fs.makeDirectory(deep);
    await fs.makeDirectory(deep);
    await fs.syncDirectory(deep);
    expect((await stat(deep)).isDirectory()).toBe(true);
  });

  it('writes parts one behind the other, more than one call takes, and reads them back', async () => {
    const path = join(directory, 'file');
    const file = await fs.create(path);
    const parts = Array.from({ length: 2500 }, (_, i) => Uint8Array.of(i & 255, i >> 8));
    await file.write(parts, 4);
    await file.sync();
    expect(await file.size()).toBe(5004);
    expect([...(await file.read(4 + 2 * 2499, 100))]).toEqual([2499 & 255, 2499 >> 8]);
    await file.truncate(6);
    expect(await file.readAll()).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0));
    await file.close();
    expect((await readFile(path)).length).toBe(6);
  });

  it('refuses to make a file twice and to open one that is missing, with the errors of the system', async () => {
    const path = join(directory, 'file');
    await (await fs.create(path)).close();
    await expect(fs.create(path)).rejects.toSatisfy((error) => isErrno(error, 'EEXIST'));
    await fs.remove(path);
    await fs.remove(path);
    await expect(fs.open(path)).rejects.toSatisfy((error) => isErrno(error, 'ENOENT'));
    expect(await fs.list(join(directory, 'missing'))).toEqual([]);
  });

  it('knows the room on the disk', async () => {
    const { freeBytes, totalBytes } = await fs.space(directory);
    expect(freeBytes).toBeGreaterThan(0);
    expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
  });
});
