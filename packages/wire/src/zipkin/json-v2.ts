import { ValueType } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { inputError } from '../errors.ts';
import { StringGuesser } from '../string-guesser.ts';
import { viewOf } from '../protobuf/protobuf-reader.ts';
import { missingId, readHexId, zeroId } from './ids.ts';
import type { IdFormat, IdName } from './ids.ts';
import { ANNOTATION_NAMES, ENDPOINT_NAMES, KIND_NAMES, SPAN_NAMES, ZipkinJsonReader } from './json-values.ts';
import { SpanSink } from './span-sink.ts';
import { KIND_OF_NUMBER } from './span-values.ts';
import type { EndpointFields } from './endpoint-fields.ts';
import type { ZipkinDecodeOptions } from './span-sink.ts';

const NO_BYTES = new Uint8Array(0);

/** Bits of {@link Json2Reader.evidence}. */
export const Evidence = Object.freeze({ V1: 1, V2: 2 } as const);

/** Reads spans of Zipkin's v2 JSON. A hot path, guarded by `bench/codec`: nothing is allocated per span. */
export class Json2Reader extends ZipkinJsonReader {
  protected readonly sink: SpanSink = new SpanSink();
  readonly #guesser = new StringGuesser();
  /** Where in the batch's heap the input is, or -1. */
  #heapBase = -1;
  #dictionary: Uint8Array = NO_BYTES;
  #dictionaryView: DataView = viewOf(NO_BYTES);
  /** Which versions the members of the current span belong to, as bits; most members belong to both. */
  protected evidence = 0;

  /** Begins to read spans from `bytes` into `batch`. */
  protected begin(bytes: Uint8Array, batch: SpanBatch, options: ZipkinDecodeOptions): void {
    this.bindInput(bytes);
    this.sink.begin(batch, options);
    this.maxDepth = this.sink.maxDepth;
    this.#guesser.bind(this.buf, this.view, batch.strings);
    this.#heapBase = -1;
  }

  protected override release(): void {
    super.release();
    this.sink.release();
    this.#guesser.release();
  }

