/**
 * Which records of a segment may hold a trace, so that a trace is found before it is inserted. A hot path (one call a request), guarded by
 * `bench/journal`: allocates only when it grows.
 *
 * A trace's key is the last eight bytes of its id (the random ones in every id scheme). One entry is three words: key low, key high, and the
 * record's offset in its file divided by eight. Runs of spans of one trace share an entry. Entries are searched one by one:
 * a million take a millisecond, and lookups are rarer by far than appends.
 */
export class TraceKeys {
  #entries = new Uint32Array(0);
  #count = 0;

  /** Number of entries, also a mark for {@link rollback}. */
  get count(): number {
    return this.#count;
  }

  /** Notes the trace ids (16 bytes a row) of the record at `offset`. */
  add(traceIds: Uint8Array, rows: number, offset: number): void {
    let previousLow = 0;
    let previousHigh = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * 16 + 8;
      const low = wordAt(traceIds, at);
      const high = wordAt(traceIds, at + 4);
      if (row > 0 && low === previousLow && high === previousHigh) continue;
      previousLow = low;
      previousHigh = high;
      if ((this.#count + 1) * 3 > this.#entries.length) this.#grow();
      const entry = this.#count++ * 3;
      this.#entries[entry] = low;
      this.#entries[entry + 1] = high;
      this.#entries[entry + 2] = offset >>> 3;
    }
  }

  /** Offsets of the records that may hold spans of the trace (16 bytes), ascending. */
  find(traceId: Uint8Array): number[] {
    const low = wordAt(traceId, 8);
    const high = wordAt(traceId, 12);
    const entries = this.#entries;
    const offsets: number[] = [];
    for (let entry = 0, end = this.#count * 3; entry < end; entry += 3) {
      if (entries[entry] !== low || entries[entry + 1] !== high) continue;
      const offset = entries[entry + 2]! * 8;
      if (offsets.at(-1) !== offset) offsets.push(offset);
    }
    return offsets;
  }

  /** Forgets everything after the mark. */
  rollback(mark: number): void {
    this.#count = mark;
  }

  /** The same in 10 to 20 bits a trace: what is kept of a segment that is no longer in memory. */
  toFilter(): TraceFilter {
    const filter = new TraceFilter(this.#count);
    for (let entry = 0; entry < this.#count; entry++) {
      filter.add(this.#entries[entry * 3]!, this.#entries[entry * 3 + 1]!);
    }
    return filter;
  }

  #grow(): void {
    const grown = new Uint32Array(Math.max(96, this.#entries.length * 2));
    grown.set(this.#entries);
    this.#entries = grown;
  }
}

/** A Bloom filter over trace keys: four probes, about one false answer in a hundred. */
export class TraceFilter {
  readonly #bits: Uint32Array;
  readonly #mask: number;

  /** Room for `keys` keys. */
  constructor(keys: number) {
    let bits = 64;
    while (bits < keys * 10) bits *= 2;
    this.#bits = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
  }

  /** Memory it takes, in bytes. */
  get byteLength(): number {
    return this.#bits.byteLength;
  }

  add(low: number, high: number): void {
    let probe = mix(low);
    const step = stepOf(probe, high);
    for (let i = 0; i < 4; i++, probe += step) this.#bits[(probe & this.#mask) >>> 5]! |= 1 << (probe & 31);
  }

  /** False when the trace (16 bytes) is certainly not there. */
  mayHave(traceId: Uint8Array): boolean {
    let probe = mix(wordAt(traceId, 8));
    const step = stepOf(probe, wordAt(traceId, 12));
    for (let i = 0; i < 4; i++, probe += step) {
      if ((this.#bits[(probe & this.#mask) >>> 5]! & (1 << (probe & 31))) === 0) return false;
    }
    return true;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** The distance between probes: odd, and independent of the first even when one word of all ids is the same. */
function stepOf(probe: number, high: number): number {
  return mix(probe ^ high ^ 0x9e3779b9) | 1;
}

/** Spreads 32 bits over 32 bits (a finaliser of the MurmurHash3 family). */
function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) | 0;
}
