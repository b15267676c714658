import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromPlain, toPlain } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import { contextOf, countSpans, nowUnixNano, patience, spanNumber, startStorage } from '../test/storage-rig.ts';
import type { StorageRig } from '../test/storage-rig.ts';

let directory: string;
const rigs: StorageRig[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-storage-'));
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop();
  await rm(directory, { recursive: true, force: true });
});

async function startFleet(config: Record<string, unknown> = {}): Promise<StorageRig> {
  const rig = await startStorage({ directory, ...config });
  rigs.push(rig);
  return rig;
}

describe('clew_storage and clew_store', () => {
  it('take a batch before the engine runs, show it at once by trace id, and have it in the tables soon', async () => {
    const fleet = await startFleet();
    const spans = [spanNumber(1), spanNumber(2)];
    expect(fleet.exporter.durability()).toEqual({ kind: 'durable' });
    expect(fleet.exporter.admit(1000)).toBeUndefined();
    await fleet.exporter.consumeTraces(fromPlain(spans), contextOf());
    const pending = await fleet.storage.pending.findTrace('single-tenant', Buffer.from(spans[0]!.traceId, 'hex'));
    expect(pending.flatMap(({ batch, rows }) => [...rows].map((row) => toPlain(batch)[row]!.name))).toEqual([
      'operation 1',
    ]);
    await fleet.storage.ready;
    await fleet.storage.settle(patience());
    expect(await countSpans(fleet)).toEqual({ rows: 2, distinct: 2 });
    expect(await fleet.storage.pending.findTrace('single-tenant', Buffer.from(spans[0]!.traceId, 'hex'))).toEqual([]);
  }, 180_000);

  it('store spans from 1970, from 2262 and of 150 different days in one request', async () => {
    const fleet = await startFleet();
    const day = 86_400_000_000_000n;
    const odd = [
      spanNumber(1, 0n),
      spanNumber(2, 9_223_372_036_854_000_000n),
      spanNumber(3, 18_446_744_073_000_000_000n),
    ];
    const many = Array.from({ length: 150 }, (_, i) => spanNumber(100 + i, nowUnixNano - BigInt(i) * day));
    await fleet.exporter.consumeTraces(fromPlain([...odd, ...many]), contextOf());
    await fleet.storage.ready;
    await fleet.storage.settle(patience());
    expect(await countSpans(fleet)).toEqual({ rows: 153, distinct: 153 });
    await fleet.exporter.consumeTraces(fromPlain([spanNumber(1000)]), contextOf());
    await fleet.storage.settle(patience());
    expect(await countSpans(fleet)).toEqual({ rows: 154, distinct: 154 });
  }, 180_000);

  it('recognise a request repeated after a restart', async () => {
    const first = await startFleet();
    await first.exporter.consumeTraces(fromPlain([spanNumber(1)]), contextOf('body'));
    await first.storage.ready;
    await first.storage.settle(patience());
    for (const rig of rigs.splice(0)) await rig.stop();
    const second = await startFleet();
    await second.exporter.consumeTraces(fromPlain([spanNumber(1)]), contextOf('body'));
    await second.exporter.consumeTraces(fromPlain([spanNumber(2)]), contextOf('another body'));
    await second.storage.ready;
    await second.storage.settle(patience());
    expect(await countSpans(second)).toEqual({ rows: 2, distinct: 2 });
  }, 180_000);

  it('refuse a second process on the same directory in one sentence', async () => {
    await startFleet();
    await expect(startFleet()).rejects.toMatchObject({
      code: 'directory_locked',
      message: expect.stringContaining(directory),
    });
  }, 180_000);

  it('refuse a directory that is none in one sentence', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(startFleet({ directory: file })).rejects.toMatchObject({ code: 'directory_unreadable' });
    await expect(startFleet({ journal: { directory: file } })).rejects.toMatchObject({ code: 'directory_unreadable' });
  }, 180_000);

  it('refuse with the retryable status and a hint once the journal is full, before the body is read', async () => {
    const fleet = await startFleet({ journal: { max_bytes: 2000 }, url: 'http://127.0.0.1:9' });
    await fleet.exporter.consumeTraces(fromPlain([spanNumber(1)]), contextOf());
    expect(fleet.exporter.admit(5000)).toMatchObject({ code: 'unavailable', retryable: true, retryAfterMs: 5000 });
    const spans = Array.from({ length: 200 }, (_, i) => spanNumber(i));
    await expect(fleet.exporter.consumeTraces(fromPlain(spans), contextOf())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('journal.max_bytes'),
    });
  }, 180_000);

  it('go on taking requests while the engine stands still until the journal is full, then refuse, and recover by themselves', async () => {
    const fleet = await startFleet({ journal: { max_bytes: 200_000 } });
    await fleet.exporter.consumeTraces(fromPlain([spanNumber(0)]), contextOf());
    await fleet.storage.ready;
    await fleet.storage.settle(patience());
    const enginePid = fleet.storage.client.snapshot().pid!;
    process.kill(enginePid, 'SIGSTOP');
    let taken = 1;
    let refusal: unknown;
    try {
      while (refusal === undefined) {
        const spans = Array.from({ length: 50 }, (_, i) => spanNumber(taken + i));
        refusal = await fleet.exporter.consumeTraces(fromPlain(spans), contextOf()).catch((error: unknown) => error);
        if (refusal === undefined) taken += 50;
      }
    } finally {
      process.kill(enginePid, 'SIGCONT');
    }
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ code: 'unavailable', retryAfterMs: 5000 });
    expect(taken).toBeGreaterThan(500);
    await expect.poll(() => fleet.exporter.admit(1000), { timeout: 90_000 }).toBeUndefined();
    await fleet.exporter.consumeTraces(fromPlain([spanNumber(taken)]), contextOf());
    await fleet.storage.settle(patience());
    expect(await countSpans(fleet)).toEqual({ rows: taken + 1, distinct: taken + 1 });
  }, 180_000);

  it('keep what the engine cannot take until it can, when the engine is killed again and again', async () => {
    const fleet = await startFleet();
    await fleet.storage.ready;
    for (let round = 0; round < 3; round++) {
      const spans = Array.from({ length: 100 }, (_, i) => spanNumber(round * 100 + i));
      await fleet.exporter.consumeTraces(fromPlain(spans), contextOf());
      const { pid } = fleet.storage.client.snapshot();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    }
    await fleet.storage.settle(patience());
    await expect.poll(() => countSpans(fleet), { timeout: 90_000 }).toEqual({ rows: 300, distinct: 300 });
    expect(fleet.statuses).toEqual([]);
  }, 180_000);

  it('delete traces, of those just acknowledged too', async () => {
    const fleet = await startFleet();
    await fleet.storage.ready;
    await fleet.exporter.consumeTraces(fromPlain([spanNumber(1), spanNumber(2)]), contextOf());
    expect(await fleet.storage.deleteTraces('single-tenant', [spanNumber(1).traceId], patience())).toBe(1);
    expect(await countSpans(fleet)).toEqual({ rows: 1, distinct: 1 });
    expect(await fleet.storage.deleteDemo('single-tenant', patience())).toBe(0);
  }, 180_000);

  it('refuse data of a newer schema with one sentence', async () => {
    const first = await startFleet();
    await first.storage.ready;
    await first.storage.client.execute("INSERT INTO clew_schema SELECT 999, 'complete', 0", {
      class: 'control',
      comment: 'test',
    });
    for (const rig of rigs.splice(0)) await rig.stop();
    const second = await startFleet();
    await expect(second.storage.ready).rejects.toMatchObject({ code: 'schema_newer' });
    await expect.poll(() => second.statuses).toMatchObject([{ kind: 'fatal', error: { code: 'schema_newer' } }]);
  }, 180_000);

  it('store nothing twice when the deletion of a stored segment did not survive', async () => {
    const first = await startFleet();
    const spans = Array.from({ length: 30 }, (_, i) =>
      spanNumber(i, nowUnixNano - BigInt(i % 2) * 86_400_000_000_000n),
    );
    await first.exporter.consumeTraces(fromPlain(spans), contextOf('body'));
    const journal = join(directory, 'journal');
    const segment = (await readdir(journal)).find((name) => name.endsWith('.segment'))!;
    const contents = await readFile(join(journal, segment));
    await first.storage.ready;
    await first.storage.settle(patience());
    const derived = async ({ storage }: StorageRig): Promise<unknown> =>
      storage.client.rows(
        'SELECT (SELECT count() FROM trace_index FINAL) AS traces, (SELECT count() FROM operations FINAL) AS operations, (SELECT count() FROM resources FINAL) AS resources',
        { class: 'scan', comment: 'test' },
      );
    const before = await derived(first);
    for (const rig of rigs.splice(0)) await rig.stop();
    await writeFile(join(journal, segment), contents);

    const second = await startFleet();
    await second.storage.ready;
    await second.storage.settle(patience());
    expect(await countSpans(second)).toEqual({ rows: 30, distinct: 30 });
    expect(await derived(second)).toEqual(before);
    expect((await readdir(journal)).filter((name) => name.endsWith('.segment'))).toEqual([]);
  }, 180_000);

  it('set a damaged record aside at start, store the others, and serve the next request', async () => {
    // No engine yet, so that everything stays in the journal.
    const first = await startFleet({ url: 'http://127.0.0.1:9' });
    for (let number = 0; number < 3; number++) {
      await first.exporter.consumeTraces(fromPlain([spanNumber(number)]), contextOf());
    }
    for (const rig of rigs.splice(0)) await rig.stop();
    const journal = join(directory, 'journal');
    const names = (await readdir(journal)).filter((name) => name.endsWith('.segment')).sort();
    const contents = await readFile(join(journal, names[0]!));
    contents[100] = contents[100]! ^ 0x20;
    await writeFile(join(journal, names[0]!), contents);

    const second = await startFleet();
    await second.exporter.consumeTraces(fromPlain([spanNumber(3)]), contextOf());
    await second.storage.ready;
    await second.storage.settle(patience());
    expect(await countSpans(second)).toEqual({ rows: 3, distinct: 3 });
    const aside = await readdir(join(directory, 'quarantine'));
    expect(aside.filter((name) => name.endsWith('.damaged'))).toHaveLength(1);
    expect(aside.filter((name) => name.endsWith('.damaged.json'))).toHaveLength(1);
  }, 180_000);
});
