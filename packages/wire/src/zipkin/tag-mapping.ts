import { SpanKind, StatusCode, ValueType, equalBytes } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { parseInteger } from '../json/decimal.ts';
import { JsonWriter } from '../json/json-writer.ts';
import { readAttributeJson } from './attribute-json.ts';
import { writeLinkText } from './attribute-text.ts';
import { readHexId } from './ids.ts';
import { WireError } from '../errors.ts';
import { MAX_LINK_TAGS, SERVICE_NAME_SOURCES, SPECIAL_TAG_END, SpecialTag, isText } from './special-tags.ts';
import { DerivedTag, STATUS_CODE_TEXTS, derivedStatusTags, readErrorTag, statusOfText } from './status-tags.ts';
import type { ErrorTag } from './status-tags.ts';

/** The type of an attribute that a mapping took away, until the span is closed. */
export const REMOVED = 255;

const PIPE = 0x7c;

/**
 * Turns the tags of one span that stand for fields into these fields. A tag is taken away only when encoding the span gives
 * exactly this tag again; any other stays an attribute, and the field is set all the same.
 *
 * A hot path as far as `note` goes, guarded by `bench/codec`.
 */
export class TagMapping {
  /** Indexes of the instrumentation library's name and version among the batch's strings. */
  libraryName = 0;
  libraryVersion = 0;
  /** Index of the attribute key the service name belongs under; 0 for `service.name`. */
  serviceKey = 0;
  /** Attributes of the span with the type {@link REMOVED}. */
  removed = 0;
  /** Links added. */
  links = 0;

  readonly #rows = new Int32Array(SPECIAL_TAG_END);
  readonly #counts = new Uint32Array(SPECIAL_TAG_END);
  readonly #linkRows = new Int32Array(MAX_LINK_TAGS);
  readonly #linkCounts = new Uint32Array(MAX_LINK_TAGS);
  #lastLink = -1;
  #isClean = true;
  #lastLibraryName = 0;
  #lastLibraryVersion = 0;
  readonly #error: ErrorTag = { count: 0, isError: false, messageAt: 0, messageLength: 0 };
  readonly #words = { lo: 0, hi: 0 };

  /** Forgets the tags of the span before. */
  reset(): void {
    if (this.#isClean) return;
    this.#isClean = true;
    this.#counts.fill(0);
    this.#linkCounts.fill(0, 0, this.#lastLink + 1);
    this.#lastLink = -1;
    this.libraryName = 0;
    this.libraryVersion = 0;
    this.serviceKey = 0;
    this.removed = 0;
    this.links = 0;
  }

  /** Takes note of a tag that is one of {@link SpecialTag}, at attribute `row`. */
  note(special: number, row: number): void {
    this.#isClean = false;
    this.#rows[special] = row;
    this.#counts[special]!++;
  }

  /** Takes note of the tag of a link. */
  noteLink(number: number, row: number): void {
    this.#isClean = false;
    this.#linkRows[number] = row;
    this.#linkCounts[number]!++;
    if (number > this.#lastLink) this.#lastLink = number;
  }

  /** Sets the fields of span `row`; `isV1` also by the tags only Zipkin v1 clients use. `hasService`: it has a local service name. */
  apply(batch: SpanBatch, row: number, isV1: boolean, hasService: boolean, maxDepth: number): void {
    if (this.#isClean) return;
    this.#kind(batch, row);
    this.#traceState(batch, row);
    this.#library(batch);
    if (hasService) this.#serviceSource(batch);
    this.#status(batch, row, isV1);
    if (this.#lastLink >= 0) this.#readLinks(batch, maxDepth);
  }

  /** The attribute row of a tag that occurs once and is a text, or -1. */
  #onlyText(batch: SpanBatch, special: number): number {
    if (this.#counts[special] !== 1) return -1;
    const row = this.#rows[special]!;
    return batch.spanAttrs.types[row] === ValueType.STRING ? row : -1;
  }

  /** Like {@link TagMapping.#onlyText}, but -1 for an empty text. */
  #onlyContent(batch: SpanBatch, special: number): number {
    const row = this.#onlyText(batch, special);
    return row < 0 || batch.spanAttrs.hi[row] === 0 ? -1 : row;
  }

  #is(batch: SpanBatch, row: number, text: string): boolean {
    return isText(batch.heap, batch.spanAttrs.lo[row]!, batch.spanAttrs.hi[row]!, text);
  }

  #remove(batch: SpanBatch, row: number): void {
    batch.spanAttrs.types[row] = REMOVED;
    this.removed++;
  }

  /** The text of attribute `row` as an index among the batch's strings. */
  #intern(batch: SpanBatch, row: number): number {
    const at = batch.spanAttrs.lo[row]!;
    return batch.strings.intern(batch.heap, at, at + batch.spanAttrs.hi[row]!);
  }

