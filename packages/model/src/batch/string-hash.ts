/**
 * The two hashes of the string table. A hot path, guarded by `bench/codec`.
 */

/**
 * A multiplicative hash over words of four bytes, finished with an avalanche so that low bits can index a power-of-two table. Fast, but
 * strings that all have one hash are easily made: see {@link keyedHash}.
 */
export function quickHash(source: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start);
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    const word = source[i]! | (source[i + 1]! << 8) | (source[i + 2]! << 16) | (source[i + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ source[i]!, 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

const key = crypto.getRandomValues(new Int32Array(2));
const KEY_0 = key[0]!;
const KEY_1 = key[1]!;

/**
 * HalfSipHash-2-4 (https://github.com/veorq/SipHash) under a key drawn when the process starts: nobody who does not know the key can make
 * strings that collide. Several times slower than {@link quickHash}, so a table uses it only once its strings look made to collide.
 */
export function keyedHash(source: Uint8Array, start: number, end: number): number {
  state[0] = KEY_0;
  state[1] = KEY_1;
  state[2] = 0x6c796765 ^ KEY_0;
  state[3] = 0x74656462 ^ KEY_1;
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    absorb(source[i]! | (source[i + 1]! << 8) | (source[i + 2]! << 16) | (source[i + 3]! << 24));
  }
  let tail = (end - start) << 24;
  for (let shift = 0; i < end; i++, shift += 8) tail |= source[i]! << shift;
  absorb(tail);
  state[2]! ^= 0xff;
  for (let round = 0; round < 4; round++) mix();
  return (state[1]! ^ state[3]!) >>> 0;
}

const state = new Int32Array(4);

function absorb(word: number): void {
  state[3]! ^= word;
  mix();
  mix();
  state[0]! ^= word;
}

function mix(): void {
  let v0 = state[0]!;
  let v1 = state[1]!;
  let v2 = state[2]!;
  let v3 = state[3]!;
  v0 = (v0 + v1) | 0;
  v1 = rotated(v1, 5) ^ v0;
  v0 = rotated(v0, 16);
  v2 = (v2 + v3) | 0;
  v3 = rotated(v3, 8) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = rotated(v3, 7) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = rotated(v1, 13) ^ v2;
  v2 = rotated(v2, 16);
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
