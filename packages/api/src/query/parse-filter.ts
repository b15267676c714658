import { ok } from '@clew/base';
import { problem } from '../errors.ts';
import type { Parsed } from '../errors.ts';
import { parseDurationNano } from './duration.ts';
import { emptyFilter, spanKindWords } from './filter.ts';
import type { AttributeTerm, SearchFilter, SpanKindWord, TermOperator, TermValue } from './filter.ts';
import {
  bareValue,
  makeTerm,
  readBare,
  readOperator,
  readQuoted,
  ScanFailure,
  skipSpace,
  splitScope,
  take,
} from './scanner.ts';
import type { Scanner } from './scanner.ts';

type Draft = { -readonly [K in keyof SearchFilter]: SearchFilter[K] } & { terms: AttributeTerm[] };

/**
 * Reads the part of TraceQL that a search form can express: one `{ }` whose conditions are joined by `&&`.
 * The empty text and `{ }` are the empty filter. Anything else is a problem with its position, so that a
 * query typed by hand is never half understood.
 */
export function parseFilter(text: string, parameter = 'q'): Parsed<SearchFilter> {
  const scanner: Scanner = { text, at: 0 };
  const draft: Draft = { ...emptyFilter, terms: [] };
  try {
    skipSpace(scanner);
    if (scanner.at === text.length) return ok(draft);
    expect(scanner, '{');
    skipSpace(scanner);
    if (!take(scanner, '}')) {
      do readCondition(scanner, draft);
      while (takeAnd(scanner));
      expect(scanner, '}');
    }
    skipSpace(scanner);
    if (scanner.at < text.length) {
      throw new ScanFailure('only one { … } is understood here', scanner.at, text.length);
    }
    return ok(draft);
  } catch (caught) {
    if (!(caught instanceof ScanFailure)) throw caught;
    const range = { start: caught.start, end: Math.min(Math.max(caught.end, caught.start), text.length) };
    return problem(parameter, `The query cannot be read at character ${caught.start + 1}: ${caught.message}.`, {
      range,
    });
  }
}

function takeAnd(scanner: Scanner): boolean {
  skipSpace(scanner);
  if (scanner.text.startsWith('||', scanner.at)) {
    throw new ScanFailure('|| is not understood here; join conditions with &&', scanner.at, scanner.at + 2);
  }
  return take(scanner, '&&');
}

function expect(scanner: Scanner, word: string): void {
  skipSpace(scanner);
  if (!take(scanner, word)) throw new ScanFailure(`expected ${word}`, scanner.at, scanner.at + 1);
}

function readCondition(scanner: Scanner, draft: Draft): void {
  skipSpace(scanner);
  const start = scanner.at;
  const word = readBare(scanner);
  if (word === '') throw new ScanFailure('expected a condition such as .key = "value"', start, start + 1);
  const intrinsic = intrinsics[word];
  if (intrinsic !== undefined) {
    const operator = readOperator(scanner);
    skipSpace(scanner);
    intrinsic(draft, operator, scanner, start);
    return;
  }
  const { scope, key } = word.endsWith('.') ? withQuotedKey(scanner, word) : splitScope(word);
  if (!word.includes('.')) {
    throw new ScanFailure(
      `${word} is not a span field known here; an attribute is written .${word}`,
      start,
      scanner.at,
    );
  }
  const operator = readOperator(scanner);
  skipSpace(scanner);
  addAttribute(draft, attributeTerm(scope, key, operator, scanner, start));
}

function withQuotedKey(scanner: Scanner, word: string): ReturnType<typeof splitScope> {
  const quoted = readQuoted(scanner);
  return splitScope(word + (quoted ?? ''));
}

function attributeTerm(
  scope: AttributeTerm['scope'],
  key: string,
  operator: TermOperator,
  scanner: Scanner,
  start: number,
): AttributeTerm {
  const quoted = readQuoted(scanner);
  if (quoted !== undefined) {
    return makeTerm(scope, key, operator, { type: 'string', text: quoted }, { start, end: scanner.at });
  }
  const word = readBare(scanner);
  if (word === 'nil' && operator === '=') return { scope, key, operator: 'missing' };
  if (word === 'nil' && operator === '!=') return { scope, key, operator: 'exists' };
  const value: TermValue = bareValue(word);
  if (value.type === 'string') {
    throw new ScanFailure(
      'expected "text" in quotes, a number, true, false or nil',
      scanner.at - word.length,
      scanner.at,
    );
  }
  return makeTerm(scope, key, operator, value, { start, end: scanner.at });
}

/** Puts the service into its own field when it is a plain comparison, else keeps it as a term. */
function addAttribute(draft: Draft, term: AttributeTerm): void {
  const isService = term.scope === 'resource' && term.key === 'service.name';
  if (isService && term.operator === '=' && term.value?.type === 'string' && draft.service === undefined) {
    draft.service = term.value.text;
  } else draft.terms.push(term);
}

type Intrinsic = (draft: Draft, operator: TermOperator, scanner: Scanner, start: number) => void;

const intrinsics: Readonly<Record<string, Intrinsic>> = Object.freeze({
  name(draft, operator, scanner, start) {
    const text = readQuoted(scanner);
    if (text === undefined || operator !== '=' || draft.operation !== undefined) {
      throw new ScanFailure('name is understood once, as name = "text"', start, scanner.at);
    }
    draft.operation = text;
  },
  status(draft, operator, scanner, start) {
    const word = readBare(scanner);
    const known = word === 'error' || word === 'ok' || word === 'unset';
    if (!known || operator !== '=' || draft.status !== undefined) {
      throw new ScanFailure('status is understood once, as status = error, ok or unset', start, scanner.at);
    }
    draft.status = word;
  },
  kind(draft, operator, scanner, start) {
    const word = readBare(scanner) as SpanKindWord;
    if (!spanKindWords.includes(word) || operator !== '=' || draft.kind !== undefined) {
      throw new ScanFailure(`kind is understood once, as kind = one of ${spanKindWords.join(', ')}`, start, scanner.at);
    }
    draft.kind = word;
  },
  duration(draft, operator, scanner, start) {
    const nano = parseDurationNano(readBare(scanner));
    if (nano === undefined) throw new ScanFailure('expected a duration such as 250ms or 1.5s', start, scanner.at);
    boundDuration(draft, operator, nano, { start, end: scanner.at });
  },
  nestedSetParent(draft, operator, scanner, start) {
    if (operator !== '<' || readBare(scanner) !== '0') {
      throw new ScanFailure('nestedSetParent is understood as nestedSetParent < 0', start, scanner.at);
    }
    draft.rootOnly = true;
  },
});

/** Durations are whole nanoseconds, so an exclusive bound is the next inclusive one. */
function boundDuration(
  draft: Draft,
  operator: TermOperator,
  nano: bigint,
  range: { readonly start: number; readonly end: number },
): void {
  if (operator === '<' && nano === 0n) throw new ScanFailure('no duration is below zero', range.start, range.end);
  const least = operator === '>' ? nano + 1n : operator === '>=' || operator === '=' ? nano : undefined;
  const most = operator === '<' ? nano - 1n : operator === '<=' || operator === '=' ? nano : undefined;
  if (least === undefined && most === undefined) {
    throw new ScanFailure(`duration cannot be compared with ${operator}`, range.start, range.end);
  }
  if (least !== undefined && (draft.minDurationNano === undefined || draft.minDurationNano < least)) {
    draft.minDurationNano = least;
  }
  if (most !== undefined && (draft.maxDurationNano === undefined || draft.maxDurationNano > most)) {
    draft.maxDurationNano = most;
  }
}
