const SLOTS = 64;

/**
 * Member names a message knows, each with a number above 0. A name is found under its lowerCamelCase form and, as the
 * reference accepts it too, under its snake_case form.
 */
export class NameTable {
  readonly #names: (Uint8Array | undefined)[] = Array.from({ length: SLOTS });
  readonly #fields = new Uint8Array(SLOTS);

  /** `fields` maps lowerCamelCase names to their numbers (1 to 255). */
  constructor(fields: Readonly<Record<string, number>>) {
    for (const [camel, field] of Object.entries(fields)) {
      this.#add(camel, field);
      const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (snake !== camel) this.#add(snake, field);
    }
  }

  #add(name: string, field: number): void {
    const bytes = Uint8Array.from(name, (letter) => letter.charCodeAt(0));
    let slot = slotOf(bytes, 0, bytes.length);
    while (this.#names[slot] !== undefined) slot = (slot + 1) % SLOTS;
    this.#names[slot] = bytes;
    this.#fields[slot] = field;
  }

  /** The number of the name in `bytes[start, end)`, or 0 when it is unknown. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (end === start) return 0;
    for (let slot = slotOf(bytes, start, end); ; slot = (slot + 1) % SLOTS) {
      const name = this.#names[slot];
      if (name === undefined) return 0;
      if (sameBytes(name, bytes, start, end)) return this.#fields[slot]!;
    }
  }
}

/** Length, first and last letter tell nearly all names of one message apart. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  return ((end - start) * 7 + bytes[start]! * 3 + bytes[end - 1]!) % SLOTS;
}

function sameBytes(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
