import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { MAX_OPERATION_STRATEGIES } from './sampling.ts';
import type { SamplingStrategy } from './sampling.ts';
import { decodeSamplingStrategyJson, encodeSamplingStrategyJson } from './sampling-json.ts';
import {
  decodeSamplingRequest,
  decodeSamplingStrategy,
  encodeSamplingRequest,
  encodeSamplingStrategy,
} from './sampling-protobuf.ts';

const root = protobuf.loadSync(fileURLToPath(new URL('testdata/sampling.proto', import.meta.url)));
const Response = root.lookupType('sampling.Response');
const Request = root.lookupType('sampling.Request');

const probabilistic: SamplingStrategy = {
  strategyType: 'PROBABILISTIC',
  probabilisticSampling: { samplingRate: 0.1 },
};
const rateLimiting: SamplingStrategy = {
  strategyType: 'RATE_LIMITING',
  rateLimitingSampling: { maxTracesPerSecond: 20 },
};
const perOperation: SamplingStrategy = {
  strategyType: 'PROBABILISTIC',
  probabilisticSampling: { samplingRate: 0.25 },
  operationSampling: {
    defaultSamplingProbability: 0.25,
    defaultLowerBoundTracesPerSecond: 0,
    perOperationStrategies: [{ operation: 'GET /health', probabilisticSampling: { samplingRate: 0 } }],
    defaultUpperBoundTracesPerSecond: 0,
  },
};

const double = fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value));
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const probabilisticPart = fc.record({ samplingRate: double });
const arbitraryStrategy = fc.record(
  {
    strategyType: fc.constantFrom('PROBABILISTIC' as const, 'RATE_LIMITING' as const),
    probabilisticSampling: probabilisticPart,
    rateLimitingSampling: fc.record({ maxTracesPerSecond: int32 }),
    operationSampling: fc.record({
      defaultSamplingProbability: double,
      defaultLowerBoundTracesPerSecond: double,
      perOperationStrategies: fc.array(
        fc.record({ operation: text, probabilisticSampling: probabilisticPart }, { requiredKeys: ['operation'] }),
        { maxLength: 8 },
      ),
      defaultUpperBoundTracesPerSecond: double,
    }),
  },
  { requiredKeys: ['strategyType'] },
) as fc.Arbitrary<SamplingStrategy>;

