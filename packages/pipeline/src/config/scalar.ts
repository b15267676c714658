import type { ScalarValue } from './node.ts';

const integerPattern = /^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$/;
const floatPattern = /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;

const words: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
]);

/**
 * What an unquoted YAML scalar means, by the rules of the reference collector's YAML library: those of YAML 1.2, with the
 * leading-zero octals and digit separators of 1.1, and without `yes`, `no` and dates.
 */
export function resolveScalar(text: string): ScalarValue {
  const word = words.get(text);
  if (word !== undefined) return word;
  const digits = text.replaceAll('_', '');
  if (integerPattern.test(text)) return integerValue(digits) ?? text;
  return floatPattern.test(text) ? Number(digits) : text;
}

/** Whether a text that means a whole number is written as a float, as `1.0` and `1e3` are. */
export function isWholeFloat(text: string): boolean {
  return floatPattern.test(text) && !integerPattern.test(text) && Number.isInteger(Number(text.replaceAll('_', '')));
}

function integerValue(digits: string): number | bigint | undefined {
  const negative = digits.startsWith('-');
  let magnitude = digits.replace(/^[-+]/, '');
  if (/^0[0-9]/.test(magnitude)) {
    // 089 is no octal number: Go's library reads it as a float, which is the decimal number.
    magnitude = /^0[0-7]+$/.test(magnitude) ? `0o${magnitude.slice(1)}` : magnitude.replace(/^0+/, '');
  }
  if (/^0[box]?$/.test(magnitude) && magnitude !== '0') return undefined;
  const value = negative ? -BigInt(magnitude) : BigInt(magnitude);
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
