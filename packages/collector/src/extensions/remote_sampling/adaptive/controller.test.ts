import { Limit } from '@clew/base';
import { describe, expect, it } from 'vitest';
import { AdaptiveController } from './controller.ts';
import type { AdaptiveOptions } from './controller.ts';
import { ServedNotes } from './served-notes.ts';
import { MemorySamplingStore } from './test/memory-sampling-store.ts';

const minute = 60_000;
const options: AdaptiveOptions = {
  targetSamplesPerSecond: 1,
  deltaTolerance: 0.3,
  calculationBuckets: 1,
  aggregationBuckets: 10,
  calculationDelayMs: 2 * minute,
  initialSamplingProbability: 0.001,
  minSamplingProbability: 0.000_01,
  minSamplesPerSecond: 0.25,
  intervalMs: minute,
};
const signal = new AbortController().signal;

const limitOf = (value: number) =>
  new Limit({ name: 'x', setting: 'x', subject: 'x', unit: 'items', defaultValue: value });

function open(store = new MemorySamplingStore(), { maxOperations = limitOf(100) } = {}) {
  const notes = new ServedNotes(limitOf(100));
  return { store, notes, maxOperations, controller: new AdaptiveController({ options, store, notes, maxOperations }) };
}

const roots = (interval: number, operation: string, traces: number, param = 0.001) => ({
  tenant: 'single-tenant',
  service: 'shop',
  operation,
  receivedUnixMs: interval * minute + 5,
  sampler: 'probabilistic' as const,
  param,
  traces,
});
/** When the interval before `interval` is the newest that is counted. */
const timeOf = (interval: number): number => (interval + 2) * minute + 3000;
const rates = (controller: AdaptiveController, service = 'shop') =>
  Object.fromEntries(
    controller.strategies
      .of(service)
      .strategy.operationSampling!.perOperationStrategies.map((each) => [
        each.operation,
        each.probabilisticSampling!.samplingRate,
      ]),
  );

