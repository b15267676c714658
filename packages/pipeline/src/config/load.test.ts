import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FeatureGates } from '../feature-gates.ts';
import { loadConfig } from './load.ts';
import type { LoadOptions } from './load.ts';
import type { Configuration } from './model.ts';
import { printConfig } from './print.ts';
import { formatProblem } from './problem.ts';
import { testRegistry } from './test/registry.ts';

const service = `
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
`;
const components = `
receivers: {otlp: {protocols: {grpc: }}}
processors: {batch: }
exporters: {otlp: {endpoint: 'tempo:4317'}}
`;

type Files = Readonly<Record<string, string>>;

function load(files: Files, options: Partial<LoadOptions> = {}) {
  const read = (path: string) =>
    files[path] === undefined ? Promise.reject(new Error('no such file')) : Promise.resolve(files[path]);
  return loadConfig({ sources: Object.keys(files), registry: testRegistry, readFile: read, env: {}, ...options });
}

async function loaded(files: Files, options: Partial<LoadOptions> = {}): Promise<Configuration> {
  const result = await load(files, options);
  if (!result.ok) throw new Error(result.error.map(formatProblem).join('\n'));
  return result.value;
}

async function problems(text: string, options: Partial<LoadOptions> = {}): Promise<string[]> {
  const result = await load({ 'c.yaml': text }, options);
  if (result.ok) throw new Error('the configuration was accepted');
  return result.error.filter(({ severity }) => severity === 'error').map(formatProblem);
}

