import type { CarrierGetter, CarrierSetter } from './carriers/carrier.ts';
import { skipSpace, trimmed } from './hex.ts';
import { percentDecode, percentEncode } from './percent.ts';
import { isToken } from './token.ts';

/**
 * W3C Baggage: https://www.w3.org/TR/baggage/. Reading is generous (characters that should have been escaped are taken as they
 * are), writing is strict.
 */

export const BAGGAGE = 'baggage';

/** A note about a member, of a meaning that only its reader knows; `value` is missing in notes that are a key alone. */
export interface BaggageProperty {
  readonly key: string;
  readonly value?: string;
}

/** One key with its value, decoded. Keys are case-sensitive and never percent-encoded. */
export interface BaggageMember {
  readonly key: string;
  readonly value: string;
  readonly properties: readonly BaggageProperty[];
}

/** What was read, in the order it was sent, duplicates included. */
export interface Baggage {
  readonly members: readonly BaggageMember[];
  /** Members left out because a limit was reached. */
  readonly dropped: number;
  /** Members left out because they are malformed. */
  readonly invalid: number;
}

/** How much baggage is taken or sent; whole members are left out beyond. */
export interface BaggageLimits {
  /** Members. Default {@link BAGGAGE_ACCEPT_LIMITS} when reading, {@link BAGGAGE_SEND_LIMITS} when writing. */
  readonly maxMembers: number;
  /** Characters of the header, separators included; the same defaults. */
  readonly maxBytes: number;
}

/** What the specification's grammar allows is read. */
export const BAGGAGE_ACCEPT_LIMITS: BaggageLimits = Object.freeze({ maxMembers: 180, maxBytes: 8192 });
/** What every platform must support is sent. */
export const BAGGAGE_SEND_LIMITS: BaggageLimits = Object.freeze({ maxMembers: 64, maxBytes: 8192 });

/** Reads `baggage`, several fields joined with `,`; `undefined` when there is none. */
export function extractBaggage<C>(carrier: C, getter: CarrierGetter<C>, limits?: BaggageLimits): Baggage | undefined {
  const text = getter.get(carrier, BAGGAGE);
  return text === undefined ? undefined : parseBaggage(text, limits);
}

/** Reads the text of a `baggage` header. Never throws; what cannot be taken is counted. */
export function parseBaggage(text: string, limits: BaggageLimits = BAGGAGE_ACCEPT_LIMITS): Baggage {
  const members: BaggageMember[] = [];
  let dropped = 0;
  let invalid = 0;
  let bytes = 0;
  for (let at = 0; at < text.length;) {
    const comma = text.indexOf(',', at);
    const end = comma < 0 ? text.length : comma;
    if (skipSpace(text, at, end) < end) {
      const size = end - at + (members.length === 0 ? 0 : 1);
      const fits = members.length < limits.maxMembers && bytes + size <= limits.maxBytes;
      const member = fits ? memberOf(text.slice(at, end)) : undefined;
      if (!fits) dropped++;
      else if (member === undefined) invalid++;
      else {
        members.push(member);
        bytes += size;
      }
    }
    at = end + 1;
  }
  return { members, dropped, invalid };
}

/** Members that were not sent as one header, under the limits of one. */
export function baggageOf(members: readonly BaggageMember[], limits: BaggageLimits = BAGGAGE_ACCEPT_LIMITS): Baggage {
  const kept: BaggageMember[] = [];
  let bytes = 0;
  for (const member of members) {
    const size = member.key.length + 1 + member.value.length + (kept.length === 0 ? 0 : 1);
    if (kept.length === limits.maxMembers || bytes + size > limits.maxBytes) continue;
    kept.push(member);
    bytes += size;
  }
  return { members: kept, dropped: members.length - kept.length, invalid: 0 };
}

/** The values by key; of equal keys the last, as OpenTelemetry has it. */
export function baggageValues(members: readonly BaggageMember[]): Map<string, string> {
  return new Map(members.map(({ key, value }) => [key, value]));
}

/** The header of these members in their order, and how many had to be left out: over a limit, or with a key that is no token. */
export function formatBaggage(
  members: readonly BaggageMember[],
  limits: BaggageLimits = BAGGAGE_SEND_LIMITS,
): { readonly text: string; readonly dropped: number } {
  let text = '';
  let written = 0;
  for (const member of members) {
    if (written === limits.maxMembers) break;
    const part = textOfMember(member);
    if (part === undefined || text.length + part.length + (written === 0 ? 0 : 1) > limits.maxBytes) continue;
    text += written === 0 ? part : `,${part}`;
    written++;
  }
  return { text, dropped: members.length - written };
}

/** Writes `baggage` and returns how many members were left out; without any to write, one left in the carrier is removed. */
export function injectBaggage<C>(
  members: readonly BaggageMember[],
  carrier: C,
  setter: CarrierSetter<C>,
  limits?: BaggageLimits,
): number {
  const { text, dropped } = formatBaggage(members, limits);
  if (text === '') setter.remove(carrier, BAGGAGE);
  else if (!setter.set(carrier, BAGGAGE, text)) return members.length;
  return dropped;
}

function memberOf(text: string): BaggageMember | undefined {
  const [pair = '', ...notes] = text.split(';');
  const { key, value } = pairOf(pair);
  if (value === undefined || !isToken(key) || hasControls(text)) return undefined;
  const properties: BaggageProperty[] = [];
  for (const note of notes) {
    const property = pairOf(note);
    if (isToken(property.key)) properties.push(property);
  }
  return { key, value, properties };
}

function pairOf(text: string): BaggageProperty {
  const equals = text.indexOf('=');
  if (equals < 0) return { key: trimmed(text) };
  return { key: trimmed(text, 0, equals), value: percentDecode(trimmed(text, equals + 1)) };
}

function textOfMember({ key, value, properties }: BaggageMember): string | undefined {
  if (!isToken(key)) return undefined;
  let text = `${key}=${percentEncode(value, isBaggageOctet)}`;
  for (const property of properties) {
    if (!isToken(property.key)) continue;
    text += `;${property.key}`;
    if (property.value !== undefined) text += `=${percentEncode(property.value, isBaggageOctet)}`;
  }
  return text;
}

/** Visible ASCII without `"`, `,`, `;` and `\`. */
function isBaggageOctet(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x2c && code !== 0x3b && code !== 0x5c;
}

/** Whether there are control characters, which no header may carry; a tab counts as white space. */
function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}
