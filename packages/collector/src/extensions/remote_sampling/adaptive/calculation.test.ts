import type { OperationSamplingState, RootCount, SamplingRound, ServedStrategy } from '@clew/pipeline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketWeights, calculateRound, nextProbability, probabilityKey, trafficOf } from './calculation.ts';
import type { CalculationOptions, TrafficBucket } from './calculation.ts';

const options: CalculationOptions = {
  targetSamplesPerSecond: 1,
  deltaTolerance: 0.3,
  calculationBuckets: 1,
  initialSamplingProbability: 0.001,
  minSamplingProbability: 0.000_01,
  intervalMs: 60_000,
};

describe('the next probability', () => {
  it.each<[string, number, number, number]>([
    ['stays when the rate is the target', 0.1, 1, 0.1],
    ['stays at the upper end of the tolerance', 0.1, 1.3, 0.1],
    ['stays at the lower end of the tolerance', 0.1, 0.7, 0.1],
    ['falls in proportion to a rate that is too high', 0.1, 4, 0.025],
    ['falls as far as it takes', 0.5, 5000, 0.0001],
    ['but not below the minimum', 0.5, 1_000_000, 0.000_01],
    ['rises in proportion to a rate that is a little low', 0.1, 0.625, 0.16],
    ['rises to no more than its double', 0.1, 0.01, 0.2],
    ['doubles when nothing came', 0.1, 0, 0.2],
    ['does not exceed 1', 0.8, 0, 1],
  ])('%s', (_, old, rate, expected) => {
    expect(nextProbability(old, rate, options)).toBeCloseTo(expected, 12);
  });

  it('lies between the minimum and 1, and moves towards the target, whatever the rate', () => {
    const probability = fc.double({ min: 0.000_01, max: 1, noNaN: true });
    const rate = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(probability, rate, (old, measured) => {
        const next = nextProbability(old, measured, options);
        expect(next).toBeGreaterThanOrEqual(0.000_01);
        expect(next).toBeLessThanOrEqual(1);
        expect(next).toBeLessThanOrEqual(2 * old);
        if (measured > 1.3) expect(next).toBeLessThanOrEqual(old);
        if (measured < 0.7) expect(next).toBeGreaterThanOrEqual(old);
      }),
    );
  });
});

describe('the weights of buckets', () => {
  it('are fourth powers of their distance from the end, newest first, and add up to 1', () => {
    expect(bucketWeights(1)).toEqual([1]);
    expect(bucketWeights(2)).toEqual([16 / 17, 1 / 17]);
    expect(bucketWeights(3)).toEqual([81 / 98, 16 / 98, 1 / 98]);
    expect(bucketWeights(0)).toEqual([]);
  });
});

const count = (extra: Partial<RootCount> = {}): RootCount => ({
  interval: 100,
  service: 'shop',
  operation: 'buy',
  sampler: 'probabilistic',
  param: 0.001,
  traces: 60,
  ...extra,
});
const bucket = (interval: number, ...counts: Partial<RootCount>[]): TrafficBucket =>
  trafficOf(
    interval,
    counts.map((each) => count({ interval, ...each })),
  );
const state = (extra: Partial<OperationSamplingState> = {}): OperationSamplingState => ({
  service: 'shop',
  operation: 'buy',
  probability: 0.1,
  tracesPerSecond: 1,
  followed: true,
  changedRound: 90,
  ...extra,
});
const asking = (extra: Partial<ServedStrategy> = {}): ServedStrategy => ({
  service: 'shop',
  version: 0,
  firstUnixMs: 0,
  lastUnixMs: 101 * 60_000,
  ...extra,
});

function calculate(
  buckets: readonly TrafficBucket[],
  before: readonly OperationSamplingState[] = [],
  extra: { readonly served?: readonly ServedStrategy[]; readonly options?: Partial<CalculationOptions> } = {},
): readonly OperationSamplingState[] {
  const round: SamplingRound = { round: 102, operations: before };
  const input = { round: 103, buckets, before: round, served: extra.served ?? [asking()] };
  return calculateRound(input, { ...options, ...extra.options }).operations;
}