  /** Like {@link TagMapping.#intern}, but that it tries `guess` first. */
  #sameOrIntern(batch: SpanBatch, row: number, guess: number): number {
    const at = batch.spanAttrs.lo[row]!;
    const end = at + batch.spanAttrs.hi[row]!;
    const isGuess = guess < batch.strings.count && batch.strings.equals(guess, batch.heap, at, end);
    return isGuess ? guess : batch.strings.intern(batch.heap, at, end);
  }

  #kind(batch: SpanBatch, row: number): void {
    if (batch.kinds[row] !== SpanKind.UNSPECIFIED) return;
    const tag = this.#onlyText(batch, SpecialTag.SPAN_KIND);
    if (tag < 0 || !this.#is(batch, tag, 'internal')) return;
    batch.kinds[row] = SpanKind.INTERNAL;
    this.#remove(batch, tag);
  }

  #traceState(batch: SpanBatch, row: number): void {
    const tag = this.#onlyContent(batch, SpecialTag.TRACE_STATE);
    if (tag < 0) return;
    batch.traceStates[row] = this.#intern(batch, tag);
    this.#remove(batch, tag);
  }

  #library(batch: SpanBatch): void {
    const name = this.#onlyContent(batch, SpecialTag.LIBRARY_NAME);
    if (name < 0) return;
    this.libraryName = this.#sameOrIntern(batch, name, this.#lastLibraryName);
    this.#lastLibraryName = this.libraryName;
    this.#remove(batch, name);
    const version = this.#onlyContent(batch, SpecialTag.LIBRARY_VERSION);
    if (version < 0) return;
    this.libraryVersion = this.#sameOrIntern(batch, version, this.#lastLibraryVersion);
    this.#lastLibraryVersion = this.libraryVersion;
    this.#remove(batch, version);
  }

  #serviceSource(batch: SpanBatch): void {
    const tag = this.#onlyText(batch, SpecialTag.SERVICE_NAME_SOURCE);
    if (tag < 0) return;
    for (let i = 1; i < SERVICE_NAME_SOURCES.length; i++) {
      if (!this.#is(batch, tag, SERVICE_NAME_SOURCES[i]!)) continue;
      this.serviceKey = this.#intern(batch, tag);
      this.#remove(batch, tag);
      return;
    }
  }

  #status(batch: SpanBatch, row: number, isV1: boolean): void {
    const error = this.#error;
    error.count = 0;
    if (this.#counts[SpecialTag.ERROR] !== 0) {
      readErrorTag(batch, batch.spanAttrs, this.#rows[SpecialTag.ERROR]!, error);
      error.count = this.#counts[SpecialTag.ERROR]!;
    }
    const hasError = error.count > 0 && error.isError;
    let code: number = StatusCode.UNSET;
    let message = 0;
    let isDecided = false;
    if (isV1 && this.#counts[SpecialTag.CENSUS_CODE] !== 0) {
      code = this.#censusCode(batch);
      message = this.#textOf(batch, SpecialTag.CENSUS_DESCRIPTION);
      if (message === 0) message = this.#textOf(batch, SpecialTag.OPENCENSUS_DESCRIPTION);
      isDecided = true;
    } else if (this.#counts[SpecialTag.STATUS_CODE] !== 0) {
      code = this.#statusCode(batch, isV1);
      message = this.#textOf(batch, SpecialTag.STATUS_DESCRIPTION);
      isDecided = isV1 && code !== StatusCode.UNSET;
    }
    if (hasError && !isDecided) {
      code = StatusCode.ERROR;
      if (message === 0) {
        message = batch.strings.intern(batch.heap, error.messageAt, error.messageAt + error.messageLength);
      }
    } else if (isV1 && !isDecided && this.#isHttpError(batch)) code = StatusCode.ERROR;
    batch.statusCodes[row] = code;
    batch.statusMessages[row] = message;
    this.#removeStatusTags(batch, code, message);
  }

  /** Takes away the status tags an encoder would write for this status. */
  #removeStatusTags(batch: SpanBatch, code: number, message: number): void {
    const error = this.#error;
    const errorTag = this.#onlyText(batch, SpecialTag.ERROR);
    if (code === StatusCode.ERROR && errorTag >= 0 && this.#is(batch, errorTag, 'true')) {
      this.#remove(batch, errorTag);
      error.count = 0;
    }
    const derived = derivedStatusTags(batch, code, message, error, true);
    const descriptionTag = this.#onlyText(batch, SpecialTag.STATUS_DESCRIPTION);
    let keepsDescription = this.#counts[SpecialTag.STATUS_DESCRIPTION] !== 0;
    if ((derived & DerivedTag.DESCRIPTION) !== 0 && descriptionTag >= 0) {
      if (this.#intern(batch, descriptionTag) === message) {
        this.#remove(batch, descriptionTag);
        keepsDescription = false;
      }
    }
    // Encoders write no code beside a description that is an attribute.
    const codeTag = keepsDescription ? -1 : this.#onlyText(batch, SpecialTag.STATUS_CODE);
    if ((derived & DerivedTag.CODE) !== 0 && codeTag >= 0 && this.#is(batch, codeTag, STATUS_CODE_TEXTS[code]!)) {
      this.#remove(batch, codeTag);
    }
  }

  /** The text under a key as an index among the batch's strings; 0 when there is none. */
  #textOf(batch: SpanBatch, special: number): number {
    if (this.#counts[special] === 0) return 0;
    const row = this.#rows[special]!;
    return batch.spanAttrs.types[row] === ValueType.STRING ? this.#intern(batch, row) : 0;
  }

  #statusCode(batch: SpanBatch, isV1: boolean): StatusCode {
    const { types, lo, hi } = batch.spanAttrs;
    const row = this.#rows[SpecialTag.STATUS_CODE]!;
    if (types[row] === ValueType.STRING) {
      const code = statusOfText(batch.heap, lo[row]!, hi[row]!);
      if (code !== undefined) return code;
    }
    // Before it was a text, v1 clients sent OpenTelemetry's number.
    const number = isV1 ? this.#integer(batch, row) : undefined;
    return number === StatusCode.OK || number === StatusCode.ERROR ? number : StatusCode.UNSET;
  }

  #censusCode(batch: SpanBatch): StatusCode {
    return this.#integer(batch, this.#rows[SpecialTag.CENSUS_CODE]!) === 0 ? StatusCode.OK : StatusCode.ERROR;
  }

  #isHttpError(batch: SpanBatch): boolean {
    if (this.#counts[SpecialTag.HTTP_STATUS] === 0) return false;
    const status = this.#integer(batch, this.#rows[SpecialTag.HTTP_STATUS]!);
    return status !== undefined && (status < 100 || status > 399);
  }

  /** An attribute that is a small integer or its text. */
  #integer(batch: SpanBatch, row: number): number | undefined {
    const { types, lo, hi } = batch.spanAttrs;
    if (types[row] === ValueType.INT) return hi[row] === 0 ? lo[row]! : undefined;
    if (types[row] !== ValueType.STRING) return undefined;
    const words = this.#words;
    const isInteger = parseInteger(batch.heap, lo[row]!, lo[row]! + hi[row]!, false, words);
    return isInteger && words.hi === 0 ? words.lo : undefined;
  }

  #readLinks(batch: SpanBatch, maxDepth: number): void {
    for (let number = 0; number <= this.#lastLink && this.#linkCounts[number] !== 0; number++) {
      const row = this.#linkRows[number]!;
      const { types, lo, hi } = batch.spanAttrs;
      if (types[row] !== ValueType.STRING) return;
      // Others must keep their number, so that one which is malformed ends the row of links.
      if (!readLink(batch, lo[row]!, lo[row]! + hi[row]!, maxDepth)) return;
      this.links++;
      if (this.#linkCounts[number] === 1 && isWrittenAs(batch, batch.links.count - 1, row)) this.#remove(batch, row);
    }
  }
}

