import { synonymsOf, synonymValues, ValueType, valueText } from '@clew/model';

import { HOT_CONCEPTS, HotBit, HTTP_STATUS_CONCEPT } from '../block/hot-attributes.ts';
import { pairHashes, TagScope } from '../schema/tables.ts';
import { leafBranches, type Level } from './leaf-conditions.ts';
import { hasKey, valueAt } from './map-keys.ts';
import { spellingsOf, spellsNumber } from './number-test.ts';
import { anyOf, type Sql } from './sql.ts';
import { specialTag } from './special-tags.ts';
import type { TagCatalog } from './tag-catalog.ts';
import { bytesOfNotation, bytesTest, valueTest } from './value-test.ts';

/** One `key=value` of a search. Values are text, compared with the text form of what is stored, numbers also by value. */
export interface TagFilter {
  readonly key: string;
  readonly value: string;
}

/** What a tag condition is built from. */
export interface TagContext {
  readonly sql: Sql;
  readonly tenant: string;
  readonly catalog: TagCatalog;
  /** Whether other names of the same attribute match as well. */
  readonly synonyms: boolean;
}

/** Keys a filter looks for; the key itself first. */
export function keysOf(filter: TagFilter, synonyms: boolean): readonly string[] {
  const key = filter.key.startsWith('resource.') ? filter.key.slice('resource.'.length) : filter.key;
  const names = synonyms ? synonymsOf(key) : [key];
  return key === filter.key ? names : [filter.key, ...names];
}

/** What the filter's value is under one of its keys: `jaeger.version=Go-2.30.0` is `Jaeger-Go-2.30.0` under the name of today. */
function valuesOf(filter: TagFilter, key: string): readonly string[] {
  if (key === filter.key && key.startsWith('resource.')) return [filter.value];
  const wanted = filter.key.startsWith('resource.') ? filter.key.slice('resource.'.length) : filter.key;
  return [...new Set(synonymValues(wanted, key, filter.value).map(valueText))];
}

/**
 * Condition on `spans` that holds for spans with the tag on any of their levels: own attributes, resource, scope, events, links. Only levels and
 * types the key was ever seen with are looked at; 0 when there are none.
 */
export function tagCondition(context: TagContext, filter: TagFilter): string {
  const special = specialTag(context.sql, context.tenant, filter);
  const branches = special === undefined ? [] : [special.condition];
  if (special?.only !== true) {
    for (const key of keysOf(filter, context.synonyms)) {
      const resourceOnly = key !== filter.key && filter.key.startsWith('resource.');
      for (const value of valuesOf(filter, key)) {
        branches.push(...(resourceOnly ? [] : spanBranches(context, key, value)));
        branches.push(...resourceBranches(context, key, value, resourceOnly));
        if (!resourceOnly) branches.push(...childBranches(context, key, value));
      }
    }
  }
  return anyOf([...new Set(branches)]);
}

function spanBranches(context: TagContext, key: string, value: string): string[] {
  const hot = hotBranch(context, key, value);
  const paths = pathBranches(context, TagScope.span, 'a_other', key, value);
  if (hot !== undefined && !context.catalog.mixed) return [hot, ...paths];
  const branches = [...mapBranches(context, TagScope.span, 'a', key, value), ...paths];
  return hot === undefined ? branches : [hot, ...branches];
}

/** Conditions on what lies within maps and nested arrays of a level. */
function pathBranches(context: TagContext, level: Level, map: string, key: string, value: string): string[] {
  return leafBranches(context, level, map, key, valueTest(context.sql, '=', { type: 'string', text: value }));
}