describe('the controller of adaptive sampling', () => {
  it('serves the initial values to a service nobody knows, with no operations', () => {
    expect(open().controller.strategies.of('anybody')).toEqual({
      version: 0,
      strategy: {
        strategyType: 'PROBABILISTIC',
        probabilisticSampling: { samplingRate: 0.001 },
        operationSampling: {
          defaultSamplingProbability: 0.001,
          defaultLowerBoundTracesPerSecond: 0.25,
          perOperationStrategies: [],
          defaultUpperBoundTracesPerSecond: 0,
        },
      },
    });
  });

  it('calculates nothing while nobody asks', async () => {
    const { controller, store } = open();
    store.addRoots([roots(100, 'buy', 600)]);
    expect(await controller.calculate(timeOf(101), signal)).toBe(false);
    expect(store.counted).toBe(0);
  });

  it('calculates a round from the newest interval that is over long enough, once', async () => {
    const { controller, store, notes } = open();
    notes.note('shop', 0, timeOf(100));
    await controller.flushNotes(signal);
    store.addRoots([roots(100, 'buy', 600), roots(101, 'buy', 1), roots(102, 'buy', 1)]);
    expect(await controller.calculate(timeOf(101), signal)).toBe(true);
    expect(rates(controller)).toEqual({ buy: 0.0001 });
    expect(controller.strategies.of('shop').version).toBe(103);
    expect(await controller.calculate(timeOf(101) + 1000, signal)).toBe(false);
    const other = open(store).controller;
    expect(await other.calculate(timeOf(101) + 1000, signal)).toBe(false);
  });

  it('goes on when a clock was ahead or rounds were shorter, so that numbers are used up', async () => {
    const { controller, store, notes } = open();
    await store.saveRound('single-tenant', { round: 5000, operations: [] });
    notes.note('shop', 0, timeOf(100));
    await controller.flushNotes(signal);
    expect(await controller.calculate(timeOf(101), signal)).toBe(true);
    expect(await controller.calculate(timeOf(102), signal)).toBe(true);
    expect(controller.strategies.round).toBe(5002);
  });

  it('drops what is older than anybody asks for, now and then', async () => {
    const { controller, store, notes } = open();
    notes.note('shop', 0, timeOf(100));
    await controller.flushNotes(signal);
    const forgotten: number[] = [];
    const forget = store.forgetBefore.bind(store);
    store.forgetBefore = async (tenant, unixMs, round) => {
      forgotten.push(round);
      return forget(tenant, unixMs, round);
    };
    for (let interval = 101; interval < 171; interval++) await controller.calculate(timeOf(interval), signal);
    expect(forgotten).toEqual([78, 103, 128]);
    expect((await store.latestRound('single-tenant')).round).toBe(172);
  });

  it('goes on after a restart where it was, with the intervals before', async () => {
    const { controller, store, notes } = open();
    notes.note('shop', 0, timeOf(100));
    await controller.flushNotes(signal);
    store.addRoots([roots(100, 'buy', 600), roots(101, 'buy', 600, 0.0001), roots(101, 'look', 30)]);
    await controller.calculate(timeOf(101), signal);
    const restarted = open(store).controller;
    await restarted.refresh(signal);
    expect(rates(restarted)).toEqual({ buy: 0.0001 });
    await restarted.calculate(timeOf(102), signal);
    expect(rates(restarted)['buy']).toBeCloseTo(0.000_01, 12);
    expect(rates(restarted)['look']).toBeCloseTo(0.002, 12);
  });

  it('is followed by others who share the store', async () => {
    const { controller, store, notes } = open();
    const follower = open(store).controller;
    notes.note('shop', 0, timeOf(100));
    await controller.flushNotes(signal);
    store.addRoots([roots(100, 'buy', 600)]);
    await controller.calculate(timeOf(101), signal);
    expect(rates(follower)).toEqual({});
    await follower.refresh(signal);
    expect(rates(follower)).toEqual({ buy: 0.0001 });
  });

  it('counts each interval once', async () => {
    const { controller, store, notes } = open();
    notes.note('shop', 0, timeOf(100));
    await controller.flushNotes(signal);
    const asked: [number, number][] = [];
    const count = store.countRoots.bind(store);
    store.countRoots = async (request) => {
      asked.push([request.firstInterval, request.lastInterval]);
      return count(request);
    };
    for (const interval of [101, 102, 105, 130]) await controller.calculate(timeOf(interval), signal);
    expect(asked).toEqual([
      [91, 100],
      [101, 101],
      [102, 104],
      [120, 129],
    ]);
  });

  it('keeps what it has to note when the store fails', async () => {
    const { controller, store, notes } = open();
    notes.note('shop', 1, 500);
    store.failure = new Error('gone');
    await expect(controller.flushNotes(signal)).rejects.toThrow('gone');
    notes.note('shop', 2, 600);
    store.failure = undefined;
    await controller.flushNotes(signal);
    const served = await store.servedSince('single-tenant', 0);
    expect(served.map(({ version, firstUnixMs }) => [version, firstUnixMs]).toSorted()).toEqual([
      [1, 500],
      [2, 600],
    ]);
  });

  it('gives the busiest operations probabilities of their own when there are too many', async () => {
    const { controller, store, notes, maxOperations } = open(undefined, { maxOperations: limitOf(2) });
    notes.note('shop', 0, timeOf(100));
    await controller.flushNotes(signal);
    store.addRoots([roots(100, 'a', 70), roots(100, 'b', 600), roots(100, 'c', 80), roots(100, 'c', 5, 0.5)]);
    await controller.calculate(timeOf(101), signal);
    expect(Object.keys(rates(controller)).toSorted()).toEqual(['b', 'c']);
    expect(maxOperations.exceededCount).toBe(1);
  });
});

describe('notes of who was told what', () => {
  it('hold the first and the last time of each version', () => {
    const notes = new ServedNotes(limitOf(100));
    for (const [version, at] of [
      [1, 10],
      [1, 20],
      [2, 30],
      [2, 40],
    ] as const)
      notes.note('shop', version, at);
    notes.note('bank', 1, 15);
    expect(notes.take()).toEqual([
      { service: 'shop', version: 1, firstUnixMs: 10, lastUnixMs: 20 },
      { service: 'shop', version: 2, firstUnixMs: 30, lastUnixMs: 40 },
      { service: 'bank', version: 1, firstUnixMs: 15, lastUnixMs: 15 },
    ]);
    expect(notes.take()).toEqual([]);
  });

  it('are of as many services as allowed', () => {
    const limit = limitOf(3);
    const notes = new ServedNotes(limit);
    for (let i = 0; i < 10; i++) notes.note(`service ${i}`, 1, i);
    expect(notes.take()).toHaveLength(3);
    expect(limit.exceededCount).toBe(7);
  });
});