const rendered = new JsonWriter();

/** Whether an encoder would write the link as exactly the text of attribute `row`. */
function isWrittenAs(batch: SpanBatch, link: number, row: number): boolean {
  const { lo, hi } = batch.spanAttrs;
  rendered.length = 0;
  writeLinkText(rendered, batch, link);
  const isSame = rendered.length === hi[row] && equalBytes(rendered.bytes, 0, batch.heap, lo[row]!, rendered.length);
  rendered.reset();
  return isSame;
}

/** Adds the link in the heap's `[start, end)`: `trace id|span id|trace state|attributes|dropped`. Returns whether it is one. */
function readLink(batch: SpanBatch, start: number, end: number, maxDepth: number): boolean {
  const { heap, links, linkAttrs, strings } = batch;
  const traceEnd = start + 32;
  const spanEnd = traceEnd + 17;
  if (spanEnd >= end || heap[traceEnd] !== PIPE || heap[spanEnd] !== PIPE) return false;
  let stateEnd = spanEnd + 1;
  while (stateEnd < end && heap[stateEnd] !== PIPE) stateEnd++;
  let attributesEnd = end - 1;
  while (attributesEnd > stateEnd && heap[attributesEnd] !== PIPE) attributesEnd--;
  if (attributesEnd <= stateEnd) return false;
  const dropped = droppedCount(heap, attributesEnd + 1, end);
  if (dropped < 0) return false;
  const row = links.add(linkAttrs.count);
  try {
    readHexId(heap, start, traceEnd, links.traceIds, row * 16, 'traceId', 'v2', 0);
    readHexId(heap, traceEnd + 1, spanEnd, links.spanIds, row * 8, 'id', 'v2', 0);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    links.count = row;
    return false;
  }
  if (!readAttributeJson(heap, stateEnd + 1, attributesEnd, batch, linkAttrs, maxDepth)) {
    links.count = row;
    return false;
  }
  links.states[row] = strings.intern(heap, spanEnd + 1, stateEnd);
  links.dropped[row] = dropped;
  links.attrEnd[row] = linkAttrs.count;
  return true;
}

/** The count in decimal digits in `bytes[start, end)`, 32 bits at most and without needless zeros; -1 when there is none. */
export function droppedCount(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 10 || (bytes[start] === 0x30 && end - start > 1)) return -1;
  let count = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    count = count * 10 + digit;
  }
  return count < 2 ** 32 ? count : -1;
}
