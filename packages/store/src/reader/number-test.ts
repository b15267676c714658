import { StoreError } from '../errors.ts';
import type { Sql } from './sql.ts';

/** How two numbers compare. */
export type NumberOperator = '=' | '!=' | '>' | '>=' | '<' | '<=';

/**
 * A number as a search writes it. Plain digits are an integer of any size; anything else is the double it denotes. Both compare by value,
 * never rounded: 9007199254740993 is not the double 9007199254740992.
 */
export type NumberLiteral = bigint | number;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
/** Digits an integer may have; longer ones are compared as doubles, which at that size are infinite. */
const MAX_DIGITS = 400;
const decimalNotation = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Reads decimal notation: `5`, `-1`, `+1.5`, `.5`, `1e3`. Throws `invalid_argument` for anything else. */
export function numberLiteral(text: string): NumberLiteral {
  if (/^[+-]?\d+$/.test(text) && text.length <= MAX_DIGITS) return BigInt(text.replace('+', ''));
  if (decimalNotation.test(text)) return Number(text);
  throw new StoreError(
    'invalid_argument',
    `search spans: "${text.slice(0, 60)}" is not a number; write digits, optionally with a point and an exponent`,
  );
}

/** Texts that spell the number: as written, as it is printed, and with the point some clients write behind integers. */
export function spellingsOf(text: string): string[] {
  const literal = numberLiteral(text);
  const printed = String(literal);
  const isInteger = typeof literal === 'bigint' || Number.isSafeInteger(literal);
  return [...new Set([text, printed, ...(isInteger ? [`${printed}.0`] : [])])];
}

/** Whether a text is a number as programs print it. Leading zeros and exponents make a text no number: it may be a code or an id. */
export function spellsNumber(text: string): boolean {
  return text.length <= MAX_DIGITS && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text);
}

/** The 64-bit integer that equals the literal, if there is one. */
export function exactInt(literal: NumberLiteral): bigint | undefined {
  if (typeof literal === 'number' && !Number.isInteger(literal)) return undefined;
  const value = BigInt(literal);
  return value < MIN_INT64 || value > MAX_INT64 ? undefined : value;
}

/** Condition that the `Int64` (or smaller integer) expression `x` compares so with the literal. */
export function compareInt(sql: Sql, x: string, operator: NumberOperator, literal: NumberLiteral): string {
  if (typeof literal === 'number' && !Number.isFinite(literal)) return constantOrder(operator, literal < 0);
  const floor = typeof literal === 'bigint' ? literal : BigInt(Math.floor(literal));
  if (floor < MIN_INT64) return constantOrder(operator, true);
  if (floor > MAX_INT64) return constantOrder(operator, false);
  const isExact = typeof literal === 'bigint' || Number.isInteger(literal);
  const at = sql.value('Int64', floor);
  if (isExact) return `${x} ${operator} ${at}`;
  // Between floor and floor + 1.
  return between(x, operator, at);
}

/** Condition that the `Float64` expression `x` compares so with the literal. NaN differs from every number. */
export function compareDouble(sql: Sql, x: string, operator: NumberOperator, literal: NumberLiteral): string {
  const double = Number(literal);
  const at = doubleConstant(sql, double);
  if (typeof literal === 'number') return `${x} ${operator} ${at}`;
  const side = Number.isFinite(double) ? sign(BigInt(double) - literal) : sign(BigInt(double > 0 ? 1 : -1));
  if (side === 0) return `${x} ${operator} ${at}`;
  if (operator === '=') return '0';
  if (operator === '!=') return '1';
  // No double lies between the integer and the one nearest to it.
  const isBelow = operator === '<' || operator === '<=';
  if (side < 0) return `${x} ${isBelow ? '<=' : '>'} ${at}`;
  return `${x} ${isBelow ? '<' : '>='} ${at}`;
}

/** A double by its bits: text would be read with another precision depending on settings. */
function doubleConstant(sql: Sql, value: number): string {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return `reinterpret(${sql.value('UInt64', bits.getBigUint64(0))}, 'Float64')`;
}

/** Comparison with a number that lies just above `floor` and is no integer. */
function between(x: string, operator: NumberOperator, floor: string): string {
  if (operator === '=') return '0';
  if (operator === '!=') return '1';
  return operator === '<' || operator === '<=' ? `${x} <= ${floor}` : `${x} > ${floor}`;
}

/** Comparison of any 64-bit integer with a number below all of them, or above. */
function constantOrder(operator: NumberOperator, isBelowAll: boolean): string {
  if (operator === '=') return '0';
  if (operator === '!=') return '1';
  const isGreater = operator === '>' || operator === '>=';
  return isGreater === isBelowAll ? '1' : '0';
}

function sign(value: bigint): number {
  return value === 0n ? 0 : value < 0n ? -1 : 1;
}
