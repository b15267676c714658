import {
  StatusCode,
  ValueType,
  addHigh,
  addLow,
  appendResource,
  appendScope,
  bytesOfText,
  emptyScope,
  highWord,
  lowWord,
  writeDoubleWords,
  type AttributeTable,
  type SpanBatch,
} from '@clew/model';
import { OpenTraces, type OpenTrace } from './open-traces.ts';
import { Random, SkewedPicker } from './random.ts';
import { Varying, exceptionTypes, makeServices, stackTraceOf, type Service, type SpanProfile } from './world.ts';

/** What to generate. */
export interface SpanGeneratorOptions {
  readonly profile: SpanProfile;
  /** The same seed gives the same spans. Default 1. */
  readonly seed?: number;
  /** When the first trace starts, nanoseconds since 1970. Default 2026-01-01T00:00:00Z. */
  readonly startUnixNano?: bigint;
  /** How fast the spans' clock runs: spans per second of their time. Default 10,000. */
  readonly spansPerSecond?: number;
  /** Mean number of spans in a trace. Default 20. */
  readonly spansPerTrace?: number;
  /** How many services report in one `fill`; default one per 30 spans, at most all 40. */
  readonly servicesPerFill?: number;
}

/** An operation with its texts numbered. */
interface CompiledOperation {
  readonly name: number;
  readonly kind: number;
  readonly stem: Uint8Array;
  readonly keys: readonly number[];
  /** Per attribute: a text's number, or -1 - n for the drawn value n, or `NUMBER` with the number in `numbers`. */
  readonly sources: readonly number[];
  readonly numbers: readonly number[];
  /** No span of the operation needs more for its values. */
  readonly maxValueBytes: number;
}

const NUMBER = 1 << 30;
/** More digits, dots and stems than any drawn value has beside its operation's stem. */
const MAX_DRAWN_BYTES = 24;

/**
 * Makes realistic spans, fast enough to prepare tens of millions: 40 skewed services, 600 names, traces whose parents come
 * earlier, log-normal durations, 2 % errors with exception events, ids of high cardinality, old and new attribute names. The spans
 * of a trace arrive spread over several fills and services, as they do in life; `fillTrace` gives whole traces instead.
 *
 * A hot path of its own kind, guarded by `bench/memory-hold`, which prints its speed: it writes columns, not objects.
 */
export class SpanGenerator {
  readonly #profile: SpanProfile;
  readonly #random: Random;
  readonly #services: readonly Service[];
  readonly #operations: readonly (readonly CompiledOperation[])[];
  readonly #servicePicker: SkewedPicker;
  readonly #operationPicker: SkewedPicker;
  readonly #texts: Uint8Array[] = [];
  readonly #textNumbers = new Map<string, number>();
  /** Per text: index in the batch's strings plus one, and offset in its heap plus one; 0 while not there. */
  #asString: Uint32Array = new Uint32Array(0);
  #asValue: Uint32Array = new Uint32Array(0);
  readonly #scopes: Int32Array;
  readonly #traces: OpenTraces;
  readonly #servicesPerFill: number | undefined;
  readonly #baseLo: number;
  readonly #baseHi: number;
  readonly #words = new Uint32Array(2);
  readonly #exceptions: readonly { readonly type: number; readonly trace: number }[];
  readonly #keyNumbers: Readonly<
    Record<'type' | 'message' | 'stack' | 'event' | 'exception' | 'attempt' | 'failed', number>
  >;
  #orders = 0;