describe('the traffic of an interval', () => {
  it('counts what was sampled by probability, and knows what was sampled by its lower bound', () => {
    const { services } = bucket(
      100,
      { traces: 5, param: 0.5 },
      { traces: 2, param: 0.25 },
      { traces: 9, sampler: 'lowerbound', param: 0.125 },
      { operation: 'rare', sampler: 'lowerbound', traces: 1 },
      { operation: 'plain', sampler: 'untagged', param: 0, traces: 4 },
    );
    expect([...services.get('shop')!]).toEqual([
      ['buy', { traces: 7, untagged: 0, probabilities: new Set(['0.500000', '0.250000', '0.125000']) }],
      ['rare', { traces: 0, untagged: 0, probabilities: new Set(['0.001000']) }],
      ['plain', { traces: 4, untagged: 4, probabilities: new Set() }],
    ]);
  });

  it('remembers ten probabilities of an operation', () => {
    const counts = Array.from({ length: 50 }, (_, i) => ({ param: i / 100 }));
    expect(
      bucket(100, ...counts)
        .services.get('shop')!
        .get('buy')!.probabilities.size,
    ).toBe(10);
  });
});

describe('a round', () => {
  it('takes an operation seen for the first time to be sampled with the initial probability', () => {
    const [shop] = calculate([bucket(100, { traces: 600 })]);
    expect(shop).toEqual({
      service: 'shop',
      operation: 'buy',
      probability: 0.0001,
      tracesPerSecond: 10,
      followed: true,
      changedRound: 103,
    });
  });

  it('leaves the probability of an operation that does not show it', () => {
    const [shop] = calculate([bucket(100, { traces: 600, param: 0.5 })], [state()]);
    expect(shop).toMatchObject({ probability: 0.1, followed: false, changedRound: 90, tracesPerSecond: 10 });
  });

  it('changes the probability of an operation that shows it, among others', () => {
    const [shop] = calculate([bucket(100, { traces: 300, param: 0.1 }, { traces: 300, param: 0.7 })], [state()]);
    expect(shop).toMatchObject({ followed: true, changedRound: 103 });
    expect(shop!.probability).toBeCloseTo(0.01, 12);
  });

  it('knows a probability that travelled through other number formats', () => {
    const [shop] = calculate(
      [bucket(100, { traces: 6000, param: 0.333_333 })],
      [state({ probability: 1 / 3, changedRound: 1 })],
    );
    expect(shop!.followed).toBe(true);
    expect(probabilityKey(1e-5)).toBe('0.000010');
  });

  it('says when a probability came into force, not when it was confirmed', () => {
    const [shop] = calculate([bucket(100, { traces: 60, param: 0.1 })], [state()]);
    expect(shop).toMatchObject({ probability: 0.1, changedRound: 90 });
  });

  it('doubles the probability of an operation that was only sampled by its lower bound', () => {
    const [shop] = calculate([bucket(100, { sampler: 'lowerbound', param: 0.1, traces: 1 })], [state()]);
    expect(shop).toMatchObject({ probability: 0.2, tracesPerSecond: 0 });
  });

  it('changes nothing twice for the same traffic', () => {
    const [shop] = calculate([bucket(100), bucket(99, { traces: 6000, param: 0.1 })], [state()]);
    expect(shop).toMatchObject({ probability: 0.1, followed: true, tracesPerSecond: 100 });
  });

  it('combines the newest buckets an operation was seen in, the newer the more', () => {
    const buckets = [
      bucket(100, { traces: 60, param: 0.1 }),
      bucket(99),
      bucket(98, { traces: 120, param: 0.1 }),
      bucket(97, { traces: 6000, param: 0.1 }),
    ];
    const rate = (calculationBuckets: number) =>
      calculate(buckets, [state()], { options: { calculationBuckets } })[0]!.tracesPerSecond;
    expect(rate(1)).toBe(1);
    expect(rate(2)).toBeCloseTo((16 * 1 + 1 * 2) / 17, 12);
    expect(rate(3)).toBeCloseTo((81 * 1 + 16 * 2 + 1 * 100) / 98, 12);
    expect(rate(9)).toBe(rate(3));
  });

  it('steers each operation of each service by itself', () => {
    const states = calculate([
      bucket(100, { traces: 600 }, { operation: 'look', traces: 6 }, { service: 'bank', traces: 60 }),
    ]);
    expect(states.map(({ service, operation, probability }) => [service, operation, probability])).toEqual([
      ['shop', 'buy', 0.0001],
      ['shop', 'look', 0.002],
      ['bank', 'buy', 0.001],
    ]);
  });

  it('does not mix up services and operations whose names joined are the same', () => {
    const states = calculate(
      [bucket(100, { service: 'a', operation: 'bc', param: 0.1 }, { service: 'ab', operation: 'c', param: 0.1 })],
      [
        state({ service: 'a', operation: 'bc', probability: 0.1 }),
        state({ service: 'ab', operation: 'c', probability: 0.5 }),
      ],
    );
    expect(states.map(({ probability }) => probability)).toEqual([0.1, 0.5]);
  });

  describe('for roots that name no probability', () => {
    const untagged = bucket(100, { sampler: 'untagged', param: 0, traces: 600 });
    const served = (version: number, firstUnixMs: number) => [asking({ version, firstUnixMs })];

    it('goes by what the service was told before the traffic', () => {
      const [shop] = calculate([untagged], [state()], { served: served(90, 100 * 60_000) });
      expect(shop).toMatchObject({ followed: true });
      expect(shop!.probability).toBeCloseTo(0.01, 12);
    });

    it.each([
      ['was told an older version', served(89, 0)],
      ['was told the version while the traffic came', served(90, 100 * 60_000 + 1)],
      ['was told nothing', []],
      ['is another', [asking({ service: 'bank', version: 90 })]],
    ])('leaves the probability when the service %s', (_, versions) => {
      expect(calculate([untagged], [state()], { served: versions })[0]).toMatchObject({
        probability: 0.1,
        followed: false,
      });
    });
  });

  describe('without traffic of an operation', () => {
    it('keeps it while its service rests, or nothing was counted', () => {
      expect(calculate([bucket(100), bucket(99)], [state()])).toEqual([state()]);
      expect(calculate([], [state()])).toEqual([state()]);
    });

    it('forgets it once its service sent others from the oldest bucket on', () => {
      const other = { operation: 'look' };
      const states = calculate([bucket(100, other), bucket(99, other)], [state()]);
      expect(states.map(({ operation }) => operation)).toEqual(['look']);
      expect(calculate([bucket(100, other), bucket(99)], [state()])).toHaveLength(2);
    });

    it('forgets it when its service asks no more', () => {
      expect(calculate([bucket(100)], [state()], { served: [] })).toEqual([]);
    });
  });
});

