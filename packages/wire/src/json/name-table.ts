const SLOTS = 64;

/** A name in quotes and the colon behind it, as nearly all writers write it, to be compared by words. */
export class QuotedName {
  /** In bytes, at least 4. */
  readonly length: number;
  /** Little-endian words from the start on, the last one overlapping so that it ends where the bytes do. */
  readonly words: Int32Array;

  constructor(name: string) {
    const bytes = Uint8Array.from(`"${name}":`, (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    this.length = bytes.length;
    this.words = Int32Array.from({ length: Math.ceil(bytes.length / 4) }, (_, word) =>
      view.getInt32(Math.min(word * 4, bytes.length - 4), true),
    );
  }
}

/**
 * Member names a message knows, each with a number above 0. A name is found under its lowerCamelCase form and, as the
 * reference accepts it too, under its snake_case form.
 */
export class NameTable {
  readonly #quoted: (QuotedName | undefined)[] = Array.from({ length: SLOTS });
  readonly #names: (Uint8Array | undefined)[] = Array.from({ length: SLOTS });
  readonly #fields = new Uint8Array(SLOTS);
  /** By slot of the name read last: the slot of the name that followed it. */
  readonly #follow = new Uint8Array(SLOTS);
  #last = 0;

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
    this.#quoted[slot] = new QuotedName(name);
    this.#fields[slot] = field;
  }

  /** The name that followed the last one the time before: a guess, `undefined` when there is none. */
  expected(): QuotedName | undefined {
    return this.#quoted[this.#follow[this.#last]!];
  }

  /** Says that the guess was right; returns the number of the name. */
  confirm(): number {
    this.#last = this.#follow[this.#last]!;
    return this.#fields[this.#last]!;
  }

  /** The number of the name in `bytes[start, end)`, or 0 when it is unknown; the next guess is better for it. */
  learn(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#slot(bytes, start, end);
    if (slot < 0) return 0;
    this.#follow[this.#last] = slot;
    this.#last = slot;
    return this.#fields[slot]!;
  }

  /** The number of the name in `bytes[start, end)`, or 0 when it is unknown. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#slot(bytes, start, end);
    return slot < 0 ? 0 : this.#fields[slot]!;
  }

  #slot(bytes: Uint8Array, start: number, end: number): number {
    if (end === start) return -1;
    for (let slot = slotOf(bytes, start, end); ; slot = (slot + 1) % SLOTS) {
      const name = this.#names[slot];
      if (name === undefined) return -1;
      if (sameBytes(name, bytes, start, end)) return slot;
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
