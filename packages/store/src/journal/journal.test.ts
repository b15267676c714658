import { afterEach, describe, expect, it } from 'vitest';
import { silentTelemetry } from '@clew/base';
import { Journal } from './journal.ts';
import type { JournalOptions } from './journal-options.ts';
import { MemoryFs, systemError } from '../test/memory-fs.ts';
import type { AppendRecord, Segment } from './segment.ts';
import { crc32c } from './crc32c.ts';

const opened: Journal[] = [];
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close();
});

async function openJournal(fs: MemoryFs, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await Journal.open({
    directory: '/journal',
    quarantineDirectory: '/quarantine',
    telemetry: silentTelemetry,
    traceIdsOf: (payload) => payload.subarray(0, 16),
    fs,
    policy: { quietAgeMs: 10, maxAgeMs: 20 },
    ...options,
  });
  opened.push(journal);
  return journal;
}

/** A record of one span whose payload is its trace id followed by filler. */
function record(number: number, size = 100, key?: Uint8Array): AppendRecord {
  const payload = new Uint8Array(size).fill(number & 255);
  new DataView(payload.buffer).setUint32(8, number, true);
  return {
    tenant: Buffer.from('shop'),
    rows: 1,
    receivedUnixNano: BigInt(Date.now()) * 1_000_000n,
    requestKey: key,
    payload: { byteLength: payload.length, write: (target, offset) => target.set(payload, offset) },
    traceIds: payload.subarray(0, 16),
  };
}

function numberOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(8, true);
}

async function numbersIn(journal: Journal, segment: Segment): Promise<number[]> {
  const records = await segment.readRecords(journal.fs);
  return [...records].map((entry) => numberOf(entry.payload));
}

/** Everything recovered, in the order of numbers. */
async function recoveredNumbers(journal: Journal): Promise<number[]> {
  await journal.recovered;
  const numbers: number[] = [];
  for (const segment of journal.segments()) numbers.push(...(await numbersIn(journal, segment)));
  return numbers.sort((a, b) => a - b);
}