/** The dedicated column of the key, if it has one and the value fits. */
function hotBranch({ sql, synonyms }: TagContext, key: string, value: string): string | undefined {
  const concept = HOT_CONCEPTS.findIndex(({ current, old }) => current === key || old === key);
  const found = HOT_CONCEPTS[concept];
  if (found === undefined) return undefined;
  const spelling = key === found.current ? 0 : 1;
  const exact = synonyms ? '' : ` AND bitTest(hot, ${concept * 2 + spelling})`;
  if (concept !== HTTP_STATUS_CONCEPT) {
    // '' stands for absent in the column; searching for an empty value is left to the maps.
    return value === '' ? undefined : `${found.column} = ${sql.text(value)}${exact}`;
  }
  const status = Number(value);
  if (!Number.isInteger(status) || status <= 0 || status > 0xffff) return undefined;
  // The column's digits came as text or as number; text in another notation than programs print equals numbers only.
  const asNumber = textsAlike(value).includes(String(status)) ? '' : ` AND bitAnd(hot, ${HotBit.STATUS_AS_TEXT}) = 0`;
  return `${found.column} = ${sql.value('UInt16', status)}${asNumber}${exact}`;
}

/** Conditions on the maps of a level, for the types the key can have there. */
function mapBranches(context: TagContext, scope: number, prefix: string, key: string, value: string): string[] {
  const { sql, catalog } = context;
  const can = (type: number): boolean => catalog.canBe(key, scope, type);
  const branches: string[] = [];
  const at = (suffix: string, k = sql.text(key)): string => valueAt(`${prefix}_${suffix}`, key, k);
  const isThere = (suffix: string, k = sql.text(key)): string => hasKey(`${prefix}_${suffix}`, key, k);
  if (can(ValueType.STRING)) branches.push(stringBranch(context, prefix, key, value));
  const int = intOf(value);
  if (can(ValueType.INT) && int !== undefined) {
    const [k, number] = [sql.text(key), sql.value('Int64', int)];
    const hint = prefix === 'a' ? `${pairHint('a_int', k, number)} AND ` : '';
    branches.push(`${hint}${at('int', k)} = ${number} AND ${isThere('int', k)}`);
  }
  const double = doubleOf(value);
  if (can(ValueType.DOUBLE) && double !== undefined) {
    branches.push(`${at('dbl')} = ${sql.value('Float64', String(double))} AND ${isThere('dbl')}`);
  }
  if (can(ValueType.BOOL) && (value === 'true' || value === 'false')) {
    branches.push(`${at('bool')} = ${value === 'true' ? 1 : 0} AND ${isThere('bool')}`);
  }
  if (can(ValueType.ARRAY)) {
    branches.push(`arrayExists(x -> ${taggedEquals(sql, 'x', value)}, ${at('arr')})`);
    const elements = elementTexts(value);
    if (elements !== undefined) {
      const wanted = sql.value('Array(String)', elements);
      branches.push(`arrayMap(x -> substring(x, 2), ${at('arr')}) = ${wanted} AND ${isThere('arr')}`);
    }
  }
  if (can(ValueType.BYTES)) {
    const readings = bytesOfNotation(value);
    if (readings.length > 0) branches.push(bytesTest(sql, readings, at('other')));
  }
  if (can(ValueType.EMPTY) && value === '') branches.push(`${at('other')} = 'e'`);
  return branches;
}

function stringBranch({ sql, catalog }: TagContext, prefix: string, key: string, value: string): string {
  const k = sql.text(key);
  const texts = textsAlike(value).map((text) => sql.text(text));
  const isOne = texts.length === 1 ? `= ${texts[0]!}` : `IN (${texts.join(', ')})`;
  const map = `${prefix}_str`;
  const equal =
    prefix === 'a' && !catalog.repeatedKeys
      ? `${valueAt(map, key, k)} ${isOne}${value === '' ? ` AND ${hasKey(map, key, k)}` : ''}`
      : `arrayExists((x, y) -> x = ${k} AND y ${isOne}, mapKeys(${map}), mapValues(${map}))`;
  return prefix === 'a' ? `(${anyOf(texts.map((text) => pairHint('a_str', k, text)))}) AND ${equal}` : equal;
}

/** Lets the index over pairs drop granules, without the hashes being computed for every row. */
export function pairHint(map: 'a_str' | 'a_int', key: string, value: string): string {
  return `indexHint(has(${pairHashes(map)}, cityHash64(${key}, ${value})))`;
}

