import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureDirectory, removeFileDurably, writeFileAtomic } from './files.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-files-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('writeFileAtomic', () => {
  it('leaves no temporary file behind when the target cannot be replaced', async () => {
    await ensureDirectory(join(directory, 'occupied', 'child'));
    await expect(writeFileAtomic(join(directory, 'occupied'), 'x')).rejects.toThrow();
    expect(await readdir(directory)).toEqual(['occupied']);
  });

  it('replaces the whole content', async () => {
    const path = join(directory, 'file');
    await writeFileAtomic(path, 'a long first version');
    await writeFileAtomic(path, new Uint8Array([104, 105]));
    expect(await readFile(path, 'utf8')).toBe('hi');
    expect(await readdir(directory)).toEqual(['file']);
  });
});

describe('ensureDirectory', () => {
  it('creates parents and is content with what exists', async () => {
    const path = join(directory, 'a', 'b', 'c');
    await ensureDirectory(path);
    await ensureDirectory(path);
    expect((await stat(path)).isDirectory()).toBe(true);
  });
});

describe('removeFileDurably', () => {
  it('is content when there is nothing to remove', async () => {
    const path = join(directory, 'file');
    await writeFileAtomic(path, 'x');
    await removeFileDurably(path);
    await removeFileDurably(path);
    expect(await readdir(directory)).toEqual([]);
  });
});
