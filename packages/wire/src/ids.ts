/**
 * Copies and clears of eight bytes, the half of a trace id or a whole span id. Written out, as a loop or a library call for
 * so few costs more than they do. Hot paths, guarded by `bench/codec`.
 */

/** Copies eight bytes. */
export function copy8(source: Uint8Array, at: number, target: Uint8Array, targetAt: number): void {
  target[targetAt] = source[at]!;
  target[targetAt + 1] = source[at + 1]!;
  target[targetAt + 2] = source[at + 2]!;
  target[targetAt + 3] = source[at + 3]!;
  target[targetAt + 4] = source[at + 4]!;
  target[targetAt + 5] = source[at + 5]!;
  target[targetAt + 6] = source[at + 6]!;
  target[targetAt + 7] = source[at + 7]!;
}

/** Clears eight bytes. */
export function zero8(target: Uint8Array, at: number): void {
  target[at] = 0;
  target[at + 1] = 0;
  target[at + 2] = 0;
  target[at + 3] = 0;
  target[at + 4] = 0;
  target[at + 5] = 0;
  target[at + 6] = 0;
  target[at + 7] = 0;
}
