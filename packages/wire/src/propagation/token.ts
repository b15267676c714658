/** Whether `text` is a token of RFC 9110, of which header names and baggage keys are made: not empty, no separators. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128 || tokenChars[code] === 0) return false;
  }
  return text !== '';
}

const tokenChars: Uint8Array = new Uint8Array(128);
for (let code = 0x21; code < 0x7f; code++) {
  if (!'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(code))) tokenChars[code] = 1;
}
