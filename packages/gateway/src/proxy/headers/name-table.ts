/**
 * A table of names that matter, by length and first letter: what is not in it need not be looked at any further. Prefixes,
 * which end with `*`, count for all lengths.
 */
export function nameTable(names: readonly string[]): Uint8Array {
  const table = new Uint8Array(32 * 32);
  for (const name of names) {
    const first = name.charCodeAt(0) & 31;
    if (!name.endsWith('*')) table[Math.min(name.length, 31) * 32 + first] = 1;
    else for (let length = name.length - 1; length < 32; length++) table[length * 32 + first] = 1;
  }
  return table;
}

/** The fields of a head, told apart by such a table. */
export interface FieldsToldApart {
  /** The lines of all fields but the special ones, with their ends. */
  readonly passing: string;
  /** name, value, name, value, … of fields that may be special. */
  readonly specials: readonly string[];
}
