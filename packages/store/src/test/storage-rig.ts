import { silentTelemetry } from '@clew/base';
import { plainSpan } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { hashBody } from '@clew/pipeline';
import type { Component, ComponentStatus, ConsumeContext, Host, TracesConsumer } from '@clew/pipeline';
import { clewStoreExporter } from '../exporter/index.ts';
import { isClewStorage } from '../storage/capability.ts';
import type { ClewStorage } from '../storage/capability.ts';
import { clewStorageConfig } from '../storage/config.ts';
import { clewStorageExtension } from '../storage/index.ts';

/** A storage with its exporter, on a real engine. */
export interface StorageRig {
  readonly storage: ClewStorage;
  readonly exporter: Component & TracesConsumer;
  readonly statuses: readonly ComponentStatus[];
  stop(): Promise<void>;
}

/** Starts storage and exporter with settings as a user writes them. */
export async function startStorage(config: Record<string, unknown>): Promise<StorageRig> {
  const storage = clewStorageExtension.create({
    id: 'clew_storage',
    config: clewStorageConfig.parse(config),
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
  const exporter = clewStoreExporter.create({ id: 'clew_store', config: {}, telemetry: silentTelemetry });
  await exporter.start(host);
  return {
    storage,
    exporter,
    statuses,
    stop: async () => {
      await exporter.stop(patience());
      await storage.stop(patience());
    },
  };
}

/** Long enough for a loaded machine. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(90_000);
}

/** When all test spans start and arrive. */
export const nowUnixNano = BigInt(Date.now()) * 1_000_000n;

/** Context of a request; with a body it can be recognised again. */
export function contextOf(body?: string): ConsumeContext {
  const base = { tenant: 'single-tenant', receivedUnixNano: nowUnixNano };
  return body === undefined ? base : { ...base, bodyHash: hashBody(Buffer.from(body)) };
}

/** Span `number` of a trace of its own. */
export function spanNumber(number: number, startUnixNano = nowUnixNano): PlainSpan {
  return plainSpan({
    traceId: `a${number.toString(16).padStart(31, '0')}` as PlainSpan['traceId'],
    spanId: `b${number.toString(16).padStart(15, '0')}` as PlainSpan['spanId'],
    name: `operation ${number % 7}`,
    startUnixNano: startUnixNano as PlainSpan['startUnixNano'],
    endUnixNano: (startUnixNano + 5_000_000n) as PlainSpan['endUnixNano'],
  });
}

/** Rows in the spans table, and how many spans they are. */
export async function countSpans({ storage }: StorageRig): Promise<{ rows: number; distinct: number }> {
  const sql = 'SELECT count() AS total, uniqExact(span_id) AS ids FROM spans';
  const [row] = await storage.client.rows<{ total: string; ids: string }>(sql, { class: 'scan', comment: 'test' });
  return { rows: Number(row!.total), distinct: Number(row!.ids) };
}
