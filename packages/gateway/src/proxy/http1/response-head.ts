// Hot path: reads the head of every HTTP/1.1 response. Guarded by bench/gateway.
import { responseNames } from '../headers/field-actions.ts';
import { ReadEnd, ReceivedFields, broken, endOfLine, isFieldValue, listHas, readFields } from './fields.ts';
import { lengthOf } from './request-head.ts';

/** Fields of nothing. */
export const noFields: ReceivedFields = new ReceivedFields('', 0);

/** A response head as received, with what it says about the body (RFC 9112 section 6.3). */
export class ResponseHeadRead {
  status = 0;
  received: ReceivedFields = noFields;
  /** As declared; -1 when it is not. */
  contentLength = -1;
  chunked = false;
  /** The sender lets the connection be used again. */
  keepAlive = true;
  /** Seconds the sender keeps an idle connection, as `Keep-Alive` says; -1 when it does not. */
  keepAliveSeconds = -1;
  /** Position after the head. */
  end = 0;
}

/**
 * Reads a response head from text of one byte a character. What contradicts itself is no head.
 *
 * @returns undefined when the text ends too early, or why it is no head
 */
export function readResponseHead(text: string, head: ResponseHeadRead): undefined | typeof ReadEnd.BROKEN | true {
  const line = readStatusLine(text, head);
  if (line < 0) return line === ReadEnd.BROKEN ? line : undefined;
  const received = new ReceivedFields(text, line);
  const end = readFields(text, line, undefined, received, responseNames);
  if (end < 0) return end === ReadEnd.BROKEN ? end : undefined;
  head.received = received;
  head.end = end;
  return interpret(head, received.specials);
}

function readStatusLine(text: string, head: ResponseHeadRead): number {
  if (text.length < 13) {
    const prefix = text.slice(0, 7);
    return 'HTTP/1.'.startsWith(prefix) ? ReadEnd.INCOMPLETE : broken('it does not begin with HTTP/1');
  }
  const minor = text.charCodeAt(7) - 0x30;
  if (!text.startsWith('HTTP/1.') || (minor !== 0 && minor !== 1) || text.charCodeAt(8) !== 0x20) {
    return broken('the status line does not begin with HTTP/1.1 or HTTP/1.0');
  }
  const hundreds = text.charCodeAt(9) - 0x30;
  const tens = text.charCodeAt(10) - 0x30;
  const ones = text.charCodeAt(11) - 0x30;
  if (!(hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) {
    return broken('the status is no number of three digits');
  }
  head.status = hundreds * 100 + tens * 10 + ones;
  head.keepAlive = minor === 1;
  // Some servers leave the space out with the phrase.
  if (text.charCodeAt(12) === 0x0d) return endOfLine(text, 12);
  if (text.charCodeAt(12) !== 0x20) return broken('the status is no number of three digits');
  const end = text.indexOf('\r', 13);
  if (!isFieldValue(text.slice(13, end < 0 ? text.length : end))) return broken('the phrase has a control character');
  return end < 0 ? ReadEnd.INCOMPLETE : endOfLine(text, end);
}

function interpret(head: ResponseHeadRead, fields: readonly string[]): true | typeof ReadEnd.BROKEN {
  let close = false;
  let keepAlive = false;
  head.contentLength = -1;
  head.chunked = false;
  head.keepAliveSeconds = -1;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    switch (name.length) {
      case 10: {
        const lower = name.toLowerCase();
        if (lower === 'connection') {
          close ||= listHas(fields[at + 1]!, 'close');
          keepAlive ||= listHas(fields[at + 1]!, 'keep-alive');
        } else if (lower === 'keep-alive') head.keepAliveSeconds = keepAliveHint(fields[at + 1]!);
        break;
      }
      case 14: {
        if (name.toLowerCase() !== 'content-length') break;
        const length = lengthOf(fields[at + 1]!);
        // The same length twice is refused as well: who sends it twice may send it differently to others.
        if (Number.isNaN(length) || head.contentLength >= 0)
          return broken('the length is no number, or is given twice');
        head.contentLength = length;
        break;
      }
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break;
        if (head.chunked || fields[at + 1]!.toLowerCase() !== 'chunked') {
          return broken('the transfer coding is not chunked alone');
        }
        head.chunked = true;
        break;
      default:
    }
  }
  if (head.chunked && head.contentLength >= 0) return broken('there are a length and a transfer coding');
  // In HTTP/1.0 there is no chunked: where such a message ends, others may see differently (RFC 9112 section 6.1).
  head.keepAlive = !close && (head.keepAlive || (keepAlive && !head.chunked));
  return true;
}

function keepAliveHint(value: string): number {
  const seconds = /(?:^|[\s,;])timeout=([0-9]{1,6})/i.exec(value)?.[1];
  return seconds === undefined ? -1 : Number(seconds);
}
