import type { SamplingStrategy } from '@clew/wire/jaeger';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFinding } from './strategies-document.ts';
import { readStrategyBook } from './strategy-book.ts';
import type { StrategyBook } from './strategy-book.ts';

function read(content: unknown, defaultProbability = 0.001): { book: StrategyBook; warnings: string[] } {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const result = readStrategyBook(text, defaultProbability);
  if (!result.ok) throw new Error(formatFinding(result.error));
  return { book: result.value.book, warnings: result.value.warnings.map(formatFinding) };
}

function served(content: unknown, service: string, defaultProbability?: number): SamplingStrategy {
  const { book } = read(content, defaultProbability);
  return book.services.get(service) ?? book.defaultStrategy;
}

const probabilistic = (samplingRate: number): SamplingStrategy => ({
  strategyType: 'PROBABILISTIC',
  probabilisticSampling: { samplingRate },
});
const rateLimiting = (maxTracesPerSecond: number): SamplingStrategy => ({
  strategyType: 'RATE_LIMITING',
  rateLimitingSampling: { maxTracesPerSecond },
});
const perOperation = (defaultSamplingProbability: number, operations: Readonly<Record<string, number>>) => ({
  defaultSamplingProbability,
  defaultLowerBoundTracesPerSecond: 0,
  perOperationStrategies: Object.entries(operations).map(([operation, samplingRate]) => ({
    operation,
    probabilisticSampling: { samplingRate },
  })),
  defaultUpperBoundTracesPerSecond: 0,
});
const op = (operation: string, param: number, type = 'probabilistic') => ({ operation, type, param });

