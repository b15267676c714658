/** Ids as bytes. Hot path, guarded by `bench/gateway-telemetry`. */

/** Writes an id, given as lower-case hexadecimal digits, at `at`. */
export function writeId(digits: string, bytes: Uint8Array, at: number): void {
  let end = at;
  for (let i = 0; i < digits.length; i += 2) {
    bytes[end++] = (digitValues[digits.charCodeAt(i)]! << 4) | digitValues[digits.charCodeAt(i + 1)]!;
  }
}

const digitValues: Uint8Array = new Uint8Array(256);
for (const [value, digit] of '0123456789abcdef'.split('').entries()) digitValues[digit.charCodeAt(0)] = value;
