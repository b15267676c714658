import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyedHash, quickHash } from './string-hash.ts';
import { StringTable } from './string-table.ts';

/** The `number`th of 2^blocks strings that all have one quick hash: flipping these bits of a pair of words cancels out. */
function colliding(number: number, blocks: number): Uint8Array {
  const bytes = new Uint8Array(blocks * 8).fill(0x61);
  for (let block = 0; block < blocks; block++) {
    if (((number >> block) & 1) === 0) continue;
    for (const [at, bits] of [
      [3, 0x80],
      [6, 0x01],
      [7, 0x80],
    ] as const) {
      bytes[block * 8 + at]! ^= bits;
    }
  }
  return bytes;
}

const intern = (table: StringTable, bytes: Uint8Array): number => table.intern(bytes, 0, bytes.length);

describe('strings made to collide', () => {
  it('do have one quick hash, and many keyed ones', () => {
    const strings = Array.from({ length: 64 }, (_, number) => colliding(number, 6));
    expect(new Set(strings.map((bytes) => quickHash(bytes, 0, bytes.length))).size).toBe(1);
    expect(new Set(strings.map((bytes) => keyedHash(bytes, 0, bytes.length))).size).toBeGreaterThan(60);
  });

  // Walking over all strings at each look-up would take minutes, and the test would run into its time limit.
  it('do not slow the table down', () => {
    const table = new StringTable();
    const count = 1 << 17;
    for (let number = 0; number < count; number++) expect(intern(table, colliding(number, 17))).toBe(number + 1);
    for (let number = 0; number < count; number += 997) expect(intern(table, colliding(number, 17))).toBe(number + 1);
  });

  it('do not slow down a table that takes them all at once', () => {
    const table = new StringTable();
    const count = 1 << 16;
    const bytes = new Uint8Array(count * 128);
    const ends = Uint32Array.from({ length: count + 1 }, (_, index) => index * 128);
    for (let number = 0; number < count; number++) bytes.set(colliding(number, 16), number * 128);
    table.adopt(bytes, ends, count + 1);
    expect(intern(table, colliding(count - 1, 16))).toBe(count);
    expect(intern(table, Uint8Array.of(1))).toBe(count + 1);
  });

  it('leave a table that is cleared as it was', () => {
    const table = new StringTable();
    for (let number = 0; number < 1_000; number++) intern(table, colliding(number, 10));
    table.clear();
    expect(table.internText('a')).toBe(1);
    expect(table.find('a')).toBe(1);
    expect(table.find('b')).toBe(-1);
  });
});

describe('the dictionary of a batch', () => {
  it('gives equal strings one index and different ones different indexes, also after entries were forgotten', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 9 })), fc.array(fc.string({ maxLength: 9 })), (kept, more) => {
        const table = new StringTable();
        const first = kept.map((text) => table.internText(text));
        const count = table.count;
        for (const text of more) table.internText(text);
        table.truncate(count);
        for (const text of more)
          expect(table.find(text)).toBe(kept.includes(text) || text === '' ? table.internText(text) : -1);
        const again = [...kept, ...more].map((text) => table.internText(text));
        expect(again.slice(0, kept.length)).toEqual(first);
        const texts = [...kept, ...more];
        for (const [at, index] of again.entries()) expect(table.text(index)).toBe(texts[at]);
        expect(table.count).toBe(new Set(['', ...texts]).size);
      }),
    );
  });
});