describe('a strategy in JSON', () => {
  it.each<[string, SamplingStrategy, string]>([
    ['probabilistic', probabilistic, '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.1}}'],
    [
      'rate limiting',
      rateLimiting,
      '{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":20}}',
    ],
    [
      'per operation',
      perOperation,
      '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.25},"operationSampling":{' +
        '"defaultSamplingProbability":0.25,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[' +
        '{"operation":"GET /health","probabilisticSampling":{"samplingRate":0}}],"defaultUpperBoundTracesPerSecond":0}}',
    ],
  ])('has its type by name, values that are 0 and no absent parts: %s', (_, strategy, json) => {
    expect(encodeSamplingStrategyJson(strategy)).toBe(json);
    expect(decodeSamplingStrategyJson(json)).toEqual(strategy);
  });

  it.each<[string, SamplingStrategy, string]>([
    [
      'probabilistic',
      probabilistic,
      '{"strategyType":0,"probabilisticSampling":{"samplingRate":0.1},"rateLimitingSampling":null,"operationSampling":null}',
    ],
    [
      'rate limiting',
      rateLimiting,
      '{"strategyType":1,"probabilisticSampling":null,"rateLimitingSampling":{"maxTracesPerSecond":20},"operationSampling":null}',
    ],
  ])('has its type by number and absent parts as null in the form of the first clients: %s', (_, strategy, json) => {
    expect(encodeSamplingStrategyJson(strategy, 'numeric')).toBe(json);
    expect(decodeSamplingStrategyJson(json)).toEqual(strategy);
  });

  it.each([
    ['no text', '', 'invalid_json'],
    ['half a text', '{', 'invalid_json'],
    ['null', 'null', 'wrong_json_type'],
    ['a list', '[]', 'wrong_json_type'],
    ['a type by an unknown number', '{"strategyType":2}', 'wrong_json_type'],
    ['a type by an unknown name', '{"strategyType":"ADAPTIVE"}', 'wrong_json_type'],
    ['a number for a part', '{"probabilisticSampling":1}', 'wrong_json_type'],
    ['a rate in words', '{"probabilisticSampling":{"samplingRate":"much"}}', 'wrong_json_type'],
    ['an object for a rate', '{"rateLimitingSampling":{"maxTracesPerSecond":{}}}', 'wrong_json_type'],
    ['operations that are no list', '{"operationSampling":{"perOperationStrategies":{}}}', 'wrong_json_type'],
    [
      'an operation named by a number',
      '{"operationSampling":{"perOperationStrategies":[{"operation":1}]}}',
      'wrong_json_type',
    ],
    [
      'too many operations',
      `{"operationSampling":{"perOperationStrategies":[${'{},'.repeat(MAX_OPERATION_STRATEGIES)}{}]}}`,
      'too_many_children',
    ],
  ])('that cannot be one is refused: %s', (_, json, code) => {
    expect(() => decodeSamplingStrategyJson(json)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('reads back as what was written, in both forms', () => {
    fc.assert(
      fc.property(arbitraryStrategy, fc.constantFrom('string' as const, 'numeric' as const), (strategy, form) => {
        expect(decodeSamplingStrategyJson(encodeSamplingStrategyJson(strategy, form))).toEqual(strategy);
      }),
    );
  });

  it('is read as a strategy or refused, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        try {
          decodeSamplingStrategyJson(json);
        } catch (caught) {
          expect(caught).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});

describe('a strategy in protobuf', () => {
  it('reads back as what was written', () => {
    fc.assert(
      fc.property(arbitraryStrategy, (strategy) => {
        expect(decodeSamplingStrategy(encodeSamplingStrategy(strategy))).toEqual(strategy);
      }),
    );
  });

  it('is what protobufjs reads and writes', () => {
    fc.assert(
      fc.property(arbitraryStrategy, (strategy) => {
        const theirs = Response.encode(
          Response.fromObject({
            ...strategy,
            strategyType: strategy.strategyType === 'PROBABILISTIC' ? 0 : 1,
          }),
        ).finish();
        expect(decodeSamplingStrategy(theirs)).toEqual(strategy);
        const read = Response.decode(encodeSamplingStrategy(strategy));
        expect(Response.encode(read).finish()).toEqual(theirs);
      }),
    );
  });

  it('may have fields nobody knows', () => {
    const unknown = [0x7a, 2, 1, 2, 0x28, 5, 0x35, 1, 2, 3, 4];
    const bytes = Uint8Array.from([...unknown, ...encodeSamplingStrategy(perOperation), ...unknown]);
    expect(decodeSamplingStrategy(bytes)).toEqual(perOperation);
  });

  it.each<[string, number[], string]>([
    ['cut in a field', [0x12, 9, 1], 'truncated'],
    ['with a known field of another type', [0x0a, 0], 'wrong_wire_type'],
    ['with a field number of 0', [0, 0], 'invalid_tag'],
  ])('that is damaged is refused: %s', (_, bytes, code) => {
    expect(() => decodeSamplingStrategy(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('with more operations than anybody has is refused', () => {
    const bytes = encodeSamplingStrategy({
      strategyType: 'PROBABILISTIC',
      operationSampling: {
        defaultSamplingProbability: 0,
        defaultLowerBoundTracesPerSecond: 0,
        perOperationStrategies: Array.from({ length: MAX_OPERATION_STRATEGIES + 1 }, () => ({ operation: '' })),
        defaultUpperBoundTracesPerSecond: 0,
      },
    });
    expect(() => decodeSamplingStrategy(bytes)).toThrow(/more than 100000 operations, at byte \d+/);
  });

  it('is read or refused, whatever bytes it is made of', () => {
    const damaged = fc.tuple(arbitraryStrategy, fc.array(fc.nat(), { maxLength: 5 })).map(([strategy, flips]) => {
      const bytes = encodeSamplingStrategy(strategy);
      for (const flip of flips) if (bytes.length > 0) bytes[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), damaged), (bytes) => {
        try {
          decodeSamplingStrategy(bytes);
          decodeSamplingRequest(bytes);
        } catch (caught) {
          expect(caught).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});

describe('a request for a strategy', () => {
  it('names its service, in the bytes protobufjs writes', () => {
    fc.assert(
      fc.property(text, (service) => {
        const bytes = encodeSamplingRequest(service);
        expect(bytes).toEqual(new Uint8Array(Request.encode({ serviceName: service }).finish()));
        expect(decodeSamplingRequest(bytes)).toBe(service);
      }),
    );
  });
});
