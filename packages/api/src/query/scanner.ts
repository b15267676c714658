import type { AttributeScope, AttributeTerm, TermOperator, TermValue } from './filter.ts';

/** A position in a text being read; `at` moves forward only. */
export interface Scanner {
  readonly text: string;
  at: number;
}

/** Thrown while scanning and turned into a problem by the parsers; it never leaves this folder. */
export class ScanFailure {
  readonly message: string;
  readonly start: number;
  readonly end: number;

  constructor(message: string, start: number, end: number) {
    this.message = message;
    this.start = start;
    this.end = end;
  }
}

const operators: readonly TermOperator[] = ['!=', '>=', '<=', '=~', '!~', '=', '>', '<'];
const scopes: readonly AttributeScope[] = ['span', 'resource', 'event', 'link', 'instrumentation'];
const bareKey = /[\w.\-/@#:$%*?;,]+/y;
const escapes: Readonly<Record<string, string>> = Object.freeze({ n: '\n', t: '\t', r: '\r' });

/** Moves over white space. */
export function skipSpace(scanner: Scanner): void {
  while (/\s/.test(scanner.text[scanner.at] ?? '')) scanner.at++;
}

/** Takes `word` when it is next. */
export function take(scanner: Scanner, word: string): boolean {
  if (!scanner.text.startsWith(word, scanner.at)) return false;
  scanner.at += word.length;
  return true;
}

/** Reads an operator, longest first. */
export function readOperator(scanner: Scanner): TermOperator {
  skipSpace(scanner);
  for (const operator of operators) if (take(scanner, operator)) return operator;
  throw new ScanFailure('expected one of = != > >= < <= =~ !~', scanner.at, scanner.at + 1);
}

/** Reads a quoted string if one is next; undefined otherwise. */
export function readQuoted(scanner: Scanner): string | undefined {
  const start = scanner.at;
  const mark = scanner.text[start];
  if (mark !== '"' && mark !== '`') return undefined;
  let value = '';
  for (let i = start + 1; i < scanner.text.length; i++) {
    const char = scanner.text.charAt(i);
    if (char === mark) {
      scanner.at = i + 1;
      return value;
    }
    if (char === '\\' && mark === '"') {
      i++;
      const next = scanner.text.charAt(i);
      value += escapes[next] ?? next;
    } else value += char;
  }
  throw new ScanFailure(`the string that starts with ${mark} is not closed`, start, scanner.text.length);
}

/** Reads letters, digits and the other characters a key may hold unquoted; empty when none are next. */
export function readBare(scanner: Scanner): string {
  bareKey.lastIndex = scanner.at;
  const word = bareKey.exec(scanner.text)?.[0] ?? '';
  scanner.at += word.length;
  return word;
}

/** Splits `resource.host.name` or `.key` into scope and key; a word without either is a key of any scope. */
export function splitScope(word: string): { readonly scope: AttributeScope; readonly key: string } {
  if (word.startsWith('.')) return { scope: 'any', key: word.slice(1) };
  for (const scope of scopes) {
    if (word.startsWith(`${scope}.`)) return { scope, key: word.slice(scope.length + 1) };
  }
  return { scope: 'any', key: word };
}

/** The value an unquoted word stands for. */
export function bareValue(word: string): TermValue {
  if (word === 'true' || word === 'false') return { type: 'boolean', value: word === 'true' };
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return { type: 'number', text: word };
  return { type: 'string', text: word };
}

/** Builds a term and checks that operator and value go together. */
export function makeTerm(
  scope: AttributeScope,
  key: string,
  operator: TermOperator,
  value: TermValue,
  range: { readonly start: number; readonly end: number },
): AttributeTerm {
  if (key === '') throw new ScanFailure('the attribute key is empty', range.start, range.end);
  const isPattern = operator === '=~' || operator === '!~';
  if (isPattern && value.type !== 'string') {
    const text = value.type === 'boolean' ? String(value.value) : value.text;
    return { scope, key, operator, value: { type: 'string', text } };
  }
  const isOrder = operator === '>' || operator === '>=' || operator === '<' || operator === '<=';
  if (isOrder && value.type === 'boolean') {
    throw new ScanFailure(`${operator} cannot compare true and false; use = or !=`, range.start, range.end);
  }
  return { scope, key, operator, value };
}
