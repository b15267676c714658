import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFields, checkTarget } from './check-head.ts';

const any = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ maxLength: 6 }),
  fc.constantFrom('\r\n', '\u010a', '\u010d', '\0', 'é'),
);

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (caught) {
    expect(caught).toMatchObject({ code: 'invalid_field' });
    return false;
  }
}

describe('what is written to a head', () => {
  it('is a name, a value and nothing that could become more when it is written as bytes', () => {
    fc.assert(
      fc.property(any, any, (name, value) => {
        if (!passes(() => checkFields(['A', 'b', name, value]))) return;
        const line = Buffer.from(`${name}: ${value}`, 'latin1').toString('latin1');
        expect(line).toBe(`${name}: ${value}`);
        expect(line).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*$/);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['a line end', 'a\r\nX: y'],
    ['a carriage return', 'a\rb'],
    ['a line feed', 'a\nb'],
    ['a null byte', 'a\0b'],
    ['a character whose lower byte is a line feed', 'a\u010ab'],
    ['a character whose lower byte is a carriage return', 'a\u010db'],
    ['a character beyond the first plane', 'a\u{1f60a}b'],
    ['DEL', 'a\x7fb'],
  ])('has no %s', (_title, text) => {
    expect(passes(() => checkFields(['A', text]))).toBe(false);
    expect(passes(() => checkFields([text, 'a']))).toBe(false);
    expect(passes(() => checkTarget(`/${text}`))).toBe(false);
  });

  it('names what is wrong', () => {
    expect(() => checkFields(['A b', 'c'])).toThrow('"A b" cannot be the name of a field');
    expect(() => checkFields(['A', 'b\n'])).toThrow('the value of A has characters');
    expect(() => checkTarget('')).toThrow('"" cannot be the target of a request');
    expect(() => checkTarget('/a b')).toThrow('"/a b"');
  });

  it('may be anything else', () => {
    expect(passes(() => checkFields(["!#$%&'*+.^_`|~9a", '\t ~\x80\xff', 'B', '']))).toBe(true);
    expect(passes(() => checkTarget('/a?b=%20"<>[]{}|\\^`'))).toBe(true);
  });
});
