import { synonymsOf, ValueType } from '@clew/model';

import { HOT_CONCEPTS, HotBit, HTTP_STATUS_CONCEPT } from '../block/hot-attributes.ts';
import { TagScope } from '../schema/tables.ts';
import { allOf, anyOf, type Sql } from './sql.ts';
import { leafBranches, type Level } from './leaf-conditions.ts';
import { hasKey, valueAt } from './map-keys.ts';
import { pairHint, resourceSubquery, type TagContext } from './tag-conditions.ts';
import { fieldBranch } from './term-fields.ts';
import { type TermTests, termTests } from './term-tests.ts';
import {
  anyTest,
  arrayTest,
  bytesTest,
  taggedTest,
  type TermValue,
  type ValueOperator,
  type ValueTest,
} from './value-test.ts';

/** Where an attribute is looked for; `any` is the span, then its resource. */
export type TermScope = 'any' | 'span' | 'resource' | 'event' | 'link' | 'instrumentation';

/**
 * One condition on one attribute. Comparisons need the attribute: `!=` and `!~` do not hold where it is missing. Arrays satisfy a comparison when
 * one element does, `!=` and `!~` when every element does. A key is also the path to values within maps: `user.id` finds `{user: {id: 7}}`, and
 * maps and arrays within arrays count as their elements. Patterns are RE2 and match the whole text. On events and links a term holds when one of
 * them satisfies it; `missing`, when one of them lacks the attribute.
 */
export type TermFilter = { readonly scope: TermScope; readonly key: string } & (
  { readonly operator: 'exists' | 'missing' } | { readonly operator: ValueOperator; readonly value: TermValue }
);

/** Keys a term looks for; the key itself first. */
export function termKeys(term: TermFilter, synonyms: boolean): readonly string[] {
  return synonyms ? synonymsOf(term.key, term.scope === 'event' ? 'event' : 'span') : [term.key];
}

/** Condition on `spans` that holds for spans that satisfy the term. Two-valued; levels and types the key was never seen with are left out. */
export function termCondition(context: TagContext, term: TermFilter): string {
  const names = termKeys(term, context.synonyms);
  const tests = 'value' in term ? termTests(context.sql, term) : undefined;
  const levels = new TermLevels(context, names, tests);
  switch (term.scope) {
    case 'event':
      return levels.events(term.operator === 'missing');
    case 'link':
      return levels.links(term.operator === 'missing');
    default: {
      const condition = anyOf(branchesOf(levels, term, tests?.(names[0]!)));
      return term.operator === 'missing' ? `NOT (${condition})` : condition;
    }
  }
}

function branchesOf(levels: TermLevels, term: TermFilter, comparison: ValueTest | undefined): string[] {
  switch (term.scope) {
    case 'span':
      return levels.span();
    case 'resource':
      return levels.resource(TagScope.resource, 'r', undefined);
    case 'instrumentation':
      return levels.resource(TagScope.scope, 's', scopeColumn(term.key));
    default: {
      const field = comparison === undefined ? undefined : fieldBranch(levels.sql, term, comparison);
      const branches = [...levels.span(), ...levels.resource(TagScope.resource, 'r', undefined)];
      return field === undefined ? branches : [field, ...branches];
    }
  }
}

function scopeColumn(key: string): string | undefined {
  if (key === 'name') return 'scope_name';
  return key === 'version' ? 'scope_version' : undefined;
}

/** The conditions of one term on each level of a span. A comparison left out asks for presence. */
class TermLevels {
  readonly sql: Sql;
  readonly #context: TagContext;
  readonly #names: readonly string[];
  readonly #tests: TermTests | undefined;

  constructor(context: TagContext, names: readonly string[], tests: TermTests | undefined) {
    this.sql = context.sql;
    this.#context = context;
    this.#names = names;
    this.#tests = tests;
  }

