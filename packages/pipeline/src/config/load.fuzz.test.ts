import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import { testRegistry } from './test/registry.ts';

const guide = await readFile(new URL('testdata/guide.yaml', import.meta.url), 'utf8');

/** Pieces that mean something in YAML, in substitution or to an object. */
const pieces = fc.constantFrom(
  ...[
    '${',
    '}',
    '$',
    '${env:A}',
    '${B:-',
    '&a ',
    '*a',
    '<<: ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|',
    '>',
    '#',
  ].concat(
    [
      '!!str ',
      '? ',
      '\n',
      '\t',
      '  ',
      '__proto__: ',
      'constructor: ',
      'null',
      '~',
      '0x',
      '1e999',
      '.nan',
      '\u0000',
      '\ufeff',
    ],
    ['%YAML 1.1\n', '---\n', '...\n'],
  ),
);

describe('loadConfig', () => {
  it('answers every damaged text with a configuration or with problems that can be printed', async () => {
    const damage = fc.record({
      at: fc.nat(guide.length),
      cut: fc.nat(12),
      put: fc.oneof(pieces, fc.string({ maxLength: 6 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 6 }), async (damages) => {
        let text = guide;
        for (const { at, cut, put } of damages) text = text.slice(0, at) + put + text.slice(at + cut);
        const result = await loadConfig({
          sources: ['c.yaml'],
          registry: testRegistry,
          readFile: () => Promise.resolve(text),
          env: { A: 'a', B: '${A}' },
        });
        if (result.ok) return;
        expect(result.error.some(({ severity }) => severity === 'error')).toBe(true);
        for (const problem of result.error) expect(formatProblem(problem)).toMatch(/\S/);
      }),
      { numRuns: 200 },
    );
  });

  it('reads any value that holds no dollar as YAML means it, whether it is quoted or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 20 }), async (value) => {
        const text = `receivers: {otlp: {protocols: {grpc: {endpoint: ${JSON.stringify(value.replaceAll('$', ''))}}}}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}`;
        const result = await loadConfig({
          sources: ['c.yaml'],
          registry: testRegistry,
          readFile: () => Promise.resolve(text),
        });
        if (!result.ok) throw new Error(result.error.map(formatProblem).join('\n'));
        expect(result.value.components.receiver.get('otlp')?.settings).toEqual({
          protocols: { grpc: { endpoint: value.replaceAll('$', '') } },
        });
      }),
    );
  });
});
