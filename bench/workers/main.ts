/**
 * Question: what does a span cost on its way through edge workers, step by step, and how much of that is left in the main thread?
 * CPU time of the thread that does a step, so that other work on the machine disturbs little; medians of five runs.
 *
 *     npm run bench -- workers [--json FILE]
 *
 * decode: what a worker does before. hand over: packing, message, buffer transfer, both ends. unpack, append: what main does, up to
 * the journal's acknowledgement (the disk's own time is not CPU time of the thread).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import { silentTelemetry } from '@clew/base';
import { SpanBatch, packBatch, unpackBatch } from '@clew/model';
import { SINGLE_TENANT } from '@clew/pipeline';
import type { TracesConsumer } from '@clew/pipeline';
import { SpanGenerator, type SpanProfile } from '@clew/testkit/spans';
import { decodeTraces, encodeTraces } from '@clew/wire/otlp';
import { SharedAdmission } from '../../packages/clew/src/workers/admission.ts';
import { BatchReceiver } from '../../packages/clew/src/workers/batch-receiver.ts';
import { BatchSender } from '../../packages/clew/src/workers/batch-sender.ts';
import { Journal } from '../../packages/store/src/journal/journal.ts';
import { Intake } from '../../packages/store/src/writer/intake.ts';
import { calibrate, calibrationText } from '../lib/calibration.ts';
import { spreadOf } from '../lib/percentiles.ts';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const spansPerRun = 100_000;
/** Appends wait for the disk, so small requests are measured on fewer spans. */
const maxBatchesPerRun = 3_000;
const runs = 5;
/** Requests that are under way at once: what a few dozen clients keep. */
const concurrency = 16;
const context = { tenant: SINGLE_TENANT, receivedUnixNano: 1_700_000_000_000_000_000n };

/** Nanoseconds of this thread's CPU per span. */
async function costOf(spans: number, work: () => Promise<void> | void): Promise<number> {
  const batches = Math.min(maxBatchesPerRun, Math.ceil(spansPerRun / spans));
  const once = async (): Promise<number> => {
    let left = batches;
    const before = process.threadCpuUsage();
    const client = async (): Promise<void> => {
      while (left-- > 0) await work();
    };
    await Promise.all(Array.from({ length: concurrency }, client));
    const { user, system } = process.threadCpuUsage(before);
    return ((user + system) * 1000) / (batches * spans);
  };
  await once();
  const costs: number[] = [];
  for (let run = 0; run < runs; run++) costs.push(await once());
  return spreadOf(costs).median;
}

/** A bridge with both ends in this thread, so that its cost is all of it. */
function bridge(): { readonly sender: BatchSender; close(): void } {
  const { port1, port2 } = new MessageChannel();
  const swallow: TracesConsumer = {
    mutatesData: false,
    durability: () => ({ kind: 'durable' }),
    admit: () => undefined,
    consumeTraces: () => Promise.resolve(),
  };
  const receiver = new BatchReceiver(port1, { entry: () => swallow, refused: () => undefined });
  const close = (): void => {
    receiver.close();
    port2.close();
  };
  return { sender: new BatchSender(port2, new SharedAdmission()), close };
}

async function measure(profile: SpanProfile, spans: number) {
  const batch = new SpanBatch();
  new SpanGenerator({ profile, seed: 3 }).fill(batch, spans);
  const wire = encodeTraces(batch).slice();
  const packed = packBatch(batch);
  const scratch = new SpanBatch();
  const { sender, close } = bridge();
  const directory = mkdtempSync(join(tmpdir(), 'clew-bench-workers-'));
  const journal = await Journal.open({
    directory,
    quarantineDirectory: join(directory, 'quarantine'),
    telemetry: silentTelemetry,
    traceIdsOf: (payload) => unpackBatch(payload).traceIds,
    maxBytes: 16 * 2 ** 30,
    minFreeBytes: 0,
  });
  const intake = new Intake(journal);
  const decode = await costOf(spans, () => {
    scratch.reset();
    decodeTraces(wire, scratch);
  });
  const pack = await costOf(spans, () => void packBatch(batch));
  const unpack = await costOf(spans, () => void unpackBatch(packed));
  const through = await costOf(spans, () => sender.send(batch, context, { place: 0, entry: 0 }));
  const append = await costOf(spans, () => intake.append(batch, context));
  close();
  await journal.close();
  rmSync(directory, { recursive: true, force: true });
  // The bridge packs and unpacks; what is left are messages, half of whose cost is main's.
  const messages = Math.max(0, through - pack - unpack);
  const main = messages / 2 + unpack + append;
  return { profile, spans, wireBytes: Math.round(wire.length / spans), decode, pack, messages, unpack, append, main };
}

const calibration = calibrate();
console.log(calibrationText(calibration));
console.log('ns of CPU per span');
console.log(
  'profile spans/request    decode      pack  messages    unpack    append   in main  ceiling of main, spans/s',
);
const results = [];
for (const profile of ['light', 'rich'] as const) {
  for (const spans of [1, 10, 100, 1000]) {
    const result = await measure(profile, spans);
    results.push(result);
    const { decode, pack, messages, unpack, append, main } = result;
    const columns = [decode, pack, messages, unpack, append, main].map((ns) => ns.toFixed(0).padStart(9)).join(' ');
    const ceiling = Math.round(1e9 / main).toLocaleString('en');
    console.log(`${profile.padEnd(7)} ${String(spans).padStart(13)} ${columns}  ${ceiling.padStart(12)}`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ calibration, results }, null, 2)}\n`);
