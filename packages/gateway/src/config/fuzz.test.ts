import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame, loadText, memoryIo } from '../test/load-text.ts';
import { gatewayReference } from './reference.ts';
import { formatProblems } from './report.ts';

const published = await readFile(new URL('testdata/tempo.kdl', import.meta.url), 'utf8');

/** Names and words that mean something somewhere. */
const vocabulary = [
  ...new Set([...gatewayReference().matchAll(/`([^`\s]+)`|"([^"\s|]+)"/g)].map((match) => match[1] ?? match[2]!)),
];

describe('loadGatewayConfig, whatever the text', () => {
  it('gives a configuration or errors that can be printed, for damaged files', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...'{ } " ; \n # #true null 0 -1 1e999 9007199254740993 "" "x:1" "/" "${A}" include "*"'.split(' '),
      ),
      fc.constantFrom(...vocabulary),
      fc.string({ maxLength: 4 }),
    );
    const damage = fc.record({ at: fc.nat(published.length), cut: fc.nat(30), put: piece });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 5 }), async (damages) => {
        let text = published;
        for (const { at, cut, put } of damages) text = `${text.slice(0, at)} ${put} ${text.slice(at + cut)}`;
        const { config, problems } = await loadText(text, memoryIo({}, { A: 'x' }));
        const failed = problems.some(({ severity }) => severity === 'error');
        expect(config === undefined).toBe(failed);
        if (problems.length > 0) expect(formatProblems(problems)).toMatch(/\S/);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same for blocks of known names with values of any kind', async () => {
    const scalar = fc.oneof(
      fc.constantFrom(...vocabulary).map((word) => JSON.stringify(word)),
      fc.constantFrom('#true', '#false', '#null', '#inf', '-1', '0', '1.5', '""', '"127.0.0.1:1"', '"10s"', '"/x"'),
    );
    const node = fc.letrec<{ node: string }>((tie) => ({
      node: fc
        .record({
          name: fc.constantFrom(...vocabulary).map((word) => JSON.stringify(word)),
          entries: fc.array(
            fc.oneof(
              scalar,
              fc.tuple(fc.constantFrom(...vocabulary), scalar).map(([key, value]) => `${JSON.stringify(key)}=${value}`),
            ),
            { maxLength: 3 },
          ),
          inside: fc.oneof({ maxDepth: 4 }, fc.constant([]), fc.array(tie('node'), { maxLength: 4 })),
        })
        .map(
          ({ name, entries, inside }) =>
            `${[name, ...entries].join(' ')}${inside.length > 0 ? ` {\n${inside.join('\n')}\n}` : ''}`,
        ),
    })).node;
    await fc.assert(
      fc.asyncProperty(fc.array(node, { maxLength: 6 }), async (nodes) => {
        const { config, problems } = await loadText(`${frame}${nodes.join('\n')}`);
        expect(config === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
        for (const { message } of problems) expect(message).not.toContain('undefined');
      }),
      { numRuns: 500 },
    );
  });
});
