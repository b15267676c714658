import type { SpanBatch } from '@clew/model';
import type { Random } from './random.ts';

/** How many traces are being reported at the same time. */
const OPEN_TRACES = 64;
/** Half of all requests take less than this; the tail is long. */
const MEDIAN_NS = 40e6;
const SPREAD = 1.1;

/** A trace that still grows. Times are nanoseconds from the generator's start. */
export class OpenTrace {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly #ids: number[] = [];
  readonly #parents: number[] = [];
  readonly #traceWords: readonly [number, number, number, number];
  readonly #startNs: number;
  readonly #planned: number;

  constructor(random: Random, startNs: number, planned: number) {
    this.#traceWords = [random.word(), random.word(), random.word(), random.word() | 1];
    this.#startNs = startNs;
    this.#planned = planned;
  }

  get isComplete(): boolean {
    return this.starts.length >= this.#planned;
  }

  /** Adds a span inside a random earlier one and returns its number. */
  grow(random: Random): number {
    const span = this.starts.length;
    this.#ids.push(random.word(), random.word() | 1);
    if (span === 0) {
      this.#parents.push(-1);
      this.starts.push(this.#startNs);
      this.ends.push(this.#startNs + Math.floor(MEDIAN_NS * Math.exp(SPREAD * random.normal())));
      return span;
    }
    const parent = random.below(span);
    const duration = this.ends[parent]! - this.starts[parent]!;
    const start = this.starts[parent]! + Math.floor(duration * 0.5 * random.unit());
    const own = Math.min(this.ends[parent]! - start, Math.floor(duration * 0.4 * Math.exp(0.8 * random.normal())));
    this.#parents.push(parent);
    this.starts.push(start);
    this.ends.push(start + own);
    return span;
  }

  /** Writes the ids of span number `span` to `row` of the batch. */
  writeIds(batch: SpanBatch, row: number, span: number): void {
    for (let i = 0; i < 4; i++) putWord(this.#traceWords[i]!, batch.traceIds, row * 16 + i * 4);
    putWord(this.#ids[span * 2]!, batch.spanIds, row * 8);
    putWord(this.#ids[span * 2 + 1]!, batch.spanIds, row * 8 + 4);
    const parent = this.#parents[span]!;
    if (parent < 0) return;
    putWord(this.#ids[parent * 2]!, batch.parentIds, row * 8);
    putWord(this.#ids[parent * 2 + 1]!, batch.parentIds, row * 8 + 4);
  }
}

/** The traces being reported; complete ones are replaced by new ones, which start as the spans' clock goes on. */
export class OpenTraces {
  readonly #random: Random;
  readonly #meanSpans: number;
  readonly #nsPerSpan: number;
  readonly #open: OpenTrace[] = [];
  #nowNs = 0;

  constructor(random: Random, meanSpans: number, nsPerSpan: number) {
    this.#random = random;
    this.#meanSpans = meanSpans;
    this.#nsPerSpan = nsPerSpan;
  }

  /** The trace the next span belongs to. */
  pick(): OpenTrace {
    const slot = this.#random.below(OPEN_TRACES);
    let trace = this.#open[slot];
    if (trace === undefined || trace.isComplete) {
      const planned = 1 + Math.floor(-Math.log(1 - this.#random.unit()) * (this.#meanSpans - 0.5));
      trace = this.alone(planned);
      this.#open[slot] = trace;
    }
    return trace;
  }

  /** A trace of exactly `spans` spans that nobody else grows. */
  alone(spans: number): OpenTrace {
    const startNs = Math.floor(this.#nowNs);
    this.#nowNs += spans * this.#nsPerSpan;
    return new OpenTrace(this.#random, startNs, spans);
  }
}

function putWord(word: number, target: Uint8Array, at: number): void {
  target[at] = word >>> 24;
  target[at + 1] = word >>> 16;
  target[at + 2] = word >>> 8;
  target[at + 3] = word;
}
