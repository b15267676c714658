import { compilePattern } from '@clew/base';

import { StoreError } from '../errors.ts';
import {
  compareDouble,
  compareInt,
  exactInt,
  numberLiteral,
  type NumberOperator,
  spellingsOf,
  spellsNumber,
} from './number-test.ts';
import { allOf, anyOf, type Sql } from './sql.ts';

/** How a value is compared. */
export type ValueOperator = NumberOperator | '=~' | '!~';

/** What a value is compared with. Numbers are text, so that 64-bit integers stay exact. */
export type TermValue = boolean | { readonly type: 'string' | 'number'; readonly text: string };

/**
 * A comparison as conditions on SQL expressions of each type; `undefined` where no value of the type can satisfy it. Types follow TraceQL: text
 * compares with text, numbers with numbers whatever their width, booleans with booleans. Besides, `=` and `!=` compare what is spelled alike, as
 * clients differ in the types they send: 500, 500.0 and the text "500" are equal, and so are true and the text "true".
 */
export interface ValueTest {
  readonly string: ((x: string) => string) | undefined;
  readonly int: ((x: string) => string) | undefined;
  readonly double: ((x: string) => string) | undefined;
  readonly bool: ((x: string) => string) | undefined;
  /** Texts of which one must be equal, when that is what the comparison asks of text. */
  readonly texts: readonly string[] | undefined;
  /** The integer that must be equal, when that is what the comparison asks of integers. */
  readonly integer: bigint | undefined;
  /** Bytes of which one must be equal, when that is what the comparison asks of bytes. */
  readonly bytes: readonly Uint8Array[] | undefined;
  /** Whether every element of an array must satisfy the comparison, not only one. */
  readonly every: boolean;
}

/** Prepares a comparison. Throws `invalid_argument` when operator and value do not go together, or the pattern is none. */
export function valueTest(sql: Sql, operator: ValueOperator, value: TermValue): ValueTest {
  if (operator === '=~' || operator === '!~') return patternTest(sql, operator, value);
  if (typeof value === 'boolean') return boolTest(sql, operator, value);
  if (value.type === 'number') return numberTest(sql, operator, value.text);
  const test = textTest(sql, operator, value.text);
  const bytes = operator === '=' ? bytesOfNotation(value.text) : [];
  return bytes.length === 0 ? test : { ...test, bytes };
}

/** The bytes a text stands for, in base64 as views show them, and in hexadecimal. */
export function bytesOfNotation(text: string): Uint8Array[] {
  const readings: Uint8Array[] = [];
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    readings.push(Buffer.from(text, 'base64'));
  }
  if (/^(?:[0-9a-f]{2})+$/i.test(text)) readings.push(Buffer.from(text, 'hex'));
  return readings;
}

/** The condition that a tagged value is one of these byte strings. */
export function bytesTest(sql: Sql, bytes: readonly Uint8Array[], x: string): string {
  return anyOf(bytes.map((each) => `${x} = concat('y', ${sql.text(each)})`));
}

/** A comparison that holds where one of these does; all of them compare for equality. */
export function anyTest(tests: readonly ValueTest[]): ValueTest {
  if (tests.length === 1) return tests[0]!;
  const joined = (type: 'string' | 'int' | 'double' | 'bool'): ((x: string) => string) | undefined => {
    const conditions = tests.map((test) => test[type]).filter((condition) => condition !== undefined);
    return conditions.length === 0 ? undefined : (x) => anyOf(conditions.map((condition) => condition(x)));
  };
  const texts = tests.flatMap((test) => test.texts ?? []);
  return {
    string: joined('string'),
    int: joined('int'),
    double: joined('double'),
    bool: joined('bool'),
    texts: texts.length === 0 ? undefined : texts,
    integer: undefined,
    bytes: tests.find(({ bytes }) => bytes !== undefined)?.bytes,
    every: false,
  };
}

/** The condition on a tagged value (`block/tagged-value.ts`) that is a scalar. */
export function taggedTest(sql: Sql, test: ValueTest, x: string): string {
  const body = `substring(${x}, 2)`;
  const branches: string[] = [];
  const add = (tag: string, condition: string | undefined): void => {
    if (condition !== undefined) branches.push(allOf([`startsWith(${x}, '${tag}')`, condition]));
  };
  add('s', test.string?.(body));
  add('i', test.int?.(`toInt64OrZero(${body})`));
  // Read precisely: see `searchSettings`.
  add('d', test.double?.(`toFloat64OrZero(${body})`));
  add('D', test.double?.('toFloat64(nan)'));
  add('b', test.bool?.(`(${x} = 'btrue')`));
  if (test.bytes !== undefined) branches.push(bytesTest(sql, test.bytes, x));
  return anyOf(branches);
}

