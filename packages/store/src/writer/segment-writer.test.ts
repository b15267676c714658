import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentTelemetry } from '@clew/base';
import { SpanBatch, unpackBatch } from '@clew/model';
import { hashBody } from '@clew/pipeline';
import type { ConsumeContext } from '@clew/pipeline';
import type { SqlClient } from '../engine/client.ts';
import { Journal } from '../journal/journal.ts';
import type { JournalOptions } from '../journal/journal-options.ts';
import { JsonBlocks, MemoryEngine } from '../test/memory-engine.ts';
import type { InsertFate } from '../test/memory-engine.ts';
import { MemoryFs, systemError } from '../test/memory-fs.ts';
import { RecordingTelemetry } from '../test/recording-telemetry.ts';
import { Intake } from './intake.ts';
import { JournalPendingSpans } from './pending-spans.ts';
import { SegmentWriter } from './segment-writer.ts';

let blockDirectory: string;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  blockDirectory = await mkdtemp(join(tmpdir(), 'clew-writer-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(blockDirectory, { recursive: true, force: true });
});

interface Rig {
  readonly journal: Journal;
  readonly intake: Intake;
  readonly writer: SegmentWriter;
  readonly pending: JournalPendingSpans;
}

async function startRig(fs: MemoryFs, engine: MemoryEngine, options: Partial<JournalOptions> = {}): Promise<Rig> {
  const telemetry = options.telemetry ?? silentTelemetry;
  const journal = await Journal.open({
    directory: '/journal',
    quarantineDirectory: '/quarantine',
    telemetry: silentTelemetry,
    traceIdsOf: (payload) => unpackBatch(payload).traceIds,
    fs,
    policy: { maxRows: 20, quietAgeMs: 3, maxAgeMs: 6 },
    ...options,
  });
  const writer = new SegmentWriter({
    journal,
    client: engine.client as SqlClient,
    blocks: new JsonBlocks(fs, blockDirectory),
    tables: engine.tables,
    telemetry,
    retry: { firstMs: 2, maxMs: 10 },
  });
  closers.push(async () => {
    await writer.stop();
    await journal.close();
  });
  return { journal, writer, intake: new Intake(journal), pending: new JournalPendingSpans(journal) };
}

/** A batch of `count` spans with ids `first`, `first + 1`, …; span n belongs to trace n >> 2. */
function batchOf(first: number, count: number): SpanBatch {
  const batch = new SpanBatch();
  const scope = batch.scopeTable.add(batch.resourceTable.add(0), 0);
  for (let i = 0; i < count; i++) {
    const row = batch.addSpan(scope);
    new DataView(batch.traceIds.buffer).setUint32(row * 16 + 12, (first + i) >> 2);
    batch.traceIds[row * 16] = 1;
    new DataView(batch.spanIds.buffer).setUint32(row * 8 + 4, first + i);
    batch.endSpan(row);
  }
  return batch;
}

function traceIdOf(span: number): Uint8Array {
  const id = new Uint8Array(16);
  id[0] = 1;
  new DataView(id.buffer).setUint32(12, span >> 2);
  return id;
}

function context(body?: string): ConsumeContext {
  const base = { tenant: 'shop', receivedUnixNano: BigInt(Date.now()) * 1_000_000n };
  return body === undefined ? base : { ...base, bodyHash: hashBody(Buffer.from(body)) };
}

function storedIds(engine: MemoryEngine): number[] {
  return engine.spans.map((span) => Number.parseInt(span.spanId, 16)).sort((a, b) => a - b);
}

