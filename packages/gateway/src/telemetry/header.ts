/**
 * The first value of a header in a flat list of names and values; '' when there is none. `name` is in lower case. Hot path, guarded by
 * `bench/gateway-telemetry`: names of another length, and so nearly all, are passed over without a look at their letters.
 */
export function headerOf(headers: readonly string[], name: string): string {
  const { length } = name;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i]!;
    if (candidate.length === length && sameLetters(candidate, name)) return headers[i + 1]!;
  }
  return '';
}

/** Whether `candidate` is `name` but for the case of letters. Both have the same length, and `name` is in lower case. */
function sameLetters(candidate: string, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = candidate.charCodeAt(i);
    const expected = name.charCodeAt(i);
    if (code !== expected && (code < 0x41 || code > 0x5a || (code | 0x20) !== expected)) return false;
  }
  return true;
}
