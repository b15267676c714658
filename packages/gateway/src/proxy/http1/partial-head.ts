/** Heads are shorter, nearly always; only so much is made text of before it is known. */
export const usualHeadBytes = 4096;

/** Remembers of a long head that comes piece by piece how much was read in vain: it would be read anew for every byte that comes. */
export class PartialHead {
  #readBytes = 0;

  /** The next head has nothing to do with the last one. */
  reset(): void {
    this.#readBytes = 0;
  }

  /** So many bytes were no whole head. */
  readInVain(bytes: number): void {
    if (bytes > usualHeadBytes) this.#readBytes = bytes;
  }

  /** Whether reading what there is now would come to nothing again. No more than `maxBytes` are ever read. */
  isFarFromWhole(held: Buffer, maxBytes: number): boolean {
    const readBytes = this.#readBytes;
    if (readBytes === 0 || held.length >= Math.min(readBytes + usualHeadBytes, maxBytes)) return false;
    return held.indexOf('\r\n\r\n', readBytes - 3) < 0;
  }
}