describe('loadConfig, on what is wrong', () => {
  it('asks for a source when there is none', async () => {
    const result = await loadConfig({ sources: [], registry: testRegistry });
    expect(result).toMatchObject({ ok: false, error: [{ message: 'at least one config flag must be provided' }] });
  });

  it('names the file that cannot be read and the scheme it does not know', async () => {
    const missing = await load({}, { sources: ['gone.yaml', 'ftp:x'] });
    if (missing.ok) expect.unreachable();
    else {
      expect(missing.error.map(formatProblem)).toEqual([
        'cannot resolve the configuration: unable to read the file gone.yaml: no such file',
        'cannot resolve the configuration: scheme "ftp" is not supported for uri "ftp:x"',
      ]);
    }
  });

  it('places YAML mistakes, duplicate keys among them', async () => {
    expect(await problems('receivers:\n  otlp:\n  otlp:\n')).toEqual([
      'c.yaml:3:3: mapping key "otlp" already defined at line 2',
    ]);
    expect(await problems('receivers: [')).toEqual([expect.stringMatching(/^c\.yaml:1:13: cannot parse YAML: /)]);
    expect(await problems('a: 1\n---\nb: 2\n')).toEqual([expect.stringContaining('several YAML documents')]);
    expect(await problems('- a\n')).toEqual([expect.stringMatching(/^c\.yaml:1:1: .*must be a map/)]);
  });

  it('ends when aliases multiply without end', async () => {
    const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
    expect(await problems(['a0: &a0 [x]', ...levels].join('\n'))).toEqual([
      expect.stringContaining('more than 100000 values'),
    ]);
  });

  it('rejects unknown keys everywhere, with their place and a suggestion', async () => {
    const text = `
recievers: {}
receivers: {otlp: {protocols: {grpc: {endpont: x}}}}
processors:
  batch:
    timout: 1s
exporters: {otlp: {endpoint: x}}
service:
  pipeline: {}
  pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}
`;
    expect(await problems(text)).toEqual([
      `c.yaml:2:1: '' has invalid keys: recievers (did you mean "receivers"?)`,
      `c.yaml:3:39: error decoding 'receivers': error reading configuration for "otlp": 'protocols.grpc' has invalid keys: endpont (did you mean "endpoint"?)`,
      `c.yaml:6:5: error decoding 'processors': error reading configuration for "batch": '' has invalid keys: timout (did you mean "timeout"?)`,
      `c.yaml:9:3: error decoding 'service': '' has invalid keys: pipeline (did you mean "pipelines"?)`,
    ]);
  });

  it('is strict about types and says what it saw', async () => {
    const text = `
receivers: {otlp: {protocols: {grpc: {max_size: "5"}}}}
processors: {batch: {timeout: 1x, send_batch_size: -1}}
exporters: {otlp: {endpoint: 5, tls: {insecure: "true"}, verbosity: detaild}}
${service}`;
    const found = await problems(text);
    expect(found.map((line) => line.replace(/^.*?configuration for /, ''))).toEqual([
      `"otlp": 'protocols.grpc.max_size' expected type 'number', got unconvertible type 'string', value: '5'`,
      `"batch": 'timeout' time: unknown unit "x" in duration "1x"`,
      `"batch": 'send_batch_size' must be at least 0, got unconvertible type 'int', value: '-1'`,
      `"otlp": 'endpoint' expected type 'string', got unconvertible type 'int', value: '5'`,
      `"otlp": 'tls.insecure' expected type 'bool', got unconvertible type 'string', value: 'true'`,
      `"otlp": 'verbosity' has unsupported value "detaild"; valid values are: basic, normal, detailed (did you mean "detailed"?)`,
    ]);
  });

  it('reports violated rules by their path', async () => {
    const text = `
receivers: {otlp: {protocols: {}}}
processors: {batch: {send_batch_size: 10, send_batch_max_size: 5}}
exporters: {otlp: {endpoint: x}}
${service}`;
    expect(await problems(text)).toEqual([
      'c.yaml:2:20: receivers::otlp::protocols: must specify at least one protocol',
      'c.yaml:3:21: processors::batch: send_batch_max_size must be greater or equal to send_batch_size',
    ]);
  });

  it.each([
    ['""', 'id must not be empty'],
    ['/x', 'in "/x" id: the part before / should not be empty'],
    ['otlp/', 'in "otlp/" id: the part after / should not be empty'],
    ['1otlp', 'in "1otlp" id: invalid character(s) in type "1otlp"'],
    ['"otlp/a b"', 'in "otlp/a b" id: invalid character(s) in name "a b"'],
    [`otlp/${'n'.repeat(1025)}`, 'is longer than 1024 characters (1025)'],
    ['zipkinn', 'unknown type: "zipkinn" for id: "zipkinn" (valid values: [otlp])'],
    ['oltp/a', 'unknown type: "oltp" for id: "oltp/a" (valid values: [otlp]) (did you mean "otlp"?)'],
    [
      'jaeger',
      'receiver type "jaeger" for id: "jaeger" is not part of this build yet; remove it or use another (valid values: [otlp])',
    ],
  ])('refuses the receiver id %s', async (id, message) => {
    const text = components.replace('{otlp: {protocols', `{? ${id} : , otlp: {protocols`) + service;
    expect(await problems(text)).toEqual([expect.stringContaining(message)]);
  });

  it('notices ids that are equal once trimmed', async () => {
    const text = `${components.replace('{batch: }', '{batch/a: , batch / a: , batch: }')}${service}`;
    expect(await problems(text)).toEqual([expect.stringContaining('duplicate name "batch/a" after trimming spaces')]);
  });

  it.each([
    ['{}', 'service::pipelines: service must have at least one pipeline'],
    ['{traces: {exporters: [otlp]}}', 'service::pipelines::traces: must have at least one receiver'],
    ['{traces: {receivers: [otlp]}}', 'service::pipelines::traces: must have at least one exporter'],
    [
      '{traces: {receivers: [otlp, x], exporters: [otlp]}}',
      'service::pipelines::traces: references receiver "x" which is not configured',
    ],
    [
      '{traces: {receivers: [otlp], processors: [bach], exporters: [otlp]}}',
      'references processor "bach" which is not configured (did you mean "batch"?)',
    ],
    [
      '{traces: {receivers: [otlp], exporters: [otpl]}}',
      'references exporter "otpl" which is not configured (did you mean "otlp"?)',
    ],
    [
      '{traces: {receivers: [otlp], processors: [batch, batch], exporters: [otlp]}}',
      'service::pipelines::traces: references processor "batch" multiple times',
    ],
    ['{trace: {receivers: [otlp], exporters: [otlp]}}', 'unknown signal "trace" (did you mean "traces"?)'],
  ])('refuses the pipelines %s', async (pipelines, message) => {
    const found = await problems(`${components}service: {pipelines: ${pipelines}}`);
    expect(found).toEqual([expect.stringContaining(message)]);
    expect(found[0]).toMatch(/^c\.yaml:\d+:\d+: /);
  });

  it('refuses extensions that are not configured, and sections that are missing', async () => {
    expect(
      await problems(
        `${components}service: {extensions: [health], pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}`,
      ),
    ).toEqual(['c.yaml:5:24: service::extensions: references extension "health" which is not configured']);
    expect(await problems(`exporters: {otlp: {endpoint: x}}`)).toContain(
      'c.yaml:1:1: no receiver configuration specified in config',
    );
    expect(await problems(`receivers: {otlp: {protocols: {grpc: }}}`)).toContain(
      'c.yaml:1:1: no exporter configuration specified in config',
    );
    expect(await problems('')).toContain('c.yaml:1:1: empty configuration file');
  });

  it('refuses one id for a connector and an exporter', async () => {
    const text = `${components}connectors: {forward: }\n${service}`.replace(
      'exporters: {otlp',
      'exporters: {debug: , otlp',
    );
    const clash = text.replace('{forward: }', '{forward/x: }');
    expect((await load({ 'c.yaml': clash })).ok).toBe(true);
    expect(await problems(text.replace('debug: ', 'forward: '))).toEqual(
      expect.arrayContaining([
        expect.stringContaining(
          `connectors::forward: ambiguous ID: Found both "forward" exporter and "forward" connector. Change one of the components' IDs to eliminate ambiguity (e.g. rename "forward" connector to "forward/connector")`,
        ),
      ]),
    );
  });

  it('gives one placed message for each component of a published guide that this registry lacks', async () => {
    const guide = await readFile(new URL('testdata/guide.yaml', import.meta.url), 'utf8');
    expect(await problems(guide)).toEqual([
      expect.stringMatching(/^c\.yaml:13:3: .*processor type "filter" .*not part of this build/),
      expect.stringMatching(/^c\.yaml:21:3: .*processor type "tail_sampling" .*not part of this build/),
      expect.stringMatching(/^c\.yaml:34:3: .*exporter type "jaeger" .*not part of this build/),
    ]);
  });
});

