/** Bytes of datagrams handed over at once at most, unless a single one is larger. */
const maxBatchBytes = 1024 * 1024;
const firstBytes = 64 * 1024;
const firstPackets = 64;

/** Datagrams on their way to another thread: gathered in one buffer, so that handing over many costs as much as one. */
export class PacketBuffer {
  count = 0;
  #bytes = new Uint8Array(firstBytes);
  #ends = new Uint32Array(firstPackets);
  #length = 0;

  /** Whether this datagram should begin a new buffer. */
  isFullFor(bytes: number): boolean {
    return this.count > 0 && this.#length + bytes > maxBatchBytes;
  }

  append(packet: Uint8Array): void {
    const needed = this.#length + packet.length;
    if (needed > this.#bytes.length) this.#bytes = grown(this.#bytes, Math.max(needed, this.#bytes.length * 2));
    if (this.count === this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#bytes.set(packet, this.#length);
    this.#length = needed;
    this.#ends[this.count++] = needed;
  }

  /** The datagrams so far; the buffers are the receiver's and must not be used here again. */
  take(): {
    readonly count: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly ends: Uint32Array<ArrayBuffer>;
  } {
    return {
      count: this.count,
      bytes: this.#bytes.subarray(0, this.#length),
      ends: this.#ends.subarray(0, this.count),
    };
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, capacity: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(capacity);
  larger.set(bytes);
  return larger;
}
