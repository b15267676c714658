/**
 * The process under test: storage and exporter on a directory, senders that never rest, and an end as planned. Started by `harness.ts`.
 */
import { silentTelemetry } from '@clew/base';
import { SpanBatch } from '@clew/model';
import { hashBody } from '@clew/pipeline';
import type { Host } from '@clew/pipeline';
import { clewStoreExporter } from '../../exporter/index.ts';
import { setFaultHandler } from '../../journal/faults.ts';
import { isClewStorage } from '../../storage/capability.ts';
import type { ClewStorage } from '../../storage/capability.ts';
import { clewStorageConfig } from '../../storage/config.ts';
import { clewStorageExtension } from '../../storage/index.ts';
import { spansOf } from './messages.ts';
import type { LifePlan, LifeReport } from './messages.ts';

const plan = JSON.parse(process.env['CLEW_DURABILITY'] ?? '') as LifePlan;
/** How long a life goes on after its engine was ended, in milliseconds. */
const AFTER_ENGINE_MS = 700;
/** A life whose step never comes ends after this, in milliseconds. */
const LONGEST_LIFE_MS = 2500;
const DAY_NANOS = 86_400_000_000_000n;

function report(message: LifeReport): void {
  process.send?.(message);
}

/** Request `number`, always the same spans: half of them of yesterday, so that an insert makes two parts. */
function requestOf(number: number): SpanBatch {
  const batch = new SpanBatch();
  const scope = batch.scopeTable.add(batch.resourceTable.add(0), 0);
  const name = batch.strings.internText(`operation ${number % 13}`);
  const todayNano = BigInt(Date.now()) * 1_000_000n;
  for (let i = 0; i < spansOf(number); i++) {
    const row = batch.addSpan(scope);
    const startNano = i % 2 === 0 ? todayNano : todayNano - DAY_NANOS + 3_600_000_000_000n;
    new DataView(batch.traceIds.buffer).setUint32(row * 16 + 12, number + 1);
    new DataView(batch.spanIds.buffer).setUint32(row * 8, number + 1);
    new DataView(batch.spanIds.buffer).setUint32(row * 8 + 4, i + 1);
    const times = new BigUint64Array(batch.times.buffer, batch.times.byteOffset, (row + 1) * 2);
    times[row * 2] = startNano;
    times[row * 2 + 1] = startNano + 1_000_000n;
    batch.names[row] = name;
    batch.endSpan(row);
  }
  return batch;
}

function failForGood(error: Error): never {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exit(3);
}

async function start(): Promise<{ storage: ClewStorage; send: (request: number) => Promise<void> }> {
  const storage = clewStorageExtension.create({
    id: 'clew_storage',
    config: clewStorageConfig.parse({ directory: plan.directory }),
    telemetry: silentTelemetry,
  });
  if (!isClewStorage(storage)) throw new Error('the extension is no storage');
  const host: Host = {
    extension: () => storage,
    capability: (guard) => (guard(storage) ? storage : undefined),
    reportStatus: (status) => {
      if (status.kind === 'fatal') failForGood(status.error);
    },
  };
  await storage.start(host);
  const exporter = clewStoreExporter.create({ id: 'clew_store', config: {}, telemetry: silentTelemetry });
  await exporter.start(host);
  return {
    storage,
    send: (request) =>
      exporter.consumeTraces(requestOf(request), {
        tenant: 'single-tenant',
        receivedUnixNano: BigInt(Date.now()) * 1_000_000n,
        bodyHash: hashBody(Buffer.from(`request ${request}`)),
      }),
  };
}

/** Set once the storage has started; steps of recovery may be passed before. */
let running: ClewStorage | undefined;

/** Ends the victims now; for the engine this returns. */
function killNow(): void {
  const { victim } = plan.kill!;
  const enginePid = running?.client.snapshot().pid;
  if (victim !== 'main' && enginePid !== undefined) process.kill(enginePid, 'SIGKILL');
  if (victim !== 'engine') process.kill(process.pid, 'SIGKILL');
  report({ kind: 'engine_killed' });
}

/** Arms the end of this life; settles when it should stop by itself. */
function arm({ moment }: NonNullable<LifePlan['kill']>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let struck = false;
  const strike = (): void => {
    if (struck) return;
    struck = true;
    killNow();
    setTimeout(resolve, AFTER_ENGINE_MS);
  };
  if (moment.kind === 'time') {
    setTimeout(strike, moment.afterMs);
    return promise;
  }
  let passed = 0;
  setFaultHandler((step) => {
    if (step === moment.step && ++passed === moment.nth) strike();
  });
  setTimeout(strike, LONGEST_LIFE_MS);
  return promise;
}

async function verify(storage: ClewStorage, requests: number): Promise<void> {
  await storage.ready;
  await storage.settle(AbortSignal.timeout(60_000));
  const rows = await storage.client.rows<{ id: string; total: string; ids: string }>(
    'SELECT reinterpretAsUInt32(reverse(substring(trace_id, 13, 4))) AS id, count() AS total, uniqExact(span_id) AS ids FROM spans GROUP BY trace_id',
    { class: 'scan', comment: 'verify', maxResultRows: 10_000_000 },
  );
  const found = new Map(rows.map((row) => [Number(row.id) - 1, row]));
  const wrong: string[] = [];
  for (let request = 0; request < requests; request++) {
    const row = found.get(request);
    const expected = String(spansOf(request));
    if (row?.total !== expected || row.ids !== expected) {
      wrong.push(`request ${request}: ${row?.total ?? 0} rows, ${row?.ids ?? 0} distinct, expected ${expected}`);
    }
  }
  const indexed = await storage.client.rows<{ traces: string }>(
    'SELECT uniqExact(trace_id) AS traces FROM trace_index',
    { class: 'scan', comment: 'verify' },
  );
  if (Number(indexed[0]?.traces) !== found.size)
    wrong.push(`trace_index has ${indexed[0]?.traces} traces of ${found.size}`);
  report({ kind: 'verified', rows: rows.reduce((sum, row) => sum + Number(row.total), 0), wrong });
}

async function live(): Promise<void> {
  let over = false;
  const armed = (): void => {
    if (plan.kill === undefined) return;
    void arm(plan.kill).then(() => {
      over = true;
    });
  };
  const early = plan.kill?.moment.kind === 'step';
  if (early) armed();
  const { storage, send } = await start();
  running = storage;
  if (!early) armed();
  const outstanding = [...plan.repeat];
  let next = plan.next;
  const last = plan.requests === undefined ? Infinity : plan.next + plan.requests;
  const sendOn = async (): Promise<void> => {
    while (!over) {
      const request = outstanding.shift() ?? (next < last ? next++ : undefined);
      if (request === undefined) return;
      await send(request);
      report({ kind: 'acknowledged', request });
    }
  };
  await Promise.all(Array.from({ length: plan.senders }, sendOn));
  if (plan.verify) await verify(storage, next);
  await storage.stop(AbortSignal.timeout(20_000));
  process.disconnect();
}

await live();
