import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentTelemetry } from '@clew/base';
import { FAULT_STEPS, setFaultHandler } from './faults.ts';
import { Journal } from './journal.ts';
import { MemoryFs } from '../test/memory-fs.ts';
import type { UnsyncedFate } from '../test/memory-fs.ts';
import type { AppendRecord } from './segment.ts';

/**
 * The journal against a file system that forgets: a run appends records and removes stored segments, stops at a random operation, the power fails,
 * and the next run must find every acknowledged record that was not removed, each once, whatever became of bytes and names that were not synced.
 */
const payloadBytes = 24;

function openOn(fs: MemoryFs): Promise<Journal> {
  return Journal.open({
    directory: '/journal',
    quarantineDirectory: '/quarantine',
    telemetry: silentTelemetry,
    traceIdsOf: (payload) => payload.subarray(0, 16),
    fs,
    policy: { maxRows: 7, quietAgeMs: 2, maxAgeMs: 4 },
  });
}

function record(number: number): AppendRecord {
  const payload = new Uint8Array(payloadBytes + (number % 5) * 9);
  new DataView(payload.buffer).setUint32(16, number, true);
  const key = Buffer.alloc(16, 9);
  key.writeUInt32LE(number, 0);
  return {
    tenant: Buffer.from('t'),
    rows: 1,
    receivedUnixNano: BigInt(Date.now()) * 1_000_000n,
    requestKey: key,
    payload: { byteLength: payload.length, write: (target, offset) => target.set(payload, offset) },
    traceIds: payload.subarray(0, 16),
  };
}

class Crash extends Error {}

interface Run {
  readonly acknowledged: Set<number>;
  readonly stored: Map<number, number>;
}

/** Appends until the operation budget is used up, storing (removing) segments as they come. */
async function runUntilCrash(
  fs: MemoryFs,
  journal: Journal,
  first: number,
  operations: number,
  run: Run,
): Promise<number> {
  let left = operations;
  let crashed = false;
  fs.onOperation = () => {
    if (crashed || left-- <= 0) {
      crashed = true;
      throw new Crash();
    }
  };
  let next = first;
  const drain = (async () => {
    for (let segment = await journal.sealed.next(); segment !== undefined; segment = await journal.sealed.next()) {
      const numbers = await storedNumbers(journal, segment.id);
      for (const number of numbers) run.stored.set(number, (run.stored.get(number) ?? 0) + 1);
      await journal.remove(segment);
    }
  })().catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
  });
  while (!crashed) {
    const group = Array.from({ length: 1 + (next % 4) }, () => next++);
    await Promise.all(
      group.map((number) =>
        journal.append(record(number)).then(
          () => run.acknowledged.add(number),
          () => undefined,
        ),
      ),
    );
  }
  journal.sealed.close();
  await drain;
  return next;
}

/** Stored exactly once means: what is inserted is known by segment, and a segment is inserted again only when it was not. */
const insertedSegments = new Map<string, number[]>();
async function storedNumbers(journal: Journal, id: string): Promise<number[]> {
  if (insertedSegments.has(id)) return [];
  const segment = [...journal.segments()].find((candidate) => candidate.id === id)!;
  const numbers = [...(await segment.readRecords(journal.fs))].map((entry) =>
    new DataView(entry.payload.buffer, entry.payload.byteOffset).getUint32(16, true),
  );
  insertedSegments.set(id, numbers);
  return numbers;
}

describe('the journal and the power', () => {
  it('finds every acknowledged record exactly once after any number of power failures', async () => {
    const fate = fc.constantFrom<UnsyncedFate>('lost', 'kept', 'torn');
    const crash = fc.record({
      operations: fc.integer({ min: 0, max: 120 }),
      fates: fc.array(fate, { minLength: 1, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(crash, { minLength: 1, maxLength: 4 }), async (crashes) => {
        insertedSegments.clear();
        const run: Run = { acknowledged: new Set(), stored: new Map() };
        let fs = new MemoryFs();
        let next = 0;
        for (const { operations, fates } of crashes) {
          const journal = await openOn(fs);
          await journal.recovered;
          next = await runUntilCrash(fs, journal, next, operations, run);
          const fateOf = new Map<string, UnsyncedFate>();
          fs.onOperation = () => {};
          fs = fs.powerLoss((path) => {
            if (!fateOf.has(path)) fateOf.set(path, fates[fateOf.size % fates.length]!);
            return fateOf.get(path)!;
          });
        }
        const last = await openOn(fs);
        await last.recovered;
        for (const segment of last.segments()) {
          for (const number of await storedNumbers(last, segment.id))
            run.stored.set(number, (run.stored.get(number) ?? 0) + 1);
        }
        const lost = [...run.acknowledged].filter((number) => !run.stored.has(number));
        const doubled = [...run.stored].filter(([, times]) => times !== 1).map(([number]) => number);
        await last.requestsLoaded;
        const forgotten = [...run.acknowledged].filter((number) => !last.recent.has(record(number).requestKey!, 0));
        await last.close();
        expect({ lost, doubled, forgotten }).toEqual({ lost: [], doubled: [], forgotten: [] });
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it('passes every journal step on a run, so that tests that stop at one do stop', async () => {
    const seen = new Set<string>();
    setFaultHandler((step) => seen.add(step));
    try {
      const fs = new MemoryFs();
      const first = await openOn(fs);
      await first.append(record(1));
      await first.close();
      const path = fs.paths().find((candidate) => candidate.endsWith('.segment'))!;
      const file = await fs.open(path);
      await file.write([Buffer.alloc(10, 1)], await file.size());
      const second = await openOn(fs);
      await second.recovered;
      await second.close();
    } finally {
      setFaultHandler(undefined);
    }
    const expected = FAULT_STEPS.filter(
      (step) => step.startsWith('journal.') || step === 'recovery.before_scan' || step === 'recovery.before_truncate',
    );
    expect([...seen].sort()).toEqual([...expected].sort());
  });
});
