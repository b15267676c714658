import { describe, expect, it } from 'vitest';
import { plainAttributes, prettyText, stackLines, valueNote, valueText } from './values.ts';

describe('attribute values', () => {
  it('lose no digit of a 64-bit integer', () => {
    const big = { type: 'int', value: '9007199254740993' } as const;
    expect(valueText(big)).toBe('9007199254740993');
    expect(plainAttributes([{ key: 'offset', value: big }])).toEqual({ offset: '9007199254740993' });
  });

  it('keep every value of a repeated key', () => {
    const attributes = ['a', 'b'].map((value) => ({ key: 'k', value: { type: 'string', value } as const }));
    expect(plainAttributes(attributes)).toEqual({ k: ['a', 'b'] });
  });

  it('say what they are when the text does not', () => {
    expect(valueNote({ type: 'bytes', value: 'AAECAw==' })).toBe('4 B, base64');
    expect(valueNote({ type: 'empty' })).toBe('empty');
    expect(valueNote({ type: 'string', value: '1' })).toBeUndefined();
    expect(valueNote({ type: 'double', value: 'NaN' })).toBe('double');
  });

  it('show nested values as JSON', () => {
    expect(valueText({ type: 'array', value: [{ type: 'int', value: '1' }, { type: 'empty' }] })).toBe(
      '[\n  1,\n  null\n]',
    );
  });

  it('indent JSON and leave everything else alone', () => {
    expect(prettyText('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(prettyText('{not json')).toBe('{not json');
    expect(prettyText('SELECT 1')).toBe('SELECT 1');
  });

  it('tell library frames from the application', () => {
    const lines = stackLines('Error: no\n  at f (/srv/app/a.ts:1:2)\n  at g (/srv/app/node_modules/x/y.js:3:4)\n\n');
    expect(lines.map((line) => line.library)).toEqual([false, false, true]);
  });
});
