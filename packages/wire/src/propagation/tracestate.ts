import { skipSpace, trimEnd } from './hex.ts';

/**
 * The `tracestate` list of W3C Trace Context, as text: read where it lies, and written again only when a member really
 * changes. Hot path, guarded by `bench/propagation`.
 */

/** Which edition's rules apply: level 1 is the Recommendation of 2021, level 2 its successor, which accepts more keys. */
export type TraceContextLevel = 1 | 2;

/** Members a list may have. */
export const MAX_TRACESTATE_MEMBERS = 32;
/** Characters of a list that everybody must pass on. */
export const TRACESTATE_LENGTH = 512;
/** Members longer than this are the first to go when a list has to become shorter. */
export const LONG_TRACESTATE_MEMBER = 128;

const MAX_KEY = 256;
const MAX_VALUE = 256;
/** Level 1: characters before and after the `@` of a key with a tenant. */
const MAX_TENANT = 241;
const MAX_SYSTEM = 14;

const EQUALS = 0x3d;
const AT = 0x40;

/** What {@link countTracestateMembers} returns for a list that must be discarded. */
export const INVALID_TRACESTATE = -1;

/**
 * The members of a list (several fields joined with `,`), or {@link INVALID_TRACESTATE} when it has more than 32 or one is
 * invalid. Empty ones do not count. Keys that occur twice are accepted, since the list must not be changed when nothing
 * in it changes; readers take the first.
 */
export function countTracestateMembers(text: string, level: TraceContextLevel = 2): number {
  let members = 0;
  for (let at = 0; at <= text.length;) {
    const end = memberEnd(text, at);
    const start = skipSpace(text, at, end);
    const stop = trimEnd(text, start, end);
    if (stop > start) {
      if (++members > MAX_TRACESTATE_MEMBERS || !isMember(text, start, stop, level)) return INVALID_TRACESTATE;
    }
    at = end + 1;
  }
  return members;
}

/** The value of the first member `key`, or `undefined`. The list must be valid. */
export function tracestateMember(text: string, key: string): string | undefined {
  for (let at = 0; at < text.length;) {
    const end = memberEnd(text, at);
    const start = skipSpace(text, at, end);
    if (hasKey(text, start, end, key)) return text.slice(start + key.length + 1, trimEnd(text, start, end));
    at = end + 1;
  }
  return undefined;
}

/**
 * The list with `key=value` as its first member; the others keep their order, those of the same key go, and beyond 32 the
 * right-most go. The very same text when it begins with that member already and has no other of the key.
 * The list, key and value must be valid.
 */
export function setTracestateMember(text: string, key: string, value: string): string {
  const first = `${key}=${value}`;
  const firstEnd = memberEnd(text, 0);
  if (text.slice(skipSpace(text, 0, firstEnd), trimEnd(text, 0, firstEnd)) === first) {
    if (tracestateMember(text.slice(firstEnd + 1), key) === undefined) return text;
  }
  const rest = withoutMember(text, key, MAX_TRACESTATE_MEMBERS - 1);
  return rest === '' ? first : `${first},${rest}`;
}

/** The list without the members `key`; the very same text when it has none. The list must be valid. */
export function removeTracestateMember(text: string, key: string): string {
  return tracestateMember(text, key) === undefined ? text : withoutMember(text, key, MAX_TRACESTATE_MEMBERS);
}

/**
 * The list cut to at most `maxLength` characters by leaving out whole members: first those longer than 128, from the right,
 * then others from the right. The very same text when it is short enough.
 */
export function truncateTracestate(text: string, maxLength: number = TRACESTATE_LENGTH): string {
  if (text.length <= maxLength) return text;
  const members = membersOf(text);
  let length = members.reduce((sum, member) => sum + member.length + 1, -1);
  for (const atLeast of [LONG_TRACESTATE_MEMBER + 1, 0]) {
    for (let i = members.length - 1; i >= 0 && length > maxLength; i--) {
      if (members[i]!.length < atLeast) continue;
      length -= members[i]!.length + 1;
      members.splice(i, 1);
    }
  }
  return members.join(',');
}

/** All other members, at most `limit`; of members with one key the first. */
function withoutMember(text: string, key: string, limit: number): string {
  const kept: string[] = [];
  const keys = new Set([key]);
  for (const member of membersOf(text)) {
    const name = member.slice(0, member.indexOf('='));
    if (keys.has(name) || kept.length === limit) continue;
    keys.add(name);
    kept.push(member);
  }
  return kept.join(',');
}

/** The members without the white space around them; empty ones are left out. */
function membersOf(text: string): string[] {
  const members: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = memberEnd(text, at);
    const start = skipSpace(text, at, end);
    const stop = trimEnd(text, start, end);
    if (stop > start) members.push(text.slice(start, stop));
    at = end + 1;
  }
  return members;
}

function memberEnd(text: string, start: number): number {
  const comma = text.indexOf(',', start);
  return comma < 0 ? text.length : comma;
}

function hasKey(text: string, start: number, end: number, key: string): boolean {
  const equals = start + key.length;
  return equals < end && text.charCodeAt(equals) === EQUALS && text.startsWith(key, start);
}

function isMember(text: string, start: number, end: number, level: TraceContextLevel): boolean {
  let equals = start;
  while (equals < end && text.charCodeAt(equals) !== EQUALS) equals++;
  if (equals === end || end - equals - 1 < 1 || end - equals - 1 > MAX_VALUE) return false;
  if (!(level === 1 ? isLevel1Key(text, start, equals) : isLevel2Key(text, start, equals))) return false;
  for (let i = equals + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === EQUALS) return false;
  }
  return true;
}

function isLevel2Key(text: string, start: number, end: number): boolean {
  if (end === start || end - start > MAX_KEY || (kindAt(text, start) & FIRST) === 0) return false;
  for (let i = start + 1; i < end; i++) if (kindAt(text, i) === 0) return false;
  return true;
}

function isLevel1Key(text: string, start: number, end: number): boolean {
  const at = text.indexOf('@', start);
  if (at < 0 || at >= end) return isLevel1Part(text, start, end, MAX_KEY, LETTER);
  return isLevel1Part(text, start, at, MAX_TENANT, FIRST) && isLevel1Part(text, at + 1, end, MAX_SYSTEM, LETTER);
}

function isLevel1Part(text: string, start: number, end: number, maxLength: number, first: number): boolean {
  if (end === start || end - start > maxLength || (kindAt(text, start) & first) === 0) return false;
  for (let i = start + 1; i < end; i++) {
    if (kindAt(text, i) === 0 || text.charCodeAt(i) === AT) return false;
  }
  return true;
}

/** Kinds of characters in keys: letters, all that may come first, all that may follow. */
const LETTER = 1;
const FIRST = 2;
const OTHER = 4;

function kindAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? keyChars[code]! : 0;
}

const keyChars: Uint8Array = new Uint8Array(128);
for (const char of 'abcdefghijklmnopqrstuvwxyz') keyChars[char.charCodeAt(0)] = LETTER | FIRST | OTHER;
for (const char of '0123456789') keyChars[char.charCodeAt(0)] = FIRST | OTHER;
for (const char of '_-*/@') keyChars[char.charCodeAt(0)] = OTHER;
