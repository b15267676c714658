/** Keys remembered at most; beyond it everything is announced again, which is harmless. */
const MAX_REMEMBERED = 200_000;

/**
 * Which rows of the small tables (resources, tag keys) are stored already, so that each is inserted once a day instead of once a segment. A key
 * counts as stored only after `confirm`: spans must never be stored without the resource they point at.
 */
export class Announcements {
  readonly #stored = new Map<number, Set<string>>();
  #pending: [day: number, key: string][] = [];
  #pendingKeys = new Set<string>();
  #size = 0;

  /** Whether the row has to be written; a second call for the same row says no. */
  announce(day: number, key: string): boolean {
    if (this.#stored.get(day)?.has(key) === true) return false;
    const dayAndKey = `${day} ${key}`;
    if (this.#pendingKeys.has(dayAndKey)) return false;
    this.#pendingKeys.add(dayAndKey);
    this.#pending.push([day, key]);
    return true;
  }

  /** The rows announced since the last `confirm` or `discard` are stored. */
  confirm(): void {
    if (this.#size + this.#pending.length > MAX_REMEMBERED) {
      this.#stored.clear();
      this.#size = 0;
    }
    for (const [day, key] of this.#pending) {
      let keys = this.#stored.get(day);
      if (keys === undefined) this.#stored.set(day, (keys = new Set()));
      keys.add(key);
    }
    this.#size += this.#pending.length;
    this.discard();
  }

  /** The rows announced since the last `confirm` may not be stored. */
  discard(): void {
    this.#pending = [];
    this.#pendingKeys.clear();
  }

  /** The partition of a day is gone. */
  forgetDay(day: number): void {
    this.#size -= this.#stored.get(day)?.size ?? 0;
    this.#stored.delete(day);
  }
}
