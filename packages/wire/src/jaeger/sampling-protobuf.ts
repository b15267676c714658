import { inputError } from '../errors.ts';
import { DEFAULT_DECODE_LIMITS } from '../limits.ts';
import { ProtobufReader, WireType, viewOf } from '../protobuf/protobuf-reader.ts';
import { ReverseWriter } from '../protobuf/reverse-writer.ts';
import { MAX_OPERATION_STRATEGIES, samplingStrategyTypes } from './sampling.ts';
import type { OperationSampling, PerOperationSampling, ProbabilisticSampling, SamplingStrategy } from './sampling.ts';

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder();

const tagOf = (field: number, type: number): number => (field << 3) | type;
const SERVICE_NAME = tagOf(1, WireType.LEN);
const STRATEGY_TYPE = tagOf(1, WireType.VARINT);
const PROBABILISTIC = tagOf(2, WireType.LEN);
const RATE_LIMITING = tagOf(3, WireType.LEN);
const OPERATIONS = tagOf(4, WireType.LEN);
const SAMPLING_RATE = tagOf(1, WireType.I64);
const MAX_TRACES = tagOf(1, WireType.VARINT);
const DEFAULT_PROBABILITY = tagOf(1, WireType.I64);
const LOWER_BOUND = tagOf(2, WireType.I64);
const PER_OPERATION = tagOf(3, WireType.LEN);
const UPPER_BOUND = tagOf(4, WireType.I64);
const OPERATION = tagOf(1, WireType.LEN);
const OPERATION_PROBABILISTIC = tagOf(2, WireType.LEN);

/** `SamplingStrategyParameters` for a service. */
export function encodeSamplingRequest(service: string): Uint8Array {
  writer.reset(KEEP_BYTES);
  writer.text(SERVICE_NAME, service);
  return writer.finish();
}

/** The service that `SamplingStrategyParameters` names; the empty text when it names none. Fails with `WireError`. */
export function decodeSamplingRequest(bytes: Uint8Array): string {
  return new SamplingReader(bytes).request();
}

/** `SamplingStrategyResponse`. */
export function encodeSamplingStrategy(strategy: SamplingStrategy): Uint8Array {
  writer.reset(KEEP_BYTES);
  writer.strategy(strategy);
  return writer.finish();
}

/** Reads `SamplingStrategyResponse`; a type nobody knows reads as PROBABILISTIC. Fails with `WireError`. */
export function decodeSamplingStrategy(bytes: Uint8Array): SamplingStrategy {
  return new SamplingReader(bytes).strategy();
}

/** Messages are written backwards, last field first. As proto3 has it, scalars that are 0 are left out. */
class SamplingWriter extends ReverseWriter {
  readonly #word = new DataView(new ArrayBuffer(8));

  strategy({ strategyType, probabilisticSampling, rateLimitingSampling, operationSampling }: SamplingStrategy): void {
    if (operationSampling !== undefined) {
      const mark = this.written;
      this.#operations(operationSampling);
      this.close(OPERATIONS, mark);
    }
    if (rateLimitingSampling !== undefined) {
      const mark = this.written;
      this.#int(MAX_TRACES, rateLimitingSampling.maxTracesPerSecond);
      this.close(RATE_LIMITING, mark);
    }
    if (probabilisticSampling !== undefined) this.#probabilistic(PROBABILISTIC, probabilisticSampling);
    this.#int(STRATEGY_TYPE, samplingStrategyTypes.indexOf(strategyType));
  }

  text(tag: number, value: string): void {
    if (value === '') return;
    const utf8 = utf8Encoder.encode(value);
    const mark = this.written;
    this.bytes(utf8, 0, utf8.length);
    this.close(tag, mark);
  }

  #operations(sampling: PerOperationSampling): void {
    this.#double(UPPER_BOUND, sampling.defaultUpperBoundTracesPerSecond);
    for (const { operation, probabilisticSampling } of sampling.perOperationStrategies.toReversed()) {
      const mark = this.written;
      if (probabilisticSampling !== undefined) this.#probabilistic(OPERATION_PROBABILISTIC, probabilisticSampling);
      this.text(OPERATION, operation);
      this.close(PER_OPERATION, mark);
    }
    this.#double(LOWER_BOUND, sampling.defaultLowerBoundTracesPerSecond);
    this.#double(DEFAULT_PROBABILITY, sampling.defaultSamplingProbability);
  }

  #probabilistic(tag: number, { samplingRate }: ProbabilisticSampling): void {
    const mark = this.written;
    this.#double(SAMPLING_RATE, samplingRate);
    this.close(tag, mark);
  }

  #int(tag: number, value: number): void {
    if (value === 0) return;
    this.int32(value);
    this.varint(tag);
  }

  #double(tag: number, value: number): void {
    if (value === 0) return;
    this.#word.setFloat64(0, value, true);
    this.words(this.#word.getUint32(0, true), this.#word.getUint32(4, true));
    this.varint(tag);
  }
}