function resourceBranches(context: TagContext, key: string, value: string, resourceOnly: boolean): string[] {
  const conditions = [
    ...mapBranches(context, TagScope.resource, 'r', key, value),
    ...pathBranches(context, TagScope.resource, 'r_other', key, value),
  ];
  if (!resourceOnly) {
    conditions.push(...mapBranches(context, TagScope.scope, 's', key, value));
    conditions.push(...pathBranches(context, TagScope.scope, 's_other', key, value));
  }
  if (conditions.length === 0) return [];
  return [resourceSubquery(context, anyOf(conditions))];
}

/** Condition on `spans` for resources or scopes that satisfy `condition`. */
export function resourceSubquery({ sql, tenant }: Pick<TagContext, 'sql' | 'tenant'>, condition: string): string {
  return `res_id IN (SELECT res_id FROM resources WHERE tenant = ${sql.text(tenant)} AND (${condition}))`;
}

function childBranches(context: TagContext, key: string, value: string): string[] {
  const { sql, catalog } = context;
  const branches = [
    ...pathBranches(context, TagScope.event, 'm', key, value).map((path) => `arrayExists(m -> ${path}, ev_other)`),
    ...pathBranches(context, TagScope.link, 'm', key, value).map((path) => `arrayExists(m -> ${path}, lk_attrs)`),
  ];
  const k = (): string => sql.text(key);
  if (catalog.canBe(key, TagScope.event, ValueType.STRING)) {
    const texts = sql.value('Array(String)', textsAlike(value));
    branches.push(`arrayExists(m -> m[${k()}] IN ${texts} AND mapContains(m, ${k()}), ev_str)`);
  }
  const otherTypes = [ValueType.INT, ValueType.DOUBLE, ValueType.BOOL, ValueType.BYTES, ValueType.EMPTY];
  if (otherTypes.some((type) => catalog.canBe(key, TagScope.event, type))) {
    branches.push(`arrayExists(m -> ${taggedEquals(sql, `m[${k()}]`, value)}, ev_other)`);
  }
  if ([ValueType.STRING, ...otherTypes].some((type) => catalog.canBe(key, TagScope.link, type))) {
    branches.push(`arrayExists(m -> ${taggedEquals(sql, `m[${k()}]`, value)}, lk_attrs)`);
  }
  return branches;
}

/** Whether a tagged value is the text, or the same number. */
function taggedEquals(sql: Sql, tagged: string, value: string): string {
  const texts = [
    ...textsAlike(value).map((text) => `s${text}`),
    `i${value}`,
    `d${value}`,
    `b${value}`,
    ...(value === '' ? ['e'] : []),
  ];
  const alternatives: (string | Uint8Array)[] = [...texts];
  const int = intOf(value);
  if (int !== undefined) alternatives.push(`i${int}`);
  const double = doubleOf(value);
  if (double !== undefined) alternatives.push(`d${String(double)}`);
  for (const bytes of bytesOfNotation(value)) alternatives.push(Buffer.concat([Buffer.from('y'), bytes]));
  return `${tagged} IN ${sql.value('Array(String)', alternatives)}`;
}

/** Texts that are the value: the text itself, and when it is a number, others that print the same one. */
function textsAlike(value: string): readonly string[] {
  return spellsNumber(value) ? spellingsOf(value) : [value];
}

/** The 64-bit integer a text stands for: `500`, `-1`, `3.0`. */
function intOf(text: string): bigint | undefined {
  const match = /^([+-]?\d{1,19})(?:\.0*)?$/.exec(text.trim());
  if (match === null) return undefined;
  const value = BigInt(match[1]!.replace('+', ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function doubleOf(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Texts of the elements of a JSON array of scalars. */
function elementTexts(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return undefined;
    const elements = parsed as unknown[];
    if (elements.some((element) => typeof element === 'object')) return undefined;
    return elements.map(String);
  } catch {
    // Not JSON, so it is the text of no array.
    return undefined;
  }
}
