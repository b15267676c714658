import { ok } from '@clew/base';
import { problem } from '../errors.ts';
import type { Parsed } from '../errors.ts';
import { quote } from './filter.ts';
import type { AttributeTerm, SearchFilter, TermValue } from './filter.ts';
import {
  bareValue,
  makeTerm,
  readBare,
  readOperator,
  readQuoted,
  ScanFailure,
  skipSpace,
  splitScope,
} from './scanner.ts';
import type { Scanner } from './scanner.ts';

/**
 * Reads the tags box: terms such as `http.method=GET`, `resource.host.name="a b"`, `retries>2`, separated
 * by white space. A key alone asks that it exists, `!key` that it does not. Bare numbers and true/false are
 * typed; quotes make anything a string.
 */
export function parseTags(text: string, parameter = 'tags'): Parsed<readonly AttributeTerm[]> {
  const scanner: Scanner = { text, at: 0 };
  const terms: AttributeTerm[] = [];
  try {
    for (skipSpace(scanner); scanner.at < text.length; skipSpace(scanner)) terms.push(readTag(scanner));
    return ok(terms);
  } catch (caught) {
    if (!(caught instanceof ScanFailure)) throw caught;
    const range = { start: caught.start, end: Math.min(caught.end, text.length) };
    return problem(parameter, `The tags cannot be read at character ${caught.start + 1}: ${caught.message}.`, {
      range,
    });
  }
}

function readTag(scanner: Scanner): AttributeTerm {
  const start = scanner.at;
  const negated = scanner.text[start] === '!';
  if (negated) scanner.at++;
  const { scope, key } = readKey(scanner);
  if (key === '') throw new ScanFailure('expected a key such as http.method', start, scanner.at + 1);
  const next = scanner.text[scanner.at] ?? ' ';
  if (/\s/.test(next)) return { scope, key, operator: negated ? 'missing' : 'exists' };
  if (negated) throw new ScanFailure('!key asks that a key is missing and takes no value', start, scanner.at + 1);
  const operator = readOperator(scanner);
  const value = readValue(scanner);
  if (value === undefined) {
    throw new ScanFailure(`expected a value after ${operator}`, scanner.at, scanner.at + 1);
  }
  return makeTerm(scope, key, operator, value, { start, end: scanner.at });
}

function readKey(scanner: Scanner): ReturnType<typeof splitScope> {
  const whole = readQuoted(scanner);
  if (whole !== undefined) return { scope: 'any', key: whole };
  const word = readBare(scanner);
  const quoted = word.endsWith('.') ? readQuoted(scanner) : undefined;
  return splitScope(word + (quoted ?? ''));
}

function readValue(scanner: Scanner): TermValue | undefined {
  const quoted = readQuoted(scanner);
  if (quoted !== undefined) return { type: 'string', text: quoted };
  const end = scanner.text.slice(scanner.at).search(/\s|$/);
  const word = scanner.text.slice(scanner.at, scanner.at + end);
  scanner.at += end;
  return word === '' ? undefined : bareValue(word);
}

/** Writes terms as the tags box shows them; reading them back gives equal terms. */
export function formatTags(terms: readonly AttributeTerm[]): string {
  return terms.map(formatTag).join(' ');
}

/** Writes one term as the tags box shows it. */
export function formatTag(term: AttributeTerm): string {
  const plain = /^[\w\-/@#:$%*?;,][\w.\-/@#:$%*?;,]*$/.test(term.key);
  const bareIsAmbiguous = splitScope(term.key).scope !== 'any';
  const key = plain ? term.key : quote(term.key);
  const name =
    term.scope === 'any'
      ? plain && bareIsAmbiguous
        ? `.${key}`
        : key
      : `${term.scope}.${plain ? term.key : quote(term.key)}`;
  if (term.operator === 'exists') return name;
  if (term.operator === 'missing') return `!${name}`;
  return `${name}${term.operator}${formatTagValue(term.value)}`;
}

function formatTagValue(value: TermValue | undefined): string {
  if (value === undefined) return '""';
  if (value.type !== 'string') return value.type === 'number' ? value.text : String(value.value);
  const isBare = /^[^\s"`~=]+$/.test(value.text) && bareValue(value.text).type === 'string';
  return isBare ? value.text : quote(value.text);
}

/**
 * Turns the tag `error=true`, which Jaeger's own page taught people to type, into the status it stands for.
 * Spans sent as OTLP carry a status and no such attribute.
 */
export function absorbErrorTag(filter: SearchFilter): SearchFilter {
  const isErrorTag = (term: AttributeTerm): boolean =>
    term.key === 'error' && term.scope === 'any' && term.operator === '=' && isTrue(term.value);
  if (filter.status !== undefined || !filter.terms.some(isErrorTag)) return filter;
  return { ...filter, status: 'error', terms: filter.terms.filter((term) => !isErrorTag(term)) };
}

function isTrue(value: TermValue | undefined): boolean {
  return value?.type === 'boolean' ? value.value : value?.type === 'string' && value.text === 'true';
}