/** Kept from one message to the next: none is written while another is. */
const writer = new SamplingWriter();
const KEEP_BYTES = 64 * 1024;

/** Collects what a message may have before it is given out as read-only. */
type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

class SamplingReader extends ProtobufReader {
  constructor(bytes: Uint8Array) {
    super();
    this.buf = bytes;
    this.view = viewOf(bytes);
    this.maxDepth = DEFAULT_DECODE_LIMITS.maxDepth;
  }

  request(): string {
    let service = '';
    this.#fields(0, this.buf.length, 0b10, (tag, start, end) => {
      if (tag !== SERVICE_NAME) return false;
      service = this.#text(start, end);
      return true;
    });
    return service;
  }

  strategy(): SamplingStrategy {
    const strategy: Draft<SamplingStrategy> = { strategyType: 'PROBABILISTIC' };
    this.#fields(0, this.buf.length, 0b1_1110, (tag, start, end) => {
      if (tag === STRATEGY_TYPE) strategy.strategyType = samplingStrategyTypes[this.#int()] ?? 'PROBABILISTIC';
      else if (tag === PROBABILISTIC) strategy.probabilisticSampling = this.#probabilistic(start, end);
      else if (tag === RATE_LIMITING) strategy.rateLimitingSampling = this.#rateLimiting(start, end);
      else if (tag === OPERATIONS) strategy.operationSampling = this.#operations(start, end);
      else return false;
      return true;
    });
    return strategy;
  }

  #rateLimiting(from: number, to: number): { readonly maxTracesPerSecond: number } {
    let maxTracesPerSecond = 0;
    this.#fields(from, to, 0b10, (tag) => {
      if (tag !== MAX_TRACES) return false;
      maxTracesPerSecond = this.#int();
      return true;
    });
    return { maxTracesPerSecond };
  }

  #probabilistic(from: number, to: number): ProbabilisticSampling {
    let samplingRate = 0;
    this.#fields(from, to, 0b10, (tag, start) => {
      if (tag !== SAMPLING_RATE) return false;
      samplingRate = this.#double(start);
      return true;
    });
    return { samplingRate };
  }

  #operations(from: number, to: number): PerOperationSampling {
    const perOperationStrategies: OperationSampling[] = [];
    const sampling: Draft<PerOperationSampling> = {
      defaultSamplingProbability: 0,
      defaultLowerBoundTracesPerSecond: 0,
      perOperationStrategies,
      defaultUpperBoundTracesPerSecond: 0,
    };
    this.#fields(from, to, 0b1_1110, (tag, start, end) => {
      if (tag === DEFAULT_PROBABILITY) sampling.defaultSamplingProbability = this.#double(start);
      else if (tag === LOWER_BOUND) sampling.defaultLowerBoundTracesPerSecond = this.#double(start);
      else if (tag === UPPER_BOUND) sampling.defaultUpperBoundTracesPerSecond = this.#double(start);
      else if (tag === PER_OPERATION) {
        if (perOperationStrategies.length === MAX_OPERATION_STRATEGIES) {
          const problem = `the strategy lists more than ${MAX_OPERATION_STRATEGIES} operations`;
          throw inputError('too_many_children', start, problem);
        }
        perOperationStrategies.push(this.#operation(start, end));
      } else return false;
      return true;
    });
    return sampling;
  }

  #operation(from: number, to: number): OperationSampling {
    const sampling: Draft<OperationSampling> = { operation: '' };
    this.#fields(from, to, 0b110, (tag, start, end) => {
      if (tag === OPERATION) sampling.operation = this.#text(start, end);
      else if (tag === OPERATION_PROBABILISTIC) sampling.probabilisticSampling = this.#probabilistic(start, end);
      else return false;
      return true;
    });
    return sampling;
  }

  /**
   * Calls `take` for each field of the message in `[from, to)` with its tag and the range of its value; a varint is in `lo`. What
   * `take` does not know is skipped; `known` has a bit for each field number the message defines.
   */
  #fields(from: number, to: number, known: number, take: (tag: number, start: number, end: number) => boolean): void {
    let pos = from;
    while (pos < to) {
      const valueStart = this.tag(pos, to);
      const tag = this.lo;
      const [start, end] = this.#value(tag, valueStart, to);
      pos = take(tag, start, end) ? end : this.skipUnknown(tag, valueStart, to, known);
    }
  }

  /** Where the value of a field lies; for types that are no scalar or length-delimited value, where it begins. */
  #value(tag: number, pos: number, end: number): readonly [number, number] {
    const type = tag & 7;
    if (type === WireType.VARINT) return [pos, this.varint(pos, end)];
    if (type === WireType.I64) return [pos, this.fixed(pos, 8, end)];
    if (type !== WireType.LEN) return [pos, pos];
    const start = this.length(pos, end);
    return [start, this.stop];
  }

  #int(): number {
    return this.lo | 0;
  }

  #double(start: number): number {
    return this.view.getFloat64(start, true);
  }

  #text(start: number, end: number): string {
    return utf8Decoder.decode(this.buf.subarray(start, end));
  }
}
