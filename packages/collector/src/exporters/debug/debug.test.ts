import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentTelemetry } from '@clew/base';
import { fromPlain, plainResource, plainSpan, unixNano } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import {
  TestHost,
  describeExporterContract,
  farDeadline,
  settingProblems,
  settingsFor,
  testContext,
} from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { debugExporterFactory as factory } from './index.ts';
import { timeText } from './format.ts';

describeExporterContract({
  factory,
  peerCanRefuse: false,
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'clew-debug-'));
    const path = join(directory, 'out');
    return {
      settings: { verbosity: 'normal', use_internal_logger: false, output_paths: [path] },
      received: () =>
        [...readFileSync(path, 'utf8').matchAll(/^operation \d [0-9a-f]{32} ([0-9a-f]{16})/gm)]
          .map((match) => match[1]!)
          .toSorted(),
      close: () => rm(directory, { recursive: true }),
    };
  },
});

const span: PlainSpan = {
  ...plainSpan({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '00f067aa0ba902b7',
    name: 'GET /users',
    kind: 2,
    statusCode: 2,
    statusMessage: 'not found',
    startUnixNano: 1_704_103_200_000_000_000n,
    endUnixNano: 1_704_103_200_200_000_001n,
    attributes: {
      text: 'a',
      int: 5n,
      double: 0.5,
      flag: true,
      bytes: new Uint8Array([1, 255]),
      list: ['x', 1n],
      none: null,
    },
    resource: plainResource({ 'service.name': 'users' }),
  }),
  scope: { name: 'lib', version: '1', attributes: [], droppedAttributes: 0, schemaUrl: 'http://schema' },
  droppedAttributes: 3,
  events: [
    {
      name: 'miss',
      timeUnixNano: unixNano(1_704_103_200_100_000_000n),
      attributes: [{ key: 'k', value: 'v' }],
      droppedAttributes: 0,
    },
  ],
};

async function printed(settings: object, times = 1): Promise<{ message: string; fields: unknown }[]> {
  const lines: { message: string; fields: unknown }[] = [];
  const log = (message: string, fields?: unknown) => void lines.push({ message, fields });
  const logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  const exporter = factory.create(settingsFor(factory, settings, { telemetry: { ...silentTelemetry, logger } }));
  await exporter.start(new TestHost());
  for (let i = 0; i < times; i++) await exporter.consumeTraces(fromPlain([span]), testContext());
  await exporter.stop(farDeadline());
  return lines;
}

describe('the debug exporter', () => {
  it('refuses settings that contradict each other', () => {
    expect(settingProblems(factory, { output_paths: ['x'] })).toEqual([
      'debug: output_paths requires use_internal_logger to be false',
    ]);
    expect(settingProblems(factory, { verbosity: 'basic', loglevel: 'debug' })).toEqual([
      expect.stringContaining('cannot both be given'),
    ]);
    expect(settingProblems(factory, { sending_queue: { enabled: true } })).toEqual([
      expect.stringContaining('printing needs no queue'),
    ]);
  });

  it('prints counts unless told more', async () => {
    expect(await printed({})).toEqual([{ message: 'Traces', fields: { 'resource spans': 1, spans: 1 } }]);
  });

  it('understands the older loglevel', async () => {
    expect(await printed({ loglevel: 'warn' })).toHaveLength(1);
    expect((await printed({ loglevel: 'debug' }))[1]?.message).toContain('ResourceSpans #0');
  });

  it('prints a line for each resource, scope and span', async () => {
    const [, text] = await printed({ verbosity: 'normal' });
    expect(text?.message.split('\n')).toEqual([
      'ResourceTraces #0 service.name=users',
      'ScopeTraces #0 lib@1 [http://schema]',
      'GET /users 0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 text=a int=5 double=0.5 flag=true bytes=01ff list=["x",1] none=',
      '',
    ]);
  });

  it('prints everything when detailed', async () => {
    const [, text] = await printed({ verbosity: 'detailed' });
    expect(text?.message).toBe(await readFile(new URL('testdata/detailed.golden', import.meta.url), 'utf8'));
  });

  it('samples identical messages', async () => {
    expect(await printed({ sampling_initial: 2, sampling_thereafter: 100 }, 50)).toHaveLength(2);
    expect(await printed({ sampling_initial: 2, sampling_thereafter: 1 }, 50)).toHaveLength(50);
  });
});

describe('timeText', () => {
  it('leaves out zeros at the end of the fraction', () => {
    expect([0n, 1_704_103_200_120_000_000n, 1_704_103_200_000_000_001n].map(timeText)).toEqual([
      '1970-01-01 00:00:00 +0000 UTC',
      '2024-01-01 10:00:00.12 +0000 UTC',
      '2024-01-01 10:00:00.000000001 +0000 UTC',
    ]);
  });
});
