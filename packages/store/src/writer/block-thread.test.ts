import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, describe, it } from 'vitest';
import { silentTelemetry } from '@clew/base';
import { BatchPacker, fromPlain, unpackBatch } from '@clew/model';
import { Journal } from '../journal/journal.ts';
import type { Segment } from '../journal/segment.ts';
import { nowUnixNano, spanNumber } from '../test/storage-rig.ts';
import { BlockThread } from './block-thread.ts';

let directory: string;
let journal: Journal;
let thread: BlockThread;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-blocks-'));
  journal = await Journal.open({
    directory: join(directory, 'journal'),
    quarantineDirectory: join(directory, 'quarantine'),
    telemetry: silentTelemetry,
    traceIdsOf: (payload) => unpackBatch(payload).traceIds,
    policy: { quietAgeMs: 1 },
  });
  thread = new BlockThread(join(directory, 'blocks'));
  await thread.prepare();
});
afterEach(async () => {
  await thread.close();
  await journal.close();
  await rm(directory, { recursive: true, force: true });
});

async function segmentOf(...batches: readonly (readonly number[])[]): Promise<Segment> {
  for (const numbers of batches) {
    const batch = fromPlain(numbers.map((number) => spanNumber(number)));
    const packer = new BatchPacker();
    const byteLength = packer.prepare(batch);
    void journal.append({
      tenant: Buffer.from('single-tenant'),
      rows: batch.count,
      receivedUnixNano: nowUnixNano,
      payload: { byteLength, write: (target, offset) => packer.write(target, offset) },
      traceIds: batch.traceIds,
    });
  }
  return (await journal.sealed.next())!;
}

describe('the thread that builds blocks', () => {
  it('writes the blocks of a segment to files, spans last, and deletes them when told', async () => {
    const segment = await segmentOf([1, 2, 3], [4, 5]);
    const files = await thread.build(segment);
    expect(files.at(-1)).toMatchObject({ table: 'spans', rows: 5 });
    expect(files.map((file) => file.table)).toContain('resources');
    expect((await readdir(join(directory, 'blocks'))).length).toBe(files.length);
    await thread.finish(files, true);
    expect(await readdir(join(directory, 'blocks'))).toEqual([]);
  });

  it('announces resources again until their insert is confirmed', async () => {
    const segment = await segmentOf([1]);
    const tablesOf = async (stored: boolean): Promise<string[]> => {
      const files = await thread.build(segment);
      await thread.finish(files, stored);
      return files.map((file) => file.table);
    };
    expect(await tablesOf(false)).toContain('resources');
    expect(await tablesOf(true)).toContain('resources');
    expect(await tablesOf(true)).toEqual(['spans']);
    await thread.forgetDays([Number(nowUnixNano / 86_400_000_000_000n)]);
    expect(await tablesOf(true)).toContain('resources');
  });

  it('builds parts of a segment', async () => {
    const segment = await segmentOf([1, 2, 3], [4, 5]);
    const [first, second] = await segment.readRecords(journal.fs);
    const parts = [{ offset: first!.start, rows: Uint32Array.of(1) }, { offset: second!.start }];
    const files = await thread.build(segment, parts);
    expect(files.at(-1)).toMatchObject({ table: 'spans', rows: 3 });
  });

  it('passes on that a file cannot be read as what it is: an error of the system', async () => {
    const segment = await segmentOf([1]);
    await rm(segment.path);
    await expect(thread.build(segment)).rejects.toMatchObject({ syscall: 'open', code: 'ENOENT' });
  });

  it('starts again after it was closed', async () => {
    const segment = await segmentOf([1]);
    await thread.close();
    expect((await thread.build(segment)).length).toBeGreaterThan(0);
  });
});
