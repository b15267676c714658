/** The first value of a header in a flat list of names and values; '' when there is none. `name` is in lower case. */
export function headerOf(headers: readonly string[], name: string): string {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i]!;
    if (candidate.length === name.length && (candidate === name || candidate.toLowerCase() === name))
      return headers[i + 1]!;
  }
  return '';
}