describe('a fleet whose traffic is steered round by round', () => {
  /** Requests per second of each operation. */
  const rates: Readonly<Record<string, number>> = { hot: 4000, warm: 120, cold: 5, rare: 0.4 };
  const lag = 3;

  /** Runs rounds; clients follow what was calculated `lag` rounds before, and tell by which probability they sample unless `untagged`. */
  function simulate(rounds: number, { tagged, seed }: { readonly tagged: boolean; readonly seed: number }) {
    const random = fc.sample(fc.double({ min: -1, max: 1, noNaN: true }), { numRuns: rounds * 4, seed });
    let before: SamplingRound = { round: 1000, operations: [] };
    const history: SamplingRound[] = [before];
    const buckets: TrafficBucket[] = [];
    const served: ServedStrategy[] = [];
    for (let i = 0; i < rounds; i++) {
      const interval = 1000 + i;
      const known = history[Math.max(0, history.length - lag)]!;
      const version = Math.max(0, ...known.operations.map(({ changedRound }) => changedRound));
      served.push(asking({ version, firstUnixMs: interval * 60_000, lastUnixMs: interval * 60_000 }));
      const counts = Object.entries(rates).map(([operation, rate], index) => {
        const own = known.operations.find((each) => each.operation === operation);
        const probability = own?.probability ?? options.initialSamplingProbability;
        const expected = rate * 60 * probability;
        // About as much chance as there is in counting: two standard deviations at most.
        const traces = Math.max(0, Math.round(expected + 2 * Math.sqrt(expected) * random[i * 4 + index]!));
        return tagged
          ? count({
              interval,
              operation,
              param: probability,
              traces,
              sampler: traces === 0 ? 'lowerbound' : 'probabilistic',
            })
          : count({ interval, operation, param: 0, traces: Math.max(1, traces), sampler: 'untagged' });
      });
      buckets.unshift(trafficOf(interval, counts));
      before = calculateRound({ round: interval + 2, buckets: buckets.slice(0, 10), before, served }, options);
      history.push(before);
    }
    return { probabilities: new Map(before.operations.map((each) => [each.operation, each.probability])), history };
  }

  it.each([
    ['roots name their probability', true, 1],
    ['roots name their probability, other luck', true, 2],
    ['roots name nothing', false, 3],
    ['roots name nothing, other luck', false, 4],
  ])('reaches the target for each operation, whatever its rate, and stays there (%s)', (_, tagged, seed) => {
    const { history } = simulate(80, { tagged, seed });
    for (const { operations } of history.slice(-10)) {
      for (const { operation, probability } of operations) {
        const wanted = Math.min(1, 1 / rates[operation]!);
        const arriving = probability / wanted;
        // Half a tolerance more than the tolerance itself, for the luck in what was counted.
        expect(arriving, `${operation} at ${probability}`).toBeGreaterThan(0.55);
        expect(arriving, `${operation} at ${probability}`).toBeLessThan(1.45);
      }
    }
  });
});
