import { ValueType } from '@clew/model';
import { inputError } from '../errors.ts';
import { missingId, readHexId, zeroId } from './ids.ts';
import type { IdFormat, IdName } from './ids.ts';
import { ANNOTATION_NAMES, ENDPOINT_NAMES, KIND_NAMES, SPAN_NAMES, ZipkinJsonReader } from './json-values.ts';
import { KIND_OF_NUMBER, SpanSink } from './span-sink.ts';
import type { EndpointFields } from './span-sink.ts';

/** Bits of {@link Json2Reader.evidence}. */
export const Evidence = Object.freeze({ V1: 1, V2: 2 } as const);

/** Reads spans of Zipkin's v2 JSON. A hot path, guarded by `bench/codec`: nothing is allocated per span. */
export class Json2Reader extends ZipkinJsonReader {
  protected readonly sink: SpanSink = new SpanSink();
  /** Which versions the members of the current span belong to, as bits; most members belong to both. */
  protected evidence = 0;

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
          batch.names[row] = batch.strings.intern(this.text, this.textStart, this.textEnd);
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
    const { batch, services } = this.sink;
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
          endpoint.service = services.names.intern(text, textStart, textEnd);
          continue;
        }
        const at = batch.appendHeap(text, textStart, textEnd);
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

  #annotations(): void {
    const { sink, words } = this;
    const { batch } = sink;
    for (let more = this.openArray(); more; more = this.nextElement()) {
      if (this.takeNull()) continue;
      let lo = 0;
      let hi = 0;
      let at = 0;
      let length = 0;
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
          at = batch.appendHeap(this.text, this.textStart, this.textEnd);
          length = this.textEnd - this.textStart;
        } else {
          this.evidence |= Evidence.V1;
          this.skipValue(0);
        }
      }
      sink.annotation(lo, hi, batch.heap, at, at + length, this.pos);
      // The text is a name in the dictionary now, or has been taken apart.
      if (batch.heapLength === at + length) batch.heapLength = at;
    }
  }

  #tags(): void {
    const { sink } = this;
    const { batch } = sink;
    for (let more = this.openObject(); more; more = this.nextMember()) {
      this.#tagKey();
      // As Go's and Java's readers differ on null, it is the empty text rather than an error.
      if (this.takeNull()) {
        sink.tagValue(ValueType.STRING, 0, 0);
        continue;
      }
      if (this.peek() !== 0x22) throw this.#notText();
      this.string();
      const at = batch.appendHeap(this.text, this.textStart, this.textEnd);
      sink.tagValue(ValueType.STRING, at, this.textEnd - this.textStart);
    }
  }

  /** Reads the key of a tag; as clients repeat the order of their tags, that which followed the last time is tried first. */
  #tagKey(): void {
    const { sink } = this;
    const { strings } = sink.batch;
    const guess = sink.expectedTag();
    const length = strings.ends[guess]! - strings.start(guess);
    const start = this.peek() === 0x22 ? this.pos + 1 : this.end;
    const end = start + length;
    const { buf } = this;
    if (end + 1 < this.end && buf[end] === 0x22 && buf[end + 1] === 0x3a && strings.equals(guess, buf, start, end)) {
      this.pos = end + 2;
      sink.confirmTag();
      return;
    }
    this.key();
    // A text with escapes is never guessed: what stands in the dictionary is not what stands in the input.
    sink.tagKey(this.text, this.textStart, this.textEnd, this.text === buf);
  }

  #notText(): Error {
    const { strings, spanAttrs } = this.sink.batch;
    const tag = strings.text(spanAttrs.keys[spanAttrs.count - 1]!).slice(0, 80);
    const syntax = this.unexpected('a string');
    if (syntax.code !== 'wrong_json_type') return syntax;
    return inputError(
      'wrong_json_type',
      this.pos,
      `the value of tag "${tag}" is not a string, as it must be in Zipkin v2`,
    );
  }
}
