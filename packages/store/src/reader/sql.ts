import { bytesOfText } from '@clew/model';

import type { ParamValue } from '../engine/client.ts';

/**
 * A statement under construction: SQL text of our own, and parameters for everything that comes from a caller. The only way a value gets into
 * the text is {@link Sql.value}, which puts a placeholder there.
 */
export class Sql {
  readonly #params: Record<string, ParamValue> = {};
  #count = 0;

  /** The parameters to send along. */
  get params(): Readonly<Record<string, ParamValue>> {
    return this.#params;
  }

  /** A placeholder of the given ClickHouse type for `value`. */
  value(type: ParamType, value: ParamValue): string {
    const name = `p${this.#count++}`;
    this.#params[name] = value;
    return `{${name}:${type}}`;
  }

  /** A placeholder for text; lossless text stands for the bytes it was made from. */
  text(value: string | Uint8Array): string {
    const isPlain = typeof value !== 'string' || value.isWellFormed();
    return this.value('String', isPlain ? value : bytesOfText(value));
  }
}

/** Types of parameters in use. */
export type ParamType =
  | 'String'
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int64'
  | 'Float64'
  | 'FixedString(8)'
  | 'FixedString(16)'
  | 'Array(String)'
  | 'Array(UInt8)'
  | 'Array(UInt16)'
  | 'Array(UInt32)'
  | 'Array(UInt64)'
  | 'Array(FixedString(8))'
  | 'Array(FixedString(16))';

/** Conditions joined by AND; an empty list holds for every row. */
export function allOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '1' : conditions.map((condition) => `(${condition})`).join(' AND ');
}

/** Conditions joined by OR; an empty list holds for no row. */
export function anyOf(conditions: readonly string[]): string {
  if (conditions.length === 0) return '0';
  return conditions.length === 1 ? conditions[0]! : conditions.map((condition) => `(${condition})`).join(' OR ');
}
