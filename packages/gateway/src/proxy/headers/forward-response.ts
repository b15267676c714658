// Hot path: makes the head of every response that comes from upstream. Guarded by bench/gateway.
import { FieldAction, connectionOptions, responseFields } from './field-actions.ts';
import { removeField } from './fields.ts';

/** A response head on its way to the client. */
export interface ResponseHead {
  status: number;
  /** name, value, name, value, … */
  headers: string[];
  /** As declared; -1 when it is not, or does not hold any more. */
  contentLength: number;
  /** Whether the sender gave a Date. */
  dated: boolean;
}

/** The fields of an upstream's response as they go on to the client, who is told the correlation id. */
export function forwardResponseHead(
  status: number,
  raw: readonly (Buffer | string)[],
  correlationId: string,
): ResponseHead {
  const headers: string[] = [];
  let named: readonly string[] | undefined;
  let contentLength = -1;
  let dated = false;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = text(raw[at]!);
    switch (responseFields.action(name)) {
      case FieldAction.PASS:
        headers.push(name, text(raw[at + 1]!));
        break;
      case FieldAction.CONNECTION: {
        const options = connectionOptions(text(raw[at + 1]!));
        if (options !== undefined) named = named === undefined ? options : [...named, ...options];
        break;
      }
      case FieldAction.CONTENT_LENGTH: {
        const value = text(raw[at + 1]!);
        contentLength = Number(value);
        headers.push(name, value);
        break;
      }
      case FieldAction.DATE:
        dated = true;
        headers.push(name, text(raw[at + 1]!));
        break;
      default:
    }
  }
  if (named !== undefined) {
    for (const name of named) if (name !== 'content-length' && name !== 'content-type') removeField(headers, name);
  }
  headers.push('X-Correlation-Id', correlationId);
  return { status, headers, contentLength, dated };
}

function text(bytes: Buffer | string): string {
  // Header bytes are Latin-1 for Node; nothing is lost on the way to the client.
  return typeof bytes === 'string' ? bytes : bytes.toString('latin1');
}
