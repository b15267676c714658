import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  INVALID_TRACESTATE,
  countTracestateMembers,
  removeTracestateMember,
  setTracestateMember,
  tracestateMember,
  truncateTracestate,
} from './tracestate.ts';

const many = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}=${i}`).join(',');

describe('a tracestate list', () => {
  it.each([
    ['a member without =', 'foo'],
    ['a key without a value', 'foo='],
    ['a value of spaces', 'foo=  '],
    ['a value without a key', '=1'],
    ['a second = in a value', 'foo=1=2'],
    ['an upper-case key', 'FOO=1'],
    ['a dot in a key', 'foo.bar=1'],
    ['a space before =', 'foo =1'],
    ['a space inside a key', 'fo o=1'],
    ['another separator', 'foo=1;bar=2=3'],
    ['a key that begins with @', '@foo=1'],
    ['a key that begins with _', '_foo=1'],
    ['a key that is too long', `${'z'.repeat(257)}=1`],
    ['a value that is too long', `foo=${'v'.repeat(257)}`],
    ['a tab inside a value', 'foo=1\t2'],
    ['a control character', 'foo=\0'],
    ['a character beyond ASCII', 'foo=é'],
    ['a key beyond ASCII', 'ſ=1'],
    ['33 members', many(33)],
    ['one bad member among good ones', 'foo=1,bar=2,BAZ=3'],
  ])('is discarded with %s', (_, text) => {
    expect(countTracestateMembers(text)).toBe(INVALID_TRACESTATE);
  });

  it.each([
    ['', 0],
    [' ', 0],
    [',\t, ,', 0],
    ['foo=1', 1],
    ['foo=1,bar=2', 2],
    ['foo=1 \t,\t bar=2 ', 2],
    ['foo=1,', 1],
    ['foo=1,,bar=2', 2],
    ['foo= 1', 1],
    ['foo=1,foo=1', 2],
    ['f=!"#$%&\'()*+-./:;<>?@[\\]^_`{|}~', 1],
    ['0=1', 1],
    ['foo@bar=1', 1],
    ['a-_*/@9=1', 1],
    [`${'z'.repeat(256)}=1`, 1],
    [`foo=${'v'.repeat(256)}`, 1],
    [`foo=${'v'.repeat(256)}   ,`, 1],
    [many(32), 32],
    [`${many(32)},,,`, 32],
  ])('%j has its members counted', (text, members) => {
    expect(countTracestateMembers(text)).toBe(members);
  });

  it.each([
    ['a digit first', '0foo=1', -1],
    ['two @', 'a@b@c=1', -1],
    ['an empty tenant', '@v=1', -1],
    ['an empty system', 't@=1', -1],
    ['a system that begins with a digit', 't@0=1', -1],
    ['a long tenant', `${'t'.repeat(242)}@v=1`, -1],
    ['a long system', `t@${'v'.repeat(15)}=1`, -1],
    ['a tenant that begins with a digit', '0t@v=1', 1],
    ['the longest tenant and system', `${'t'.repeat(241)}@${'v'.repeat(14)}=1`, 1],
    ['a plain key', 'a-_*/9=1', 1],
  ])('of level 1 with %s', (_, text, members) => {
    expect(countTracestateMembers(text, 1)).toBe(members);
  });

  it('of level 1 is one of level 2 too', () => {
    const char = fc.constantFrom('a', '0', '@', '_', '=', ',', ' ', '\t', 'Z', 'é');
    fc.assert(
      fc.property(fc.string({ unit: char, maxLength: 24 }), (text) => {
        const strict = countTracestateMembers(text, 1);
        if (strict >= 0) expect(countTracestateMembers(text, 2)).toBe(strict);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a member of a list', () => {
  it('is found by its whole key only, the first of equal ones', () => {
    const text = 'foobar=0, foo=1 ,fo=2,foo=3';
    expect(tracestateMember(text, 'foo')).toBe('1');
    expect(tracestateMember(text, 'fo')).toBe('2');
    expect(tracestateMember(text, 'f')).toBeUndefined();
    expect(tracestateMember('', 'foo')).toBeUndefined();
  });

  it('is put at the left, and its other occurrences go', () => {
    expect(setTracestateMember('', 'ot', 'th:8')).toBe('ot=th:8');
    expect(setTracestateMember('foo=1,bar=2', 'ot', 'th:8')).toBe('ot=th:8,foo=1,bar=2');
    expect(setTracestateMember('foo=1 , ot=th:0,,bar=2,ot=x', 'ot', 'th:8')).toBe('ot=th:8,foo=1,bar=2');
  });

  it('leaves the text alone when it stands there already', () => {
    const text = ' ot=th:8 ,\tfoo=1,,foo=1';
    expect(setTracestateMember(text, 'ot', 'th:8')).toBe(text);
    expect(setTracestateMember(`${text},ot=th:0`, 'ot', 'th:8')).toBe('ot=th:8,foo=1');
  });

  it('pushes the right-most out of a full list', () => {
    const edited = setTracestateMember(many(32), 'ot', 'th:8').split(',');
    expect(edited).toHaveLength(32);
    expect(edited.at(-1)).toBe('k30=30');
    expect(setTracestateMember(many(32), 'k31', 'x').split(',')).toHaveLength(32);
  });

  it('is removed, and a list without it stays as it is', () => {
    expect(removeTracestateMember('foo=1 ,ot=th:8,bar=2,ot=x', 'ot')).toBe('foo=1,bar=2');
    expect(removeTracestateMember('ot=th:8', 'ot')).toBe('');
    const text = 'foo=1 ,, bar=2';
    expect(removeTracestateMember(text, 'ot')).toBe(text);
  });

  it('reads back after it was set, and the list stays valid', () => {
    const key = fc.constantFrom('a', 'b', 'c@d', 'ot', 'z'.repeat(256));
    const value = fc.string({ unit: fc.constantFrom('x', ':', ';', '!'), minLength: 1, maxLength: 20 });
    const list = fc
      .array(fc.tuple(key, value), { maxLength: 32 })
      .map((pairs) => pairs.map((pair) => pair.join('=')).join(' ,'));
    fc.assert(
      fc.property(list, key, value, (text, name, content) => {
        const edited = setTracestateMember(text, name, content);
        expect(tracestateMember(edited, name)).toBe(content);
        expect(countTracestateMembers(edited)).toBeGreaterThan(0);
        expect(setTracestateMember(edited, name, content)).toBe(edited);
        expect(tracestateMember(removeTracestateMember(edited, name), name)).toBeUndefined();
      }),
    );
  });
});

describe('a list that is too long', () => {
  it('loses long members first, then the right-most, and only whole ones', () => {
    const long = `l=${'x'.repeat(200)}`;
    expect(truncateTracestate(`a=1,${long},b=2`, 200)).toBe('a=1,b=2');
    expect(truncateTracestate(`a=1,${long},b=2,m=${'y'.repeat(200)}`, 250)).toBe(`a=1,${long},b=2`);
    expect(truncateTracestate('a=1,b=2,c=3', 8)).toBe('a=1,b=2');
    expect(truncateTracestate('a=1,b=2,c=3', 2)).toBe('');
  });

  it('is left alone as long as it fits', () => {
    const text = `a=1 ,${'b'.repeat(100)}=2`;
    expect(truncateTracestate(text)).toBe(text);
    expect(truncateTracestate(text, text.length)).toBe(text);
  });
});
