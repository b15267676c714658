import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baggageValues, extractBaggage, formatBaggage, injectBaggage, parseBaggage } from './baggage.ts';
import type { BaggageMember } from './baggage.ts';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import { rawHeaders } from './carriers/raw-headers.ts';
import { written } from './test/carry.ts';

const member = (key: string, value: string, properties: BaggageMember['properties'] = []): BaggageMember => ({
  key,
  value,
  properties,
});

describe('reading baggage', () => {
  it.each([
    ['a key alone', 'key'],
    ['no key', '=value'],
    ['a key of white space', ' =value'],
    ['a space inside a key', 'a b=1'],
    ['a key beyond ASCII', 'schlüssel=1'],
    ['a key in brackets', '(a)=1'],
    ['a NUL', 'a=\0'],
    ['a line break', 'a=b\r\nc: d'],
    ['a delete character', 'a=\x7f'],
  ])('leaves a member out that has %s', (_, text) => {
    expect(parseBaggage(`ok=1,${text},ok2=2`)).toEqual({
      members: [member('ok', '1'), member('ok2', '2')],
      dropped: 0,
      invalid: 1,
    });
  });

  it.each<[string, BaggageMember[]]>([
    ['', []],
    [' , ,\t', []],
    ['a=1', [member('a', '1')]],
    ['a=', [member('a', '')]],
    ['a=1,b=2', [member('a', '1'), member('b', '2')]],
    [' a\t=\t1 , b = 2 ', [member('a', '1'), member('b', '2')]],
    ['a=1=2==', [member('a', '1=2==')]],
    ['a=1,a=2', [member('a', '1'), member('a', '2')]],
    ['a=%20%2C%3B%25', [member('a', ' ,;%')]],
    ['a=%E2%82%AC', [member('a', '€')]],
    ['a=%e2%82%ac', [member('a', '€')]],
    ['a=%E2%82', [member('a', '\uFFFD')]],
    ['a=%ff', [member('a', '\uFFFD')]],
    ['a=100%', [member('a', '100\uFFFD')]],
    ['a=%zz', [member('a', '\uFFFDzz')]],
    ['a=%EF%BB%BFx', [member('a', '\uFEFFx')]],
    ['a="b c"\\é', [member('a', '"b c"\\é')]],
    ['A%20=1', [member('A%20', '1')]],
    ['a=1;p', [member('a', '1', [{ key: 'p' }])]],
    ['a=1 ; p = x%20y ;q; =; ,b=2', [member('a', '1', [{ key: 'p', value: 'x y' }, { key: 'q' }]), member('b', '2')]],
    ['__proto__=1', [member('__proto__', '1')]],
  ])('takes %j', (text, members) => {
    expect(parseBaggage(text)).toEqual({ members, dropped: 0, invalid: 0 });
  });

  it('joins headers in order, and of equal keys the last counts', () => {
    const baggage = extractBaggage(['baggage', 'a=1,b=2', 'Baggage', 'a=3'], rawHeaders)!;
    expect(baggage.members.map(({ value }) => value)).toEqual(['1', '2', '3']);
    expect([...baggageValues(baggage.members)]).toEqual([
      ['a', '3'],
      ['b', '2'],
    ]);
    expect(extractBaggage([], rawHeaders)).toBeUndefined();
  });

  it('takes 180 members, counts the rest', () => {
    const text = Array.from({ length: 200 }, (_, i) => `k${i}=v`).join(',');
    const { members, dropped } = parseBaggage(text);
    expect([members.length, dropped]).toEqual([180, 20]);
    expect(parseBaggage(text, { maxMembers: 3, maxBytes: 8192 }).members).toHaveLength(3);
  });

  it('takes 8,192 characters, and whole members only', () => {
    const value = 'v'.repeat(4000);
    const { members, dropped } = parseBaggage(`a=${value},b=${value},c=${value},d=1`);
    expect(members.map(({ key }) => key)).toEqual(['a', 'b', 'd']);
    expect(dropped).toBe(1);
    expect(parseBaggage(`a=${'v'.repeat(8190)}`).members).toHaveLength(1);
    expect(parseBaggage(`a=${'v'.repeat(8191)}`)).toEqual({ members: [], dropped: 1, invalid: 0 });
  });
});

describe('writing baggage', () => {
  it('escapes what the grammar does not allow', () => {
    const members = [member('a', 'x y,;"\\%é\r\n~!'), member('b', '', [{ key: 'p', value: 'q r' }, { key: 's' }])];
    expect(formatBaggage(members)).toEqual({
      text: 'a=x%20y%2C%3B%22%5C%25%C3%A9%0D%0A~!,b=;p=q%20r;s',
      dropped: 0,
    });
  });

  it('leaves out members whose key no header can carry', () => {
    expect(formatBaggage([member('a b', '1'), member('', '2'), member('c', '3')])).toEqual({ text: 'c=3', dropped: 2 });
  });

  it('sends at most 64 members and 8,192 characters', () => {
    const many = Array.from({ length: 70 }, (_, i) => member(`k${i}`, 'v'));
    expect(formatBaggage(many).dropped).toBe(6);
    expect(parseBaggage(formatBaggage(many).text).members).toHaveLength(64);
    const large = [member('a', 'v'.repeat(5000)), member('b', 'v'.repeat(5000)), member('c', '1')];
    const { text, dropped } = formatBaggage(large);
    expect(dropped).toBe(1);
    expect(text.length).toBeLessThanOrEqual(8192);
    expect(text.endsWith(',c=1')).toBe(true);
  });

  it('removes a header of another context when there is nothing to write', () => {
    expect(written((headers) => injectBaggage([], headers, lowerCaseHeaders), { baggage: 'old=1' })).toEqual({});
    expect(
      written((headers) => injectBaggage([member('a', '1')], headers, lowerCaseHeaders), { baggage: 'x' }),
    ).toEqual({
      baggage: 'a=1',
    });
  });

  it('reads back what it wrote, whatever the values', () => {
    const tokenChar = fc.constantFrom(...'a Z 0 ! # $ % & * + . ^ _ ` | ~ -'.split(' '), "'");
    const token = fc.string({ unit: tokenChar, minLength: 1, maxLength: 8 });
    // A unit of our own: making fast-check's `binary` takes a second.
    const codePoint = fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }));
    const text = fc.string({ unit: codePoint.map((code) => String.fromCodePoint(code)), maxLength: 12 });
    const property = fc.oneof(fc.record({ key: token }), fc.record({ key: token, value: text }));
    const members = fc.array(fc.record({ key: token, value: text, properties: fc.array(property, { maxLength: 3 }) }), {
      maxLength: 10,
    });
    fc.assert(
      fc.property(members, (given) => {
        const header = formatBaggage(given).text;
        expect(header).toMatch(/^[\x21-\x7e]*$/);
        expect(parseBaggage(header).members).toEqual(given);
      }),
    );
  });
});