  /** Alternatives on the span's own attributes. */
  span(): string[] {
    const rest = new Set(this.#names);
    const branches: string[] = [];
    HOT_CONCEPTS.forEach((concept, number) => {
      const spellings = [concept.current, concept.old].flatMap((key, i) =>
        key !== undefined && rest.has(key) ? [i] : [],
      );
      if (spellings.length === 0) return;
      const keys = spellings.map((i) => (i === 0 ? concept.current : concept.old!));
      for (const key of keys) rest.delete(key);
      branches.push(...this.#hot(number, spellings, keys));
    });
    for (const key of rest) branches.push(...this.#maps(TagScope.span, 'a', key));
    return [...branches, ...this.#paths(TagScope.span, 'a')];
  }

  /** On the dedicated column; rows that say it does not show everything are looked up in the maps. */
  #hot(concept: number, spellings: readonly number[], keys: readonly string[]): string[] {
    const column = this.#hotColumn(concept, spellings, this.#tests && anyTest(keys.map(this.#tests)));
    if (!this.#context.catalog.mixed) return column === undefined ? [] : [column];
    const maps = anyOf(keys.flatMap((key) => this.#maps(TagScope.span, 'a', key)));
    const isMixed = `bitAnd(hot, ${HotBit.MIXED})`;
    return [allOf([`${isMixed} != 0`, maps]), ...(column === undefined ? [] : [allOf([`${isMixed} = 0`, column])])];
  }

  #hotColumn(concept: number, spellings: readonly number[], test: ValueTest | undefined): string | undefined {
    const { column, old } = HOT_CONCEPTS[concept]!;
    const mask = spellings.reduce((bits, spelling) => bits | (1 << (concept * 2 + spelling)), 0);
    const isPresent = `bitAnd(hot, ${mask}) != 0`;
    if (test === undefined) return isPresent;
    if (concept === HTTP_STATUS_CONCEPT) return this.#hotStatus(test, isPresent);
    if (test.string === undefined) return undefined;
    // Equality with a text implies presence when every spelling will do; the empty text also stands for absent.
    const isAnySpelling = old === undefined || spellings.length === 2;
    const implied = isAnySpelling && test.texts?.every((text) => text.length > 0) === true;
    return implied ? test.string(column) : allOf([isPresent, test.string(column)]);
  }

  #hotStatus(test: ValueTest, isPresent: string): string | undefined {
    const isText = `bitAnd(hot, ${HotBit.STATUS_AS_TEXT})`;
    const branches: string[] = [];
    if (test.int !== undefined) branches.push(allOf([`${isText} = 0`, test.int('http_status')]));
    if (test.string !== undefined) branches.push(allOf([`${isText} != 0`, test.string('toString(http_status)')]));
    return branches.length === 0 ? undefined : allOf([isPresent, anyOf(branches)]);
  }

  /** Alternative on resources or scopes, and on a column of theirs that is searched under the same name. */
  resource(scope: Level, prefix: string, column: string | undefined): string[] {
    const conditions = this.#names.flatMap((key) => this.#maps(scope, prefix, key));
    conditions.push(...this.#paths(scope, prefix));
    if (column !== undefined) {
      const test = this.#tests?.(this.#names[0]!);
      const own = this.#tests === undefined ? `${column} != ''` : test?.string?.(column);
      if (own !== undefined) conditions.push(this.#tests === undefined ? own : allOf([`${column} != ''`, own]));
    }
    return conditions.length === 0 ? [] : [resourceSubquery(this.#context, anyOf(conditions))];
  }

  /** Alternatives on the six maps of a level, for the types the key was seen with there. */
  #maps(scope: Level, prefix: string, key: string): string[] {
    const { catalog } = this.#context;
    const can = (type: ValueType): boolean => catalog.canBe(key, scope, type);
    const isIndexed = prefix === 'a';
    const k = this.sql.text(key);
    const test = this.#tests?.(key);
    const branches: string[] = [];
    const add = (suffix: string, condition: ((x: string) => string) | undefined): void => {
      const map = `${prefix}_${suffix}`;
      const isThere = hasKey(map, key, k);
      if (test === undefined) branches.push(isThere);
      else if (condition !== undefined) branches.push(allOf([isThere, condition(valueAt(map, key, k))]));
    };
    if (can(ValueType.STRING)) {
      if (isIndexed && test?.texts !== undefined) branches.push(this.#indexedText(key, k, test, test.texts));
      else add('str', test?.string);
    }
    if (can(ValueType.INT)) {
      const hint = isIndexed && test?.integer !== undefined ? this.#integerHint(k, test.integer) : undefined;
      add('int', hint === undefined ? test?.int : (x) => allOf([hint, test!.int!(x)]));
    }
    if (can(ValueType.DOUBLE)) add('dbl', test?.double);
    if (can(ValueType.BOOL)) add('bool', test?.bool);
    if (can(ValueType.ARRAY)) {
      if (test === undefined) add('arr', undefined);
      else branches.push(arrayTest(this.sql, test, valueAt(`${prefix}_arr`, key, k)));
    }
    const others = [ValueType.ARRAY, ValueType.KVLIST, ValueType.BYTES, ValueType.EMPTY];
    if (test === undefined && others.some(can)) add('other', undefined);
    if (test?.bytes !== undefined && can(ValueType.BYTES)) {
      branches.push(bytesTest(this.sql, test.bytes, valueAt(`${prefix}_other`, key, k)));
    }
    return branches;
  }

  /** Alternatives within maps and nested arrays of a level whose maps of attributes begin with `prefix`. */
  #paths(level: Level, prefix: string): string[] {
    return this.#names.flatMap((key) => {
      const test = this.#tests?.(key);
      const branches = leafBranches(this.#context, level, `${prefix}_other`, key, test);
      if (test?.every !== true || !this.#context.catalog.canBe(key, level, ValueType.ARRAY)) return branches;
      // What must hold for every element must hold for those beside the nested ones too.
      const element = `startsWith(element, 'a') OR startsWith(element, 'k') OR (${taggedTest(this.sql, test, 'element')})`;
      return branches.map((branch) =>
        allOf([branch, `arrayAll(element -> ${element}, ${valueAt(`${prefix}_arr`, key, this.sql.text(key))})`]),
      );
    });
  }

  #indexedText(key: string, k: string, test: ValueTest, texts: readonly string[]): string {
    const hints = texts.map((text) => pairHint('a_str', k, this.sql.text(text)));
    // The empty text is also what a missing key reads as.
    const guard = texts.every((text) => text.length > 0) ? [] : [hasKey('a_str', key, k)];
    return allOf([anyOf(hints), ...guard, test.string!(valueAt('a_str', key, k))]);
  }

  #integerHint(k: string, integer: bigint): string {
    return pairHint('a_int', k, this.sql.value('Int64', integer));
  }

  /** Condition that some event satisfies the term, or lacks the attribute. */
  events(lacks: boolean): string {
    const conditions = this.#names.flatMap((key) => {
      const test = this.#tests?.(key);
      const k = this.sql.text(key);
      const text = test === undefined ? '1' : test.string?.(`s[${k}]`);
      const other = test === undefined ? '1' : taggedTest(this.sql, test, `o[${k}]`);
      return [
        ...(text === undefined ? [] : [allOf([`mapContains(s, ${k})`, text])]),
        ...(other === '0' ? [] : [allOf([`mapContains(o, ${k})`, other])]),
        ...leafBranches(this.#context, TagScope.event, 'o', key, test),
      ];
    });
    // The name is searched like an attribute, but nothing lacks it.
    const name = this.#names[0] === 'name' && !lacks ? this.#eventName() : [];
    const condition = anyOf([...conditions, ...name]);
    return `arrayExists((s, o, n) -> ${lacks ? `NOT (${condition})` : condition}, ev_str, ev_other, ev_name)`;
  }

  #eventName(): string[] {
    if (this.#tests === undefined) return ["n != ''"];
    const { string } = this.#tests(this.#names[0]!);
    return string === undefined ? [] : [allOf(["n != ''", string('n')])];
  }

  /** Condition that some link satisfies the term, or lacks the attribute. */
  links(lacks: boolean): string {
    const condition = anyOf(
      this.#names.flatMap((key) => {
        const test = this.#tests?.(key);
        const k = this.sql.text(key);
        const own = allOf([`mapContains(m, ${k})`, test === undefined ? '1' : taggedTest(this.sql, test, `m[${k}]`)]);
        return [own, ...leafBranches(this.#context, TagScope.link, 'm', key, test)];
      }),
    );
    return `arrayExists(m -> ${lacks ? `NOT (${condition})` : condition}, lk_attrs)`;
  }
}
