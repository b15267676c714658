/** How long a request is remembered, in milliseconds. */
export const REQUEST_WINDOW_MS = 10 * 60 * 1000;

const GENERATIONS = 5;

/**
 * The requests of the last ten minutes, by 16-byte key: a set in generations of two minutes, so that forgetting is dropping a table. When
 * there are more requests than it may hold, the oldest generation goes early and the window is shorter; `evictedEarly` counts that.
 */
export class RecentRequests {
  /** Generations dropped before their time. */
  evictedEarly = 0;
  readonly #maxEntries: number;
  readonly #generations: { readonly startMs: number; readonly keys: KeySet }[] = [];

  /** `maxEntries` requests take 22 to 44 bytes each. */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Requests remembered. */
  get size(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.keys.count, 0);
  }

  /** Memory held, in bytes. */
  get byteLength(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.keys.byteLength, 0);
  }

  /** Whether the 16 bytes at `offset` were added within the window. */
  has(keys: Uint8Array, offset: number): boolean {
    return this.#generations.some((generation) => generation.keys.has(keys, offset));
  }

  /** Remembers the 16 bytes at `offset` as accepted at `acceptedUnixMs`. */
  add(keys: Uint8Array, offset: number, acceptedUnixMs: number, nowUnixMs: number): void {
    this.expire(nowUnixMs);
    if (acceptedUnixMs <= nowUnixMs - REQUEST_WINDOW_MS) return;
    while (this.size >= this.#maxEntries && this.#generations.length > 1) {
      this.#generations.shift();
      this.evictedEarly++;
    }
    this.#generation(acceptedUnixMs).add(keys, offset);
  }

  /** Drops what is older than the window. */
  expire(nowUnixMs: number): void {
    const span = REQUEST_WINDOW_MS / GENERATIONS;
    for (let oldest = this.#generations[0]; oldest !== undefined; oldest = this.#generations[0]) {
      if (oldest.startMs + span + REQUEST_WINDOW_MS > nowUnixMs) return;
      this.#generations.shift();
    }
  }

  /** The table of the two minutes in which `unixMs` lies; generations stay in order of time. */
  #generation(unixMs: number): KeySet {
    const span = REQUEST_WINDOW_MS / GENERATIONS;
    const startMs = Math.floor(unixMs / span) * span;
    const at = this.#generations.findLastIndex((generation) => generation.startMs <= startMs);
    const found = this.#generations[at];
    if (found?.startMs === startMs && found.keys.count < this.#maxEntries / 2) return found.keys;
    const made = { startMs, keys: new KeySet() };
    // A full table is followed by a second one of the same time, so that dropping the oldest never drops everything.
    this.#generations.splice(at + 1, 0, made);
    return made.keys;
  }
}

/** A set of 16-byte keys: open addressing, four words a slot, all zero = free. */
class KeySet {
  count = 0;
  #slots = new Uint32Array(64 * 4);

  get byteLength(): number {
    return this.#slots.byteLength;
  }

  has(keys: Uint8Array, offset: number): boolean {
    return (
      this.#slots[
        this.#find(wordAt(keys, offset), wordAt(keys, offset + 4), wordAt(keys, offset + 8), wordAt(keys, offset + 12))
      ] !== 0
    );
  }

  add(keys: Uint8Array, offset: number): void {
    this.#put(wordAt(keys, offset), wordAt(keys, offset + 4), wordAt(keys, offset + 8), wordAt(keys, offset + 12));
    if (this.count * 16 > this.#slots.length * 3) this.#grow();
  }

  #put(a: number, b: number, c: number, d: number): void {
    const slot = this.#find(a, b, c, d);
    if (this.#slots[slot] !== 0) return;
    this.#slots[slot] = a;
    this.#slots[slot + 1] = b;
    this.#slots[slot + 2] = c;
    this.#slots[slot + 3] = d;
    this.count++;
  }

  /** The slot of the key, or the free one where it belongs. */
  #find(a: number, b: number, c: number, d: number): number {
    const slots = this.#slots;
    const last = slots.length - 4;
    for (let slot = (b << 2) & last; ; slot = (slot + 4) & last) {
      if (slots[slot] === 0) return slot;
      if (slots[slot] === a && slots[slot + 1] === b && slots[slot + 2] === c && slots[slot + 3] === d) return slot;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.count = 0;
    for (let slot = 0; slot < old.length; slot += 4) {
      if (old[slot] !== 0) this.#put(old[slot]!, old[slot + 1]!, old[slot + 2]!, old[slot + 3]!);
    }
  }
}

/** Zero marks a free slot, so a first word of zero is stored as one: keys are hashes and the other 96 bits still tell them apart. */
function wordAt(keys: Uint8Array, at: number): number {
  const word = (keys[at]! | (keys[at + 1]! << 8) | (keys[at + 2]! << 16) | (keys[at + 3]! << 24)) >>> 0;
  return word === 0 ? 1 : word;
}