describe('a strategies file is refused', () => {
  it.each([
    ['that is no JSON', '{"service_strategies":', /it is no JSON: .*/],
    ['that is a list', '[]', /line 1, column 1: the file must be an object, not a list/],
    [
      'whose services are no list',
      '{\n "service_strategies": {}}',
      /line 2, column 24: service_strategies must be a list, not an object/,
    ],
    ['with a service that is a text', '{"service_strategies": ["a"]}', /a strategy must be an object, not a text/],
    [
      'with a type that is a number',
      '{"default_strategy": {"type": 1}}',
      /column 31: type must be a text, not a number/,
    ],
    ['with a param that is a text', '{"default_strategy": {"param": "1"}}', /param must be a number, not a text/],
    [
      'with an operation that is a number',
      '{"default_strategy": {"operation_strategies": [{"operation": 5}]}}',
      /operation must be a text, not a number/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('a strategies file', () => {
  it('may be any JSON: it is read or refused', () => {
    const entry = fc.letrec((tie) => ({
      strategy: fc.oneof(
        { maxDepth: 3 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.record(
          {
            service: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 1 })),
            operation: fc.string(),
            type: fc.oneof(fc.constantFrom('probabilistic', 'ratelimiting', 'adaptive'), fc.jsonValue({ maxDepth: 1 })),
            param: fc.oneof(fc.double(), fc.jsonValue({ maxDepth: 1 })),
            operation_strategies: fc.oneof(fc.array(tie('strategy'), { maxLength: 4 }), fc.jsonValue({ maxDepth: 1 })),
          },
          { requiredKeys: [] },
        ),
      ),
    })).strategy;
    const document = fc.oneof(
      fc.jsonValue(),
      fc.record(
        { service_strategies: fc.array(entry, { maxLength: 4 }), default_strategy: entry },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(document, (content) => {
        const result = readStrategyBook(JSON.stringify(content), 0.5);
        if (!result.ok) {
          expect(result.error.message).not.toBe('');
          return;
        }
        const { services, defaultStrategy } = result.value.book;
        for (const strategy of [defaultStrategy, ...services.values()]) {
          const rate =
            strategy.probabilisticSampling?.samplingRate ?? strategy.operationSampling?.defaultSamplingProbability;
          if (rate !== undefined) expect(rate >= 0 && rate <= 1).toBe(true);
          const limit = strategy.rateLimitingSampling?.maxTracesPerSecond ?? 0;
          expect(Number.isInteger(limit) && limit >= 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that is nested deeper than any stack is refused in one sentence', () => {
    expect(() => read('['.repeat(1_000_000) + ']'.repeat(1_000_000))).toThrow('must be an object');
  });

  it.each(['null', '{}', '{"service_strategies": null, "default_strategy": null}'])(
    'that says nothing (%s) gives every service the default probability',
    (text) => {
      expect(served(text, 'anything', 0.25)).toEqual(probabilistic(0.25));
    },
  );

  it('gives each listed service its own strategy and all others the default', () => {
    const content = {
      service_strategies: [
        { service: 'checkout', type: 'probabilistic', param: 0.25 },
        { service: 'batch', type: 'ratelimiting', param: 20 },
      ],
      default_strategy: { type: 'probabilistic', param: 0.1 },
    };
    expect(served(content, 'checkout')).toEqual(probabilistic(0.25));
    expect(served(content, 'batch')).toEqual(rateLimiting(20));
    expect(served(content, 'unknown')).toEqual(probabilistic(0.1));
    expect(read(content).warnings).toEqual([]);
  });

  it('has a rate cut to a whole number', () => {
    const rate = (param: number) => served({ default_strategy: { type: 'ratelimiting', param } }, 'any');
    expect(rate(4.99)).toEqual(rateLimiting(4));
    expect(rate(0.5)).toEqual(rateLimiting(0));
  });

  it('may begin with a byte order mark', () => {
    expect(served('\uFEFF{"default_strategy":{"type":"probabilistic","param":1}}', 'any')).toEqual(probabilistic(1));
  });

  it('gives a service its own probability for operations it does not list, and its operations in their order', () => {
    const content = {
      service_strategies: [
        { service: 'a', type: 'probabilistic', param: 0.8, operation_strategies: [op('z', 0.2), op('b', 0.4)] },
      ],
    };
    expect(served(content, 'a')).toEqual({
      ...probabilistic(0.8),
      operationSampling: perOperation(0.8, { z: 0.2, b: 0.4 }),
    });
  });

  it('merges the operations of the default into every service, whose own come first and win', () => {
    const content = {
      service_strategies: [
        { service: 'own', type: 'probabilistic', param: 0.8, operation_strategies: [op('b', 0.2), op('/health', 0.5)] },
        { service: 'none', type: 'probabilistic', param: 0.7 },
        { service: 'limited', type: 'ratelimiting', param: 5 },
        { service: 'limited, own', type: 'ratelimiting', param: 6, operation_strategies: [op('c', 1)] },
      ],
      default_strategy: {
        type: 'probabilistic',
        param: 0.1,
        operation_strategies: [op('/health', 0), op('/metrics', 0.01)],
      },
    };
    expect(served(content, 'own').operationSampling).toEqual(
      perOperation(0.8, { b: 0.2, '/health': 0.5, '/metrics': 0.01 }),
    );
    expect(served(content, 'none')).toEqual({
      ...probabilistic(0.7),
      operationSampling: perOperation(0.7, { '/health': 0, '/metrics': 0.01 }),
    });
    expect(served(content, 'limited', 0.003)).toEqual({
      ...rateLimiting(5),
      operationSampling: perOperation(0.003, { '/health': 0, '/metrics': 0.01 }),
    });
    expect(served(content, 'limited, own', 0.003)).toEqual({
      ...rateLimiting(6),
      operationSampling: perOperation(0.003, { c: 1, '/health': 0, '/metrics': 0.01 }),
    });
    expect(served(content, 'unknown').operationSampling).toEqual(perOperation(0.1, { '/health': 0, '/metrics': 0.01 }));
  });

  it('gives no two services parts that are the same object', () => {
    const content = {
      service_strategies: [
        { service: 'a', type: 'none' },
        { service: 'b', type: 'none' },
      ],
      default_strategy: { type: 'probabilistic', param: 0.1, operation_strategies: [op('x', 0.5)] },
    };
    const parts = ['a', 'b', 'unknown'].map((service) => {
      const { probabilisticSampling, operationSampling } = served(content, service);
      return [probabilisticSampling, operationSampling, ...operationSampling!.perOperationStrategies];
    });
    const { book } = read(content);
    const objects = [...book.services.values(), book.defaultStrategy].flatMap((strategy) => [
      strategy.probabilisticSampling,
      strategy.operationSampling,
      ...strategy.operationSampling!.perOperationStrategies,
      ...strategy.operationSampling!.perOperationStrategies.map((each) => each.probabilisticSampling),
    ]);
    expect(new Set(objects).size).toBe(objects.length);
    expect(parts[0]).toEqual(parts[1]);
  });

  it('lets a service without a usable type follow the default, and says where it is', () => {
    const content = JSON.stringify(
      {
        service_strategies: [
          { service: 'none', param: 0.5 },
          { service: 'odd', type: 'adaptive', param: 0.5 },
          { service: 'too much', type: 'probabilistic', param: 1.5 },
          { service: 'negative', type: 'ratelimiting', param: -1 },
        ],
        default_strategy: { type: 'ratelimiting', param: 3 },
      },
      null,
      1,
    );
    for (const service of ['none', 'odd', 'too much', 'negative']) {
      expect(served(content, service)).toEqual(rateLimiting(3));
    }
    expect(read(content).warnings).toEqual([
      'line 3, column 3: a strategy without type; the default strategy is taken',
      'line 7, column 3: "adaptive" is no type of strategy: probabilistic or ratelimiting is expected; the default strategy is taken',
      'line 12, column 3: a probability lies between 0 and 1, and 1.5 does not; the default strategy is taken',
      'line 17, column 3: a rate lies between 0 and 2147483647, and -1 does not; the default strategy is taken',
    ]);
  });

  it('whose default has no usable type falls back to the default probability', () => {
    expect(served({ default_strategy: { type: 'x' } }, 'any', 0.42)).toEqual(probabilistic(0.42));
  });

  it('ignores rate limits of operations, with a warning', () => {
    const content = {
      service_strategies: [
        {
          service: 'a',
          type: 'probabilistic',
          param: 0.8,
          operation_strategies: [op('limited', 5, 'ratelimiting'), op('odd', 1, 'x'), op('good', 0.2)],
        },
      ],
    };
    expect(served(content, 'a').operationSampling).toEqual(perOperation(0.8, { good: 0.2 }));
    expect(read(content).warnings).toEqual([
      expect.stringMatching(
        /^line 1, column \d+: operations can only be sampled by probability; the ratelimiting strategy of "limited" is ignored$/,
      ),
      expect.stringMatching(/"x" is no type of strategy.*; operation "odd" follows its service$/),
    ]);
  });

  it('warns of what it passes over: unknown members, empty entries, repeated services, missing params', () => {
    const content = {
      service_strategie: [],
      service_strategies: [
        null,
        { service: 'a', type: 'probabilistic', param: 0.1, parm: 3 },
        { service: 'a', type: 'probabilistic' },
      ],
    };
    expect(served(content, 'a')).toEqual(probabilistic(0));
    expect(read(content).warnings.map((warning) => warning.replace(/^line 1, column \d+: /, ''))).toEqual([
      'the file has no member "service_strategie"; it is ignored (did you mean "service_strategies"?)',
      'an entry is null and is ignored',
      'a strategy has no member "parm"; it is ignored (did you mean "param"?)',
      'a probabilistic strategy without param: 0 is taken',
      'service "a" is listed again; the last one holds',
    ]);
  });

  it('full of oddities has the first of them told and the rest counted', () => {
    const result = readStrategyBook(JSON.stringify({ service_strategies: Array.from({ length: 500 }, () => null) }), 1);
    if (!result.ok) throw new Error(result.error.message);
    expect(result.value.warnings).toHaveLength(20);
    expect(result.value.warningCount).toBe(500);
  });
});
