import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base58, tinyflake } from './correlation-id.ts';

describe('a tinyflake', () => {
  it('is the second and the random number, digit by digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.nat({ max: 2 ** 48 - 1 }), (unixMs, random) => {
        const second = Math.floor(unixMs / 1000);
        expect(tinyflake(unixMs, random)).toBe(base58(second % 58 ** 3, 3) + base58(random % 58 ** 8, 8));
      }),
      { examples: [58 ** 4 - 1, 58 ** 4, 58 ** 8 - 1, 58 ** 8, 2 ** 48 - 1].map((random) => [0, random]) },
    );
  });
});
