import { describe, expect, it } from 'vitest';
import { resolveScalar } from './scalar.ts';

describe('resolveScalar', () => {
  it.each([
    ['yes', 'yes'],
    ['off', 'off'],
    ['1s', '1s'],
    ['2024-01-01', '2024-01-01'],
    ['0x', '0x'],
    ['0o', '0o'],
    ['1.2.3', '1.2.3'],
    ['tRue', 'tRue'],
    ['-', '-'],
    ['12e', '12e'],
  ])('leaves %s a text', (text, expected) => expect(resolveScalar(text)).toBe(expected));

  it.each([
    ['', null],
    ['~', null],
    ['Null', null],
    ['TRUE', true],
    ['0', 0],
    ['-12', -12],
    ['1_000', 1000],
    ['0123', 83],
    ['089', 89],
    ['0o17', 15],
    ['0b101', 5],
    ['-0x1f', -31],
    ['1e3', 1000],
    ['.5', 0.5],
    ['1.', 1],
    ['-.inf', -Infinity],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
  ])('reads %j', (text, expected) => expect(resolveScalar(text)).toBe(expected));
});
