import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RootSampler, SamplingStore, ServedStrategy } from '../sampling-store.ts';
import { farDeadline } from './support.ts';

/** Root spans to be counted. */
export interface SampleRoots {
  readonly tenant: string;
  readonly service: string;
  readonly operation: string;
  readonly receivedUnixMs: number;
  readonly sampler: RootSampler;
  readonly param: number;
  readonly traces: number;
}

/** A store for one run of the suite. */
export interface SamplingStoreRig {
  readonly store: SamplingStore;
  /** Adds root spans, each the root of a trace of its own, and for each a child that must not count. */
  addRoots(roots: readonly SampleRoots[]): Promise<void>;
  close(): Promise<void>;
}

/** The contract of every {@link SamplingStore}. */
export function describeSamplingStoreContract(name: string, open: () => Promise<SamplingStoreRig>): void {
  describe(`${name} keeps the contract of sampling stores`, () => {
    let rig: SamplingStoreRig;
    beforeAll(async () => {
      rig = await open();
    }, 120_000);
    afterAll(() => rig.close());
    const signal = () => farDeadline();

    describe('counting roots', () => {
      const minute = 60_000;
      const base = { tenant: 'a', receivedUnixMs: 100 * minute, sampler: 'probabilistic' as const, param: 0.5 };
      const ask = (extra: object = {}) =>
        rig.store.countRoots(
          {
            tenant: 'a',
            services: ['shop', 'bank'],
            intervalMs: minute,
            firstInterval: 100,
            lastInterval: 101,
            maxRowsPerService: 100,
            ...extra,
          },
          signal(),
        );

      beforeAll(async () => {
        await rig.addRoots([
          { ...base, service: 'shop', operation: 'buy', traces: 3 },
          { ...base, service: 'shop', operation: 'buy', traces: 2, sampler: 'lowerbound' },
          { ...base, service: 'shop', operation: 'buy', traces: 4, sampler: 'untagged', param: 0 },
          { ...base, service: 'shop', operation: 'buy', traces: 1, param: 0.123_456_7 },
          { ...base, service: 'bank', operation: "pay '€'", traces: 5, receivedUnixMs: 102 * minute - 1 },
          { ...base, service: 'bank', operation: 'early', traces: 1, receivedUnixMs: 100 * minute - 1 },
          { ...base, service: 'bank', operation: 'late', traces: 1, receivedUnixMs: 102 * minute },
          { ...base, service: 'other', operation: 'buy', traces: 1 },
          { ...base, service: 'shop', operation: 'foreign', traces: 1, tenant: 'b' },
        ]);
      });

      it('gives what arrived in the intervals, by service, operation and what roots say of their sampling', async () => {
        const counts = await ask();
        const text = counts.map(
          ({ interval, service, operation, sampler, param, traces }) =>
            `${interval} ${service} ${operation} ${sampler} ${param}: ${traces}`,
        );
        expect(text.toSorted()).toEqual([
          '100 shop buy lowerbound 0.5: 2',
          '100 shop buy probabilistic 0.123457: 1',
          '100 shop buy probabilistic 0.5: 3',
          '100 shop buy untagged 0: 4',
          "101 bank pay '€' probabilistic 0.5: 5",
        ]);
      });

      it('gives the busiest when there are too many', async () => {
        const counts = await ask({ maxRowsPerService: 1 });
        expect(new Map(counts.map(({ service, traces }) => [service, traces]))).toEqual(
          new Map([
            ['bank', 5],
            ['shop', 4],
          ]),
        );
      });

      it('gives nothing when nobody is asked about', async () => {
        expect(await ask({ services: [] })).toEqual([]);
      });
    });

    describe('rounds', () => {
      const state = (operation: string, changedRound: number) => ({
        service: 'shop "1"',
        operation,
        probability: 0.000_01,
        tracesPerSecond: 1 / 3,
        followed: changedRound % 2 === 0,
        changedRound,
      });

      it('are empty at first', async () => {
        expect(await rig.store.latestRound('rounds', signal())).toEqual({ round: 0, operations: [] });
      });

      it('replace each other as a whole', async () => {
        await rig.store.saveRound('rounds', { round: 7, operations: [state('a', 7), state('b', 6)] }, signal());
        await rig.store.saveRound('rounds', { round: 9, operations: [state("it's", 9)] }, signal());
        expect(await rig.store.latestRound('rounds', signal())).toEqual({ round: 9, operations: [state("it's", 9)] });
        await rig.store.saveRound('rounds', { round: 10, operations: [] }, signal());
        expect(await rig.store.latestRound('rounds', signal())).toEqual({ round: 10, operations: [] });
        expect(await rig.store.latestRound('nobody', signal())).toEqual({ round: 0, operations: [] });
      });

      it('may have more operations than one request can carry', async () => {
        const operations = Array.from({ length: 3000 }, (_, i) => state(`${i} ${'é'.repeat(200)}`, i));
        await rig.store.saveRound('large', { round: 1, operations }, signal());
        const { operations: read } = await rig.store.latestRound('large', signal());
        const byName = (a: { operation: string }, b: { operation: string }) => (a.operation < b.operation ? -1 : 1);
        expect(read.toSorted(byName)).toEqual(operations.toSorted(byName));
      });
    });

    describe('served strategies', () => {
      const served = (version: number, firstUnixMs: number, lastUnixMs: number, service = 'shop'): ServedStrategy => ({
        service,
        version,
        firstUnixMs,
        lastUnixMs,
      });

      it('are kept from their first to their last time, whoever notes them and in whatever order', async () => {
        const { store } = rig;
        await store.noteServed('served', [], signal());
        await store.noteServed('served', [served(1, 500, 600), served(2, 700, 700), served(1, 5, 5, 'bank')], signal());
        await store.noteServed('served', [served(1, 400, 450)], signal());
        await store.noteServed('served', [served(2, 800, 900)], signal());
        const since = async (unixMs: number) =>
          (await store.servedSince('served', unixMs, signal())).toSorted((a, b) => a.firstUnixMs - b.firstUnixMs);
        expect(await since(0)).toEqual([served(1, 5, 5, 'bank'), served(1, 400, 600), served(2, 700, 900)]);
        expect(await since(601)).toEqual([served(2, 700, 900)]);
        expect(await store.servedSince('nobody', 0, signal())).toEqual([]);
      });
    });

    describe('leases', () => {
      it('have the clock of the store, keep when they were claimed and can be prolonged and given up', async () => {
        const { store } = rig;
        await store.claimLease({ term: 1, holder: 'one', durationMs: 1000 }, signal());
        const first = (await store.leaseState(signal())).claims[0]!;
        expect(first).toMatchObject({ term: 1, holder: 'one', released: false });
        expect(first.untilUnixMs - first.claimedUnixMs).toBe(1000);
        await store.claimLease({ term: 1, holder: 'one', durationMs: 60_000 }, signal());
        await store.claimLease({ term: 1, holder: 'two', durationMs: 60_000 }, signal());
        const { nowUnixMs, claims } = await store.leaseState(signal());
        const one = claims.find(({ holder }) => holder === 'one')!;
        expect(claims).toHaveLength(2);
        expect(one.claimedUnixMs).toBe(first.claimedUnixMs);
        expect(one.untilUnixMs).toBeGreaterThan(first.untilUnixMs);
        expect(nowUnixMs).toBeGreaterThanOrEqual(one.claimedUnixMs);
        await store.claimLease({ term: 1, holder: 'one', durationMs: 0, released: true }, signal());
        const after = await store.leaseState(signal());
        expect(after.claims).toHaveLength(2);
        expect(new Map(after.claims.map(({ holder, released }) => [holder, released]))).toEqual(
          new Map([
            ['one', true],
            ['two', false],
          ]),
        );
      });
    });

    it('forgets what is older than anybody asks for, and nothing else', async () => {
      const { store } = rig;
      const operation = { service: 's', operation: 'o', probability: 1, tracesPerSecond: 1, followed: true };
      for (const round of [1, 2, 3]) {
        const operations = [{ ...operation, changedRound: round }];
        await store.saveRound('forgetful', { round, operations }, signal());
      }
      const old = { service: 's', version: 1, firstUnixMs: 10, lastUnixMs: 20 };
      const recent = { service: 's', version: 2, firstUnixMs: 15, lastUnixMs: 200 };
      await store.noteServed('forgetful', [old, recent], signal());
      await store.forgetBefore('forgetful', 100, 3, signal());
      expect((await store.latestRound('forgetful', signal())).round).toBe(3);
      expect(await store.servedSince('forgetful', 0, signal())).toEqual([recent]);
      const { round } = await store.latestRound('rounds', signal());
      expect(round).toBe(10);
    });
  });
}
