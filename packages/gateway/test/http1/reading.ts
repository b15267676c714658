/** A message as a parser reads it. Fields are name, value, name, value, …; bodies are text of one byte a character. */
export interface MessageReading {
  /** What the first line says. */
  readonly start: string;
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[];
  /** Its end has come. */
  complete: boolean;
  /** The connection may be used again. */
  keepAlive: boolean;
  /** It asks for a WebSocket. */
  readonly upgrades?: boolean;
  /** What follows is not read as HTTP, though it might be. */
  readonly last?: boolean;
}

/** What a parser makes of all that has come on a connection. */
export interface StreamReading {
  readonly messages: MessageReading[];
  /** Why what follows is refused; '' when it is not. */
  problem: string;
}

/** How two readings of the same bytes compare. */
export type Comparison =
  /** Whatever one takes, the other takes in the same way. */
  | { readonly kind: 'same' }
  /** We refuse what the reference has not judged yet. */
  | { readonly kind: 'earlier' }
  /** We refuse what the reference takes. */
  | { readonly kind: 'stricter'; readonly problem: string }
  /** Both take a message, and only the reference lets the connection be used again. */
  | { readonly kind: 'closes' }
  /** Both take a message, and only we let the connection be used again. */
  | { readonly kind: 'keeps'; readonly message: MessageReading }
  | { readonly kind: 'different'; readonly what: string };

/**
 * Compares our reading with the reference. Where we refuse, everything before the refusal must be the same; where the
 * reference refuses, we must not have taken anything it has not.
 */
export function compare(ours: StreamReading, reference: StreamReading): Comparison {
  for (const [index, message] of ours.messages.entries()) {
    const other = reference.messages[index];
    if (other === undefined) return different(`message ${index} exists for us alone`);
    if (message.start !== other.start) return different(`starts ${message.start} and ${other.start}`);
    if (message.fields.join('\n') !== other.fields.join('\n')) return different(`fields of message ${index}`);
    if (other.last === true) return { kind: 'same' };
    if (!message.complete && ours.problem !== '') return compareRefusedBody(message, other, ours, reference);
    if (message.body !== other.body) return different(`bodies of message ${index}`);
    if (message.complete !== other.complete) return different(`ends of message ${index}`);
    if (message.trailers.join('\n') !== other.trailers.join('\n')) return different(`trailers of message ${index}`);
    if (message.complete && message.keepAlive && !other.keepAlive) return { kind: 'keeps', message };
    if (!message.keepAlive) return { kind: other.keepAlive ? 'closes' : 'same' };
  }
  const more = reference.messages.length > ours.messages.length;
  if (ours.problem === '') return more ? different('the reference has more messages') : { kind: 'same' };
  if (more) return { kind: 'stricter', problem: ours.problem };
  return { kind: reference.problem === '' ? 'earlier' : 'same' };
}

function compareRefusedBody(
  message: MessageReading,
  other: MessageReading,
  { problem }: StreamReading,
  reference: StreamReading,
): Comparison {
  if (!other.body.startsWith(message.body)) return different('bodies');
  if (other.complete || other.body !== message.body) return { kind: 'stricter', problem };
  return { kind: reference.problem === '' ? 'earlier' : 'same' };
}

function different(what: string): Comparison {
  return { kind: 'different', what };
}

/** Those of fields that no rule of the gateway touches. */
export function plainFields(fields: readonly string[]): string[] {
  return fields.flatMap((name, at) =>
    at % 2 === 0 && /^(?:accept|x-b|user-agent|cookie)$/i.test(name) ? [name, fields[at + 1]!] : [],
  );
}
