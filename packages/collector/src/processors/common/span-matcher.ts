import { BaseError, compilePattern } from '@clew/base';
import type { Pattern } from '@clew/base';
import { SpanCursor, ValueType, equalValues } from '@clew/model';
import type { AttributeCursor, AttributeValue, SpanBatch } from '@clew/model';
import { configuredValue, isStringOf, scalarText, valueText } from './attribute-value.ts';
import { spanKindNames } from './match-config.ts';
import type { SpanMatchConfig } from './match-config.ts';

/** What a missing service name compares as. */
const missingService = '<nil-service-name>';

/** Says of a span whether it matches; made for one batch. */
export type RowTest = (row: number) => boolean;

/** A test of a text, whole (`strict`) or anywhere (`regexp`). */
type TextTest = (text: string) => boolean;

/** One entry of `attributes` or `resources`. */
interface AttributeTest {
  readonly key: string;
  matches(batch: SpanBatch, attributes: AttributeCursor): boolean;
}

/**
 * Decides which spans a match block means. Everything about names, scopes and resources is decided once per batch, not once
 * per span.
 */
export class SpanMatcher {
  readonly #services: TextTest | undefined;
  readonly #names: TextTest | undefined;
  readonly #kinds: TextTest | undefined;
  readonly #attributes: readonly AttributeTest[];
  readonly #resources: readonly AttributeTest[];
  readonly #libraries: readonly { readonly name: TextTest; readonly version: TextTest | undefined }[];

  /** Takes a block that its schema has accepted. */
  constructor(config: SpanMatchConfig) {
    const strict = config.match_type === 'strict';
    const anyOf = (list: readonly string[]) => (list.length === 0 ? undefined : anyText(list, strict));
    const attribute = ({ key, value }: { key: string; value?: unknown }) => attributeTest(key, value, strict);
    this.#services = anyOf(config.services);
    this.#names = anyOf(config.span_names);
    this.#kinds = anyOf(config.span_kinds);
    this.#attributes = config.attributes.map(attribute);
    this.#resources = config.resources.map(attribute);
    this.#libraries = config.libraries.map(({ name, version }) => ({
      name: anyText([name], strict),
      version: version === undefined ? undefined : anyText([version], strict),
    }));
  }

  /** The test for the spans of `batch`. */
  on(batch: SpanBatch): RowTest {
    const cursor = new SpanCursor(batch);
    const names = remembered((index) => this.#names?.(batch.strings.text(index)) ?? true);
    const resources = remembered((_, row) => this.#matchesResource(cursor.moveTo(row)));
    const scopes = remembered((scope) => this.#matchesLibraries(batch, scope));
    const kinds = this.#kinds;
    const attributes = onBatch(batch, this.#attributes);
    return (row) => {
      if (!names(batch.names[row]!, row)) return false;
      if (kinds !== undefined && !kinds(spanKindNames[batch.kinds[row]!] ?? '')) return false;
      const scope = batch.scopes[row]!;
      if (!resources(batch.scopeTable.resources[scope]!, row) || !scopes(scope, row)) return false;
      return attributes.length === 0 || matchesAll(batch, cursor.moveTo(row).attributes, attributes);
    };
  }

  #matchesResource(cursor: SpanCursor): boolean {
    const { batch } = cursor;
    if (this.#services !== undefined) {
      const attributes = cursor.resourceAttributes;
      const service = attributes.findText('service.name') ? valueText(attributes.decodeValue()) : missingService;
      if (!this.#services(service)) return false;
    }
    return (
      this.#resources.length === 0 || matchesAll(batch, cursor.resourceAttributes, onBatch(batch, this.#resources))
    );
  }

  #matchesLibraries(batch: SpanBatch, scope: number): boolean {
    if (this.#libraries.length === 0) return true;
    const name = batch.strings.text(batch.scopeTable.names[scope]!);
    const version = batch.strings.text(batch.scopeTable.versions[scope]!);
    return this.#libraries.every((library) => library.name(name) && (library.version?.(version) ?? true));
  }
}

/** What `include` and `exclude` leave: all, unless said otherwise. */
export function selection(
  include: SpanMatcher | undefined,
  exclude: SpanMatcher | undefined,
): (batch: SpanBatch) => RowTest {
  return (batch) => {
    const included = include?.on(batch);
    const excluded = exclude?.on(batch);
    return (row) => (included?.(row) ?? true) && !(excluded?.(row) ?? false);
  };
}

/** A test and where its key stands in a batch's strings; -1 when no row has it. */
interface KeyedTest {
  readonly test: AttributeTest;
  readonly key: number;
}

function onBatch(batch: SpanBatch, tests: readonly AttributeTest[]): KeyedTest[] {
  return tests.map((test) => ({ test, key: batch.strings.find(test.key) }));
}

/** Without any attributes no entry matches, presence included. */
function matchesAll(batch: SpanBatch, attributes: AttributeCursor, tests: readonly KeyedTest[]): boolean {
  for (const { test, key } of tests) if (!attributes.find(key) || !test.matches(batch, attributes)) return false;
  return true;
}

/** A decision per index, taken when it is first asked for. */
function remembered(decide: (index: number, row: number) => boolean): (index: number, row: number) => boolean {
  const known: (boolean | undefined)[] = [];
  return (index, row) => (known[index] ??= decide(index, row));
}

function anyText(list: readonly string[], strict: boolean): TextTest {
  if (strict) {
    const set = new Set(list);
    return (text) => set.has(text);
  }
  const patterns = list.map(pattern);
  return (text) => patterns.some((candidate) => candidate.test(text));
}

function attributeTest(key: string, configured: unknown, strict: boolean): AttributeTest {
  if (configured === undefined || configured === null) return { key, matches: () => true };
  const value = configuredValue(configured);
  // Under `regexp` the schema has let only text through.
  if (!strict) return { key, matches: patternTest(pattern(valueText(value))) };
  if (typeof value === 'string') {
    const bytes = new TextEncoder().encode(value);
    return { key, matches: (batch, attributes) => isStringOf(batch, attributes, bytes) };
  }
  return { key, matches: (_, attributes) => equalUnordered(attributes.decodeValue(), value) };
}

function patternTest(compiled: Pattern): AttributeTest['matches'] {
  return (batch, attributes) => {
    const { type, lo, hi } = attributes;
    if (type === ValueType.STRING) return compiled.testBytes(batch.heap, lo, lo + hi);
    const text = scalarText(attributes.decodeValue());
    return text !== undefined && compiled.test(text);
  };
}

/** Equal in type and value; maps are equal whatever the order of their keys. */
function equalUnordered(a: AttributeValue, b: AttributeValue): boolean {
  return equalValues(sorted(a), sorted(b));
}

function sorted(value: AttributeValue): AttributeValue {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (!('entries' in value) || typeof value.entries === 'function')
    return (value as readonly AttributeValue[]).map(sorted);
  const entries = value.entries.map(({ key, value: child }) => ({ key, value: sorted(child) }));
  return { entries: entries.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)) };
}

function pattern(source: string): Pattern {
  const compiled = compilePattern(source);
  if (compiled.ok) return compiled.value;
  throw new BaseError('invalid_pattern', `invalid pattern ${JSON.stringify(source)}: ${compiled.error}`);
}
