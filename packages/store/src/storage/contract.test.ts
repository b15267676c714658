import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { describeExtensionContract } from '@clew/pipeline/contract-tests';
import { clewStorageExtension } from './index.ts';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

describeExtensionContract({
  factory: clewStorageExtension,
  settings: () => {
    const directory = mkdtempSync(join(tmpdir(), 'clew-storage-contract-'));
    directories.push(directory);
    return { directory };
  },
});
