// Hot path: reads the field lines of every HTTP/1.1 head. Guarded by bench/gateway.
//
// Heads are read as text of one byte a character. Everything RFC 9110 section 5 and RFC 9112 section 5 do not allow is refused:
// whitespace around names, lines that continue the one before, line ends that are not CR LF, and control characters.

import { nameTable } from '../headers/name-table.ts';
import type { FieldsToldApart } from '../headers/name-table.ts';

const TOKEN = 1;
const VALUE = 2;

/** What each character may be part of. */
const classes = new Uint8Array(256);
for (let code = 0; code < 256; code++) {
  const character = String.fromCharCode(code);
  if (/[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(character)) classes[code]! |= TOKEN;
  // HTAB, SP, VCHAR and obs-text.
  if (code === 0x09 || (code >= 0x20 && code !== 0x7f)) classes[code]! |= VALUE;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

/** What reading comes to instead of the position after what was read. */
export const ReadEnd = Object.freeze({
  /** The text ends before what is read does; so far it is right. */
  INCOMPLETE: -1,
  /** It can never become right; {@link problemOf} says why. */
  BROKEN: -2,
} as const);

let problem = '';

/** Notes why something is {@link ReadEnd.BROKEN}. */
export function broken(why: string): typeof ReadEnd.BROKEN {
  problem = why;
  return ReadEnd.BROKEN;
}

/** Why the last thing read was {@link ReadEnd.BROKEN}. */
export function problemOf(): string {
  return problem;
}

/** Fields as they were received. */
export class ReceivedFields implements FieldsToldApart {
  passing = '';
  readonly specials: string[] = [];
  readonly #text: string;
  readonly #from: number;
  #all: string[] | undefined;

  /** Of the head whose first field begins at `from` in `text`. */
  constructor(text: string, from: number) {
    this.#text = text;
    this.#from = from;
  }

  /** name, value, name, value, … of all; made when it is asked for. */
  get all(): readonly string[] {
    if (this.#all === undefined) {
      this.#all = [];
      readFields(this.#text, this.#from, this.#all);
    }
    return this.#all;
  }
}

const noNames = nameTable([]);

/**
 * Reads fields up to and including the empty line, appending name, value, name, value, … to `fields`.
 *
 * @param specials the names that are told apart in `received`
 * @returns the position after the empty line, or a {@link ReadEnd}
 */
export function readFields(
  text: string,
  from: number,
  fields: string[] | undefined,
  received?: ReceivedFields,
  specials: Uint8Array = noNames,
): number {
  const { length } = text;
  let at = from;
  /** Where the passing lines begin that have not been added yet. */
  let passingAt = from;
  for (;;) {
    const nameAt = at;
    while (at < length && (classes[text.charCodeAt(at)]! & TOKEN) !== 0) at++;
    if (at === length) return ReadEnd.INCOMPLETE;
    const code = text.charCodeAt(at);
    if (code !== COLON) {
      if (at !== nameAt || code !== CR) return badName(code, at === nameAt);
      if (received !== undefined && passingAt < at) received.passing += text.slice(passingAt, at);
      return endOfLine(text, at);
    }
    if (at === nameAt) return broken('a field has no name');
    const nameEnd = at++;
    while (at < length && (text.charCodeAt(at) === SP || text.charCodeAt(at) === TAB)) at++;
    const valueAt = at;
    while (at < length && (classes[text.charCodeAt(at)]! & VALUE) !== 0) at++;
    const end = endOfLine(text, at);
    if (end < 0) return end;
    let valueEnd = at;
    while (valueEnd > valueAt && (text.charCodeAt(valueEnd - 1) === SP || text.charCodeAt(valueEnd - 1) === TAB)) {
      valueEnd--;
    }
    if (valueEnd < at && hidesCoding(text, nameAt, nameEnd, valueEnd, at)) {
      return broken('a tab stands behind the transfer coding');
    }
    if (fields !== undefined) fields.push(text.slice(nameAt, nameEnd), text.slice(valueAt, valueEnd));
    if (
      specials[Math.min(nameEnd - nameAt, 31) * 32 + (text.charCodeAt(nameAt) & 31)] !== 0 &&
      received !== undefined
    ) {
      if (passingAt < nameAt) received.passing += text.slice(passingAt, nameAt);
      received.specials.push(text.slice(nameAt, nameEnd), text.slice(valueAt, valueEnd));
      passingAt = end;
    }
    at = end;
  }
}

/** Whether a tab follows the value of a Transfer-Encoding: there are parsers that then see another coding, and another body. */
function hidesCoding(text: string, nameAt: number, nameEnd: number, valueEnd: number, lineEnd: number): boolean {
  if (nameEnd - nameAt !== 17 || !text.slice(valueEnd, lineEnd).includes('\t')) return false;
  return text.slice(nameAt, nameEnd).toLowerCase() === 'transfer-encoding';
}

/** The position after CR LF at `at`, or a {@link ReadEnd}. */
export function endOfLine(text: string, at: number): number {
  if (at === text.length) return ReadEnd.INCOMPLETE;
  if (text.charCodeAt(at) !== CR) return broken('a line has a control character, or ends without a carriage return');
  if (at + 1 === text.length) return ReadEnd.INCOMPLETE;
  return text.charCodeAt(at + 1) === LF ? at + 2 : broken('a carriage return stands alone');
}

function badName(code: number, first: boolean): typeof ReadEnd.BROKEN {
  if (first && (code === SP || code === TAB)) return broken('a line continues the one before');
  return broken('the name of a field has a character that none may have, or no colon follows it');
}

/** Whether text may be a field's name. */
export function isToken(text: string): boolean {
  if (text === '') return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || (classes[code]! & TOKEN) === 0) return false;
  }
  return true;
}

/** Whether text may be a field's value, one byte a character. */
export function isFieldValue(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || (classes[code]! & VALUE) === 0) return false;
  }
  return true;
}

/** Whether a comma-separated list has the member (lower case), in any case and without parameters. */
export function listHas(value: string, lowerMember: string): boolean {
  if (value.length === lowerMember.length) return value.toLowerCase() === lowerMember;
  if (value.length < lowerMember.length) return false;
  return value
    .toLowerCase()
    .split(',')
    .some((member) => member.replaceAll(outerSpace, '') === lowerMember);
}

/** What surrounds members of a list: no other whitespace is meant (RFC 9110 section 5.6.3). */
const outerSpace = /^[ \t]+|[ \t]+$/g;
