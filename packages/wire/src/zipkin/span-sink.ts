import { Carrier, SpanBatch, ValueType, equalBytes } from '@clew/model';
import { limitError, resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { isDigit } from '../json/json-reader.ts';
import { readAttributeJson } from './attribute-json.ts';
import { EndpointFields } from './endpoint-fields.ts';
import { setNanos } from './micros.ts';
import { parseTagText } from './parse-tags.ts';
import { Services } from './services.ts';
import { ABSENT_START, EndpointKey, SPECIAL_TAGS, SPECIAL_TAG_END, linkNumber } from './special-tags.ts';
import { REMOVED, TagMapping, droppedCount } from './tag-mapping.ts';

const NO_BATCH = new SpanBatch();
const WORD = 2 ** 32;
const PIPE = 0x7c;

/** Settings of a Zipkin decoder. */
export interface ZipkinDecodeOptions {
  readonly limits?: DecodeLimits;
  /** Whether tags whose text is an integer, a decimal number or a boolean become attributes of that type. Default false; Zipkin v2 only. */
  readonly parseStringTags?: boolean;
  /** Whether protobuf spans get the debug mark, as the request header `X-B3-Flags: 1` asks for. Default false. */
  readonly debug?: boolean;
}

/** Keys a sink writes itself, by the numbers of {@link Own}; each is put into the batch's dictionary when first needed. */
const OWN_KEYS = [
  EndpointKey.LOCAL_ADDRESS,
  EndpointKey.LOCAL_PORT,
  EndpointKey.PEER_SERVICE,
  EndpointKey.PEER_ADDRESS,
  EndpointKey.PEER_PORT,
  ABSENT_START,
  Carrier.ZIPKIN_SHARED,
  Carrier.ZIPKIN_DEBUG,
  Carrier.ZIPKIN_LC,
  Carrier.ZIPKIN_LOCAL_IPV4,
  Carrier.ZIPKIN_PEER_IPV4,
] as const;

const Own = Object.freeze({
  LOCAL_ADDRESS: 0,
  LOCAL_PORT: 1,
  PEER_SERVICE: 2,
  PEER_ADDRESS: 3,
  PEER_PORT: 4,
  ABSENT_START: 5,
  SHARED: 6,
  DEBUG: 7,
  LC: 8,
  LOCAL_IPV4: 9,
  PEER_IPV4: 10,
} as const);

/** How many tags remember which tag followed them. */
const GUESSES = 256;

/** What a tag means: 0 nothing, a number of `SpecialTag`, or this and more for a link. */
const FIRST_LINK = SPECIAL_TAG_END;

function meaningOf(bytes: Uint8Array, start: number, end: number): number {
  const special = SPECIAL_TAGS.find(bytes, start, end);
  if (special !== 0) return special;
  const link = linkNumber(bytes, start, end);
  return link < 0 ? 0 : FIRST_LINK + link;
}

/** First letters of the keys in {@link SPECIAL_TAGS}, so that most tags need no look-up. */
const SPECIAL_FIRST = new Uint8Array(256);
for (const letter of 'ceohsw') SPECIAL_FIRST[letter.charCodeAt(0)] = 1;

/**
 * Puts Zipkin v2 spans, whatever they are read from, into a batch, mapped to OpenTelemetry's model: services become
 * resources, endpoints and tags attributes, annotations events. A reader calls `open`, writes ids, name and kind into the batch's columns, calls
 * `tagKey`, `tagValue` and `annotation` and fills the other fields in any order, then `close` or `discard`.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated per span.
 */
export class SpanSink {
  batch: SpanBatch = NO_BATCH;
  readonly services: Services = new Services();
  readonly local: EndpointFields = new EndpointFields();
  readonly remote: EndpointFields = new EndpointFields();
  /** Microseconds, as two words; 0 for absent. */
  timestampLo = 0;
  timestampHi = 0;
  durationLo = 0;
  durationHi = 0;
  isShared = false;
  isDebug = false;
  /** Whether the tag `component` was `lc` in a v1 span. */
  isLocalComponent = false;
  maxDepth = 0;

  #row = 0;
  #firstSpan = 0;
  #maxSpans = 0;
  #maxChildren = 0;
  #children = 0;
  #parsesTags = false;
  #attrStart = 0;
  #eventStart = 0;
  #eventAttrStart = 0;
  #linkStart = 0;
  readonly #mapping = new TagMapping();
  /** By the key read last: the key that followed it, and what it means. */
  readonly #tagFollow = new Uint32Array(GUESSES);
  readonly #tagMeaning = new Uint16Array(GUESSES);
  /** Index among the batch's strings of the key read last. */
  tagIndex = 0;
  readonly #ownKeys = new Int32Array(OWN_KEYS.length);
  readonly #nanos = new Uint32Array(2);

  begin(batch: SpanBatch, options: ZipkinDecodeOptions): void {
    const { maxDepth, maxSpans, maxChildren } = resolveLimits(options.limits ?? {});
    this.batch = batch;
    this.maxDepth = maxDepth;
    this.#maxSpans = maxSpans;
    this.#maxChildren = maxChildren;
    this.#parsesTags = options.parseStringTags ?? false;
    this.#firstSpan = batch.count;
    this.#children = 0;
    this.#ownKeys.fill(-1);
    // Guesses are indexes into this batch's dictionary, where an entry without escapes may be another one.
    this.#tagFollow.fill(0);
    this.#tagMeaning.fill(0);
    this.tagIndex = 0;
    this.services.begin(batch);
  }

  release(): void {
    this.batch = NO_BATCH;
    this.services.release();
  }

  /** Begins a span and returns its row; `offset` is where the input stands. */
  open(offset: number): number {
    const { batch } = this;
    if (batch.count - this.#firstSpan >= this.#maxSpans) {
      throw limitError('too_many_spans', offset, 'maxSpans', this.#maxSpans);
    }
    this.local.clear();
    this.remote.clear();
    this.timestampLo = 0;
    this.timestampHi = 0;
    this.durationLo = 0;
    this.durationHi = 0;
    this.isShared = false;
    this.isDebug = false;
    this.isLocalComponent = false;
    this.#mapping.reset();
    this.#attrStart = batch.spanAttrs.count;
    this.#eventStart = batch.events.count;
    this.#eventAttrStart = batch.eventAttrs.count;
    this.#linkStart = batch.links.count;
    return (this.#row = batch.addSpan(0));
  }

  /** Forgets the span that was begun. */
  discard(): void {
    const { batch } = this;
    this.#children -= batch.events.count - this.#eventStart;
    batch.count = this.#row;
    batch.spanAttrs.count = this.#attrStart;
    batch.events.count = this.#eventStart;
    batch.eventAttrs.count = this.#eventAttrStart;
  }

  /** Index among the batch's strings of the key that followed the last tag's the time before: a guess. */
  expectedTag(): number {
    return this.#tagFollow[this.tagIndex & (GUESSES - 1)]!;
  }

  /** Begins a tag whose key was guessed right; `tagValue` must follow. */
  confirmTag(): void {
    const slot = this.tagIndex & (GUESSES - 1);
    const meaning = this.#tagMeaning[slot]!;
    this.tagIndex = this.#tagFollow[slot]!;
    if (meaning !== 0) this.#note(meaning);
  }

  /** Begins a tag whose key is `bytes[start, end)` and may be guessed the next time; `tagValue` must follow. */
  tagKey(bytes: Uint8Array, start: number, end: number, mayGuess: boolean): void {
    const key = this.batch.strings.intern(bytes, start, end);
    const meaning = SPECIAL_FIRST[bytes[start]!] === 0 ? 0 : meaningOf(bytes, start, end);
    if (mayGuess) {
      const slot = this.tagIndex & (GUESSES - 1);
      this.#tagFollow[slot] = key;
      this.#tagMeaning[slot] = meaning;
    }
    this.tagIndex = key;
    if (meaning !== 0) this.#note(meaning);
  }

  /** Begins a tag whose key, `bytes[start, end)`, has been looked up already; `tagValue` must follow. */
  tagOfKey(key: number, bytes: Uint8Array, start: number, end: number): void {
    this.tagIndex = key;
    if (SPECIAL_FIRST[bytes[start]!] === 0) return;
    const meaning = meaningOf(bytes, start, end);
    if (meaning !== 0) this.#note(meaning);
  }

  /** The value of the tag that was begun; `lo` and `hi` as in `AttributeTable`. */
  tagValue(type: ValueType, lo: number, hi: number): void {
    this.batch.spanAttrs.push(this.tagIndex, type, lo, hi);
  }

  #note(meaning: number): void {
    const row = this.batch.spanAttrs.count;
    if (meaning < FIRST_LINK) this.#mapping.note(meaning, row);
    else this.#mapping.noteLink(meaning - FIRST_LINK, row);
  }

  /** Adds an annotation at a time in microseconds, its text in `bytes[start, end)`. */
  annotation(lo: number, hi: number, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const { events, eventAttrs, strings } = this.batch;
    this.#countChildren(1, offset);
    const row = events.add(eventAttrs.count);
    setNanos(this.#nanos, lo, hi);
    events.times[row * 2] = this.#nanos[0]!;
    events.times[row * 2 + 1] = this.#nanos[1]!;
    // OpenTelemetry's exporter writes `name|attributes|dropped` for an event that has attributes.
    if (end === start || !isDigit(bytes[end - 1]) || !this.#eventForm(row, bytes, start, end)) {
      events.names[row] = strings.intern(bytes, start, end);
    }
    events.attrEnd[row] = eventAttrs.count;
  }

  #eventForm(row: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { batch } = this;
    let nameEnd = start;
    while (nameEnd < end && bytes[nameEnd] !== PIPE) nameEnd++;
    let jsonEnd = end - 1;
    while (jsonEnd > nameEnd && bytes[jsonEnd] !== PIPE) jsonEnd--;
    if (jsonEnd <= nameEnd) return false;
    const dropped = droppedCount(bytes, jsonEnd + 1, end);
    if (dropped < 0) return false;
    if (!readAttributeJson(bytes, nameEnd + 1, jsonEnd, batch, batch.eventAttrs, this.maxDepth)) return false;
    // Without either, the exporter would not have written this form: the text is somebody's own.
    if (batch.eventAttrs.count === batch.events.attrEnd[row] && dropped === 0) return false;
    batch.events.names[row] = batch.strings.intern(bytes, start, nameEnd);
    batch.events.dropped[row] = dropped;
    return true;
  }

  /** Completes the span. `isV1`: also the tags only Zipkin v1 clients use have a meaning, and values have types already. */
  close(isV1: boolean, offset: number): void {
    const { batch, local } = this;
    const row = this.#row;
    const mapping = this.#mapping;
    if (equalBytes(batch.spanIds, row * 8, batch.parentIds, row * 8, 8)) batch.parentIds.fill(0, row * 8, row * 8 + 8);
    mapping.apply(batch, row, isV1, local.service !== 0, this.maxDepth);
    if (mapping.removed > 0) this.#dropRemoved();
    if (this.#parsesTags && !isV1) this.#parseTags();
    this.#endpoints();
    this.#times(row);
    if (this.isShared) this.#own(Own.SHARED, ValueType.BOOL, 1, 0);
    if (this.isDebug) this.#own(Own.DEBUG, ValueType.BOOL, 1, 0);
    if (this.isLocalComponent) this.#own(Own.LC, ValueType.BOOL, 1, 0);
    const added = this.services.added;
    batch.scopes[row] = this.services.scope(
      local.service,
      mapping.serviceKey,
      mapping.libraryName,
      mapping.libraryVersion,
    );
    this.#countChildren(this.services.added - added + batch.links.count - this.#linkStart, offset);
    batch.endSpan(row);
  }

  #countChildren(count: number, offset: number): void {
    this.#children += count;
    if (this.#children > this.#maxChildren) {
      throw limitError('too_many_children', offset, 'maxChildren', this.#maxChildren);
    }
  }

  #dropRemoved(): void {
    const { spanAttrs } = this.batch;
    const { keys, types, lo, hi } = spanAttrs;
    let to = this.#attrStart;
    for (let from = to; from < spanAttrs.count; from++) {
      if (types[from] === REMOVED) continue;
      keys[to] = keys[from]!;
      types[to] = types[from]!;
      lo[to] = lo[from]!;
      hi[to++] = hi[from]!;
    }
    spanAttrs.count = to;
  }

  #parseTags(): void {
    const { spanAttrs, heap } = this.batch;
    for (let row = this.#attrStart; row < spanAttrs.count; row++) parseTagText(spanAttrs, row, heap);
  }

  #endpoints(): void {
    const { local, remote } = this;
    if (local.ipv6Length > 0) {
      this.#own(Own.LOCAL_ADDRESS, ValueType.STRING, local.ipv6At, local.ipv6Length);
      if (local.ipv4Length > 0) {
        this.#own(Own.LOCAL_IPV4, ValueType.STRING, local.ipv4At, local.ipv4Length);
      }
    } else if (local.ipv4Length > 0) {
      this.#own(Own.LOCAL_ADDRESS, ValueType.STRING, local.ipv4At, local.ipv4Length);
    }
    if (local.port > 0) this.#own(Own.LOCAL_PORT, ValueType.INT, local.port, 0);
    if (remote.serviceLength > 0) {
      this.#own(Own.PEER_SERVICE, ValueType.STRING, remote.serviceAt, remote.serviceLength);
    }
    if (remote.ipv6Length > 0) {
      this.#own(Own.PEER_ADDRESS, ValueType.STRING, remote.ipv6At, remote.ipv6Length);
      if (remote.ipv4Length > 0) {
        this.#own(Own.PEER_IPV4, ValueType.STRING, remote.ipv4At, remote.ipv4Length);
      }
    } else if (remote.ipv4Length > 0) {
      this.#own(Own.PEER_ADDRESS, ValueType.STRING, remote.ipv4At, remote.ipv4Length);
    }
    if (remote.port > 0) this.#own(Own.PEER_PORT, ValueType.INT, remote.port, 0);
  }

  #times(row: number): void {
    const { times } = this.batch;
    const nanos = this.#nanos;
    setNanos(nanos, this.timestampLo, this.timestampHi);
    const startLo = nanos[0]!;
    const startHi = nanos[1]!;
    if ((startLo | startHi) === 0) this.#own(Own.ABSENT_START, ValueType.BOOL, 1, 0);
    setNanos(nanos, this.durationLo, this.durationHi);
    const low = startLo + nanos[0]!;
    const high = startHi + nanos[1]! + (low >= WORD ? 1 : 0);
    times[row * 4] = startLo;
    times[row * 4 + 1] = startHi;
    times[row * 4 + 2] = high >= WORD ? WORD - 1 : low;
    times[row * 4 + 3] = high >= WORD ? WORD - 1 : high;
  }

  /** Adds an attribute under the key with this number. */
  #own(number: number, type: ValueType, lo: number, hi: number): void {
    const { spanAttrs, strings } = this.batch;
    let index = this.#ownKeys[number]!;
    if (index < 0) index = this.#ownKeys[number] = strings.internText(OWN_KEYS[number]!);
    spanAttrs.push(index, type, lo, hi);
  }
}
