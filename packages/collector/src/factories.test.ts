import { readFile } from 'node:fs/promises';
import { silentTelemetry } from '@clew/base';
import { ComponentRegistry, formatProblem, loadConfig, printConfig, validateConfig } from '@clew/pipeline';
import { describe, expect, it } from 'vitest';
import { collectorFactories } from './index.ts';

const registry = new ComponentRegistry(collectorFactories);
const guide = await readFile(new URL('testdata/guide.yaml', import.meta.url), 'utf8');

/** The published guide without the components that this build does not have yet. */
const withoutUnbuilt = guide
  .replace(/ {2}# Tail-based sampling[\s\S]*?(?=^exporters)/m, '')
  .replace(/ {2}jaeger:[\s\S]*?(?= {2}otlp:)/, '')
  .replace(', tail_sampling]', ']')
  .replace('[jaeger, otlp]', '[otlp]');

function options(text: string) {
  return { sources: ['guide.yaml'], registry, readFile: () => Promise.resolve(text), env: {} };
}

async function problems(text: string): Promise<string[]> {
  const { problems: found } = await validateConfig(options(text), silentTelemetry);
  return found.map(formatProblem);
}

describe('the configuration of a published guide', () => {
  it('is refused with one placed message for each component that this build lacks, and nothing else', async () => {
    expect(await problems(guide)).toEqual([
      expect.stringMatching(
        /^guide\.yaml:21:3: error decoding 'processors': processor type "tail_sampling" for id: "tail_sampling" is not part of this build yet/,
      ),
      expect.stringMatching(
        /^guide\.yaml:34:3: error decoding 'exporters': exporter type "jaeger" for id: "jaeger" is not part of this build yet/,
      ),
    ]);
  });

  it('is accepted without them, and says what acknowledging means', async () => {
    const { problems: found, acknowledgements } = await validateConfig(options(withoutUnbuilt), silentTelemetry);
    expect(found.map(formatProblem)).toEqual([]);
    expect(acknowledgements).toEqual([
      expect.objectContaining({
        receiver: 'otlp',
        text: expect.stringMatching(/^acknowledged = in memory \(processor "batch" acknowledges before/) as string,
      }),
    ]);
  });

  it('keeps every setting it was written with', async () => {
    const config = await loadConfig(options(withoutUnbuilt));
    if (!config.ok) throw new Error(config.error.map(formatProblem).join('\n'));
    const { components, pipelines, tree } = config.value;
    expect(components.processor.get('batch')?.settings).toMatchObject({
      timeout: 1000,
      send_batch_size: 1024,
      send_batch_max_size: 0,
    });
    expect(pipelines.get('traces')).toMatchObject({
      receivers: ['otlp'],
      processors: ['batch', 'filter'],
      exporters: ['otlp'],
    });
    expect(printConfig(tree, { registry })).toContain('value: .*/health.*');
    expect(printConfig(tree, { registry, defaults: true })).toContain('metadata_cardinality_limit: 1000');
  });

  it.each([
    [
      'timeout: 1s',
      'timout: 1s',
      `guide.yaml:10:5: error decoding 'processors': error reading configuration for "batch": '' has invalid keys: timout (did you mean "timeout"?)`,
    ],
    [
      'match_type: regexp',
      'match_type: regex',
      `guide.yaml:16:9: processors::filter::spans::exclude::match_type: unrecognized match_type: 'regex', valid types are: [regexp strict]`,
    ],
    [
      '.*/health.*',
      '"(health"',
      'guide.yaml:19:13: processors::filter::spans::exclude::attributes::0::value: invalid pattern "(health": error parsing regexp: missing closing ): `(health`',
    ],
    [
      '[batch, filter]',
      '[batch, filtre]',
      'guide.yaml:27:27: service::pipelines::traces: references processor "filtre" which is not configured (did you mean "filter"?)',
    ],
  ])('tells where %s became %s', async (from, to, message) => {
    expect(await problems(withoutUnbuilt.replace(from, to))).toEqual([message]);
  });
});

describe('every factory', () => {
  it.each(collectorFactories.map((factory) => [`${factory.kind} ${factory.type}`, factory] as const))(
    'of the %s describes a strict object whose unknown keys are refused',
    (_, { configSchema }) => {
      const parsed = configSchema.safeParse({ surely_unknown: 1 });
      expect(parsed.error?.issues.some((issue) => issue.code === 'unrecognized_keys')).toBe(true);
    },
  );
});
