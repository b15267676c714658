import { inputError } from '../errors.ts';
import type { WireError } from '../errors.ts';
import { MAX_OPERATION_STRATEGIES, samplingStrategyTypes } from './sampling.ts';
import type {
  OperationSampling,
  PerOperationSampling,
  ProbabilisticSampling,
  SamplingStrategy,
  SamplingStrategyType,
} from './sampling.ts';

/**
 * How a strategy is written as JSON.
 * - `string`: Protobuf's JSON mapping, what every client since 2019 reads: the type is a name, absent parts are absent.
 * - `numeric`: what the first agents answered and the first Node and Java clients compare: the type is a number, absent
 *   parts are null.
 */
export type SamplingJsonForm = 'string' | 'numeric';

/** A strategy as JSON text. */
export function encodeSamplingStrategyJson(strategy: SamplingStrategy, form: SamplingJsonForm = 'string'): string {
  const { strategyType, probabilisticSampling, rateLimitingSampling, operationSampling } = strategy;
  const absent = form === 'numeric' ? null : undefined;
  return JSON.stringify({
    strategyType: form === 'numeric' ? samplingStrategyTypes.indexOf(strategyType) : strategyType,
    probabilisticSampling: probabilisticSampling === undefined ? absent : probabilisticJson(probabilisticSampling),
    rateLimitingSampling:
      rateLimitingSampling === undefined
        ? absent
        : { maxTracesPerSecond: jsonNumber(rateLimitingSampling.maxTracesPerSecond) },
    operationSampling: operationSampling === undefined ? absent : perOperationJson(operationSampling, absent),
  });
}

function perOperationJson(sampling: PerOperationSampling, absent: null | undefined): object {
  return {
    defaultSamplingProbability: jsonNumber(sampling.defaultSamplingProbability),
    defaultLowerBoundTracesPerSecond: jsonNumber(sampling.defaultLowerBoundTracesPerSecond),
    perOperationStrategies: sampling.perOperationStrategies.map(({ operation, probabilisticSampling }) => ({
      operation,
      probabilisticSampling: probabilisticSampling === undefined ? absent : probabilisticJson(probabilisticSampling),
    })),
    defaultUpperBoundTracesPerSecond: jsonNumber(sampling.defaultUpperBoundTracesPerSecond),
  };
}

function probabilisticJson({ samplingRate }: ProbabilisticSampling): object {
  return { samplingRate: jsonNumber(samplingRate) };
}

/** Protobuf's JSON mapping writes what JSON has no number for as text. */
function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/**
 * Reads a strategy from either JSON form; members nobody knows are passed over. Fails with `WireError`: `invalid_json`,
 * `wrong_json_type` (whose offset is 0: the text as a whole was read first), `too_many_children`.
 */
export function decodeSamplingStrategyJson(text: string): SamplingStrategy {
  const root = membersOf(parsed(text), 'the strategy');
  const probabilistic = part(root, 'probabilisticSampling');
  const rateLimiting = part(root, 'rateLimitingSampling');
  const operations = part(root, 'operationSampling');
  return {
    strategyType: typeOf(root['strategyType']),
    ...(probabilistic === undefined ? {} : { probabilisticSampling: probabilisticOf(probabilistic) }),
    ...(rateLimiting === undefined
      ? {}
      : { rateLimitingSampling: { maxTracesPerSecond: numberOf(rateLimiting, 'maxTracesPerSecond') } }),
    ...(operations === undefined ? {} : { operationSampling: perOperationOf(operations) }),
  };
}

type Members = Readonly<Record<string, unknown>>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (caught) {
    throw inputError('invalid_json', 0, `the strategy is no JSON (${caught instanceof Error ? caught.message : ''})`);
  }
}

function perOperationOf(members: Members): PerOperationSampling {
  const list = members['perOperationStrategies'] ?? [];
  if (!Array.isArray(list)) throw unsuitable('perOperationStrategies', 'a list');
  if (list.length > MAX_OPERATION_STRATEGIES) {
    throw inputError('too_many_children', 0, `the strategy lists more than ${MAX_OPERATION_STRATEGIES} operations`);
  }
  return {
    defaultSamplingProbability: numberOf(members, 'defaultSamplingProbability'),
    defaultLowerBoundTracesPerSecond: numberOf(members, 'defaultLowerBoundTracesPerSecond'),
    perOperationStrategies: list.map(operationOf),
    defaultUpperBoundTracesPerSecond: numberOf(members, 'defaultUpperBoundTracesPerSecond'),
  };
}

function operationOf(value: unknown): OperationSampling {
  const members = membersOf(value, 'perOperationStrategies');
  const operation = members['operation'] ?? '';
  if (typeof operation !== 'string') throw unsuitable('operation', 'a text');
  const probabilistic = part(members, 'probabilisticSampling');
  return probabilistic === undefined
    ? { operation }
    : { operation, probabilisticSampling: probabilisticOf(probabilistic) };
}

function probabilisticOf(members: Members): ProbabilisticSampling {
  return { samplingRate: numberOf(members, 'samplingRate') };
}

function typeOf(value: unknown): SamplingStrategyType {
  if (value === undefined || value === null) return 'PROBABILISTIC';
  const type =
    typeof value === 'number' ? samplingStrategyTypes[value] : samplingStrategyTypes.find((t) => t === value);
  if (type === undefined) throw unsuitable('strategyType', 'PROBABILISTIC, RATE_LIMITING, 0 or 1');
  return type;
}

function part(members: Members, name: string): Members | undefined {
  const value = members[name];
  return value === undefined || value === null ? undefined : membersOf(value, name);
}

function membersOf(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unsuitable(what, 'an object');
  return value as Members;
}

const numberTexts: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

function numberOf(members: Members, name: string): number {
  const value = members[name] ?? 0;
  if (typeof value === 'number') return value;
  const read = typeof value === 'string' && value.trim() !== '' ? (numberTexts[value] ?? Number(value)) : undefined;
  if (read === undefined || (Number.isNaN(read) && value !== 'NaN')) throw unsuitable(name, 'a number');
  return read;
}

function unsuitable(name: string, expected: string): WireError {
  return inputError('wrong_json_type', 0, `${name} is not ${expected}`);
}
