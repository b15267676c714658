import { MAX_UNIX_NANO, unixNano } from '@clew/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nanosOfSeconds, secondsOfNanos } from './seconds.ts';

describe('seconds that are no time', () => {
  it.each(['-1', '-0.5', '18446744073.709551616', '99999999999', '1e400', '1e99999999999999999999', 'x', ''])(
    'such as %j are refused',
    (text) => expect(nanosOfSeconds(text)).toBeUndefined(),
  );
});

describe('seconds', () => {
  it.each([
    ['0', 0n],
    ['0.000', 0n],
    ['1478293361', 1478293361_000000000n],
    ['1478293361.271', 1478293361_271000000n],
    ['1478293361.123456789', 1478293361_123456789n],
    ['1478293361.1234567894', 1478293361_123456789n],
    ['1478293361.1234567895', 1478293361_123456790n],
    ['1.478293361271E9', 1478293361_271000000n],
    ['1478293361271e-3', 1478293361_271000000n],
    ['0.0000000004', 0n],
    ['0.0000000005', 1n],
    ['5e-99999999999999999999', 0n],
    ['18446744073.709551615', MAX_UNIX_NANO],
  ])('%s are exactly %s nanoseconds', (text, nanos) => expect(nanosOfSeconds(text)).toBe(nanos));

  it('written from any nanoseconds give them back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_UNIX_NANO }), (nanos) => {
        expect(nanosOfSeconds(secondsOfNanos(unixNano(nanos)))).toBe(nanos);
      }),
    );
    expect(secondsOfNanos(unixNano(1478293361_271000000n))).toBe('1478293361.271');
    expect(secondsOfNanos(unixNano(5n))).toBe('0.000000005');
    expect(secondsOfNanos(unixNano(2_000_000_000n))).toBe('2.0');
  });
});
