import { silentTelemetry } from '@clew/base';
import type { Logger } from '@clew/base';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { PipelineService, validateConfig } from './service.ts';
import { stage } from './test/fakes.ts';

const config = (settings: string) => `
receivers: {in: }
exporters: {out: {${settings}}}
extensions: {ext/same: {note: same}, ext/other: {note: "${settings === '' ? 'a' : 'b'}"}}
service:
  extensions: [ext/same, ext/other]
  pipelines: {traces: {receivers: [in], exporters: [out]}}
`;

function running(first: string) {
  const scene = stage();
  const state = { text: first };
  const lines: string[] = [];
  const fatal: string[] = [];
  const write = (message: string) => void lines.push(message);
  const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
  const service = new PipelineService({
    load: () =>
      loadConfig({ sources: ['c.yaml'], registry: scene.registry, readFile: () => Promise.resolve(state.text) }),
    telemetry: { ...silentTelemetry, logger },
    onFatal: (error) => fatal.push(error.message),
  });
  return { scene, state, lines, fatal, service };
}

describe('PipelineService', () => {
  it('keeps the old graph untouched when the new configuration is invalid', async () => {
    const { service, state, scene, lines } = running(config(''));
    await service.start();
    scene.log.length = 0;
    state.text = config('').replace('[out]', '[uot]');
    expect(await service.reload()).toMatchObject({ kind: 'rejected' });
    expect(scene.log).toEqual([]);
    expect(lines.at(-1)).toContain('references exporter "uot" which is not configured (did you mean "out"?)');
    expect(service.snapshot()?.state).toBe('running');
    await service.stop();
  });

  it('goes back to the old configuration when the new one does not start', async () => {
    const { service, state, scene, fatal } = running(config(''));
    await service.start();
    state.text = config('fail_start: true');
    expect(await service.reload()).toMatchObject({ kind: 'rolled_back', error: { code: 'start_failed' } });
    expect(service.snapshot()?.nodes.every(({ status }) => status === 'ok')).toBe(true);
    expect(scene.fake('out').settings.fail_start).toBe(false);
    expect(scene.log).not.toContain('stop ext/same');
    expect(fatal).toEqual([]);
    await service.stop();
    expect(scene.log.filter((line) => line === 'stop ext/same')).toHaveLength(1);
  });

  it('stops the old before it starts the new, and leaves extensions running whose settings are the same', async () => {
    const { service, state, scene } = running(config(''));
    await service.start();
    scene.log.length = 0;
    state.text = config('note: changed');
    expect(await service.reload()).toEqual({ kind: 'reloaded' });
    expect(scene.log).toEqual([
      'stop in',
      'stop out',
      'stop ext/other',
      'start ext/same',
      'start ext/other',
      'start out',
      'start in',
    ]);
    expect(scene.fakes.filter(({ id }) => id === 'ext/same')).toHaveLength(1);
    await service.stop();
  });

  it('names the phase that kept it from starting', async () => {
    await expect(running(config('').replace('[in]', '[]')).service.start()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(
        /^invalid configuration: c\.yaml:7:15: service::pipelines::traces: must have at least one receiver$/,
      ) as string,
    });
    await expect(running(config('fail_create: true')).service.start()).rejects.toMatchObject({
      code: 'graph_invalid',
      message: expect.stringMatching(
        /^failed to build pipelines: c\.yaml:3:13: failed to create "out" exporter: cannot be made$/,
      ) as string,
    });
  });

  it('tells its owner of a fatal component', async () => {
    const { service, scene, fatal } = running(config(''));
    await service.start();
    scene.fake('out').host?.reportStatus({ kind: 'fatal', error: new Error('disk gone') });
    expect(fatal).toEqual(['exporter/out@traces failed: disk gone']);
    await service.stop();
  });

  it('logs the lines that operators look for', async () => {
    const { service, lines } = running(config(''));
    await service.start();
    await service.stop();
    await service.stop();
    expect(lines).toEqual([
      'Receiver "in": acknowledged = in memory (exporter "out" has a queue)',
      'Everything is ready. Begin running and processing data.',
      'Starting shutdown...',
      'Shutdown complete.',
    ]);
  });
});

describe('validateConfig', () => {
  it('finds what building would find, and starts nothing', async () => {
    const scene = stage();
    const text = config('fail_create: true');
    const options = { sources: ['c.yaml'], registry: scene.registry, readFile: () => Promise.resolve(text) };
    const { problems } = await validateConfig(options, silentTelemetry);
    expect(problems.map(({ message }) => message)).toEqual(['failed to create "out" exporter: cannot be made']);
    expect(scene.log).toEqual([]);
  });

  it('says what acknowledging would mean', async () => {
    const scene = stage();
    const options = {
      sources: ['c.yaml'],
      registry: scene.registry,
      readFile: () => Promise.resolve(config('durable: true')),
    };
    const { problems, acknowledgements } = await validateConfig(options, silentTelemetry);
    expect(problems).toEqual([]);
    expect(acknowledgements[0]?.text).toBe('acknowledged = durable');
  });
});
