import type { TextBuffer } from '../json/text-buffer.ts';

/** IP addresses as text and as bytes (RFC 4291 2.2 and RFC 5952 for version 6). */

/** The address {@link parseAddress} read last: 4 or 16 bytes. */
export const parsedAddress: Uint8Array = new Uint8Array(16);

/** Reads the address in `text[start, end)` into {@link parsedAddress}; returns 4 or 6, or 0 when it is no address. */
export function parseAddress(text: Uint8Array, start: number, end: number): 0 | 4 | 6 {
  const length = end - start;
  if (length < 2 || length > 45) return 0;
  for (let i = start; i < end; i++) if (text[i] === 0x3a) return parse6(text, start, end) ? 6 : 0;
  return parse4(text, start, end, 0) ? 4 : 0;
}

/** Whether the address in `text[start, end)` is written as {@link appendAddress} would write it. */
export function isCanonicalAddress(text: Uint8Array, start: number, end: number, scratch: TextBuffer): boolean {
  const version = parseAddress(text, start, end);
  if (version === 0) return false;
  scratch.length = 0;
  appendAddress(scratch, parsedAddress, 0, version === 4 ? 4 : 16);
  if (scratch.length !== end - start) return false;
  for (let i = 0; i < scratch.length; i++) if (scratch.bytes[i] !== text[start + i]) return false;
  return true;
}

function parse4(text: Uint8Array, start: number, end: number, at: number): boolean {
  let pos = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text[pos++] !== 0x2e) return false;
    const first = pos;
    let value = 0;
    while (pos < end && pos - first < 3 && text[pos]! >= 0x30 && text[pos]! <= 0x39) {
      value = value * 10 + (text[pos++]! - 0x30);
    }
    if (pos === first || value > 255 || (pos - first > 1 && text[first] === 0x30)) return false;
    parsedAddress[at + part] = value;
  }
  return pos === end;
}

function parse6(text: Uint8Array, start: number, end: number): boolean {
  let at = 0;
  let gap = -1;
  let pos = start;
  if (text[pos] === 0x3a && text[pos + 1] !== 0x3a) return false;
  while (pos < end) {
    if (text[pos] === 0x3a && text[pos + 1] === 0x3a && pos + 1 < end) {
      if (gap >= 0) return false;
      gap = at;
      pos += 2;
      continue;
    }
    if (at > 14) return false;
    if (at > 0 && text[pos - 1] !== 0x3a) return false;
    const first = pos;
    let value = 0;
    for (let digit = hexValue(text, pos, end); digit >= 0; digit = hexValue(text, ++pos, end))
      value = value * 16 + digit;
    if (pos < end && text[pos] === 0x2e) {
      if (at > 12 || !parse4(text, first, end, at)) return false;
      at += 4;
      pos = end;
      break;
    }
    if (pos === first || pos - first > 4) return false;
    parsedAddress[at++] = value >> 8;
    parsedAddress[at++] = value & 0xff;
    if (pos < end && text[pos] !== 0x3a) return false;
    // A single colon leads on to another group; of two the gap takes both.
    if (pos < end && text[pos + 1] !== 0x3a) if (++pos === end) return false;
  }
  if (gap < 0) return at === 16;
  if (at === 16) return false;
  parsedAddress.copyWithin(16 - (at - gap), gap, at);
  parsedAddress.fill(0, gap, 16 - (at - gap));
  return true;
}

function hexValue(text: Uint8Array, pos: number, end: number): number {
  if (pos >= end) return -1;
  const byte = text[pos]!;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Appends the address in `bytes[start, start + length)`, of 4 or 16 bytes, as text. */
export function appendAddress(out: TextBuffer, bytes: Uint8Array, start: number, length: number): void {
  if (length === 4) {
    for (let i = 0; i < 4; i++) {
      if (i > 0) out.byte(0x2e);
      appendDecimal(out, bytes[start + i]!);
    }
    return;
  }
  const [zeroStart, zeroEnd] = longestZeros(bytes, start);
  for (let group = 0; group < 8; group++) {
    if (group === zeroStart) {
      out.ascii('::');
      group = zeroEnd - 1;
      continue;
    }
    if (group > 0 && group !== zeroEnd) out.byte(0x3a);
    appendHex(out, (bytes[start + group * 2]! << 8) | bytes[start + group * 2 + 1]!);
  }
}

/** The longest run of at least two groups of zeros, the first of equal ones; RFC 5952 4.2. */
function longestZeros(bytes: Uint8Array, start: number): readonly [number, number] {
  let best = -1;
  let bestLength = 1;
  let run = 0;
  for (let group = 0; group < 8; group++) {
    run = (bytes[start + group * 2]! | bytes[start + group * 2 + 1]!) === 0 ? run + 1 : 0;
    if (run > bestLength) {
      bestLength = run;
      best = group + 1 - run;
    }
  }
  return best < 0 ? [-1, -1] : [best, best + bestLength];
}

function appendDecimal(out: TextBuffer, value: number): void {
  if (value >= 100) out.byte(0x30 + Math.floor(value / 100));
  if (value >= 10) out.byte(0x30 + (Math.floor(value / 10) % 10));
  out.byte(0x30 + (value % 10));
}

function appendHex(out: TextBuffer, value: number): void {
  out.ascii(value.toString(16));
}
