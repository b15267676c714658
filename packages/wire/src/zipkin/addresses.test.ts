import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextBuffer } from '../json/text-buffer.ts';
import { appendAddress, isCanonicalAddress, parseAddress, parsedAddress } from './addresses.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function parsed(text: string): number {
  const bytes = bytesOf(text);
  return parseAddress(bytes, 0, bytes.length);
}

function textOf(bytes: Uint8Array): string {
  const out = new TextBuffer();
  appendAddress(out, bytes, 0, bytes.length);
  return new TextDecoder().decode(out.bytes.subarray(0, out.length));
}

describe('addresses', () => {
  it.each([
    '',
    '1',
    'host-a',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    '1:2:',
    ':1:2:3:4:5:6:7',
    '::1.2.3',
    '::1.2.3.4:5',
    'g::',
    'fe80::1%eth0',
  ])('%j is none', (text) => {
    expect(parsed(text)).toBe(0);
  });

  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['FE80::0001', 'fe80::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['::ffff:10.0.0.5', '::ffff:a00:5'],
    ['1:0:3:0:5:0:7:0', '1:0:3:0:5:0:7:0'],
  ])('%s reads and is written as %s', (text, canonical) => {
    const version = parsed(text);
    expect(textOf(parsedAddress.slice(0, version === 4 ? 4 : 16))).toBe(canonical);
    const bytes = bytesOf(text);
    expect(isCanonicalAddress(bytes, 0, bytes.length, new TextBuffer())).toBe(text === canonical);
  });

  it('any bytes survive being written and read', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    const sparse = fc
      .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .map((values) => Uint8Array.from(values));
    fc.assert(
      fc.property(fc.oneof(address, sparse), (bytes) => {
        const text = textOf(bytes);
        expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6);
        expect(parsed(text)).toBe(bytes.length === 4 ? 4 : 6);
        expect(parsedAddress.slice(0, bytes.length)).toEqual(bytes);
      }),
    );
  });

  it('agrees with Node on what is an address', () => {
    const text = fc.string({ unit: fc.constantFrom(':', '::', '0', '1', 'f', '.', '127', '1.2.3.4'), maxLength: 12 });
    fc.assert(
      fc.property(text, (candidate) => {
        expect(parsed(candidate)).toBe(isIP(candidate));
      }),
      { numRuns: 2000 },
    );
  });
});
