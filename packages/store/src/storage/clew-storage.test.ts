import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentTelemetry } from '@clew/base';
import { fromPlain, plainSpan, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { hashBody } from '@clew/pipeline';
import type { Component, ComponentStatus, ConsumeContext, Host } from '@clew/pipeline';
import { clewStoreExporter } from '../exporter/index.ts';
import { isClewStorage } from './capability.ts';
import type { ClewStorage } from './capability.ts';
import { clewStorageConfig } from './config.ts';
import { clewStorageExtension } from './index.ts';

let directory: string;
const started: Component[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-storage-'));
});
afterEach(async () => {
  for (const component of started.splice(0).reverse()) await component.stop(AbortSignal.timeout(10_000));
  await rm(directory, { recursive: true, force: true });
});

interface Fleet {
  readonly storage: ClewStorage;
  readonly exporter: ReturnType<typeof clewStoreExporter.create>;
  readonly statuses: ComponentStatus[];
}

async function startFleet(config: Record<string, unknown> = {}): Promise<Fleet> {
  const storage = clewStorageExtension.create({
    id: 'clew_storage',
    config: clewStorageConfig.parse({ directory, ...config }),
    telemetry: silentTelemetry,
  });
  if (!isClewStorage(storage)) throw new Error('the extension is no storage');
  const statuses: ComponentStatus[] = [];
  const host: Host = {
    extension: () => storage,
    capability: (guard) => (guard(storage) ? storage : undefined),
    reportStatus: (status) => statuses.push(status),
  };
  await storage.start(host);
  started.push(storage);
  const exporter = clewStoreExporter.create({ id: 'clew_store', config: {}, telemetry: silentTelemetry });
  await exporter.start(host);
  started.push(exporter);
  return { storage, exporter, statuses };
}

const nowNano = BigInt(Date.now()) * 1_000_000n;

function context(body?: string): ConsumeContext {
  const base = { tenant: 'single-tenant', receivedUnixNano: nowNano };
  return body === undefined ? base : { ...base, bodyHash: hashBody(Buffer.from(body)) };
}

function span(number: number, startUnixNano = nowNano): PlainSpan {
  return plainSpan({
    traceId: `a${number.toString(16).padStart(31, '0')}` as PlainSpan['traceId'],
    spanId: `b${number.toString(16).padStart(15, '0')}` as PlainSpan['spanId'],
    name: `operation ${number % 7}`,
    startUnixNano: startUnixNano as PlainSpan['startUnixNano'],
    endUnixNano: (startUnixNano + 5_000_000n) as PlainSpan['endUnixNano'],
  });
}

async function countSpans({ storage }: Fleet): Promise<{ rows: number; distinct: number }> {
  const sql = 'SELECT count() AS total, uniqExact(span_id) AS ids FROM spans';
  const [row] = await storage.client.rows<{ total: string; ids: string }>(sql, { class: 'scan', comment: 'test' });
  return { rows: Number(row!.total), distinct: Number(row!.ids) };
}

const soon = (): AbortSignal => AbortSignal.timeout(30_000);

describe('clew_storage and clew_store', () => {
  it('take a batch before the engine runs, show it at once by trace id, and have it in the tables soon', async () => {
    const fleet = await startFleet();
    const spans = [span(1), span(2)];
    expect(fleet.exporter.durability()).toEqual({ kind: 'durable' });
    expect(fleet.exporter.admit(1000)).toBeUndefined();
    await fleet.exporter.consumeTraces(fromPlain(spans), context());
    const pending = await fleet.storage.pending.findTrace('single-tenant', Buffer.from(spans[0]!.traceId, 'hex'));
    expect(pending.flatMap(({ batch, rows }) => [...rows].map((row) => toPlain(batch)[row]!.name))).toEqual([
      'operation 1',
    ]);
    await fleet.storage.ready;
    await fleet.storage.settle(soon());
    expect(await countSpans(fleet)).toEqual({ rows: 2, distinct: 2 });
    expect(await fleet.storage.pending.findTrace('single-tenant', Buffer.from(spans[0]!.traceId, 'hex'))).toEqual([]);
  }, 60_000);

  it('store spans from 1970, from 2262 and of 150 different days in one request', async () => {
    const fleet = await startFleet();
    const day = 86_400_000_000_000n;
    const odd = [span(1, 0n), span(2, 9_223_372_036_854_000_000n), span(3, 18_446_744_073_000_000_000n)];
    const many = Array.from({ length: 150 }, (_, i) => span(100 + i, nowNano - BigInt(i) * day));
    await fleet.exporter.consumeTraces(fromPlain([...odd, ...many]), context());
    await fleet.storage.ready;
    await fleet.storage.settle(soon());
    expect(await countSpans(fleet)).toEqual({ rows: 153, distinct: 153 });
    await fleet.exporter.consumeTraces(fromPlain([span(1000)]), context());
    await fleet.storage.settle(soon());
    expect(await countSpans(fleet)).toEqual({ rows: 154, distinct: 154 });
  }, 60_000);

  it('recognise a request repeated after a restart', async () => {
    const first = await startFleet();
    await first.exporter.consumeTraces(fromPlain([span(1)]), context('body'));
    await first.storage.ready;
    await first.storage.settle(soon());
    for (const component of started.splice(0).reverse()) await component.stop(soon());
    const second = await startFleet();
    await second.exporter.consumeTraces(fromPlain([span(1)]), context('body'));
    await second.exporter.consumeTraces(fromPlain([span(2)]), context('another body'));
    await second.storage.ready;
    await second.storage.settle(soon());
    expect(await countSpans(second)).toEqual({ rows: 2, distinct: 2 });
  }, 60_000);

  it('refuse a second process on the same directory in one sentence', async () => {
    await startFleet();
    await expect(startFleet()).rejects.toMatchObject({
      code: 'directory_locked',
      message: expect.stringContaining(directory),
    });
  }, 60_000);

  it('refuse a directory that is none in one sentence', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(startFleet({ directory: file })).rejects.toMatchObject({ code: 'directory_unreadable' });
    await expect(startFleet({ journal: { directory: file } })).rejects.toMatchObject({ code: 'directory_unreadable' });
  }, 60_000);

  it('refuse with the retryable status and a hint once the journal is full, before the body is read', async () => {
    const fleet = await startFleet({ journal: { max_bytes: 2000 }, url: 'http://127.0.0.1:9' });
    await fleet.exporter.consumeTraces(fromPlain([span(1)]), context());
    expect(fleet.exporter.admit(5000)).toMatchObject({ code: 'unavailable', retryable: true, retryAfterMs: 5000 });
    const spans = Array.from({ length: 200 }, (_, i) => span(i));
    await expect(fleet.exporter.consumeTraces(fromPlain(spans), context())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('journal.max_bytes'),
    });
  }, 60_000);
});