describe('the journal', () => {
  it('computes CRC-32C as RFC 3720 gives it', () => {
    expect(crc32c(Buffer.from('123456789'), 0, 9)).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32), 0, 32)).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255), 0, 32)).toBe(0x62a8ab43);
    expect(
      crc32c(
        Uint8Array.from({ length: 32 }, (_, i) => i),
        0,
        32,
      ),
    ).toBe(0x46dd794e);
  });

  it('refuses at once when it would pass journal.max_bytes, naming limit and setting', async () => {
    const journal = await openJournal(new MemoryFs(), { maxBytes: 1000 });
    await journal.append(record(1, 600));
    await expect(journal.append(record(2, 600))).rejects.toMatchObject({
      code: 'journal_full',
      message: expect.stringContaining('journal.max_bytes is 1000'),
    });
    expect(journal.refusal(600)?.code).toBe('journal_full');
    expect(journal.refusal(10)).toBeUndefined();
  });

  it('takes a request of unknown size to be as large as the one that was refused last', async () => {
    const journal = await openJournal(new MemoryFs(), { maxBytes: 1000 });
    await journal.append(record(1, 600));
    expect(journal.refusal(0)).toBeUndefined();
    await expect(journal.append(record(2, 600))).rejects.toMatchObject({ code: 'journal_full' });
    expect(journal.refusal(0)?.code).toBe('journal_full');
    await journal.remove((await journal.sealed.next())!);
    expect(journal.refusal(0)).toBeUndefined();
  });

  it('takes more again when a segment was stored', async () => {
    const journal = await openJournal(new MemoryFs(), { maxBytes: 1000 });
    await journal.append(record(1, 600));
    const segment = (await journal.sealed.next())!;
    await journal.remove(segment);
    expect(journal.bytes).toBe(0);
    await journal.append(record(2, 600));
  });

  it('refuses with disk_full when the disk is full and works again when there is room', async () => {
    const fs = new MemoryFs();
    let nowMs = Date.now();
    const journal = await openJournal(fs, { now: () => nowMs });
    await journal.append(record(1));
    fs.onOperation = (operation) => {
      if (operation === 'write') throw systemError('ENOSPC');
    };
    await expect(journal.append(record(2))).rejects.toMatchObject({ code: 'disk_full' });
    await expect(journal.append(record(3))).rejects.toMatchObject({ code: 'disk_full' });
    fs.onOperation = () => {};
    nowMs += 1500;
    await journal.append(record(4));
    await journal.close();
    expect(await recoveredNumbers(await openJournal(fs))).toEqual([1, 4]);
  });

  it('leaves journal.min_free_bytes of the disk alone', async () => {
    const fs = new MemoryFs();
    fs.freeBytes = 1000;
    const journal = await openJournal(fs, { minFreeBytes: 900, maxBytes: 1e6 });
    await expect(journal.append(record(1))).rejects.toMatchObject({
      code: 'disk_full',
      message: expect.stringContaining('journal.min_free_bytes'),
    });
  });

  it('rejects everything that gathered behind a failed sync and keeps what was acknowledged before', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs);
    await journal.append(record(1));
    let failures = 0;
    fs.onOperation = (operation) => {
      if (operation === 'sync' && failures++ === 0) throw systemError('EIO');
    };
    const outcomes = await Promise.allSettled([2, 3, 4].map((number) => journal.append(record(number))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected']);
    await journal.append(record(5));
    await journal.close();
    expect(await recoveredNumbers(await openJournal(fs))).toEqual([1, 5]);
  });

  it('refuses a request larger than journal.max_record_bytes', async () => {
    const journal = await openJournal(new MemoryFs(), { maxRecordBytes: 1000 });
    await expect(journal.append(record(1, 2000))).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('journal.max_record_bytes'),
    });
  });

  it('says in one sentence that a directory cannot be used', async () => {
    const fs = new MemoryFs();
    fs.onOperation = () => {
      throw systemError('EACCES');
    };
    await expect(openJournal(fs)).rejects.toMatchObject({ code: 'directory_unreadable' });
  });

  it('refuses to start on records of a newer layout', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs);
    await journal.append(record(1));
    await journal.close();
    fs.damage(
      fs.paths().find((path) => path.endsWith('.segment'))!,
      (bytes) => {
        bytes[4] = 9;
        new DataView(bytes.buffer).setUint32(60, crc32c(bytes, 0, 60), true);
      },
    );
    await expect(openJournal(fs)).rejects.toMatchObject({ code: 'schema_newer' });
  });

  it('refuses when more waits for the disk than journal.max_unsynced_bytes, but never the first', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs, { maxUnsyncedBytes: 300 });
    const first = journal.append(record(1, 1000));
    await expect(journal.append(record(2))).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('journal.max_unsynced_bytes is 300'),
    });
    await first;
    await journal.append(record(3));
  });

  it('goes on filling a segment while others wait already, so that a long outage leaves few', async () => {
    const journal = await openJournal(new MemoryFs(), { policy: { quietAgeMs: 2, maxAgeMs: 4 } });
    for (let number = 0; number < 40; number++) {
      await journal.append(record(number));
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    expect(journal.sealed.length).toBe(2);
    expect(journal.snapshot()).toMatchObject({ segments: 3, rows: 40 });
  });

  it('takes no more once it is closed, and keeps what it had', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs);
    const last = journal.append(record(1));
    await journal.close();
    await last;
    await expect(journal.append(record(2))).rejects.toMatchObject({ code: 'journal_full' });
    expect(await recoveredNumbers(await openJournal(fs))).toEqual([1]);
  });

  it('leaves a segment it cannot read where it is, reports it and goes on', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs);
    await journal.append(record(1));
    await journal.close();
    fs.onOperation = (operation, path) => {
      if (operation === 'readAll' && path.endsWith('.segment')) throw systemError('EIO');
    };
    const again = await openJournal(fs);
    await again.append(record(2));
    expect(await recoveredNumbers(again).catch(() => 'unreadable')).toBe('unreadable');
    expect(again.bytes).toBeGreaterThan(300);
    fs.onOperation = () => {};
    await again.close();
    expect(await recoveredNumbers(await openJournal(fs))).toEqual([1, 2]);
  });

  it('writes what gathered during one sync with the next', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs, { policy: { quietAgeMs: 5000, maxAgeMs: 5000 } });
    let syncs = 0;
    fs.onOperation = (operation) => {
      if (operation === 'sync') syncs++;
    };
    await Promise.all(Array.from({ length: 200 }, (_, i) => journal.append(record(i))));
    expect(syncs).toBeLessThan(10);
  });

  it('seals by rows and by bytes and gives every record to exactly one segment', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs, { policy: { maxRows: 10, maxBytes: 3000, quietAgeMs: 5, maxAgeMs: 5 } });
    await Promise.all(Array.from({ length: 95 }, (_, i) => journal.append(record(i, i % 9 === 0 ? 1500 : 100))));
    const seen: number[] = [];
    while (seen.length < 95) {
      const segment = (await journal.sealed.next())!;
      expect(segment.rows).toBeLessThanOrEqual(10);
      seen.push(...(await numbersIn(journal, segment)));
    }
    expect(seen).toEqual(Array.from({ length: 95 }, (_, i) => i));
  });

  it('lets go of records in memory beyond the limit and reads them back from disk', async () => {
    const journal = await openJournal(new MemoryFs(), { maxResidentBytes: 0 });
    await journal.append(record(7));
    await expect.poll(() => journal.sealed.length).toBe(1);
    const segment = (await journal.sealed.next())!;
    expect(segment.buffer).toBeUndefined();
    expect(segment.filter!.mayHave(record(7).traceIds)).toBe(true);
    expect(await numbersIn(journal, segment)).toEqual([7]);
  });

  it('sets a damaged record aside, keeps the good ones around it and reports it', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs, { policy: { quietAgeMs: 5000, maxAgeMs: 5000 } });
    for (let number = 1; number <= 5; number++) await journal.append(record(number));
    await journal.close();
    const path = fs.paths().find((candidate) => candidate.endsWith('.segment'))!;
    const size = fs.contents(path).length / 5;
    fs.damage(path, (bytes) => {
      bytes[size + 100]! ^= 1; // contents of the second
      bytes[3 * size + 20]! ^= 1; // header of the fourth
    });
    const again = await openJournal(fs);
    expect(await recoveredNumbers(again)).toEqual([1, 3, 5]);
    const asideNames = fs.paths().filter((candidate) => candidate.startsWith('/quarantine/'));
    expect(asideNames).toHaveLength(4);
    const note = JSON.parse(Buffer.from(fs.contents(asideNames.find((name) => name.endsWith('.json'))!)).toString());
    expect(note).toMatchObject({ offset: size, reason: expect.stringContaining('checksum') });
    expect([...again.segments()][0]!.incomplete).toBe(true);
  });

  it('remembers requests across a restart, from segments and from the log of removed ones', async () => {
    const fs = new MemoryFs();
    const journal = await openJournal(fs);
    const stored = Buffer.alloc(16, 1);
    const waiting = Buffer.alloc(16, 2);
    await journal.append(record(1, 100, stored));
    await journal.remove((await journal.sealed.next())!);
    await journal.append(record(2, 100, waiting));
    await journal.close();
    const again = await openJournal(fs);
    await again.requestsLoaded;
    expect(again.recent.has(stored, 0)).toBe(true);
    expect(again.recent.has(waiting, 0)).toBe(true);
    expect(again.recent.has(Buffer.alloc(16, 3), 0)).toBe(false);
  });
});
