import { ModelError } from '../errors.ts';
import { valueTypeOf, type AttributeValue } from '../values/value.ts';
import { AttributeCursor } from './attribute-cursor.ts';
import type { AttributeTable } from './attribute-table.ts';
import { AttributeLevel, DELETED, EditLog, type AttributeEdits } from './edit-log.ts';
import type { SpanBatch } from './span-batch.ts';
import { writeValueWords } from './writer.ts';

/**
 * Edits a batch in place. Attributes of any level go to the batch's edit log, which cursors consult at once; fields of a span
 * are written into its columns.
 *
 * An edit of a key speaks for all attributes of its row with that key: duplicates collapse into one. Spans *share* scopes and
 * resources, so an edit of such a row changes it for all of them; to change it for some spans only, call
 * {@link BatchEditor.isolateResources} or {@link BatchEditor.isolateScopes} with those spans first.
 *
 * Rows and keys are checked: `invalid_row` is thrown for what the batch does not have.
 */
export class BatchEditor {
  readonly batch: SpanBatch;
  readonly #words = new Uint32Array(2);
  readonly #cursors: readonly AttributeCursor[];

  constructor(batch: SpanBatch) {
    this.batch = batch;
    this.#cursors = [
      new AttributeCursor(batch, batch.spanAttrs, AttributeLevel.SPAN),
      new AttributeCursor(batch, batch.eventAttrs, AttributeLevel.EVENT),
      new AttributeCursor(batch, batch.linkAttrs, AttributeLevel.LINK),
      new AttributeCursor(batch, batch.scopeAttrs, AttributeLevel.SCOPE),
      new AttributeCursor(batch, batch.resourceAttrs, AttributeLevel.RESOURCE),
    ];
  }

  /** The index of `key` for the methods below, adding it to the batch's strings when it is new. */
  key(key: string): number {
    return this.batch.strings.internText(key);
  }

  /** Sets `key` of `row` to `value`, whether it is there or not. */
  upsert(level: AttributeLevel, row: number, key: number, value: AttributeValue): void {
    writeValueWords(this.batch, value, this.#words);
    this.setWords(level, row, key, valueTypeOf(value), this.#words[0]!, this.#words[1]!);
  }

  /** Adds `key` with `value` when `row` has none; returns whether it did. */
  insert(level: AttributeLevel, row: number, key: number, value: AttributeValue): boolean {
    if (this.#open(level, row).find(key)) return false;
    this.upsert(level, row, key, value);
    return true;
  }

  /** Sets `key` to `value` when `row` has it; returns whether it did. */
  update(level: AttributeLevel, row: number, key: number, value: AttributeValue): boolean {
    if (!this.#open(level, row).find(key)) return false;
    this.upsert(level, row, key, value);
    return true;
  }

  /** Removes every attribute of `row` with `key`; returns whether there was one. */
  delete(level: AttributeLevel, row: number, key: number): boolean {
    if (!this.#open(level, row).find(key)) return false;
    this.setWords(level, row, key, DELETED, 0, 0);
    return true;
  }

  /**
   * Sets `key` to a value that already lies in this batch, in the form attribute tables keep (`AttributeTable`): copying one
   * attribute to another key costs no decoding.
   */
  setWords(level: AttributeLevel, row: number, key: number, type: number, lo: number, hi: number): void {
    const position = this.#open(level, row).storedPosition(key);
    if (key >>> 0 !== key || key >= this.batch.strings.count) {
      throw new ModelError(
        'invalid_row',
        `cannot edit an attribute: the batch has no string ${key}; take the key from editor.key()`,
      );
    }
    this.#edits(level).set(row, key, type, lo, hi, position);
  }

  setName(row: number, name: string): void {
    this.#checkSpan(row);
    this.batch.names[row] = this.batch.strings.internText(name);
  }

  setKind(row: number, kind: number): void {
    this.#checkSpan(row);
    this.batch.kinds[row] = kind;
  }

  /** Sets the status; OTLP numbers: 0 unset, 1 ok, 2 error. */
  setStatus(row: number, code: number, message: string): void {
    this.#checkSpan(row);
    this.batch.statusCodes[row] = code;
    this.batch.statusMessages[row] = this.batch.strings.internText(message);
  }

  setTraceState(row: number, traceState: string): void {
    this.#checkSpan(row);
    this.batch.traceStates[row] = this.batch.strings.internText(traceState);
  }

  setFlags(row: number, flags: number): void {
    this.#checkSpan(row);
    this.batch.flags[row] = flags;
  }

  /**
   * Makes sure that no span outside `rows` shares a resource with one of them: resources that are shared are copied, once each,
   * and the spans of `rows` moved to the copies. Pending edits are carried over.
   */
  isolateResources(rows: Iterable<number>): void {
    const { batch } = this;
    const inside = this.#maskOf(rows);
    this.#isolateScopes(inside);
    const scopesInside = new Uint8Array(batch.scopeTable.count);
    for (let row = 0; row < batch.count; row++) if (inside[row] !== 0) scopesInside[batch.scopes[row]!] = 1;
    const sharing = sharedTargets(
      batch.scopeTable.resources,
      scopesInside,
      batch.scopeTable.count,
      batch.resourceTable.count,
    );
    const copies = new Map<number, number>();
    for (let scope = 0; scope < scopesInside.length; scope++) {
      const resource = batch.scopeTable.resources[scope]!;
      if (scopesInside[scope] === 0 || sharing[resource] !== SHARED) continue;
      batch.scopeTable.resources[scope] = memo(copies, resource, () => this.#copyResource(resource));
    }
  }

  /** Makes sure that no span outside `rows` shares a scope with one of them, like {@link BatchEditor.isolateResources}. */
  isolateScopes(rows: Iterable<number>): void {
    this.#isolateScopes(this.#maskOf(rows));
  }

  #isolateScopes(inside: Uint8Array): void {
    const { batch } = this;
    const sharing = sharedTargets(batch.scopes, inside, batch.count, batch.scopeTable.count);
    const copies = new Map<number, number>();
    for (let row = 0; row < batch.count; row++) {
      const scope = batch.scopes[row]!;
      if (inside[row] === 0 || sharing[scope] !== SHARED) continue;
      batch.scopes[row] = memo(copies, scope, () => this.#copyScope(scope));
    }
  }

  #copyResource(row: number): number {
    const { resourceTable: table, resourceAttrs } = this.batch;
    const copy = table.add(resourceAttrs.count);
    this.#copyAttributes(AttributeLevel.RESOURCE, row, resourceAttrs);
    table.attrEnd[copy] = resourceAttrs.count;
    table.schemaUrls[copy] = table.schemaUrls[row]!;
    table.dropped[copy] = table.dropped[row]!;
    table.entityRefs[copy * 2] = table.entityRefs[row * 2]!;
    table.entityRefs[copy * 2 + 1] = table.entityRefs[row * 2 + 1]!;
    return copy;
  }

  #copyScope(row: number): number {
    const { scopeTable: table, scopeAttrs } = this.batch;
    const copy = table.add(table.resources[row]!, scopeAttrs.count);
    this.#copyAttributes(AttributeLevel.SCOPE, row, scopeAttrs);
    table.attrEnd[copy] = scopeAttrs.count;
    table.names[copy] = table.names[row]!;
    table.versions[copy] = table.versions[row]!;
    table.schemaUrls[copy] = table.schemaUrls[row]!;
    table.dropped[copy] = table.dropped[row]!;
    return copy;
  }

  /** Appends the attributes of `row` as they are now, edits included. */
  #copyAttributes(level: AttributeLevel, row: number, table: AttributeTable): void {
    const cursor = this.#open(level, row);
    while (cursor.next()) table.push(cursor.key, cursor.type, cursor.lo, cursor.hi);
  }

  #open(level: AttributeLevel, row: number): AttributeCursor {
    const { ends, count } = rowsOf(this.batch, level);
    if (row >>> 0 !== row || row >= count) {
      throw new ModelError('invalid_row', `cannot edit row ${row}: its table has ${count} rows`);
    }
    const cursor = this.#cursors[level]!;
    cursor.open(row, row === 0 ? 0 : ends[row - 1]!, ends[row]!);
    return cursor;
  }

  #edits(level: AttributeLevel): AttributeEdits {
    return (this.batch.edits ??= new EditLog()).levels[level]!;
  }

  #checkSpan(row: number): void {
    if (row >>> 0 !== row || row >= this.batch.count) {
      throw new ModelError('invalid_row', `cannot edit span ${row} of a batch of ${this.batch.count}`);
    }
  }

  #maskOf(rows: Iterable<number>): Uint8Array {
    const mask = new Uint8Array(this.batch.count);
    for (const row of rows) {
      this.#checkSpan(row);
      mask[row] = 1;
    }
    return mask;
  }
}

