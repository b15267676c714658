import { createHash } from 'node:crypto';
import { BaseError, compilePattern } from '@clew/base';
import type { Pattern } from '@clew/base';
import { AttributeCursor, AttributeLevel, BatchEditor } from '@clew/model';
import type { AttributeValue, SpanBatch } from '@clew/model';
import { FeatureGates } from '@clew/pipeline';
import type { ConsumeContext } from '@clew/pipeline';
import { configuredValue, doubleText, valueText } from './attribute-value.ts';
import type { ActionConfig } from './action-config.ts';

/** The attributes of one row, readable and editable. */
interface RowAttributes {
  has(key: string): boolean;
  /** The first attribute with this key; undefined when there is none. */
  get(key: string): AttributeValue | undefined;
  set(key: string, value: AttributeValue): void;
  remove(key: string): void;
  /** Every key of the row that the pattern matches. */
  keysMatching(pattern: Pattern): string[];
}

/** SHA-1 is what the reference used before, for those whose stored hashes must go on matching. */
type Digest = 'sha256' | 'sha1';

type Action = (attributes: RowAttributes, context: ConsumeContext) => void;

/** The ordered actions of a processor, ready to be applied. */
export class AttributeActions {
  readonly #actions: readonly Action[];

  /** Takes actions that their schema has accepted. */
  constructor(configs: readonly ActionConfig[], gates: FeatureGates = FeatureGates.defaults) {
    const digest = gates.isEnabled('coreinternal.attraction.hash.sha256') ? 'sha256' : 'sha1';
    this.#actions = configs.map((config) => compileAction(config, digest));
  }

  /**
   * Applies all actions to the attributes of `rows` of one level.
   *
   * @returns whether anything was changed.
   */
  apply(batch: SpanBatch, level: AttributeLevel, rows: Iterable<number>, context: ConsumeContext): boolean {
    const attributes = new EditedRow(batch, level);
    for (const row of rows) {
      attributes.moveTo(row);
      for (const action of this.#actions) action(attributes, context);
    }
    return attributes.edited;
  }
}

class EditedRow implements RowAttributes {
  edited = false;
  readonly #batch: SpanBatch;
  readonly #editor: BatchEditor;
  readonly #cursor: AttributeCursor;
  readonly #level: AttributeLevel;
  readonly #ends: Uint32Array;
  /** Indexes of keys in the batch's strings, looked up once each. */
  readonly #keys = new Map<string, number>();
  #row = 0;

  constructor(batch: SpanBatch, level: AttributeLevel) {
    const isSpan = level === AttributeLevel.SPAN;
    this.#batch = batch;
    this.#level = level;
    this.#editor = new BatchEditor(batch);
    this.#cursor = new AttributeCursor(batch, isSpan ? batch.spanAttrs : batch.resourceAttrs, level);
    this.#ends = isSpan ? batch.attrEnd : batch.resourceTable.attrEnd;
  }

  moveTo(row: number): void {
    this.#row = row;
    this.#cursor.open(row, row === 0 ? 0 : this.#ends[row - 1]!, this.#ends[row]!);
  }

  has(key: string): boolean {
    return this.#cursor.find(this.#indexOf(key));
  }

  get(key: string): AttributeValue | undefined {
    return this.has(key) ? this.#cursor.decodeValue() : undefined;
  }

  set(key: string, value: AttributeValue): void {
    let index = this.#indexOf(key);
    if (index < 0) this.#keys.set(key, (index = this.#editor.key(key)));
    this.#editor.upsert(this.#level, this.#row, index, value);
    this.edited = true;
  }

  remove(key: string): void {
    const index = this.#indexOf(key);
    if (index >= 0 && this.#editor.delete(this.#level, this.#row, index)) this.edited = true;
  }

  /** -1 while no row of the batch has the key. */
  #indexOf(key: string): number {
    let index = this.#keys.get(key);
    if (index === undefined) this.#keys.set(key, (index = this.#batch.strings.find(key)));
    return index;
  }