  constructor(options: SpanGeneratorOptions) {
    const start = options.startUnixNano ?? 1_767_225_600_000_000_000n;
    this.#profile = options.profile;
    this.#random = new Random(options.seed ?? 1);
    this.#services = makeServices(options.profile);
    this.#operations = this.#services.map((service) => service.operations.map((operation) => this.#compile(operation)));
    this.#servicePicker = new SkewedPicker(this.#services.length, 1);
    this.#operationPicker = new SkewedPicker(this.#services[0]!.operations.length, 0.7);
    this.#exceptions = exceptionTypes.map((type) => ({
      type: this.#text(type),
      trace: this.#text(stackTraceOf(type)),
    }));
    this.#keyNumbers = {
      type: this.#text('exception.type'),
      message: this.#text('exception.message'),
      stack: this.#text('exception.stacktrace'),
      exception: this.#text('exception'),
      event: this.#text('cache.miss'),
      attempt: this.#text('cache.attempt'),
      failed: this.#text('upstream request failed'),
    };
    this.#asString = new Uint32Array(this.#texts.length);
    this.#asValue = new Uint32Array(this.#texts.length);
    this.#scopes = new Int32Array(this.#services.length);
    this.#traces = new OpenTraces(this.#random, options.spansPerTrace ?? 20, 1e9 / (options.spansPerSecond ?? 10_000));
    this.#servicesPerFill = options.servicesPerFill;
    this.#baseLo = lowWord(start);
    this.#baseHi = highWord(start);
  }

  /** Appends `spans` spans, as one request of a collector would hold them: of several services and traces. */
  fill(batch: SpanBatch, spans: number): void {
    this.#beginBatch();
    const reporting = this.#reportingServices(spans);
    for (let i = 0; i < spans; i++) {
      const service = reporting[this.#random.below(reporting.length)]!;
      this.#appendSpan(batch, service, this.#traces.pick());
    }
  }

  /** Appends one whole trace of `spans` spans over a few services. */
  fillTrace(batch: SpanBatch, spans: number): void {
    this.#beginBatch();
    const reporting = this.#reportingServices(Math.min(150, spans * 8));
    const trace = this.#traces.alone(spans);
    for (let i = 0; i < spans; i++) this.#appendSpan(batch, reporting[this.#random.below(reporting.length)]!, trace);
  }

  #reportingServices(spans: number): number[] {
    const wanted = this.#servicesPerFill ?? Math.min(this.#services.length, Math.max(1, Math.round(spans / 30)));
    const chosen: number[] = [];
    for (let i = 0; i < wanted; i++) chosen.push(this.#servicePicker.pick(this.#random));
    return chosen;
  }

  #beginBatch(): void {
    this.#asString.fill(0);
    this.#asValue.fill(0);
    this.#scopes.fill(-1);
  }

  #appendSpan(batch: SpanBatch, service: number, trace: OpenTrace): void {
    const random = this.#random;
    const operation = this.#operations[service]![this.#operationPicker.pick(random)]!;
    const row = batch.addSpan(this.#scope(batch, service));
    const span = trace.grow(random);
    trace.writeIds(batch, row, span);
    this.#writeTime(batch.times, row * 4, trace.starts[span]!);
    this.#writeTime(batch.times, row * 4 + 2, trace.ends[span]!);
    batch.names[row] = this.#string(batch, operation.name);
    batch.kinds[row] = operation.kind;
    if (this.#profile === 'rich') batch.flags[row] = 0x101;
    const failed = random.below(50) === 0;
    if (failed) {
      batch.statusCodes[row] = StatusCode.ERROR;
      batch.statusMessages[row] = this.#string(batch, this.#keyNumbers.failed);
    }
    this.#appendAttributes(batch, operation, failed);
    if (failed) this.#appendException(batch, trace.ends[span]!);
    else if (this.#profile === 'rich' && random.below(12) === 0) this.#appendEvent(batch, trace.starts[span]!);
    batch.endSpan(row);
  }

  #appendAttributes(batch: SpanBatch, operation: CompiledOperation, failed: boolean): void {
    const table = batch.spanAttrs;
    const { keys, sources } = operation;
    let at = batch.reserveHeap(operation.maxValueBytes);
    for (let i = 0; i < keys.length; i++) {
      const key = this.#string(batch, keys[i]!);
      const source = sources[i]!;
      if (source < 0) at = this.#draw(batch, table, key, -1 - source, operation, at, failed);
      else if (source === NUMBER) table.push(key, ValueType.INT, operation.numbers[i]!, 0);
      else {
        const offset = this.#knownValue(source);
        if (offset >= 0) table.push(key, ValueType.STRING, offset, this.#texts[source]!.length);
        else {
          table.push(key, ValueType.STRING, at, this.#texts[source]!.length);
          at = this.#putText(batch, source, at);
        }
      }
    }
    batch.heapLength = at;
  }

  /** Draws one value, its bytes (if any) written at `at`; returns the offset after them. */
  #draw(
    batch: SpanBatch,
    table: AttributeTable,
    key: number,
    vary: number,
    operation: CompiledOperation,
    at: number,
    failed: boolean,
  ): number {
    const random = this.#random;
    const { heap } = batch;
    let end = at;
    switch (vary) {
      case Varying.STATUS:
        table.push(key, ValueType.INT, failed ? 503 : random.below(20) === 0 ? 404 : 200, 0);
        return at;
      case Varying.ORDER:
        table.push(key, ValueType.INT, 100_000 + this.#orders++, 0);
        return at;
      case Varying.BODY_SIZE:
        table.push(key, ValueType.INT, random.below(64 * 1024), 0);
        return at;
      case Varying.CACHE_HIT:
        table.push(key, ValueType.BOOL, random.word() & 1, 0);
        return at;
      case Varying.RATIO:
        writeDoubleWords(random.unit(), this.#words, 0);
        table.push(key, ValueType.DOUBLE, this.#words[0]!, this.#words[1]!);
        return at;
      case Varying.USER:
        end = putBytes(userStem, heap, at);
        end = putDigits(random.below(1_000_000), heap, end);
        break;
      case Varying.CLIENT:
        end = putBytes(addressStem, heap, at);
        end = putDigits(random.below(256), heap, end);
        heap[end++] = 0x2e;
        end = putDigits(random.below(256), heap, end);
        break;
      default:
        end = putBytes(operation.stem, heap, at);
        end = putDigits(random.below(10_000_000), heap, end);
    }
    table.push(key, ValueType.STRING, at, end - at);
    return end;
  }

  #appendException(batch: SpanBatch, timeNs: number): void {
    const exception = this.#exceptions[this.#random.below(this.#exceptions.length)]!;
    const event = this.#addEvent(batch, this.#keyNumbers.exception, timeNs);
    this.#appendText(batch, this.#keyNumbers.type, exception.type);
    this.#appendText(batch, this.#keyNumbers.message, this.#keyNumbers.failed);
    if (this.#profile === 'rich') this.#appendText(batch, this.#keyNumbers.stack, exception.trace);
    batch.events.attrEnd[event] = batch.eventAttrs.count;
  }

  #appendEvent(batch: SpanBatch, timeNs: number): void {
    const event = this.#addEvent(batch, this.#keyNumbers.event, timeNs + 1000);
    batch.eventAttrs.push(this.#string(batch, this.#keyNumbers.attempt), ValueType.INT, 1 + this.#random.below(3), 0);
    batch.events.attrEnd[event] = batch.eventAttrs.count;
  }

  #addEvent(batch: SpanBatch, name: number, timeNs: number): number {
    const event = batch.events.add(batch.eventAttrs.count);
    batch.events.names[event] = this.#string(batch, name);
    this.#writeTime(batch.events.times, event * 2, timeNs);
    return event;
  }

  #appendText(batch: SpanBatch, key: number, text: number): void {
    let offset = this.#knownValue(text);
    if (offset < 0) {
      offset = batch.reserveHeap(this.#texts[text]!.length);
      this.#putText(batch, text, offset);
    }
    batch.eventAttrs.push(this.#string(batch, key), ValueType.STRING, offset, this.#texts[text]!.length);
  }

  #scope(batch: SpanBatch, service: number): number {
    const known = this.#scopes[service]!;
    if (known >= 0) return known;
    const { resource, scopeName } = this.#services[service]!;
    const row = appendScope(batch, appendResource(batch, resource), {
      ...emptyScope,
      name: scopeName,
      version: '2.12.0',
    });
    this.#scopes[service] = row;
    return row;
  }

  #string(batch: SpanBatch, text: number): number {
    const known = this.#asString[text]!;
    if (known !== 0) return known - 1;
    const bytes = this.#texts[text]!;
    const index = batch.strings.intern(bytes, 0, bytes.length);
    this.#asString[text] = index + 1;
    return index;
  }

  /** Where the text lies in the batch's heap, -1 while it does not. */
  #knownValue(text: number): number {
    return this.#asValue[text]! - 1;
  }

  #putText(batch: SpanBatch, text: number, at: number): number {
    this.#asValue[text] = at + 1;
    return putBytes(this.#texts[text]!, batch.heap, at);
  }

  #writeTime(times: Uint32Array, at: number, offsetNs: number): void {
    const lo = offsetNs >>> 0;
    const hi = Math.floor(offsetNs / 4_294_967_296);
    times[at] = addLow(this.#baseLo, lo);
    times[at + 1] = addHigh(this.#baseLo, this.#baseHi, lo, hi);
  }

  #compile(operation: Service['operations'][number]): CompiledOperation {
    const numbers: number[] = [];
    const sources = operation.attributes.map((attribute, i) => {
      numbers.push(0);
      if ('vary' in attribute) return -1 - attribute.vary;
      if (typeof attribute.value === 'string') return this.#text(attribute.value);
      numbers[i] = Number(attribute.value);
      return NUMBER;
    });
    const stem = bytesOfText(operation.stem);
    const sizes = sources.map((source) =>
      source < 0 ? stem.length + MAX_DRAWN_BYTES : (this.#texts[source]?.length ?? 0),
    );
    return {
      name: this.#text(operation.name),
      kind: operation.kind,
      stem,
      keys: operation.attributes.map((attribute) => this.#text(attribute.key)),
      sources,
      numbers,
      maxValueBytes: sizes.reduce((sum, size) => sum + size, 0),
    };
  }

  #text(text: string): number {
    let number = this.#textNumbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(bytesOfText(text)) - 1;
      this.#textNumbers.set(text, number);
    }
    return number;
  }
}

const userStem = bytesOfText('u');
const addressStem = bytesOfText('10.42.');

function putBytes(bytes: Uint8Array, target: Uint8Array, at: number): number {
  for (let i = 0; i < bytes.length; i++) target[at + i] = bytes[i]!;
  return at + bytes.length;
}

/** Writes decimal digits. */
function putDigits(value: number, target: Uint8Array, at: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    target[i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}
