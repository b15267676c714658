// Question: how many requests a second does the journal make durable, at what delay, and what does the journal itself cost over
// the disk? Senders wait for their acknowledgement before they send again, as clients do. The baseline, on the same disk in the same run, is one write and one
// fdatasync of the same bytes after another, without frames or checksums.
// Usage: npm run bench -- journal [seconds per case] [directory]
import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentTelemetry } from '@clew/base';
import { Journal } from '../../packages/store/src/journal/journal.ts';
import { crc32c } from '../../packages/store/src/journal/crc32c.ts';
import { nodeJournalFs } from '../../packages/store/src/journal/journal-fs.ts';

const secondsPerCase = Number(process.argv[2] ?? 3);
const directory = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'clew-bench-journal-'));

/** Packed bytes and spans of one request, and how many senders there are. */
const cases = [
  { name: '1 span', bytes: 350, rows: 1, senders: 1 },
  { name: '1 span', bytes: 350, rows: 1, senders: 64 },
  { name: '100 light', bytes: 12_000, rows: 100, senders: 16 },
  { name: '100 rich', bytes: 40_000, rows: 100, senders: 16 },
  { name: '1000 rich', bytes: 400_000, rows: 1000, senders: 16 },
];

interface Figures {
  readonly name: string;
  readonly senders: number;
  readonly appendsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly cpuMicrosecondsPerAppend: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

async function measure(name: string, bytes: number, senders: number, append: () => Promise<unknown>): Promise<Figures> {
  const delays: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const endMs = startMs + secondsPerCase * 1000;
  const send = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const sentMs = performance.now();
      await append();
      delays.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  delays.sort((a, b) => a - b);
  return {
    name,
    senders,
    appendsPerSecond: Math.round(delays.length / seconds),
    megabytesPerSecond: Math.round((delays.length * bytes) / seconds / 1e5) / 10,
    cpuMicrosecondsPerAppend: Math.round((cpu.user + cpu.system) / delays.length),
    p50Ms: Math.round(quantile(delays, 0.5) * 1000) / 1000,
    p99Ms: Math.round(quantile(delays, 0.99) * 1000) / 1000,
  };
}

async function measureJournal(entry: (typeof cases)[number]): Promise<Figures> {
  const journal = await Journal.open({
    directory: join(directory, 'journal'),
    quarantineDirectory: join(directory, 'quarantine'),
    telemetry: silentTelemetry,
    traceIdsOf: () => new Uint8Array(16),
  });
  // Stored segments are removed at once: the engine is not what is measured.
  const drained = (async () => {
    for (let next = await journal.sealed.next(); next !== undefined; next = await journal.sealed.next())
      await journal.remove(next);
  })();
  const payload = new Uint8Array(entry.bytes).fill(7);
  const traceIds = new Uint8Array(entry.rows * 16);
  let sent = 0;
  const figures = await measure(entry.name, entry.bytes, entry.senders, () => {
    const requestKey = hash('sha256', String(++sent), 'buffer').subarray(0, 16);
    for (let row = 0; row < entry.rows; row += 5) traceIds[row * 16 + 9] = (sent + row) & 255;
    return journal.append({
      tenant: tenantBytes,
      rows: entry.rows,
      receivedUnixNano: 0n,
      requestKey,
      payload: { byteLength: payload.length, write: (target, offset) => target.set(payload, offset) },
      traceIds,
    });
  });
  await journal.close();
  await drained;
  return figures;
}

const tenantBytes = Buffer.from('single-tenant');

async function measureDisk(bytes: number): Promise<Figures> {
  const file = await nodeJournalFs.create(join(directory, `baseline-${bytes}`));
  const block = new Uint8Array(bytes).fill(7);
  let position = 0;
  const figures = await measure(`disk alone, ${bytes} B`, bytes, 1, async () => {
    await file.write([block], position);
    position += bytes;
    await file.sync();
  });
  await file.close();
  return figures;
}

function measureChecksum(): number {
  const block = new Uint8Array(1 << 20).fill(3);
  crc32c(block, 0, block.length);
  const startMs = performance.now();
  let rounds = 0;
  for (; performance.now() - startMs < 500; rounds++) crc32c(block, 0, block.length);
  return Math.round((rounds * block.length) / (performance.now() - startMs) / 1000);
}

function measureCopy(): number {
  const source = new Uint8Array(64 << 20).fill(1);
  const target = new Uint8Array(64 << 20);
  target.set(source);
  const startMs = performance.now();
  for (let i = 0; i < 10; i++) target.set(source);
  return Math.round((10 * source.length) / (performance.now() - startMs) / 1000);
}

try {
  console.log(`calibration: memory copy ${measureCopy()} MB/s, CRC-32C ${measureChecksum()} MB/s`);
  const results: Figures[] = [];
  for (const bytes of [350, 40_000]) results.push(await measureDisk(bytes));
  for (const entry of cases) results.push(await measureJournal(entry));
  console.table(results);
  const path = process.env['CLEW_BENCH_JSON'];
  if (path !== undefined) await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
