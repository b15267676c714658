/** Percent-encoding of UTF-8 in header values. */

const PERCENT = '%';

/**
 * `text` with its percent-escapes decoded. Escapes that are incomplete or no UTF-8 become U+FFFD, as W3C Baggage demands;
 * other characters stay as they are. Never throws.
 */
export function percentDecode(text: string): string {
  let at = text.indexOf(PERCENT);
  if (at < 0) return text;
  let out = '';
  let copied = 0;
  while (at >= 0) {
    out += text.slice(copied, at);
    const bytes: number[] = [];
    for (let byte = escapeAt(text, at); byte >= 0; byte = escapeAt(text, at)) {
      bytes.push(byte);
      at += 3;
    }
    if (bytes.length > 0) out += utf8Decoder.decode(Uint8Array.from(bytes));
    else {
      out += '\uFFFD';
      at++;
    }
    copied = at;
    at = text.indexOf(PERCENT, at);
  }
  return out + text.slice(copied);
}

/** `text` as UTF-8 with every byte but those `isPlain` names (by ASCII code; never `%`) escaped. */
export function percentEncode(text: string, isPlain: (code: number) => boolean): string {
  let out = '';
  for (const byte of utf8Encoder.encode(text)) {
    const plain = byte < 0x80 && byte !== 0x25 && isPlain(byte);
    out += plain ? String.fromCharCode(byte) : PERCENT + byte.toString(16).toUpperCase().padStart(2, '0');
  }
  return out;
}

/** Whether a character means itself in every part of an address: letters, digits, `-`, `.`, `_`, `~`. */
export function isUnreserved(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x7e
  );
}

/** The byte of the escape at `at`, or -1 when there is none. */
function escapeAt(text: string, at: number): number {
  if (text[at] !== PERCENT) return -1;
  const high = digitOf(text.charCodeAt(at + 1));
  const low = digitOf(text.charCodeAt(at + 2));
  return (high | low) < 0 ? -1 : (high << 4) | low;
}

/** The value of a hexadecimal digit of either case, or -1 (also beyond the end of a text). */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const utf8Encoder = new TextEncoder();
