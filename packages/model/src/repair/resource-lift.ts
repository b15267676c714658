import type { AttributeCursor } from '../batch/attribute-cursor.ts';
import type { SpanBatch } from '../batch/span-batch.ts';
import { equalValues, type AttributeValue, type KeyValue } from '../values/value.ts';
import { isSameValue, storedValueOf, type StoredValue } from './same-bytes.ts';

/** An attribute that the first span of a resource carried. */
interface Candidate {
  readonly key: string;
  readonly value: AttributeValue;
  readonly stored: StoredValue;
  /** Whether it had another value somewhere. */
  isBroken: boolean;
  /** Spans that carried it, and the last of them. */
  spans: number;
  lastRow: number;
}

/** What the spans of one resource say about that resource. Fill it with every span's attributes, then `finish`. */
export class ResourceLift {
  /** Attributes to show on the resource beside its own, in the order of the first span. */
  lifted: readonly KeyValue[] = [];
  readonly #own: readonly KeyValue[];
  /** A resource that tells its SDK came whole: what its spans carry is meant for the spans. */
  readonly #isWhole: boolean;
  #spans = 0;
  #candidates: Candidate[] = [];
  readonly #shown = new Set<string>();

  constructor(own: readonly KeyValue[]) {
    this.#own = own;
    this.#isWhole = own.some(({ key }) => key.startsWith('telemetry.sdk.'));
  }

  /** Counts a span of the resource; its attributes follow. */
  addSpan(): void {
    this.#spans++;
  }

  /** The current attribute of the cursor, of span `row` of the trace, is of a resource namespace. */
  addAttribute(row: number, batch: SpanBatch, attribute: AttributeCursor): void {
    if (this.#isWhole) return;
    const key = batch.strings.losslessText(attribute.key);
    const candidate = this.#candidates.find((each) => each.key === key);
    if (candidate === undefined) {
      // What the first span lacks, not every span carries.
      if (this.#spans > 1) return;
      const stored = storedValueOf(batch.heap, attribute);
      this.#candidates.push({ key, value: attribute.decodeValue(), stored, isBroken: false, spans: 1, lastRow: row });
      return;
    }
    if (!isSameValue(candidate.stored, batch.heap, attribute)) {
      candidate.isBroken = true;
    } else if (candidate.lastRow !== row) {
      candidate.lastRow = row;
      candidate.spans++;
    }
  }

  /** All spans were counted. */
  finish(): void {
    const common = this.#candidates.filter(({ isBroken, spans }) => !isBroken && spans === this.#spans);
    this.#candidates = [];
    const lifted: KeyValue[] = [];
    for (const { key, value } of common) {
      const own = this.#own.find((attribute) => attribute.key === key);
      if (own === undefined) lifted.push({ key, value });
      if (own === undefined || equalValues(own.value, value)) this.#shown.add(key);
    }
    this.lifted = lifted;
  }

  /** Whether the resource shows what its spans say under this key. */
  shows(key: string): boolean {
    return this.#shown.has(key);
  }
}
