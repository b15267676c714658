// Small functions on fields listed as name, value, name, value, …

/** Takes every field of the name (lower case) out of the list. */
export function removeField(headers: string[], lowerName: string): void {
  let kept = 0;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) continue;
    headers[kept] = name;
    headers[kept + 1] = headers[at + 1]!;
    kept += 2;
  }
  headers.length = kept;
}

/** The first value of a field (name in lower case); undefined without one. */
export function fieldValue(headers: readonly string[], lowerName: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return headers[at + 1]!;
  }
  return undefined;
}

/** Whether there is a field of the name (lower case). */
export function hasField(headers: readonly string[], lowerName: string): boolean {
  return fieldValue(headers, lowerName) !== undefined;
}