  /** Reads a span up to where it must be closed or, if it is of the other version, discarded. */
  protected span2(): void {
    const { sink } = this;
    const { batch } = sink;
    const row = sink.open(this.pos);
    let hasTraceId = false;
    let hasId = false;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(SPAN_NAMES);
      if (field === 0) {
        this.skipValue(0);
        continue;
      }
      if (this.takeNull()) continue;
      if (field > 8) this.evidence |= field === 14 ? Evidence.V1 : Evidence.V2;
      switch (field) {
        case 1:
          hasTraceId = true;
          if (!this.id(batch.traceIds, row * 16, 'traceId', 'v2')) throw zeroId('traceId', 'v2', this.pos);
          break;
        case 2:
          hasId = true;
          if (!this.id(batch.spanIds, row * 8, 'id', 'v2')) throw zeroId('id', 'v2', this.pos);
          break;
        case 3:
          this.id(batch.parentIds, row * 8, 'parentId', 'v2');
          break;
        case 4:
          this.string();
          batch.names[row] = this.#recurring();
          break;
        case 5:
          this.micros('timestamp');
          sink.timestampLo = this.words.lo;
          sink.timestampHi = this.words.hi;
          break;
        case 6:
          this.micros('duration');
          sink.durationLo = this.words.lo;
          sink.durationHi = this.words.hi;
          break;
        case 7:
          sink.isDebug = this.boolean();
          break;
        case 8:
          this.#annotations();
          break;
        case 9:
          this.string();
          batch.kinds[row] = KIND_OF_NUMBER[KIND_NAMES.find(this.text, this.textStart, this.textEnd)]!;
          break;
        case 10:
          this.#endpoint(sink.local, true);
          break;
        case 11:
          this.#endpoint(sink.remote, false);
          break;
        case 12:
          this.#tags();
          break;
        case 13:
          sink.isShared = this.boolean();
          break;
        default:
          this.skipValue(0);
      }
    }
    if (!hasTraceId) throw missingId('traceId', this.pos);
    if (!hasId) throw missingId('id', this.pos);
  }

  /** Reads an id into `target`; returns whether it is other than zero. An empty parent id is an absent one. */
  protected id(target: Uint8Array, at: number, name: IdName, format: IdFormat): boolean {
    this.string();
    if (name === 'parentId' && this.textStart === this.textEnd) return false;
    return readHexId(this.text, this.textStart, this.textEnd, target, at, name, format, this.pos);
  }

  #endpoint(endpoint: EndpointFields, isLocal: boolean): void {
    const { services } = this.sink;
    endpoint.clear();
    for (let more = this.openObject(); more; more = this.nextMember()) {
      const field = this.name(ENDPOINT_NAMES);
      if (field === 0) this.skipValue(0);
      else if (this.takeNull()) continue;
      else if (field === 4) endpoint.port = this.port();
      else {
        this.string();
        const { text, textStart, textEnd } = this;
        if (field === 1 && isLocal) {
          endpoint.service = services.indexOf(text, textStart, textEnd);
          continue;
        }
        const at = this.#heapText();
        const length = textEnd - textStart;
        if (field === 1) {
          endpoint.serviceAt = at;
          endpoint.serviceLength = length;
        } else if (field === 2) {
          endpoint.ipv4At = at;
          endpoint.ipv4Length = length;
        } else {
          endpoint.ipv6At = at;
          endpoint.ipv6Length = length;
        }
      }
    }
  }

  /** Where in the batch's heap the string read last is. The input goes there as a whole, when the first of its values does. */
  #heapText(): number {
    const { batch } = this.sink;
    if (this.text !== this.buf) return batch.appendHeap(this.text, this.textStart, this.textEnd);
    if (this.#heapBase < 0) this.#heapBase = batch.appendHeap(this.buf, 0, this.buf.length);
    return this.#heapBase + this.textStart;
  }

  /** The index among the batch's strings of the string read last, one that tends to come again. */
  #recurring(): number {
    const { text, textStart, textEnd } = this;
    if (text === this.buf) return this.#guesser.recurring(textStart, textEnd);
    return this.sink.batch.strings.intern(text, textStart, textEnd);
  }

  #annotations(): void {
    const { sink, words } = this;
    for (let more = this.openArray(); more; more = this.nextElement()) {
      if (this.takeNull()) continue;
      let lo = 0;
      let hi = 0;
      let text: Uint8Array = NO_BYTES;
      let start = 0;
      let end = 0;
      for (let another = this.openObject(); another; another = this.nextMember()) {
        const field = this.name(ANNOTATION_NAMES);
        if (field === 0) this.skipValue(0);
        else if (this.takeNull()) continue;
        else if (field === 1) {
          this.micros('the timestamp of an annotation');
          lo = words.lo;
          hi = words.hi;
        } else if (field === 2) {
          this.string();
          // What was unescaped is overwritten by the next string.
          text = this.text === this.buf ? this.buf : this.text.slice(this.textStart, this.textEnd);
          start = text === this.buf ? this.textStart : 0;
          end = start + this.textEnd - this.textStart;
        } else {
          this.evidence |= Evidence.V1;
          this.skipValue(0);
        }
      }
      sink.annotation(lo, hi, text, start, end, this.pos);
    }
  }

  #tags(): void {
    const { sink } = this;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      this.#tagKey();
      if (this.peek() !== 0x22) {
        // As Go's and Java's readers differ on null, it is the empty text rather than an error.
        if (!this.takeNull()) throw this.#notText();
        sink.tagValue(ValueType.STRING, 0, 0);
        continue;
      }
      this.quoted();
      sink.tagValue(ValueType.STRING, this.#heapText(), this.textEnd - this.textStart);
    }
  }

  /** Reads the key of a tag; as clients repeat the order of their tags, that which followed the last time is tried first. */
  #tagKey(): void {
    const { sink, buf } = this;
    const { strings } = sink.batch;
    const guess = sink.expectedTag();
    const from = guess === 0 ? 0 : strings.ends[guess - 1]!;
    const length = strings.ends[guess]! - from;
    const start = this.peek() === 0x22 ? this.pos + 1 : this.end;
    const end = start + length;
    if (end + 1 < this.end && buf[end] === 0x22 && buf[end + 1] === 0x3a && this.#isEntry(from, length, start)) {
      this.pos = end + 2;
      sink.confirmTag();
      return;
    }
    this.key();
    // A text with escapes is never guessed: what stands in the dictionary is not what stands in the input.
    sink.tagKey(this.text, this.textStart, this.textEnd, this.text === buf);
  }

  /** Whether `length` bytes of the dictionary from `from` on are those of the input from `start` on. */
  #isEntry(from: number, length: number, start: number): boolean {
    const { bytes } = this.sink.batch.strings;
    const { buf, view } = this;
    if (length < 4) {
      for (let i = 0; i < length; i++) if (bytes[from + i] !== buf[start + i]) return false;
      return true;
    }
    if (bytes !== this.#dictionary) {
      this.#dictionary = bytes;
      this.#dictionaryView = viewOf(bytes);
    }
    const dictionary = this.#dictionaryView;
    const last = length - 4;
    for (let i = 0; i < last; i += 4) {
      if (dictionary.getInt32(from + i, true) !== view.getInt32(start + i, true)) return false;
    }
    return dictionary.getInt32(from + last, true) === view.getInt32(start + last, true);
  }

  #notText(): Error {
    const tag = this.sink.batch.strings.text(this.sink.tagIndex).slice(0, 80);
    const syntax = this.unexpected('a string');
    if (syntax.code !== 'wrong_json_type') return syntax;
    return inputError(
      'wrong_json_type',
      this.pos,
      `the value of tag "${tag}" is not a string, as it must be in Zipkin v2`,
    );
  }
}
