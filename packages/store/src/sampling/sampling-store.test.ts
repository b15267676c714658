import { silentTelemetry } from '@clew/base';
import { isSamplingStorage } from '@clew/pipeline';
import { describeSamplingStoreContract } from '@clew/pipeline/contract-tests';
import type { SampleRoots } from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { batchOf } from '../reader/test-support/spans.ts';
import type { SpanSketch } from '../reader/test-support/spans.ts';
import { openTestStore } from '../reader/test-support/test-store.ts';
import { createStatements } from '../schema/ddl.ts';
import { migrate } from '../schema/migrate.ts';
import { samplingTables } from '../schema/sampling-tables.ts';
import { currentSchema } from '../schema/tables.ts';
import { clewStorageConfig } from '../storage/config.ts';
import { clewStorageExtension } from '../storage/index.ts';
import { SqlSamplingStore } from './sampling-store.ts';

let traces = 0;

/** A root with a child, for each trace; the child would show under a name of its own if it were counted. */
function spansOf({ service, operation, receivedUnixMs, sampler, param, traces: count }: SampleRoots): SpanSketch[] {
  const tags: SpanSketch['tags'] =
    sampler === 'untagged'
      ? []
      : [
          ['sampler.type', sampler],
          ['sampler.param', param],
        ];
  return Array.from({ length: count }).flatMap(() => {
    const trace = ++traces;
    const common = { trace, service, name: operation, startUnixNano: BigInt(receivedUnixMs) * 1_000_000n, tags };
    return [
      { ...common, span: trace * 2 },
      { ...common, span: trace * 2 + 1, parent: trace * 2, name: `${operation} child` },
    ];
  });
}

describeSamplingStoreContract('the storage', async () => {
  const test = await openTestStore();
  return {
    store: new SqlSamplingStore(async () => test.client, { exclusive: true }),
    async addRoots(roots) {
      await test.store(
        roots.map((each) => ({
          batch: batchOf(...spansOf(each)),
          receivedUnixNano: BigInt(each.receivedUnixMs) * 1_000_000n,
          tenant: each.tenant,
        })),
      );
    },
    close: () => test.close(),
  };
});

describe('counting roots', () => {
  const minute = 60_000;
  const at = 200 * minute;
  const request = {
    tenant: 'single-tenant',
    services: ['shop'],
    intervalMs: minute,
    firstInterval: 200,
    lastInterval: 200,
    maxRowsPerService: 10,
  };

  it('takes the probability whatever its type, under the keys of any client, and each trace once', async () => {
    const test = await openTestStore();
    try {
      const store = new SqlSamplingStore(async () => test.client, { exclusive: true });
      const root = (trace: number, ...tags: NonNullable<SpanSketch['tags']>): SpanSketch => ({
        trace,
        service: 'shop',
        name: `op ${trace}`,
        startUnixNano: BigInt(at) * 1_000_000n,
        tags,
      });
      const sketches = [
        root(1, ['sampler.type', 'probabilistic'], ['sampler.param', 1n]),
        root(2, ['sampler.type', 'probabilistic'], ['sampler.param', '0.25']),
        root(3, ['jaeger.sampler.type', 'probabilistic'], ['jaeger.sampler.param', 0.125]),
        root(4, ['sampler.type', 'const'], ['sampler.param', true]),
        root(5, ['sampler.type', 'ratelimiting'], ['sampler.param', 2.5]),
        root(6, ['sampler.type', 'probabilistic'], ['sampler.param', 'nothing']),
      ];
      const receivedUnixNano = BigInt(at) * 1_000_000n;
      await test.store([{ batch: batchOf(...sketches), receivedUnixNano }]);
      await test.store([{ batch: batchOf(...sketches), receivedUnixNano: receivedUnixNano + 1_000_000n }]);
      const counts = await store.countRoots(request, AbortSignal.timeout(60_000));
      const text = counts.map(({ operation, param, traces: count }) => `${operation} ${param} ${count}`);
      expect(text.toSorted()).toEqual(['op 1 1 1', 'op 2 0.25 1', 'op 3 0.125 1', 'op 6 0 1']);
    } finally {
      await test.close();
    }
  }, 120_000);
});

describe('tables of an earlier version', () => {
  it('get those of adaptive sampling beside them', async () => {
    const test = await openTestStore({ version: 0, tables: [], views: [] });
    try {
      const ddl = { target: 'embedded' } as const;
      const names = new Set(samplingTables.map(({ name }) => name));
      const first = {
        ...currentSchema,
        version: 1,
        tables: currentSchema.tables.filter(({ name }) => !names.has(name)),
      };
      await migrate(test.client, ddl, { target: { schema: first, migrations: [] } });
      await migrate(test.client, ddl);
      await migrate(test.client, ddl);
      const store = new SqlSamplingStore(async () => test.client, { exclusive: true });
      const signal = AbortSignal.timeout(60_000);
      await store.saveRound('t', { round: 1, operations: [] }, signal);
      expect(await store.latestRound('t', signal)).toEqual({ round: 1, operations: [] });
    } finally {
      await test.close();
    }
  }, 120_000);

  it('are described for a cluster too', () => {
    const schema = { ...currentSchema, tables: samplingTables, views: [] };
    expect(createStatements(schema, { target: 'cluster', cluster: 'c' })).toHaveLength(2 * samplingTables.length);
  });
});

describe('the storage extension', () => {
  const storage = (config: object) =>
    clewStorageExtension.create({ id: 's', config: clewStorageConfig.parse(config), telemetry: silentTelemetry });

  it.each([
    ['an engine of its own', {}, true],
    ['a server', { url: 'http://127.0.0.1:9' }, false],
  ])('with %s offers its memory to adaptive sampling', (_, config, exclusive) => {
    const extension = storage(config);
    if (!isSamplingStorage(extension)) throw new Error('it does not');
    expect(extension.samplingStore.exclusive).toBe(exclusive);
  });

  it('lets who asks before the tables are there wait, and give up', async () => {
    const extension = storage({});
    if (!isSamplingStorage(extension)) throw new Error('it does not');
    const caller = new AbortController();
    const asked = extension.samplingStore.latestRound('t', caller.signal);
    caller.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect(extension.samplingStore.latestRound('t', caller.signal)).rejects.toThrow('enough');
  });
});
