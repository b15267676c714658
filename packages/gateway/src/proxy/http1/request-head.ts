// Hot path: reads the head of every HTTP/1.1 request. Guarded by bench/gateway.
import { METHODS } from 'node:http';
import { requestNames } from '../headers/field-actions.ts';
import { ReadEnd, ReceivedFields, broken, endOfLine, listHas, readFields } from './fields.ts';

/** Methods are told by their first letter and looked up; those of the field's servers and clients are known, others are refused. */
const methods: ReadonlySet<string> = new Set(METHODS);
const longestMethod = Math.max(...METHODS.map(({ length }) => length));

const SP = 0x20;

/** A request head as received. What it says is not checked for contradictions here. */
export class RequestHead {
  method = '';
  /** As sent. */
  target = '';
  version: '1.0' | '1.1' = '1.1';
  /** name, value, name, value, … */
  readonly fields: string[] = [];
  /** The same, with those told apart that a proxy does something about. */
  received: ReceivedFields | undefined;
  /** Of the last `Content-Length`; -1 without one, NaN when it is no number. */
  contentLength = -1;
  /** There is a `Transfer-Encoding`, whatever it says. */
  coded = false;
  /** The connection may be used for another request. */
  keepAlive = true;
  /** `Upgrade` in lower case, if `Connection` names it; '' without. */
  upgrade = '';
  /** `Expect` in lower case; '' without. */
  expect = '';
  /** Position of the request line, which empty lines may precede. Known as soon as these have been read. */
  start = 0;
  /** Position after the head. */
  end = 0;
}

/**
 * Reads a request head from text of one byte a character.
 *
 * @returns undefined when the text ends too early, or why it is no head
 */
export function readRequestHead(text: string, head: RequestHead): undefined | typeof ReadEnd.BROKEN | true {
  const start = skipEmptyLines(text);
  head.start = Math.max(start, 0);
  if (start < 0) return start === ReadEnd.BROKEN ? start : undefined;
  const line = readRequestLine(text, start, head);
  if (line < 0) return line === ReadEnd.BROKEN ? line : undefined;
  head.fields.length = 0;
  const received = new ReceivedFields(text, line);
  const end = readFields(text, line, head.fields, received, requestNames);
  if (end < 0) return end === ReadEnd.BROKEN ? end : undefined;
  head.received = received;
  head.end = end;
  interpret(head, received.specials);
  return true;
}

/** Some clients send an empty line after a body (RFC 9112 section 2.2). */
function skipEmptyLines(text: string): number {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) === 0x0d) {
    const next = endOfLine(text, at);
    if (next < 0) return next;
    at = next;
  }
  return at;
}

function readRequestLine(text: string, from: number, head: RequestHead): number {
  const { length } = text;
  const methodEnd = text.indexOf(' ', from);
  if (methodEnd < 0 || methodEnd - from > longestMethod) return unfinishedMethod(text, from);
  const method = text.slice(from, methodEnd);
  if (!methods.has(method)) return broken('the method is none that is known');
  let at = methodEnd + 1;
  while (at < length && text.charCodeAt(at) > SP) at++;
  if (at === length) return ReadEnd.INCOMPLETE;
  if (text.charCodeAt(at) !== SP) return broken('the request line has no version, or a control character');
  if (at === methodEnd + 1) return broken('the request line has no target');
  const targetEnd = at++;
  const left = length - at;
  if (left < 8) {
    const part = text.slice(at);
    return 'HTTP/1.1'.startsWith(part) || 'HTTP/1.0'.startsWith(part) ? ReadEnd.INCOMPLETE : badVersion();
  }
  if (text.startsWith('HTTP/1.1', at)) head.version = '1.1';
  else if (text.startsWith('HTTP/1.0', at)) head.version = '1.0';
  else return badVersion();
  const end = endOfLine(text, at + 8);
  if (end < 0) return end;
  head.method = method;
  head.target = text.slice(methodEnd + 1, targetEnd);
  return end;
}

function badVersion(): typeof ReadEnd.BROKEN {
  return broken('the request line does not end with HTTP/1.1 or HTTP/1.0');
}

/** There is no method yet: is what there is the beginning of one? */
function unfinishedMethod(text: string, from: number): number {
  const part = text.slice(from, from + longestMethod + 1);
  for (const method of methods) if (method.startsWith(part)) return ReadEnd.INCOMPLETE;
  return broken('it does not begin with a method that is known');
}

/** Takes what decides about the connection and the body out of the fields. */
function interpret(head: RequestHead, fields: readonly string[]): void {
  let close = false;
  let keepAlive = false;
  let upgrades = false;
  let upgrade = '';
  head.contentLength = -1;
  head.coded = false;
  head.expect = '';
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    switch (name.length) {
      case 6:
        if (name.toLowerCase() === 'expect') head.expect = fields[at + 1]!.toLowerCase();
        break;
      case 7:
        if (name.toLowerCase() === 'upgrade') upgrade = fields[at + 1]!.toLowerCase();
        break;
      case 10: {
        if ((name.charCodeAt(0) | 0x20) !== 0x63 || name.toLowerCase() !== 'connection') break;
        const value = fields[at + 1]!;
        close ||= listHas(value, 'close');
        keepAlive ||= listHas(value, 'keep-alive');
        upgrades ||= listHas(value, 'upgrade');
        break;
      }
      case 14:
        if (name.toLowerCase() === 'content-length') head.contentLength = lengthOf(fields[at + 1]!);
        break;
      case 17:
        head.coded ||= name.toLowerCase() === 'transfer-encoding';
        break;
      default:
    }
  }
  head.keepAlive = !close && (head.version === '1.1' || keepAlive);
  // HTTP/1.0 has no upgrades (RFC 9110 section 7.8).
  head.upgrade = upgrades && head.version === '1.1' ? upgrade : '';
}

/** The number a `Content-Length` says; NaN when it says none (RFC 9110 section 8.6). */
export function lengthOf(value: string): number {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
}
