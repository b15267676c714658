import type { AttributeCursor } from '../batch/attribute-cursor.ts';
import { valueText } from '../values/json.ts';
import type { AttributeValue } from '../values/value.ts';
import { isLossless, toCurrent, toOlder } from './convert.ts';
import { synonymTable, type Conversion, type SynonymRow } from './table.ts';

/**
 * Attribute names that mean the same, applied when data is read: what is stored keeps the name it was sent with. A search, group-by or
 * map on any name of a row must see spans that carry another. When a span carries several, the current name wins.
 */

/** One older name of a current one. */
export interface Synonym {
  /** The current name. */
  readonly current: string;
  /** The older name. */
  readonly key: string;
  /** The span kinds on which the two mean the same; `undefined` for all. */
  readonly kinds: readonly number[] | undefined;
  /** Where: `event` for the log fields of OpenTracing, else spans and resources. */
  readonly level: 'span' | 'event';
  /** How the older value becomes a current one, see `toCurrent`; `undefined` when it is the same. */
  readonly convert: Conversion | undefined;
  /** Present when the current value is that of another older key, a separator and that of `key`, joined. */
  readonly prefix: { readonly key: string; readonly separator: string } | undefined;
}

const none: readonly Synonym[] = [];

/** The older names of `current`, in order of preference; empty when it has none or is itself an older name. */
export function olderNamesOf(current: string): readonly Synonym[] {
  return byCurrent.get(current) ?? none;
}

/** The rows in which `key` is an older name: more than one when its meaning depends on the kind of span. */
export function currentNamesOf(key: string): readonly Synonym[] {
  return byOlder.get(key) ?? none;
}

/**
 * The current name of `key` on a span of this kind; `key` itself when it is current or unknown. Without a kind the first
 * row that is not limited to some, else the first.
 */
export function canonicalKey(key: string, kind?: number, level: Synonym['level'] = 'span'): string {
  if (byCurrent.has(key)) return key;
  const rows = currentNamesOf(key).filter((row) => row.level === level);
  const applies = (row: Synonym): boolean =>
    row.kinds === undefined || (kind !== undefined && row.kinds.includes(kind));
  return (rows.find(applies) ?? (kind === undefined ? rows[0] : undefined))?.current ?? key;
}

/**
 * Every name that means the same as `key` in some span (or event), `key` first: what a search on `key` looks for. Kinds and
 * conversions are not considered; {@link olderNamesOf} and {@link currentNamesOf} tell them.
 */
export function synonymsOf(key: string, level: Synonym['level'] = 'span'): readonly string[] {
  const names = new Set([key]);
  const currents = new Set(
    currentNamesOf(key)
      .filter((row) => row.level === level)
      .map((row) => row.current),
  );
  if (byCurrent.has(key)) currents.add(key);
  for (const current of currents) {
    names.add(current);
    for (const synonym of olderNamesOf(current)) if (synonym.level === level) names.add(synonym.key);
  }
  return [...names];
}

/**
 * The values under `name` that mean what `value` means under `key`, of which `name` is a synonym: what a search for equality must look for.
 * `value` itself comes first; a name whose values cannot be told from those of `key` has no other.
 */
export function synonymValues(
  key: string,
  name: string,
  value: AttributeValue,
  level: Synonym['level'] = 'span',
): readonly AttributeValue[] {
  const found: AttributeValue[] = [value];
  for (const from of namesOfConcepts(key, level)) {
    for (const to of namesOfConcepts(name, level)) {
      if (from.current !== to.current || !isLossless(from.convert) || !isLossless(to.convert)) continue;
      const current = from.isOlder ? toCurrent(from.convert, value) : value;
      if (current === undefined) continue;
      found.push(...(to.isOlder ? toOlder(to.convert, current) : [current]));
    }
  }
  return [...new Set(found)];
}

/** The concepts a name stands for, by their current names, and how its values become current ones. Joined names stand for half a concept. */
function namesOfConcepts(
  name: string,
  level: Synonym['level'],
): readonly { readonly current: string; readonly isOlder: boolean; readonly convert: Conversion | undefined }[] {
  const older = currentNamesOf(name)
    .filter((row) => row.level === level && row.prefix === undefined)
    .map(({ current, convert }) => ({ current, isOlder: true, convert }));
  return byCurrent.has(name) ? [{ current: name, isOlder: false, convert: undefined }, ...older] : older;
}

/**
 * The value that `attributes` give for `key` under any of its names, as a value of the current name when `key` is one;
 * `undefined` when they give none. `kind` is that of the span. Names are tried in order, the current one first.
 */
export function findWithSynonyms(
  attributes: AttributeCursor,
  key: string,
  kind: number,
  level: Synonym['level'] = 'span',
): AttributeValue | undefined {
  const current = canonicalKey(key, kind, level);
  if (attributes.findText(current) && !(joinedOnly(current) && hasPrefix(attributes, current)))
    return attributes.decodeValue();
  for (const synonym of olderNamesOf(current)) {
    if (synonym.level !== level || (synonym.kinds !== undefined && !synonym.kinds.includes(kind))) continue;
    const value = olderValue(attributes, synonym);
    if (value !== undefined) return value;
  }
  if (key !== current && attributes.findText(key)) return attributes.decodeValue();
  return undefined;
}

function olderValue(attributes: AttributeCursor, synonym: Synonym): AttributeValue | undefined {
  if (!attributes.findText(synonym.key)) return undefined;
  const value = attributes.decodeValue();
  if (synonym.prefix === undefined) return toCurrent(synonym.convert, value);
  if (!attributes.findText(synonym.prefix.key)) return undefined;
  return `${valueText(attributes.decodeValue())}${synonym.prefix.separator}${valueText(value)}`;
}

/** Whether `current` is also the second half of its own older pair (`rpc.method`), so that the pair must be looked at first. */
function joinedOnly(current: string): boolean {
  return olderNamesOf(current).some((synonym) => synonym.key === current);
}

function hasPrefix(attributes: AttributeCursor, current: string): boolean {
  const prefix = olderNamesOf(current).find((synonym) => synonym.key === current)?.prefix;
  return prefix !== undefined && attributes.findText(prefix.key);
}

function synonymOf(current: string, row: string | SynonymRow): Synonym {
  const full: SynonymRow = typeof row === 'string' ? { key: row } : row;
  return {
    current,
    key: full.key,
    kinds: full.kinds,
    level: full.level ?? 'span',
    convert: full.convert,
    prefix: full.prefix === undefined ? undefined : { key: full.prefix, separator: full.separator ?? '' },
  };
}

const byCurrent: ReadonlyMap<string, readonly Synonym[]> = new Map(
  Object.entries(synonymTable).map(([current, rows]) => [current, rows.map((row) => synonymOf(current, row))]),
);

const byOlder: ReadonlyMap<string, readonly Synonym[]> = olderIndex();

function olderIndex(): ReadonlyMap<string, readonly Synonym[]> {
  const index = new Map<string, Synonym[]>();
  for (const synonym of [...byCurrent.values()].flat())
    index.set(synonym.key, [...(index.get(synonym.key) ?? []), synonym]);
  return index;
}