/** In {@link sharedTargets}: used by selected rows and by others. */
const SHARED = 3;

/** For each target: bit 0 when a selected row points at it, bit 1 when another does. */
function sharedTargets(pointers: Uint32Array, selected: Uint8Array, rows: number, targets: number): Uint8Array {
  const uses = new Uint8Array(targets);
  for (let row = 0; row < rows; row++) {
    const target = pointers[row]!;
    uses[target] = uses[target]! | (selected[row] !== 0 ? 1 : 2);
  }
  return uses;
}

function rowsOf(batch: SpanBatch, level: AttributeLevel): { readonly ends: Uint32Array; readonly count: number } {
  switch (level) {
    case AttributeLevel.SPAN:
      return { ends: batch.attrEnd, count: batch.count };
    case AttributeLevel.EVENT:
      return { ends: batch.events.attrEnd, count: batch.events.count };
    case AttributeLevel.LINK:
      return { ends: batch.links.attrEnd, count: batch.links.count };
    case AttributeLevel.SCOPE:
      return { ends: batch.scopeTable.attrEnd, count: batch.scopeTable.count };
    case AttributeLevel.RESOURCE:
      return { ends: batch.resourceTable.attrEnd, count: batch.resourceTable.count };
  }
}

function memo(known: Map<number, number>, row: number, make: () => number): number {
  let value = known.get(row);
  if (value === undefined) {
    value = make();
    known.set(row, value);
  }
  return value;
}
