import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { compilePattern } from './pattern.ts';
import type { Pattern, PatternOptions } from './pattern.ts';

function compiled(source: string, options?: PatternOptions): Pattern {
  const result = compilePattern(source, options);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

const encoder = new TextEncoder();
function testBytes(pattern: Pattern, text: string): boolean {
  const bytes = encoder.encode(`<${text}>`);
  return pattern.testBytes(bytes, 1, bytes.length - 1);
}

describe('compilePattern', () => {
  it.each([
    ['(', 'missing closing )'],
    ['a(?=b)', '(?='],
    ['(a)\\1', '\\1'],
    ['a)|(b', 'unexpected )'],
  ])('refuses %s and quotes what is wrong', (source, quoted) => {
    const result = compilePattern(source, { whole: true });
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(quoted) as string });
  });

  it.each(['/health', '.*/health.*', '^GET', '\\.jpg$', 'a|b|c', '^(a|b)$', '^(?:GET|POST)$', 'a\\.b\\|c', ''])(
    'needs no engine for %j',
    (source) => expect(compiled(source).strategy).toBe('literal'),
  );

  it.each(['a+', '^a|b$', '(?i)get', '\\d', '^.*x', '[ab]', 'a\\Qb', '(a)(b)'])('uses the engine for %j', (source) =>
    expect(compiled(source).strategy).toBe('re2'),
  );

  it('agrees with the engine on text and on bytes, whatever the strategy', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      'é',
      '.',
      '.*',
      '.*?',
      '\\.',
      '\\*',
      '\\\\',
      '^',
      '$',
      '|',
      '(',
      ')',
      '(?:',
      '\n',
    );
    const source = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const text = fc
      .array(fc.constantFrom('a', 'b', 'é', '.', '*', '\\', '\n'), { maxLength: 6 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(source, fc.array(text, { maxLength: 8 }), fc.boolean(), (pattern, texts, whole) => {
        const result = compilePattern(pattern, { whole });
        if (!result.ok) return;
        const oracle = RE2JS.compile(whole ? `^(?:${pattern})$` : pattern);
        for (const candidate of texts) {
          const expected = oracle.matcher(candidate).find();
          expect(result.value.test(candidate), `${pattern} on ${candidate}`).toBe(expected);
          expect(testBytes(result.value, candidate), `${pattern} on the bytes of ${candidate}`).toBe(expected);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('gives named groups in order', () => {
    const pattern = compiled('^/api/(?P<version>v\\d+)/(?<rest>.*)$');
    expect(pattern.groupNames).toEqual(['version', 'rest']);
    expect(pattern.namedGroups('/api/v1/users/7')).toEqual({ version: 'v1', rest: 'users/7' });
    expect(pattern.namedGroups('/other')).toBeUndefined();
  });
});
