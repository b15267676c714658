import { RE2JS } from 're2js';
import { errorMessage } from '../errors.ts';
import { fail, ok } from '../result.ts';
import type { Result } from '../result.ts';
import { analyzeLiteral } from './analyze.ts';
import type { LiteralPattern } from './analyze.ts';

/**
 * A compiled RE2 pattern: linear time whatever the pattern and the text, no look-around and no back-references. Plain text,
 * prefixes and lists of words are recognised and compared directly, on text and on UTF-8 bytes alike.
 */
export interface Pattern {
  /** The pattern as written. */
  readonly source: string;
  /** `literal` when no regular expression engine is involved in {@link test}. */
  readonly strategy: 'literal' | 're2';
  /** Whether `text` contains a match. */
  test(text: string): boolean;
  /** Whether the UTF-8 text in `bytes[start, end)` contains a match; invalid sequences count as U+FFFD. */
  testBytes(bytes: Uint8Array, start: number, end: number): boolean;
  /** Named groups of the first match, or undefined without a match. A group that took no part is the empty text. */
  namedGroups(text: string): Readonly<Record<string, string>> | undefined;
  /** Names of the pattern's named groups, in order of appearance. */
  readonly groupNames: readonly string[];
  /** Number of capturing groups, named or not. */
  readonly groupCount: number;
  /** `text` with every match replaced; `$1`, `${name}` refer to groups. */
  replaceAll(text: string, replacement: string): string;
}

/** How a pattern is applied. */
export interface PatternOptions {
  /** True when the whole text must match, as with `^(?:pattern)$`. Default false: a match anywhere will do. */
  readonly whole?: boolean;
}

/**
 * Compiles an RE2 pattern.
 *
 * @returns the pattern, or the parser's message, which quotes the offending part.
 */
export function compilePattern(source: string, options: PatternOptions = {}): Result<Pattern, string> {
  const applied = options.whole === true ? `^(?:${source})$` : source;
  try {
    // Parsed as written first: wrapping must not make an unbalanced pattern balanced, nor show up in messages.
    const own = RE2JS.compile(source);
    const engine = options.whole === true ? RE2JS.compile(applied) : own;
    return ok(new CompiledPattern(source, engine, analyzeLiteral(applied)));
  } catch (error) {
    return fail(errorMessage(error));
  }
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

class CompiledPattern implements Pattern {
  readonly source: string;
  readonly strategy: 'literal' | 're2';
  readonly #engine: RE2JS;
  readonly #literal: LiteralPattern | undefined;
  readonly #literalBytes: readonly Uint8Array[];

  constructor(source: string, engine: RE2JS, literal: LiteralPattern | undefined) {
    this.source = source;
    this.strategy = literal === undefined ? 're2' : 'literal';
    this.#engine = engine;
    this.#literal = literal;
    this.#literalBytes = literal === undefined ? [] : literal.literals.map((text) => encoder.encode(text));
  }

  get groupNames(): readonly string[] {
    const positions = Object.entries(this.#engine.namedGroups());
    return positions.toSorted((a, b) => a[1] - b[1]).map(([name]) => name);
  }

  get groupCount(): number {
    return this.#engine.groupCount();
  }

  test(text: string): boolean {
    const literal = this.#literal;
    if (literal === undefined) return this.#engine.test(text);
    for (const candidate of literal.literals) {
      if (matchesText(text, candidate, literal)) return true;
    }
    return false;
  }

  testBytes(bytes: Uint8Array, start: number, end: number): boolean {
    const literal = this.#literal;
    if (literal === undefined) return this.#engine.test(decoder.decode(bytes.subarray(start, end)));
    for (const candidate of this.#literalBytes) {
      if (matchesBytes(bytes, start, end, candidate, literal)) return true;
    }
    return false;
  }

  namedGroups(text: string): Readonly<Record<string, string>> | undefined {
    const matcher = this.#engine.matcher(text);
    if (!matcher.find()) return undefined;
    return Object.fromEntries(this.groupNames.map((name) => [name, matcher.group(name) ?? '']));
  }

  replaceAll(text: string, replacement: string): string {
    return this.#engine.matcher(text).replaceAll(replacement);
  }
}

function matchesText(text: string, literal: string, { anchorStart, anchorEnd }: LiteralPattern): boolean {
  if (anchorStart && anchorEnd) return text === literal;
  if (anchorStart) return text.startsWith(literal);
  return anchorEnd ? text.endsWith(literal) : text.includes(literal);
}

function matchesBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  literal: Uint8Array,
  { anchorStart, anchorEnd }: LiteralPattern,
): boolean {
  const last = end - literal.length;
  if (last < start || (anchorStart && anchorEnd && last !== start)) return false;
  if (anchorStart) return equalsAt(bytes, start, literal);
  if (anchorEnd) return equalsAt(bytes, last, literal);
  if (literal.length === 0) return true;
  const first = literal[0]!;
  for (let at = start; at <= last; at++) {
    if (bytes[at] === first && equalsAt(bytes, at, literal)) return true;
  }
  return false;
}

function equalsAt(bytes: Uint8Array, offset: number, literal: Uint8Array): boolean {
  for (let i = 0; i < literal.length; i++) if (bytes[offset + i] !== literal[i]) return false;
  return true;
}
