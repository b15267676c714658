import { silentTelemetry } from '@clew/base';
import type { Component, SamplingStorage } from '@clew/pipeline';
import {
  TestHost,
  describeExtensionContract,
  eventually,
  farDeadline,
  settingProblems,
  settingsFor,
} from '@clew/pipeline/contract-tests';
import { afterEach, describe, expect, it } from 'vitest';
import { remoteSamplingExtensionFactory as factory } from '../index.ts';
import { MemorySamplingStore } from './test/memory-sampling-store.ts';

const anywhere = { http: { endpoint: '127.0.0.1:0' }, grpc: { endpoint: '127.0.0.1:0' } };
/** Everything in tenths of seconds. */
const fast = {
  calculation_interval: '100ms',
  calculation_delay: '0s',
  leader_lease_refresh_interval: '50ms',
  follower_lease_refresh_interval: '400ms',
};

/** An extension that stores, for a host of tests. */
class FakeStorage implements SamplingStorage {
  readonly samplingStore: MemorySamplingStore;

  constructor(samplingStore: MemorySamplingStore) {
    this.samplingStore = samplingStore;
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  snapshot(): Readonly<Record<string, unknown>> {
    return {};
  }
}

const running: Component[] = [];
afterEach(async () => {
  for (const component of running.splice(0)) await component.stop(farDeadline());
});

interface Process {
  readonly extension: Component;
  readonly provider: () => { readonly leader: boolean; readonly round: number; readonly operations: number };
  readonly ask: (service: string) => Promise<Record<string, number>>;
}

async function start(store: MemorySamplingStore, settings: object = {}): Promise<Process> {
  const all = { ...anywhere, adaptive: { ...fast, ...settings } };
  const extension = factory.create(settingsFor(factory, all, { telemetry: silentTelemetry }));
  running.push(extension);
  await extension.start(new TestHost({ clew_storage: new FakeStorage(store) }));
  const [{ address }] = extension.snapshot()['listeners'] as [{ address: string }];
  return {
    extension,
    provider: () => extension.snapshot()['provider'] as ReturnType<Process['provider']>,
    async ask(service) {
      const response = await fetch(`http://${address}/sampling?service=${service}`);
      const { operationSampling } = (await response.json()) as {
        operationSampling: {
          perOperationStrategies: { operation: string; probabilisticSampling: { samplingRate: number } }[];
        };
      };
      const { perOperationStrategies } = operationSampling;
      return Object.fromEntries(
        perOperationStrategies.map((each) => [each.operation, each.probabilisticSampling.samplingRate]),
      );
    },
  };
}

describeExtensionContract({
  factory,
  settings: () => ({ ...anywhere, adaptive: fast }),
  host: () => new TestHost({ clew_storage: new FakeStorage(new MemorySamplingStore()) }),
});

describe('the settings of adaptive sampling', () => {
  it.each<[object, string]>([
    [{ calculation_interval: '0s' }, 'remote_sampling::adaptive::calculation_interval: must be at least 10ms'],
    [
      { leader_lease_refresh_interval: '2m' },
      'remote_sampling::adaptive: leader_lease_refresh_interval must not be longer than follower_lease_refresh_interval',
    ],
    [
      { calculation_buckets: 11 },
      'remote_sampling::adaptive: calculation_buckets must not be more than aggregation_buckets',
    ],
  ])('%j are refused', (adaptive, problem) => {
    expect(settingProblems(factory, { adaptive })).toEqual([problem]);
  });

  it('are refused beside a file, and may stand beside a default probability', () => {
    expect(settingProblems(factory, { adaptive: {}, file: { default_sampling_probability: 1 } })).toEqual([]);
    expect(settingProblems(factory, { adaptive: {}, file: { path: 'x' } })).toEqual([
      expect.stringContaining('only one sampling strategy provider') as string,
    ]);
  });

  it('have the defaults of the reference', () => {
    expect(settingsFor(factory, { adaptive: null }).config.adaptive).toEqual({
      target_samples_per_second: 1,
      delta_tolerance: 0.3,
      calculation_interval: 60_000,
      aggregation_buckets: 10,
      calculation_buckets: 1,
      calculation_delay: 120_000,
      initial_sampling_probability: 0.001,
      min_sampling_probability: 0.000_01,
      min_samples_per_second: 1 / 60,
      leader_lease_refresh_interval: 5000,
      follower_lease_refresh_interval: 60_000,
      max_operations_per_service: 2000,
    });
  });
});

describe('adaptive sampling', () => {
  it('without a storage does not start, and says what is missing', async () => {
    const extension = factory.create(settingsFor(factory, { ...anywhere, adaptive: {} }));
    await expect(extension.start(new TestHost())).rejects.toMatchObject({
      code: 'sampling_store_missing',
      message: expect.stringContaining('clew_storage') as string,
    });
  });

  it('uses the storage there is when another is named', async () => {
    const { provider } = await start(new MemorySamplingStore(), { sampling_store: 'cassandra' });
    expect(provider().leader).toBe(true);
  });

  it('follows the traffic of a service that asks', async () => {
    const store = new MemorySamplingStore();
    const { ask } = await start(store);
    expect(await ask('shop')).toEqual({});
    const send = setInterval(() => {
      const root = { tenant: 'single-tenant', sampler: 'probabilistic' as const, param: 0.001, traces: 100 };
      store.addRoots([{ ...root, service: 'shop', operation: 'buy', receivedUnixMs: Date.now() }]);
    }, 10);
    try {
      let rate = 1;
      const poll = async (): Promise<void> => {
        rate = (await ask('shop'))['buy'] ?? 1;
      };
      const polls = setInterval(() => void poll(), 20);
      await eventually('a lower probability', () => rate < 0.001);
      clearInterval(polls);
    } finally {
      clearInterval(send);
    }
  });

  it('serves on while the store is away, and goes on when it is back', async () => {
    const store = new MemorySamplingStore();
    const { ask, provider } = await start(store);
    await ask('shop');
    await eventually('a round', () => provider().round > 0);
    store.failure = new Error('gone');
    const { round } = provider();
    expect(await ask('shop')).toEqual({});
    store.failure = undefined;
    await eventually('another round', () => provider().round > round);
  });

  it('has one of several processes calculate, and another take over when it ends without a word', async () => {
    const store = new MemorySamplingStore({ exclusive: false });
    const all = [await start(store), await start(store), await start(store)];
    const leaders = () => all.filter(({ provider }) => provider().leader);
    await eventually('a leader', () => leaders().length === 1);
    await all[0]!.ask('shop');
    await eventually('a round that all serve', () => all.every(({ provider }) => provider().round > 0));

    // With no time left it gives up nothing, as if it were killed.
    const [first] = leaders();
    const survivors = all.filter((each) => each !== first);
    await first!.extension.stop(AbortSignal.abort());
    await eventually('another leader', () => survivors.some(({ provider }) => provider().leader));
    const { round } = survivors[0]!.provider();
    await eventually('rounds to go on', () => survivors.every(({ provider }) => provider().round > round));
    expect(survivors.filter(({ provider }) => provider().leader)).toHaveLength(1);
  });
});
