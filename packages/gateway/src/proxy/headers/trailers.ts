import { FieldAction, requestFields, responseFields } from './field-actions.ts';

/** What is not a trailer's to say, because it was decided before the body (RFC 9110 section 6.5.1). */
const decided: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'max-forwards',
  'set-cookie',
]);

/** The trailers of a message as they go on: without what decides about framing, routing or the message as a whole. */
export function forwardTrailers(received: readonly string[]): readonly string[] {
  if (received.length === 0) return received;
  const forwarded: string[] = [];
  for (let at = 0; at + 1 < received.length; at += 2) {
    const name = received[at]!;
    if (requestFields.action(name) !== FieldAction.PASS || responseFields.action(name) !== FieldAction.PASS) continue;
    if (!decided.has(name.toLowerCase())) forwarded.push(name, received[at + 1]!);
  }
  return forwarded;
}
