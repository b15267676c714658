import { CarrierFormat, SpanBatch, ValueType, bytesOfText } from '@clew/model';
import type { AttributeTable } from '@clew/model';
import { limitError, resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { viewOf } from '../protobuf/protobuf-reader.ts';
import { StringGuesser } from '../string-guesser.ts';
import { KeyRoles, tagKeyBytes } from './tag-keys.ts';

/** Stands where no batch is being filled, so that fields always have one shape. */
const NO_BATCH = new SpanBatch();

const formatBytes = bytesOfText(CarrierFormat.JAEGER);
const followsFromBytes = bytesOfText('follows_from');
const childOfBytes = bytesOfText('child_of');

/** Values no input has, one after the other. */
const constants = Uint8Array.from([...formatBytes, ...followsFromBytes, ...childOfBytes]);

/** Where in {@link constants} each value begins, and its length. */
const FORMAT_AT = 0;
const FOLLOWS_FROM_AT = formatBytes.length;
const CHILD_OF_AT = FOLLOWS_FROM_AT + followsFromBytes.length;

/**
 * What the parts of one decoding share: the batch, its heap, the roles of keys and the limits.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class DecodeContext {
  batch: SpanBatch = NO_BATCH;
  /** What to add to a position in the input to get its offset in the batch's heap. */
  heapBase = 0;
  readonly roles: KeyRoles = new KeyRoles();
  /** Finds strings of the input in the batch's dictionary. */
  readonly guesser: StringGuesser = new StringGuesser();
  maxDepth = 0;
  #maxSpans = 0;
  #maxChildren = 0;
  #firstSpan = 0;
  #children = 0;
  /** End of the input in the heap. */
  #inputEnd = 0;
  /** Where {@link constants} lie in the heap, -1 while they do not. */
  #constantsAt = -1;
  /** The type of a tag that is none, met last, and the value it is given: `unknownLength` bytes of the heap at `unknownAt`. */
  #unknownType = 0;
  unknownAt = 0;
  unknownLength = 0;

  bind(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits): void {
    const { maxDepth, maxSpans, maxChildren } = resolveLimits(limits);
    this.maxDepth = maxDepth;
    this.#maxSpans = maxSpans;
    this.#maxChildren = maxChildren;
    this.#firstSpan = batch.count;
    this.#children = 0;
    this.#constantsAt = -1;
    this.unknownLength = 0;
    this.batch = batch;
    this.heapBase = batch.adoptHeap(bytes);
    this.roles.bind(batch.strings);
    this.guesser.bind(bytes, viewOf(bytes), batch.strings);
    this.#inputEnd = this.heapBase + bytes.length;
  }

  /** Lets go of the batch. */
  release(): void {
    this.batch = NO_BATCH;
    this.roles.release();
    this.guesser.release();
  }

  /** Fails when the span that begins at `at` is one too many. */
  checkSpan(at: number): void {
    if (this.batch.count - this.#firstSpan >= this.#maxSpans) {
      throw limitError('too_many_spans', at, 'maxSpans', this.#maxSpans);
    }
  }

  /** Counts an event, link, scope or resource met at `at`. */
  countChild(at: number): void {
    if (++this.#children > this.#maxChildren) {
      throw limitError('too_many_children', at, 'maxChildren', this.#maxChildren);
    }
  }

  /** The index of the string in `length` bytes of the heap at `at`, which tends to come again. */
  text(at: number, length: number): number {
    const start = at - this.heapBase;
    if (start >= 0 && at < this.#inputEnd) return this.guesser.recurring(start, start + length);
    return this.batch.strings.intern(this.batch.heap, at, at + length);
  }

  /** The index of a key of the mapping's own. */
  key(name: keyof typeof tagKeyBytes): number {
    const bytes = tagKeyBytes[name];
    return this.batch.strings.intern(bytes, 0, bytes.length);
  }

  /**
   * Makes room for `length` bytes in the heap, and for the constants when they are not there yet: the first room made copies the
   * request the heap was borrowed from, so that there should be one.
   */
  reserve(length: number): number {
    const { batch } = this;
    if (this.#constantsAt >= 0) return batch.reserveHeap(length);
    this.#constantsAt = batch.reserveHeap(constants.length + length);
    batch.heap.set(constants, this.#constantsAt);
    return this.#constantsAt + constants.length;
  }

  /** Sets `unknownAt` and `unknownLength` for a tag whose type is none, as Jaeger's own translation would show it. */
  unknownType(type: number): void {
    if (this.unknownLength > 0 && type === this.#unknownType) return;
    const text = bytesOfText(`<Unknown Jaeger TagType "${type}">`);
    this.#unknownType = type;
    this.unknownAt = this.reserve(text.length);
    this.unknownLength = text.length;
    this.batch.heap.set(text, this.unknownAt);
  }

  /** Adds the attribute that tells the format. */
  pushFormat(table: AttributeTable, key: number): void {
    this.#pushConstant(table, key, FORMAT_AT, formatBytes.length);
  }

  /** Adds an attribute that tells the type of a reference. */
  pushRefType(table: AttributeTable, key: number, isChildOf: boolean): void {
    if (isChildOf) this.#pushConstant(table, key, CHILD_OF_AT, childOfBytes.length);
    else this.#pushConstant(table, key, FOLLOWS_FROM_AT, followsFromBytes.length);
  }

  #pushConstant(table: AttributeTable, key: number, at: number, length: number): void {
    if (this.#constantsAt < 0) this.reserve(0);
    table.push(key, ValueType.STRING, this.#constantsAt + at, length);
  }
}
