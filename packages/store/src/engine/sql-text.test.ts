import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatParam, placeholderNames, sqlIdentifier, sqlStringLiteral, sqlTable } from './sql-text.ts';

/** Reads the escapes this module writes, the way ClickHouse documents them: `\xHH` is one byte. */
function unescape(text: string): string {
  return text.replace(/\\x([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

describe('a string literal', () => {
  it('contains no quote, backslash or control character that could end it or start an escape of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inner = sqlStringLiteral(text).slice(1, -1);
        // oxlint-disable-next-line no-control-regex -- control characters are what must be absent
        expect(inner.replace(/\\x[0-9A-F]{2}/g, '')).not.toMatch(/['\\\u0000-\u001f\u007f]/);
        expect(unescape(inner)).toBe(text.toWellFormed());
      }),
    );
  });
});

describe('a parameter', () => {
  it.each([
    ['a fraction without end', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an integer that has lost digits', 2 ** 60],
  ])('is refused when it is %s', (_, value) => {
    expect(() => formatParam('p', value)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('is refused when it is an object or a nested array', () => {
    expect(() => formatParam('p', [['nested']] as never)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
    expect(() => formatParam('p', {} as never)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('is written in the form ClickHouse reads', () => {
    expect(formatParam('p', "it's")).toBe('it\\x27s');
    expect(formatParam('p', ["a'", 'b'])).toBe("['a\\x27','b']");
    expect(formatParam('p', [])).toBe('[]');
    expect(formatParam('p', [1n, 2])).toBe('[1,2]');
    expect(formatParam('p', false)).toBe('0');
    expect(formatParam('p', Uint8Array.of(0, 255))).toBe('\\x00\\xFF');
    expect(formatParam('p', 'lone \ud800')).toBe('lone \ufffd');
  });
});

describe('the placeholders of a statement', () => {
  it('are found with blanks and without', () => {
    expect([...placeholderNames('SELECT {a:String}, { b : Array(UInt8)}, {a:String}')]).toEqual(['a', 'b']);
  });

  it('are not looked for in literals, quoted names, comments and maps', () => {
    const sql = `SELECT '{a:String} it\\'s {b:String}', "{c:x}", \`{d:x}\`, {'e':1}, f -- {g:x}\n /* {h:x}\n{i:x} */`;
    expect([...placeholderNames(sql)]).toEqual([]);
  });

  it('are found behind a literal that holds a doubled quote', () => {
    expect([...placeholderNames("SELECT 'it''s', {a:String}")]).toEqual(['a']);
  });
});

describe('a table name', () => {
  it('is refused when it is more than database and table of plain letters', () => {
    for (const name of ['a.b.c', 'a b', '`a`', '', 'a.', "a'"]) {
      expect(() => sqlTable(name)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });

  it('is quoted part by part', () => {
    expect(sqlTable('spans')).toBe('`spans`');
    expect(sqlTable('clew.spans')).toBe('`clew`.`spans`');
    expect(sqlIdentifier('a`b\\c')).toBe('`a\\`b\\\\c`');
  });
});