describe('loadConfig', () => {
  it('takes an empty value for all defaults, whether of a component or of a section', async () => {
    const config = await loaded({ 'c.yaml': `${components}${service}` });
    expect(config.components.processor.get('batch')?.settings).toEqual({
      timeout: 200,
      send_batch_size: 8192,
      send_batch_max_size: 0,
    });
    expect(config.components.receiver.get('otlp')?.settings).toEqual({
      protocols: { grpc: { endpoint: 'localhost:4317' } },
    });
    expect(config.pipelines.get('traces')).toMatchObject({
      receivers: ['otlp'],
      processors: ['batch'],
      exporters: ['otlp'],
    });
    expect(config.telemetry.metrics.readers[0]?.pull?.exporter.prometheus).toMatchObject({
      port: 8888,
      without_units: true,
    });
  });

  it('reads bare integers as nanoseconds where a duration is expected', async () => {
    const config = await loaded({
      'c.yaml': `${components.replace('{batch: }', '{batch: {timeout: 1500000}}')}${service}`,
    });
    expect(config.components.processor.get('batch')?.settings).toMatchObject({ timeout: 1.5 });
  });

  it('tells whole numbers from floats where types matter, and keeps the difference in print', async () => {
    const typed = '[1, 1.0, 1e3, 0.5, "1", {k: 2}]';
    const text = `${components.replace('{batch: }', `{typed: {value: ${typed}}}`)}${service.replace('[batch]', '[typed]')}`;
    const config = await loaded({ 'c.yaml': text }, { env: {} });
    expect(config.components.processor.get('typed')?.settings).toEqual({ value: [1n, 1, 1000, 0.5, '1', { k: 2n }] });
    const again = await loaded({ 'c.yaml': printConfig(config.tree, { registry: testRegistry }) });
    expect(again.components.processor.get('typed')?.settings).toEqual(
      config.components.processor.get('typed')?.settings,
    );
  });

  it('accepts an alias with a warning, under the id the user wrote', async () => {
    const config = await loaded({
      'c.yaml': `${components}${service}`.replace('exporters: {otlp', 'exporters: {logging/x: , otlp'),
    });
    expect(config.components.exporter.get('logging/x')?.factory.type).toBe('debug');
    expect(config.warnings.map(formatProblem)).toEqual([
      'c.yaml:4:13: exporters::logging/x: the type "logging" is now called "debug"',
    ]);
  });

  it('merges sources from left to right, and sets over them', async () => {
    const over = 'processors: {batch: {send_batch_size: 5}}\nservice: {pipelines: {traces: {processors: []}}}';
    const config = await loaded(
      { 'a.yaml': `${components.replace('{batch: }', '{batch: {timeout: 1s}}')}${service}`, 'b.yaml': over },
      { sets: ['processors.batch.send_batch_max_size=7', 'exporters.otlp.endpoint=elsewhere:1'] },
    );
    expect(config.components.processor.get('batch')?.settings).toEqual({
      timeout: 1000,
      send_batch_size: 5,
      send_batch_max_size: 7,
    });
    expect(config.components.exporter.get('otlp')?.settings).toMatchObject({ endpoint: 'elsewhere:1' });
    expect(config.pipelines.get('traces')?.processors).toEqual([]);
  });

  it('lets an explicit null bring back the defaults', async () => {
    const first = `${components.replace('{batch: }', '{batch: {timeout: 1s}}')}${service}`;
    const config = await loaded({ 'a.yaml': first, 'b.yaml': 'processors: {batch: }' });
    expect(config.components.processor.get('batch')?.settings).toMatchObject({ timeout: 200 });
  });

  it('appends service lists when the gate for it is on', async () => {
    const gates = FeatureGates.parse('+confmap.enableMergeAppendOption');
    if (!gates.ok) throw new Error(gates.error);
    const files = {
      'a.yaml': `${components}${service}`,
      'b.yaml': 'exporters: {debug: }\nservice: {pipelines: {traces: {exporters: [debug, otlp]}}}',
    };
    const config = await loaded(files, { gates: gates.value });
    expect(config.pipelines.get('traces')?.exporters).toEqual(['otlp', 'debug']);
  });

  it('reads inline YAML in which :: nests, and whole documents from variables', async () => {
    const sources = ['env:CONFIG', 'yaml:processors::batch::timeout: 3s'];
    const config = await loaded({}, { sources, env: { CONFIG: `${components}${service}` } });
    expect(config.components.processor.get('batch')?.settings).toMatchObject({ timeout: 3000 });
    expect(config.sources).toEqual(sources);
  });

  it('fetches sources over HTTP', async () => {
    const fetchText = (url: string) => Promise.resolve(url === 'http://x/c' ? `${components}${service}` : '');
    const config = await loaded({}, { sources: ['http://x/c'], fetchText });
    expect(config.pipelines.size).toBe(1);
  });

  it('refuses --set without an equal sign', async () => {
    expect(await problems(`${components}${service}`, { sets: ['processors.batch'] })).toEqual([
      expect.stringContaining('missing equal sign'),
    ]);
  });
});
