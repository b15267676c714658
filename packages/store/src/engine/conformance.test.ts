import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractLimits, describeSqlClient } from './contract-tests/sql-client-contract.ts';
import { openEmbeddedEngine } from './embedded.ts';
import { openServerEngine } from './server.ts';

describeSqlClient('the embedded engine', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'clew-conformance-'));
  const engine = await openEmbeddedEngine({ dataDirectory: directory, limits: contractLimits });
  return {
    client: engine.client,
    async close() {
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
});

const serverUrl = process.env['CLEW_TEST_CLICKHOUSE_URL'];
if (serverUrl !== undefined) {
  describeSqlClient(`the server at ${serverUrl}`, async () => {
    const engine = await openServerEngine({
      url: serverUrl,
      user: process.env['CLEW_TEST_CLICKHOUSE_USER'] ?? 'default',
      password: process.env['CLEW_TEST_CLICKHOUSE_PASSWORD'] ?? '',
      limits: contractLimits,
    });
    return { client: engine.client, close: () => engine.stop() };
  });
}
