import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { resolveTree } from './load.ts';
import { fromPlainValue, toPlainValue } from './node.ts';
import type { MapNode, PlainValue } from './node.ts';
import { printConfig } from './print.ts';
import type { PrintOptions } from './print.ts';
import { testRegistry } from './test/registry.ts';

const text = `
receivers: {otlp: {protocols: {grpc: }}}
processors:
  batch: {timeout: 1s}
  anything: {api_key: k, key_file: /etc/key, db_password: "\${DB}"}
exporters:
  otlp:
    endpoint: tempo:4317
    headers: {x-tenant: acme}
extensions: {health_check: {pass_phrase: sesame}}
service:
  pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}
`;

async function printed(options: Partial<PrintOptions> = {}): Promise<string> {
  const tree = await resolveTree({
    sources: ['c.yaml'],
    readFile: () => Promise.resolve(text),
    env: { DB: 'hunter2' },
  });
  if (!tree.ok) throw new Error(tree.error[0]?.message);
  return printConfig(tree.value.tree, { registry: testRegistry, ...options });
}

describe('printConfig', () => {
  it('prints no secret: neither what a schema marks, nor headers, nor what is named like one', async () => {
    const output = await printed();
    for (const secret of ['hunter2', 'acme', 'sesame', 'api_key: k']) expect(output).not.toContain(secret);
    expect(output.match(/\[REDACTED\]/g)).toHaveLength(4);
    expect(output).toContain('key_file: /etc/key');
  });

  it('prints secrets when told to', async () => {
    expect(await printed({ revealSecrets: true })).toContain('db_password: hunter2');
  });

  it('fills in defaults in the spelling a user would write', async () => {
    const output = parse(await printed({ defaults: true })) as Record<string, Record<string, unknown>>;
    expect(output['processors']?.['batch']).toEqual({ timeout: '1s', send_batch_size: 8192, send_batch_max_size: 0 });
    expect(output['exporters']?.['otlp']).toMatchObject({ tls: { insecure: false }, verbosity: 'basic' });
    expect(output['service']?.['telemetry']).toMatchObject({ logs: { sampling: { tick: '10s', thereafter: 100 } } });
  });

  it('says where each value came from', async () => {
    const output = await printed({ origins: true, defaults: true });
    expect(output).toContain('timeout: 1s # c.yaml:4:20\n');
    expect(output).toContain('send_batch_size: 8192 # default\n');
    expect(output).toContain('db_password: "[REDACTED]" # c.yaml:5:59 (from env:DB)\n');
  });

  it('prints a substituted number as text where text is wanted', async () => {
    const numeric = text.replace('tempo:4317', '"${PORT}"').replace('{timeout: 1s}', '{send_batch_size: "${PORT}"}');
    const tree = await resolveTree({
      sources: ['c.yaml'],
      readFile: () => Promise.resolve(numeric),
      env: { DB: 'x', PORT: '0123' },
    });
    if (!tree.ok) throw new Error(tree.error[0]?.message);
    const output = printConfig(tree.value.tree, { registry: testRegistry });
    expect(output).toContain('endpoint: "0123"\n');
    expect(output).toContain('send_batch_size: 83\n');
  });

  it('prints what reads back as the same', async () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '0b1',
        '1_000',
        '0123',
        '0x',
        '~',
        '',
        '$',
        '$$',
        '${A}',
        '$${A}',
        '$$${',
        'a: b',
        '- x',
        '#',
        '1e3',
        '.inf',
        'yes',
      ),
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value)),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }),
      fc.constant(null),
    );
    const { tree: value } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        scalar,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant('<<')), tie('tree'), { maxKeys: 3 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(value, async (sample) => {
        const root = fromPlainValue({ processors: { anything: { sample: sample as PlainValue } } }, { source: 'test' });
        const output = printConfig(root as MapNode, { registry: testRegistry, revealSecrets: true });
        const again = await resolveTree({
          sources: ['printed.yaml'],
          readFile: () => Promise.resolve(output),
          env: { A: 'wrong' },
        });
        if (!again.ok) throw new Error(`${again.error[0]?.message}\n${output}`);
        expect(toPlainValue(again.value.tree)).toEqual(toPlainValue(root));
      }),
    );
  });
});
