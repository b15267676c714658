// Several processes that use one store: one of them calculates sampling probabilities, all serve them, another takes over when it is gone, and
// what was found out is still there when all of them start anew.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentTelemetry } from '@clew/base';
import { collectorFactories } from '@clew/collector';
import { fromPlain, plainResource, plainSpan } from '@clew/model';
import { SINGLE_TENANT, isSamplingStorage } from '@clew/pipeline';
import type { Component, ExtensionFactory, SamplingStorage } from '@clew/pipeline';
import { TestHost, farDeadline, settingsFor } from '@clew/pipeline/contract-tests';
import { clewStorageExtension, isClewStorage } from '@clew/store';
import type { ClewStorage } from '@clew/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './support/clew.ts';

const factory = collectorFactories.find(({ type }) => type === 'remote_sampling') as ExtensionFactory<never>;
const fast = {
  target_samples_per_second: 10,
  calculation_interval: '500ms',
  calculation_delay: '500ms',
  leader_lease_refresh_interval: '200ms',
  follower_lease_refresh_interval: '2s',
};

/** The store as several processes see it: each of them may be one of many. */
class SharedStorage implements SamplingStorage {
  readonly samplingStore: SamplingStorage['samplingStore'];

  constructor({ samplingStore }: SamplingStorage) {
    this.samplingStore = new Proxy(samplingStore, {
      get(target, name) {
        if (name === 'exclusive') return false;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  snapshot(): Readonly<Record<string, unknown>> {
    return {};
  }
}

interface Process {
  readonly extension: Component;
  readonly provider: () => { readonly leader: boolean; readonly round: number };
  readonly rate: () => Promise<number | undefined>;
}

describe('processes that share a store', () => {
  let directory: string;
  let storage: ClewStorage & SamplingStorage;
  const processes: Process[] = [];
  let sending: NodeJS.Timeout;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clew-shared-'));
    const made = clewStorageExtension.create(settingsFor(clewStorageExtension, { directory }));
    if (!isClewStorage(made) || !isSamplingStorage(made)) throw new Error('the storage is none');
    storage = made;
    await storage.start(new TestHost());
    sending = setInterval(() => void sendRoots(storage, 20), 100);
  });
  afterAll(async () => {
    clearInterval(sending);
    for (const { extension } of processes) await extension.stop(farDeadline());
    await storage.stop(farDeadline());
    await rm(directory, { recursive: true, force: true });
  });

  async function start(): Promise<Process> {
    const anywhere = { endpoint: '127.0.0.1:0' };
    const settings = { http: anywhere, grpc: anywhere, adaptive: fast };
    const extension = factory.create(settingsFor(factory, settings, { telemetry: silentTelemetry }));
    await extension.start(new TestHost({ clew_storage: new SharedStorage(storage) }));
    const [{ address }] = extension.snapshot()['listeners'] as [{ address: string }];
    const process: Process = {
      extension,
      provider: () => extension.snapshot()['provider'] as ReturnType<Process['provider']>,
      async rate() {
        const response = await fetch(`http://${address}/sampling?service=shop`);
        const strategy = (await response.json()) as {
          operationSampling: {
            perOperationStrategies: { operation: string; probabilisticSampling: { samplingRate: number } }[];
          };
        };
        return strategy.operationSampling.perOperationStrategies.find(({ operation }) => operation === 'buy')
          ?.probabilisticSampling.samplingRate;
      },
    };
    processes.push(process);
    return process;
  }

  it('have one that calculates, and serve the same', async () => {
    const all = [await start(), await start(), await start()];
    await until('a leader', async () => (all.some(({ provider }) => provider().leader) ? true : undefined));
    // 200 a second arrive, sampled by a thousandth, where 10 are wanted.
    await until('the same lower probability everywhere', async () => {
      const rates = await Promise.all(all.map(({ rate }) => rate()));
      return rates.every((rate) => rate !== undefined && rate < 0.001 && rate === rates[0]) ? true : undefined;
    });
    expect(all.filter(({ provider }) => provider().leader)).toHaveLength(1);
  });

  it('go on calculating when that one ends without a word', async () => {
    const leader = processes.find(({ provider }) => provider().leader)!;
    const others = processes.filter((process) => process !== leader);
    await leader.extension.stop(AbortSignal.abort());
    await until('another leader', async () => (others.some(({ provider }) => provider().leader) ? true : undefined));
    const { round } = others[0]!.provider();
    await until('later rounds everywhere', async () =>
      others.every(({ provider }) => provider().round > round) ? true : undefined,
    );
    expect(others.filter(({ provider }) => provider().leader)).toHaveLength(1);
  });

  it('serve what was found out when all of them start anew, before anything is calculated', async () => {
    for (const { extension } of processes) await extension.stop(farDeadline());
    const before = await storage.samplingStore.latestRound(SINGLE_TENANT, farDeadline());
    const [known] = before.operations;
    const process = await start();
    const rate = await until('the probability', process.rate);
    expect(known).toMatchObject({ service: 'shop', operation: 'buy' });
    expect(rate).toBe(known!.probability);
    expect(process.provider()).toMatchObject({ leader: false, round: before.round });
  });
});

let traces = 0;

/** Stores roots as a service with a Jaeger client sends them that samples by a thousandth, whatever it is told. */
async function sendRoots(storage: ClewStorage, count: number): Promise<void> {
  const now = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: count }, () => {
    traces++;
    return plainSpan({
      traceId: traces.toString(16).padStart(32, '0'),
      spanId: traces.toString(16).padStart(16, '0'),
      name: 'buy',
      startUnixNano: now,
      endUnixNano: now + 1000n,
      attributes: { 'sampler.type': 'probabilistic', 'sampler.param': 0.001 },
      resource: plainResource({ 'service.name': 'shop' }),
    });
  });
  await storage.append(fromPlain(spans), { tenant: SINGLE_TENANT, receivedUnixNano: now });
}