  keysMatching(pattern: Pattern): string[] {
    const keys: string[] = [];
    this.#cursor.rewind();
    while (this.#cursor.next()) {
      const key = this.#cursor.decodeKey();
      if (pattern.test(key)) keys.push(key);
    }
    return [...new Set(keys)];
  }
}

function compileAction(config: ActionConfig, digest: Digest): Action {
  const { key } = config;
  switch (config.action) {
    case 'insert':
      return sourced(config, (attributes) => !attributes.has(key));
    case 'update':
      return sourced(config, (attributes) => attributes.has(key));
    case 'upsert':
      return sourced(config, () => true);
    case 'delete':
      return onKeys(config, (attributes, found) => attributes.remove(found));
    case 'hash':
      return onKeys(config, (attributes, found) => {
        const value = attributes.get(found);
        if (value !== undefined) attributes.set(found, hashed(value, digest));
      });
    case 'extract':
      return extraction(key, patternOf(config.pattern));
    default:
      return conversion(key, config.converted_type);
  }
}

/** Sets `key` from the configured source, when the row meets `condition` and the source has a value. */
function sourced(config: ActionConfig, condition: (attributes: RowAttributes) => boolean): Action {
  const source = sourceOf(config);
  return (attributes, context) => {
    if (!condition(attributes)) return;
    const value = source(attributes, context);
    if (value !== undefined) attributes.set(config.key, value);
  };
}

type Source = (attributes: RowAttributes, context: ConsumeContext) => AttributeValue | undefined;

function sourceOf({ value, from_attribute, from_context, default_value }: ActionConfig): Source {
  if (from_attribute !== '') {
    const fallback = default_value === undefined ? undefined : configuredValue(default_value);
    return (attributes) => attributes.get(from_attribute) ?? fallback;
  }
  if (from_context !== '') return (_, context) => contextValue(from_context, context);
  const fixed = configuredValue(value);
  return () => fixed;
}

/** A fact about the request; several values of one metadata key are joined with `;`. */
function contextValue(name: string, context: ConsumeContext): string | undefined {
  if (name === 'client.address') return context.clientAddress;
  if (name.startsWith('auth.')) return context.auth?.get(name.slice('auth.'.length));
  return context.metadata?.get(name.slice('metadata.'.length).toLowerCase())?.join(';');
}

/** Does something to the key, and to every key the pattern matches. */
function onKeys({ key, pattern }: ActionConfig, act: (attributes: RowAttributes, key: string) => void): Action {
  const compiled = pattern === '' ? undefined : patternOf(pattern);
  return (attributes) => {
    if (key !== '') act(attributes, key);
    if (compiled === undefined) return;
    for (const found of attributes.keysMatching(compiled)) if (found !== key) act(attributes, found);
  };
}

/** The lower-case hex digest of a scalar; what has no scalar form hashes to the empty text. */
function hashed(value: AttributeValue, digest: Digest): string {
  const bytes = scalarBytes(value);
  return bytes === undefined ? '' : createHash(digest).update(bytes).digest('hex');
}

function scalarBytes(value: AttributeValue): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  if (typeof value !== 'bigint' && typeof value !== 'number') return undefined;
  const view = new DataView(new ArrayBuffer(8));
  if (typeof value === 'bigint') view.setBigInt64(0, value, true);
  else view.setFloat64(0, value, true);
  return new Uint8Array(view.buffer);
}

function extraction(key: string, pattern: Pattern): Action {
  return (attributes) => {
    const value = attributes.get(key);
    if (typeof value !== 'string') return;
    for (const [name, text] of Object.entries(pattern.namedGroups(value) ?? {})) attributes.set(name, text);
  };
}

function conversion(key: string, type: string): Action {
  return (attributes) => {
    const value = attributes.get(key);
    if (value === undefined) return;
    const converted = convert(value, type);
    if (converted !== undefined && converted !== value) attributes.set(key, converted);
  };
}

/** The value in another type; undefined when it cannot be had, which leaves the attribute as it is. */
function convert(value: AttributeValue, type: string): AttributeValue | undefined {
  if (type === 'string') return typeof value === 'number' ? doubleText(value) : valueText(value);
  const whole = type === 'int';
  if (typeof value === 'boolean') return whole ? BigInt(value) : Number(value);
  if (typeof value === 'bigint') return whole ? value : Number(value);
  if (typeof value === 'number') return whole ? truncated(value) : value;
  if (typeof value !== 'string') return undefined;
  return whole ? parsedInt(value) : parsedDouble(value);
}

function truncated(value: number): bigint | undefined {
  if (!Number.isFinite(value)) return undefined;
  return inRange(BigInt(Math.trunc(value)));
}

function parsedInt(text: string): bigint | undefined {
  return /^[+-]?\d+$/.test(text) ? inRange(BigInt(text.replace(/^\+/, ''))) : undefined;
}

function parsedDouble(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function inRange(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function patternOf(source: string): Pattern {
  const compiled = compilePattern(source);
  if (compiled.ok) return compiled.value;
  throw new BaseError('invalid_pattern', `invalid pattern ${JSON.stringify(source)}: ${compiled.error}`);
}
