/** A place in a text, from 1. */
export interface TextPosition {
  readonly line: number;
  /** In UTF-16 units. */
  readonly column: number;
}

/** Leads from the root of a JSON document to a value: member names and list indexes. */
export type JsonPath = readonly (string | number)[];

/**
 * Where the value at `path` begins in a JSON text. The text must be valid JSON and have such a value, as after `JSON.parse`; of
 * members with one name the last counts, as there. Undefined when there is none.
 */
export function locateJson(text: string, path: JsonPath): TextPosition | undefined {
  let at = skipSpace(text, 0);
  for (const step of path) {
    const next = typeof step === 'number' ? findItem(text, at, step) : findMember(text, at, step);
    if (next === undefined) return undefined;
    at = next;
  }
  return positionOf(text, at);
}

/** Line and column of an offset. */
export function positionOf(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: offset - lastBreak };
}

function findItem(text: string, start: number, index: number): number | undefined {
  if (text[start] !== '[') return undefined;
  let at = skipSpace(text, start + 1);
  for (let item = 0; text[at] !== ']' && at < text.length; item++) {
    if (item === index) return at;
    at = skipComma(text, skipValue(text, at));
  }
  return undefined;
}

function findMember(text: string, start: number, name: string): number | undefined {
  if (text[start] !== '{') return undefined;
  let found: number | undefined;
  let at = skipSpace(text, start + 1);
  while (text[at] === '"') {
    const nameEnd = skipString(text, at);
    const value = skipSpace(text, skipSpace(text, nameEnd) + 1);
    if (JSON.parse(text.slice(at, nameEnd)) === name) found = value;
    at = skipComma(text, skipValue(text, value));
  }
  return found;
}

/** The end of the value at `at`; without recursion, for documents may be nested deeper than the stack. */
function skipValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const sign = text[at]!;
    if (sign === '"') at = skipString(text, at);
    else if (sign === '{' || sign === '[') {
      depth++;
      at++;
    } else if (sign === '}' || sign === ']') {
      if (depth === 0) return at;
      depth--;
      at++;
    } else if (depth === 0 && (sign === ',' || isSpace(sign))) return at;
    else at++;
    if (depth === 0 && (sign === '"' || sign === '}' || sign === ']')) return at;
  }
  return at;
}

function skipString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function skipComma(text: string, start: number): number {
  const at = skipSpace(text, start);
  return text[at] === ',' ? skipSpace(text, at + 1) : at;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && isSpace(text[at]!)) at++;
  return at;
}

function isSpace(sign: string): boolean {
  return sign === ' ' || sign === '\n' || sign === '\r' || sign === '\t';
}
