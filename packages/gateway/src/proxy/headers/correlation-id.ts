// Hot path: names every request. Guarded by bench/gateway.
import { randomBytes, randomUUID } from 'node:crypto';
import type { CorrelationIdFormat } from '../../config/model/system.ts';

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const base = alphabet.length;
const secondsModulus = base ** 3;

/** `value` as exactly `digits` digits of Base58, most significant first, padded with `1`. */
export function base58(value: number, digits: number): string {
  let text = '';
  let rest = value;
  for (let digit = 0; digit < digits; digit++) {
    text = alphabet[rest % base]! + text;
    rest = Math.floor(rest / base);
  }
  return text;
}

/** Random bytes are fetched in bulk: a system call for every request would be felt. */
const poolBytes = 6 * 512;
let pool = Buffer.alloc(0);
let poolAt = 0;

function random48(): number {
  if (poolAt >= pool.length) {
    pool = randomBytes(poolBytes);
    poolAt = 0;
  }
  const value = pool.readUIntBE(poolAt, 6);
  poolAt += 6;
  return value;
}

let secondOfPrefix = -1;
let prefix = '';

/** A tinyflake: eleven characters, of which the first three tell the second. Not unique by construction. */
export function tinyflake(unixMs: number, random: number = random48()): string {
  const second = Math.floor(unixMs / 1000);
  if (second !== secondOfPrefix) {
    secondOfPrefix = second;
    prefix = base58(second % secondsModulus, 3);
  }
  const rest = random % eightDigits;
  const high = Math.floor(rest / fourDigits);
  return prefix + fourOf(high) + fourOf(rest - high * fourDigits);
}

const fourDigits = base ** 4;
const eightDigits = base ** 8;

/** All pairs of digits: two at a time take a quarter of the time. */
const pairs: readonly string[] = Array.from({ length: base ** 2 }, (_, value) => base58(value, 2));

/** `value`, below 58^4, as four digits. */
function fourOf(value: number): string {
  const high = (value / pairs.length) | 0;
  return pairs[high]! + pairs[value - high * pairs.length]!;
}

/** A new id in the format configured. */
export function newCorrelationId(format: CorrelationIdFormat, unixMs: number): string {
  return format === 'uuid' ? randomUUID() : tinyflake(unixMs);
}

/** Ids from outside that are safe in logs and headers. */
const acceptable = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** In order of preference. */
const inboundNames: readonly string[] = ['x-trace-id', 'x-correlation-id', 'x-request-id'];

/** The id a request came with: the first that is not empty, if it is acceptable. */
export function inboundCorrelationId(headers: readonly string[]): string | undefined {
  let best = inboundNames.length;
  let found: string | undefined;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    // All three begin with x and have 10, 16 or 12 characters.
    const { length } = name;
    if ((length !== 10 && length !== 12 && length !== 16) || (name.charCodeAt(0) | 0x20) !== 0x78) continue;
    const rank = inboundNames.indexOf(name.toLowerCase());
    if (rank < 0 || rank >= best || headers[at + 1] === '') continue;
    best = rank;
    found = headers[at + 1];
  }
  return found !== undefined && acceptable.test(found) ? found : undefined;
}
