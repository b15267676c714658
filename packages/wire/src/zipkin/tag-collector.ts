import { SpanBatch, SpanKind } from '@clew/model';
import type { AttributeTable, StringTable } from '@clew/model';
import { JsonWriter } from '../json/json-writer.ts';
import { Role, rolesOf } from './attribute-roles.ts';
import { writeLinkText, writeValueText } from './attribute-text.ts';
import { SERVICE_NAME_SOURCES, TagKey } from './special-tags.ts';
import { DerivedTag, STATUS_CODE_TEXTS, derivedStatusTags } from './status-tags.ts';
import type { ErrorTag } from './status-tags.ts';
import { TextTable } from './text-table.ts';

const NO_BATCH = new SpanBatch();
const encoder = new TextEncoder();

/** Keys of tags that are made up, but for those of links. */
const MADE_UP = [
  TagKey.ERROR,
  TagKey.STATUS_CODE,
  TagKey.STATUS_DESCRIPTION,
  TagKey.SPAN_KIND,
  TagKey.TRACE_STATE,
  TagKey.LIBRARY_NAME,
  TagKey.LIBRARY_VERSION,
  TagKey.SERVICE_NAME_SOURCE,
] as const;

const TRUE = encoder.encode('true');
const INTERNAL = encoder.encode('internal');
const CODE_BYTES: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  Object.entries(STATUS_CODE_TEXTS).map(([code, text]) => [code, encoder.encode(text)]),
);
const SOURCE_BYTES = SERVICE_NAME_SOURCES.map((source) => encoder.encode(source));
const linkText = new JsonWriter();

/**
 * Gathers the tags of one span: its attributes, those of its resource and scope, and those made up for what Zipkin has no
 * field for. What the span itself has under a key counts, and nothing is made up for it.
 */
export class TagCollector {
  readonly tags: TextTable = new TextTable();
  /** By key: which field an attribute with it may be, one of `Role`. */
  roles: Uint8Array = new Uint8Array(0);
  #batch: SpanBatch = NO_BATCH;
  #texts: JsonWriter = linkText;
  /** By key: one more than the row of the span that last had an attribute with it. */
  #owners: Uint32Array = new Uint32Array(0);
  /** Dictionary indexes of {@link MADE_UP}; -1 for those no attribute has. */
  #madeUpKeys: Int32Array = new Int32Array(0);
  #row = 0;

  /** Texts of tags are appended to `texts`. */
  open(batch: SpanBatch, texts: JsonWriter): void {
    const { strings } = batch;
    this.#batch = batch;
    this.#texts = texts;
    this.roles = rolesOf(strings);
    this.#owners = new Uint32Array(strings.count);
    this.#madeUpKeys = Int32Array.from(MADE_UP, (key) => strings.find(key));
  }

  release(): void {
    this.#batch = NO_BATCH;
  }

  /** Begins with the tags of span `row`. */
  begin(row: number): void {
    this.#row = row;
    this.tags.count = 0;
  }

  /** Says that the span has an attribute with this key; for all of them before anything is added. */
  own(key: number): void {
    this.#owners[key] = this.#row + 1;
  }

  /** Adds an attribute of the resource or scope, unless the span has one with the key or it is a carrier. */
  inherited(table: AttributeTable, at: number): void {
    const key = table.keys[at]!;
    const role = this.roles[key]!;
    if (role >= Role.CARRIER && role <= Role.PEER_IPV4) return;
    if (this.#owners[key] !== this.#row + 1) this.#attribute(table, at, -1);
  }

  /** Adds the span's attribute at `at`. */
  spanTag(at: number): void {
    this.#attribute(this.#batch.spanAttrs, at, at);
  }

  #attribute(table: AttributeTable, at: number, spanAttribute: number): void {
    const { tags } = this;
    const texts = this.#texts;
    const { strings } = this.#batch;
    const tag = tags.add();
    const key = table.keys[at]!;
    tags.keyStart[tag] = texts.length;
    texts.append(strings.bytes, strings.start(key), strings.ends[key]!);
    tags.keyEnd[tag] = tags.textStart[tag] = texts.length;
    writeValueText(texts, this.#batch, table, at);
    tags.textEnd[tag] = texts.length;
    tags.attribute[tag] = spanAttribute;
  }

  /** Adds which attribute the service name came from, as its number in `SERVICE_NAME_SOURCES`. */
  serviceSource(source: number): void {
    this.#madeUp(TagKey.SERVICE_NAME_SOURCE, SOURCE_BYTES[source]!);
  }

  /** Adds name and version of the instrumentation library, as indexes among the batch's strings. */
  library(name: number, version: number): void {
    this.#string(TagKey.LIBRARY_NAME, name);
    this.#string(TagKey.LIBRARY_VERSION, version);
  }

  /** Adds what stands for the span's status, kind, trace state and links. */
  derived(error: ErrorTag, isZipkin: boolean): void {
    const batch = this.#batch;
    const row = this.#row;
    const code = batch.statusCodes[row]!;
    const message = batch.statusMessages[row]!;
    const derived = derivedStatusTags(batch, code, message, error, isZipkin);
    if ((derived & DerivedTag.ERROR) !== 0) this.#madeUp(TagKey.ERROR, TRUE);
    // Beside a description of the span's own, a code would make that the status message.
    const explains = (derived & DerivedTag.CODE) !== 0 && !this.#has(TagKey.STATUS_DESCRIPTION);
    if (explains) this.#madeUp(TagKey.STATUS_CODE, CODE_BYTES[code]!);
    if ((derived & DerivedTag.DESCRIPTION) !== 0) this.#string(TagKey.STATUS_DESCRIPTION, message);
    if (batch.kinds[row] === SpanKind.INTERNAL) this.#madeUp(TagKey.SPAN_KIND, INTERNAL);
    this.#string(TagKey.TRACE_STATE, batch.traceStates[row]!);
    this.#links();
  }

  #links(): void {
    const batch = this.#batch;
    const row = this.#row;
    const first = row === 0 ? 0 : batch.linkEnd[row - 1]!;
    for (let link = first; link < batch.linkEnd[row]!; link++) {
      const key = `${TagKey.LINK_PREFIX}${link - first}`;
      if (this.#owns(batch.strings.find(key))) continue;
      linkText.length = 0;
      writeLinkText(linkText, batch, link);
      this.#text(key, linkText.bytes, 0, linkText.length);
    }
    linkText.reset();
  }

  #owns(key: number): boolean {
    return key > 0 && this.#owners[key] === this.#row + 1;
  }

  #has(key: (typeof MADE_UP)[number]): boolean {
    return this.#owns(this.#madeUpKeys[MADE_UP.indexOf(key)]!);
  }

  #madeUp(key: (typeof MADE_UP)[number], bytes: Uint8Array): void {
    if (!this.#has(key)) this.#text(key, bytes, 0, bytes.length);
  }

  /** Adds a tag with a text of the dictionary, unless it is empty. */
  #string(key: (typeof MADE_UP)[number], index: number): void {
    if (index === 0 || this.#has(key)) return;
    const { strings }: { strings: StringTable } = this.#batch;
    this.#text(key, strings.bytes, strings.start(index), strings.ends[index]!);
  }

  #text(key: string, bytes: Uint8Array, start: number, end: number): void {
    const { tags } = this;
    const texts = this.#texts;
    const tag = tags.add();
    tags.keyStart[tag] = texts.length;
    texts.ascii(key);
    tags.keyEnd[tag] = tags.textStart[tag] = texts.length;
    texts.append(bytes, start, end);
    tags.textEnd[tag] = texts.length;
  }
}
