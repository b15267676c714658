// Hot path: read for every request where routes are costly to tell apart. Guarded by bench/gateway-routing.

/** Keys longer than this are not remembered: they are rare, and would hold memory for nothing. */
const maxKeyCharacters = 512;

/**
 * The last decisions by key, in two generations: when the younger one is full it becomes the older one, and what is still
 * asked for moves over. Forgets in about the order of last use, at the cost of a map.
 */
export class RouteCache<T> {
  readonly #generationSize: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /** @param size entries kept at most */
  constructor(size: number) {
    this.#generationSize = Math.max(1, Math.floor(size / 2));
  }

  get(key: string): T | undefined {
    const found = this.#young.get(key);
    if (found !== undefined) return found;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: T): void {
    if (key.length > maxKeyCharacters) return;
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Entries held. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
