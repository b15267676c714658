// Hot path: makes the head of every response that comes from upstream. Guarded by bench/gateway.
import { FieldAction, connectionOptions, responseFields } from './field-actions.ts';
import { removeField } from './fields.ts';
import type { FieldsToldApart } from './name-table.ts';

/** A response head on its way to the client. */
export interface ResponseHead {
  status: number;
  /** Fields that nobody needs to look at, as lines with their ends; they come first. */
  readonly lines: string;
  /** name, value, name, value, … */
  headers: string[];
  /** As declared; -1 when it is not, or does not hold any more. */
  contentLength: number;
  /** Whether the sender gave a Date. */
  dated: boolean;
  /** Whether its fields are known to be such as can be written; those that were received are. */
  checked: boolean;
}

/** The fields of an upstream's response as they go on to the client, who is told the correlation id. */
export function forwardResponseHead(status: number, received: readonly string[], correlationId: string): ResponseHead {
  const headers: string[] = [];
  let named: readonly string[] | undefined;
  let contentLength = -1;
  let dated = false;
  for (let at = 0; at + 1 < received.length; at += 2) {
    const name = received[at]!;
    const value = received[at + 1]!;
    switch (responseFields.action(name)) {
      case FieldAction.PASS:
        headers.push(name, value);
        break;
      case FieldAction.CONNECTION: {
        const options = connectionOptions(value);
        if (options !== undefined) named = named === undefined ? options : [...named, ...options];
        break;
      }
      case FieldAction.CONTENT_LENGTH:
        // Where there can be no body, a length would be taken for one (RFC 9110 section 8.6).
        if (status === 204 || status < 200) break;
        contentLength = Number(value);
        headers.push(name, value);
        break;
      case FieldAction.DATE:
        dated = true;
        headers.push(name, value);
        break;
      default:
    }
  }
  if (named !== undefined) {
    for (const name of named) if (name !== 'content-length' && name !== 'content-type') removeField(headers, name);
  }
  headers.push('X-Correlation-Id', correlationId);
  return { status, lines: '', headers, contentLength, dated, checked: true };
}

/** The same with nearly all fields as the lines they came in; undefined when they have to be looked at one by one. */
export function forwardResponseLines(
  status: number,
  { passing, specials }: FieldsToldApart,
  correlationId: string,
): ResponseHead | undefined {
  let lines = passing;
  let contentLength = -1;
  let dated = false;
  for (let at = 0; at < specials.length; at += 2) {
    const name = specials[at]!;
    const value = specials[at + 1]!;
    switch (responseFields.action(name)) {
      case FieldAction.CONNECTION:
        if (connectionOptions(value) !== undefined) return undefined;
        break;
      case FieldAction.CONTENT_LENGTH:
        if (status === 204) break;
        contentLength = Number(value);
        lines += `${name}: ${value}\r\n`;
        break;
      case FieldAction.DATE:
        dated = true;
        lines += `${name}: ${value}\r\n`;
        break;
      case FieldAction.PASS:
        lines += `${name}: ${value}\r\n`;
        break;
      default:
    }
  }
  lines += `X-Correlation-Id: ${correlationId}\r\n`;
  return { status, lines, headers: [], contentLength, dated, checked: true };
}

/** The fields of an interim response as they go on. */
export function forwardInterimFields(received: readonly string[]): string[] {
  const fields: string[] = [];
  for (let at = 0; at + 1 < received.length; at += 2) {
    if (responseFields.action(received[at]!) === FieldAction.PASS) fields.push(received[at]!, received[at + 1]!);
  }
  return fields;
}
