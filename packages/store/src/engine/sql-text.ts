/**
 * The only place where values become SQL text. Security rests on it: `sql-text.test.ts` and the engine's conformance
 * suite send arbitrary strings through it and read them back.
 */
import { StoreError } from '../errors.ts';
import type { ParamScalar, ParamValue } from './client.ts';

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Whether a text can be a parameter's, setting's or column's name without quotes. */
export function isPlainName(name: string): boolean {
  return namePattern.test(name);
}

/** A name as a quoted identifier: `` `name` ``. */
export function sqlIdentifier(name: string): string {
  return '`' + name.replaceAll('\\', '\\\\').replaceAll('`', '\\`') + '`';
}

/** A table name with an optional database, each part quoted. */
export function sqlTable(table: string): string {
  const parts = table.split('.');
  if (parts.length > 2 || parts.some((part) => !isPlainName(part))) {
    throw new StoreError(
      'invalid_argument',
      `Cannot use ${JSON.stringify(table)} as a table: write table or database.table with letters, digits and _`,
    );
  }
  return parts.map(sqlIdentifier).join('.');
}

// Everything a lexer could take for the end of a literal or for an escape, and all control characters.
// oxlint-disable-next-line no-control-regex -- control characters are what has to be escaped
const literalUnsafe = /[\\'\u0000-\u001f\u007f]/g;

/** A text as a string literal in single quotes, for the embedded engine's `SET`. */
export function sqlStringLiteral(text: string): string {
  return `'${text.toWellFormed().replace(literalUnsafe, hexEscape)}'`;
}

function hexEscape(character: string): string {
  return '\\x' + character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase();
}

/**
 * A parameter's value in the form ClickHouse reads from `param_<name>`: text with backslash escapes, arrays as
 * `[...]` with quoted strings. Fails with `invalid_argument` for numbers that are not finite and for nested arrays.
 */
export function formatParam(name: string, value: ParamValue): string {
  if (isArray(value)) return `[${value.map((item) => formatArrayItem(name, item)).join(',')}]`;
  if (typeof value === 'string') return escapeText(value);
  if (value instanceof Uint8Array) return escapeBytes(value);
  return formatNumber(name, value);
}

function isArray(value: ParamValue): value is readonly ParamScalar[] {
  return Array.isArray(value);
}

function formatArrayItem(name: string, item: ParamScalar): string {
  if (typeof item === 'string') return `'${escapeText(item)}'`;
  if (item instanceof Uint8Array) return `'${escapeBytes(item)}'`;
  return formatNumber(name, item);
}

function formatNumber(name: string, value: number | bigint | boolean): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalidParam(name, String(value), 'numbers must be finite');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw invalidParam(name, String(value), 'integers beyond 2^53 must be passed as bigint');
    }
    return String(value);
  }
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'boolean') return value ? '1' : '0';
  throw invalidParam(
    name,
    typeof value,
    'only strings, numbers, bigints, booleans, bytes and flat arrays of them are sent',
  );
}

function invalidParam(name: string, seen: string, rule: string): StoreError {
  return new StoreError('invalid_argument', `Cannot send ${seen} as parameter ${name}: ${rule}`);
}

function escapeText(text: string): string {
  return text.toWellFormed().replace(literalUnsafe, hexEscape);
}

function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += '\\x' + byte.toString(16).padStart(2, '0').toUpperCase();
  return text;
}

// Literals, quoted names and comments are matched first, so that braces inside them are passed over.
const placeholderPattern =
  /'(?:[^'\\]|\\[\s\S])*'|`(?:[^`\\]|\\[\s\S])*`|"(?:[^"\\]|\\[\s\S])*"|--[^\n]*|\/\*[\s\S]*?\*\/|\{\s*([A-Za-z_]\w*)\s*:/g;

/** Names of the `{name:Type}` placeholders of a statement. */
export function placeholderNames(sql: string): Set<string> {
  const names = new Set<string>();
  for (const match of sql.matchAll(placeholderPattern)) if (match[1] !== undefined) names.add(match[1]);
  return names;
}