/** The condition on an array of tagged values. An empty array, which is also what a missing one reads as, never satisfies it. */
export function arrayTest(sql: Sql, test: ValueTest, array: string): string {
  const element = taggedTest(sql, test, 'element');
  if (test.every) return `notEmpty(${array}) AND arrayAll(element -> ${element}, ${array})`;
  return `arrayExists(element -> ${element}, ${array})`;
}

/** Settings under which the conditions are exact. */
export const searchSettings = Object.freeze({ precise_float_parsing: 1 });

const nothing = {
  string: undefined,
  int: undefined,
  double: undefined,
  bool: undefined,
  texts: undefined,
  integer: undefined,
  bytes: undefined,
};

function textTest(sql: Sql, operator: NumberOperator, text: string): ValueTest {
  const at = once(() => sql.text(text));
  if (operator !== '=' && operator !== '!=')
    return { ...nothing, string: (x) => `${x} ${operator} ${at()}`, every: false };
  if (spellsNumber(text)) return numberTest(sql, operator, text);
  if (text === 'true' || text === 'false') return boolTest(sql, operator, text === 'true');
  if (operator === '=') return oneOfTest(sql, [text]);
  return { ...nothing, string: (x) => `${x} != ${at()}`, every: true };
}

function oneOfTest(sql: Sql, texts: readonly string[]): ValueTest {
  return { ...nothing, string: equalsOne(sql, texts), texts, every: false };
}

function equalsOne(sql: Sql, texts: readonly string[]): (x: string) => string {
  const all = once(() => texts.map((text) => sql.text(text)));
  return (x) => (texts.length === 1 ? `${x} = ${all()[0]!}` : `${x} IN (${all().join(', ')})`);
}

function numberTest(sql: Sql, operator: NumberOperator, text: string): ValueTest {
  const literal = numberLiteral(text);
  const numbers = {
    ...nothing,
    int: (x: string) => compareInt(sql, x, operator, literal),
    double: (x: string) => compareDouble(sql, x, operator, literal),
    every: operator === '!=',
  };
  if (operator !== '=' && operator !== '!=') return numbers;
  const texts = spellingsOf(text);
  const equal = equalsOne(sql, texts);
  if (operator === '=') return { ...numbers, string: equal, texts, integer: exactInt(literal) };
  return { ...numbers, string: (x) => `NOT (${equal(x)})` };
}

function boolTest(sql: Sql, operator: NumberOperator, value: boolean): ValueTest {
  if (operator !== '=' && operator !== '!=') {
    throw new StoreError('invalid_argument', `search spans: ${operator} cannot compare true and false; use = or !=`);
  }
  const bool = (x: string): string => `${x} ${operator} ${value ? 1 : 0}`;
  const text = oneOfTest(sql, [String(value)]);
  if (operator === '=') return { ...text, bool };
  return { ...nothing, bool, string: (x) => `NOT (${text.string!(x)})`, every: true };
}

function patternTest(sql: Sql, operator: '=~' | '!~', value: TermValue): ValueTest {
  if (typeof value === 'boolean' || value.type !== 'string') {
    throw new StoreError('invalid_argument', `search spans: ${operator} needs a pattern in quotes`);
  }
  const compiled = compilePattern(value.text, { whole: true });
  if (!compiled.ok) {
    throw new StoreError(
      'invalid_argument',
      `search spans: ${operator} cannot use the pattern ${JSON.stringify(value.text)}: ${compiled.error}`,
    );
  }
  const words = wordsOf(value.text);
  if (words !== undefined) {
    const test = oneOfTest(sql, words);
    return operator === '=~' ? test : { ...nothing, string: (x) => `NOT (${test.string!(x)})`, every: true };
  }
  const pattern = once(() => sql.text(`^(?s:${value.text})$`));
  const not = operator === '=~' ? '' : 'NOT ';
  return { ...nothing, string: (x) => `${not}match(${x}, ${pattern()})`, every: operator === '!~' };
}

/** The alternatives of a pattern that is nothing but literal text and `|`: equality can use indexes. */
function wordsOf(pattern: string): string[] | undefined {
  if (/[.*+?()[\]{}^$\\]/.test(pattern)) return undefined;
  return [...new Set(pattern.split('|'))];
}

/** A value that is made when it is first asked for: parameters of branches that are left out are not sent. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