function ids(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

async function emptied({ journal }: Rig): Promise<void> {
  await expect.poll(() => journal.snapshot().segments, { timeout: 20_000 }).toBe(0);
}

describe('the writer', () => {
  it('stores what was acknowledged, resources before spans, and empties the journal', async () => {
    const engine = new MemoryEngine();
    const fs = new MemoryFs();
    const rig = await startRig(fs, engine);
    rig.writer.start();
    await rig.intake.append(batchOf(0, 5), context());
    await rig.intake.append(batchOf(5, 30), context());
    await emptied(rig);
    expect(storedIds(engine)).toEqual(ids(0, 35));
    expect(engine.order.slice(0, 2)).toEqual(['resources', 'spans']);
    expect(engine.spans[0]!.tenant).toBe('shop');
    expect(rig.journal.bytes).toBe(0);
    expect(fs.paths().filter((path) => path.endsWith('.segment'))).toEqual([]);
  });

  it.each<[string, InsertFate]>([
    ['nothing of it is there', 'fail_before'],
    ['all of it is there', 'fail_after'],
    ['half of it is there', 'fail_half'],
  ])('stores a segment once when an insert fails and %s', async (_, fate) => {
    const engine = new MemoryEngine();
    let failures = 2;
    engine.fate = () => (failures-- > 0 ? fate : 'store');
    const rig = await startRig(new MemoryFs(), engine);
    rig.writer.start();
    await rig.intake.append(batchOf(0, 10), context());
    await emptied(rig);
    expect(storedIds(engine)).toEqual(ids(0, 10));
    expect(engine.derived).toHaveLength(fate === 'fail_after' ? 1 : 0);
  });

  it('stores what an earlier run left, once, whether or not its insert had happened', async () => {
    const engine = new MemoryEngine();
    const fs = new MemoryFs();
    const first = await startRig(fs, engine);
    await first.intake.append(batchOf(0, 10), context());
    await first.journal.close();
    // The insert happens and the process is killed before it hears of it.
    const killed = await startRig(fs, engine);
    engine.fate = () => 'fail_after';
    killed.writer.start();
    await expect.poll(() => engine.spans.length).toBe(10);
    await killed.writer.stop();
    await killed.journal.close();
    engine.fate = () => 'store';
    const second = await startRig(fs, engine);
    second.writer.start();
    await second.intake.append(batchOf(10, 10), context());
    await emptied(second);
    expect(storedIds(engine)).toEqual(ids(0, 20));
  });

  it('goes on taking requests while the engine is down until the journal is full, and recovers by itself', async () => {
    const engine = new MemoryEngine();
    engine.down = true;
    const rig = await startRig(new MemoryFs(), engine, { maxBytes: 20_000, maxResidentBytes: 0 });
    rig.writer.start();
    let taken = 0;
    for (;;) {
      const outcome = await rig.intake.append(batchOf(taken, 10), context()).catch((error: unknown) => error);
      if (outcome !== undefined) {
        expect(outcome).toMatchObject({ code: 'journal_full' });
        break;
      }
      taken += 10;
    }
    expect(taken).toBeGreaterThan(50);
    expect(storedIds(engine)).toEqual([]);
    const found = await rig.pending.findTrace('shop', traceIdOf(4));
    expect(found.map(({ rows }) => [...rows])).toEqual([[4, 5, 6, 7]]);
    engine.down = false;
    await expect.poll(() => rig.journal.refusal(1000), { timeout: 10_000 }).toBeUndefined();
    await rig.intake.append(batchOf(taken, 10), context());
    await emptied(rig);
    expect(storedIds(engine)).toEqual(ids(0, taken + 10));
  });

  it('sets aside exactly the spans that are refused for good and stores the others', async () => {
    const engine = new MemoryEngine();
    const fs = new MemoryFs();
    const rig = await startRig(fs, engine);
    rig.writer.start();
    await rig.intake.append(batchOf(1000, 1), context());
    await emptied(rig);
    engine.refuse = (spanId) => ['3', '4', '17'].includes(Number.parseInt(spanId, 16).toString());
    await Promise.all([rig.intake.append(batchOf(0, 8), context()), rig.intake.append(batchOf(8, 12), context())]);
    await emptied(rig);
    expect(storedIds(engine)).toEqual([...ids(0, 3), ...ids(5, 12), 18, 19, 1000]);
    const notes = fs.paths().filter((path) => path.startsWith('/quarantine/') && path.endsWith('.json'));
    expect(notes).toHaveLength(3);
    const note = JSON.parse(Buffer.from(fs.contents(notes[0]!)).toString());
    expect(note).toMatchObject({ tenant: 'shop', reason: expect.stringContaining('cannot store') });
    expect(unpackBatch(fs.contents(notes[0]!.replace('.json', ''))).count).toBe(1);
  });

  it('stores a segment in pieces when it needs more memory at once than the engine may take', async () => {
    const engine = new MemoryEngine();
    engine.fate = (insert) => (insert.comment.includes(': 20 rows of spans') ? 'memory' : 'store');
    const rig = await startRig(new MemoryFs(), engine);
    rig.writer.start();
    await rig.intake.append(batchOf(0, 20), context());
    await emptied(rig);
    expect(storedIds(engine)).toEqual(ids(0, 20));
  });

  it('sets nothing aside while everything is refused, and stores all once that ends', async () => {
    const engine = new MemoryEngine();
    const fs = new MemoryFs();
    engine.refuse = () => true;
    const rig = await startRig(fs, engine);
    rig.writer.start();
    await rig.intake.append(batchOf(0, 5), context());
    await expect.poll(() => rig.writer.snapshot().suspectSegments).toBe(1);
    engine.refuse = () => false;
    await rig.intake.append(batchOf(5, 5), context());
    await emptied(rig);
    expect(storedIds(engine)).toEqual(ids(0, 10));
    expect(fs.paths().filter((path) => path.startsWith('/quarantine/'))).toEqual([]);
  });

  it('finds an acknowledged trace before it is stored, only for its tenant and only its spans', async () => {
    const rig = await startRig(new MemoryFs(), new MemoryEngine());
    await rig.intake.append(batchOf(0, 10), context());
    const found = await rig.pending.findTrace('shop', traceIdOf(5));
    expect(found).toHaveLength(1);
    expect([...found[0]!.rows]).toEqual([4, 5, 6, 7]);
    expect(await rig.pending.findTrace('other', traceIdOf(5))).toEqual([]);
    expect(await rig.pending.findTrace('shop', traceIdOf(400))).toEqual([]);
    expect(rig.pending.backlog().rows).toBe(10);
  });
});

describe('the metrics of journal and writer', () => {
  it('tell what was taken, refused, recognised, repeated, stored and set aside', async () => {
    const telemetry = new RecordingTelemetry();
    const engine = new MemoryEngine();
    const rig = await startRig(new MemoryFs(), engine, { telemetry, maxBytes: 50_000 });
    rig.writer.start();
    await rig.intake.append(batchOf(0, 3), context('same'));
    await rig.intake.append(batchOf(0, 3), context('same'));
    await emptied(rig);
    await expect(rig.intake.append(batchOf(100, 5000), context())).rejects.toMatchObject({ code: 'journal_full' });
    engine.refuse = (spanId) => Number.parseInt(spanId, 16) === 10;
    engine.fate = () => (telemetry.value('clew_store_insert_retries_total') === undefined ? 'fail_before' : 'store');
    await rig.intake.append(batchOf(20, 2), context());
    await emptied(rig);
    await rig.intake.append(batchOf(10, 3), context());
    await emptied(rig);
    const names = {
      clew_journal_records_total: 3,
      clew_journal_spans_total: 8,
      clew_journal_duplicates_total: 1,
      'clew_journal_refused_total journal_full': 1,
      clew_store_insert_retries_total: 1,
      'clew_store_reconciled_total absent': 1,
      clew_store_quarantined_spans_total: 1,
      clew_store_segments_total: 3,
      clew_journal_size_bytes: 0,
      clew_journal_limit_bytes: 50_000,
      clew_journal_requests_remembered: 1,
    };
    expect(Object.fromEntries(Object.keys(names).map((name) => [name, telemetry.value(name)]))).toEqual(names);
    expect(telemetry.value('clew_journal_sync_seconds_count')).toBeGreaterThanOrEqual(3);
  });
});

describe('repeated requests', () => {
  it('are acknowledged and stored once, also while the first is under way', async () => {
    const engine = new MemoryEngine();
    const rig = await startRig(new MemoryFs(), engine);
    rig.writer.start();
    await Promise.all([1, 2, 3].map(() => rig.intake.append(batchOf(0, 3), context('same'))));
    await rig.intake.append(batchOf(0, 3), context('same'));
    await rig.intake.append(batchOf(3, 3), context('other'));
    await emptied(rig);
    await rig.intake.append(batchOf(0, 3), context('same'));
    expect(storedIds(engine)).toEqual(ids(0, 6));
    expect(rig.journal.bytes).toBe(0);
  });

  it('are stored when the first of them failed', async () => {
    const fs = new MemoryFs();
    const engine = new MemoryEngine();
    const rig = await startRig(fs, engine);
    rig.writer.start();
    let failures = 1;
    fs.onOperation = (operation) => {
      if (operation === 'write' && failures-- > 0) throw systemError('EIO');
    };
    const outcomes = await Promise.allSettled([1, 2].map(() => rig.intake.append(batchOf(0, 3), context('same'))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled']);
    await emptied(rig);
    expect(storedIds(engine)).toEqual(ids(0, 3));
  });

  it('of two tenants are two requests', async () => {
    const engine = new MemoryEngine();
    const rig = await startRig(new MemoryFs(), engine);
    rig.writer.start();
    await rig.intake.append(batchOf(0, 2), context('same'));
    await rig.intake.append(batchOf(0, 2), { ...context('same'), tenant: 'garden' });
    await emptied(rig);
    expect(storedIds(engine)).toEqual([0, 0, 1, 1]);
  });
});

describe('the journal and the writer together', () => {
  it('store every acknowledged span exactly once, whatever fails between them and however often they start again', async () => {
    const fate = fc.constantFrom<InsertFate>('store', 'store', 'fail_before', 'fail_after', 'fail_half');
    const life = fc.record({
      batches: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
      fates: fc.array(fate, { minLength: 1, maxLength: 6 }),
      stopAfterOperations: fc.integer({ min: 5, max: 150 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 3 }), async (lives) => {
        const engine = new MemoryEngine();
        let fs = new MemoryFs();
        const acknowledged: number[] = [];
        const sent = new Set<number>();
        let next = 0;
        for (const { batches, fates, stopAfterOperations } of lives) {
          let inserts = 0;
          engine.fate = () => fates[inserts++ % fates.length]!;
          const rig = await startRig(fs, engine);
          let left = stopAfterOperations;
          fs.onOperation = () => {
            if (left-- <= 0) throw systemError('EIO');
          };
          rig.writer.start();
          for (const size of batches) {
            const first = next;
            next += size;
            for (const id of ids(first, size)) sent.add(id);
            await rig.intake.append(batchOf(first, size), context(`body ${first}`)).then(
              () => acknowledged.push(...ids(first, size)),
              () => undefined,
            );
          }
          await rig.writer.stop();
          fs.onOperation = () => {};
          fs = fs.powerLoss(() => 'lost');
        }
        engine.fate = () => 'store';
        const last = await startRig(fs, engine);
        last.writer.start();
        await last.journal.recovered;
        await emptied(last);
        const stored = storedIds(engine);
        expect(new Set(stored).size).toBe(stored.length);
        expect(acknowledged.filter((id) => !stored.includes(id))).toEqual([]);
        expect(stored.filter((id) => !sent.has(id))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
