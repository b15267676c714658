import { silentTelemetry } from '@clew/base';
import { clewStorageExtension, isClewStorage } from '@clew/store';

/**
 * Rows of the spans table per trace id, counted in the tables themselves: APIs leave equal rows out, and these tests are about
 * whether there are any. Nothing else may work on the directory.
 */
export async function storedRows(dataDirectory: string): Promise<ReadonlyMap<string, number>> {
  const config = clewStorageExtension.configSchema.parse({ directory: dataDirectory });
  const storage = clewStorageExtension.create({ id: 'clew_storage', config, telemetry: silentTelemetry });
  if (!isClewStorage(storage)) throw new Error('the storage extension made something that is no storage');
  await storage.start({
    extension: () => undefined,
    capability: () => undefined,
    reportStatus: () => undefined,
  });
  try {
    await storage.ready;
    await storage.settle(AbortSignal.timeout(60_000));
    const rows = await storage.client.rows<{ id: string; rows: string }>(
      'SELECT lower(hex(trace_id)) AS id, count() AS rows FROM spans GROUP BY trace_id',
      { class: 'control', comment: 'count rows per trace', maxResultRows: 10_000_000 },
    );
    return new Map(rows.map(({ id, rows: count }) => [id, Number(count)]));
  } finally {
    await storage.stop(AbortSignal.timeout(30_000));
  }
}
