import { isPipelineWatcher } from '@clew/pipeline';
import type { PipelineWatcher } from '@clew/pipeline';
import {
  TestHost,
  describeExtensionContract,
  farDeadline,
  settingProblems,
  settingsFor,
} from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { healthCheckExtensionFactory as factory } from './index.ts';

const anywhere = { endpoint: '127.0.0.1:0' };

describeExtensionContract({ factory, settings: () => anywhere });

async function running(settings: object = {}) {
  const extension = factory.create(settingsFor(factory, { ...anywhere, ...settings }));
  if (!isPipelineWatcher(extension)) throw new Error('the extension does not watch pipelines');
  const watcher: PipelineWatcher = extension;
  await watcher.start(new TestHost());
  const ask = async (path = '/') => {
    const response = await fetch(`http://${String(watcher.snapshot()['address'])}${path}`, {
      headers: { connection: 'close' },
    });
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
  return { watcher, ask, stop: () => watcher.stop(farDeadline()) };
}

describe('the health_check extension', () => {
  it('refuses a path that is none', () => {
    expect(settingProblems(factory, { path: 'health' })).toEqual(["'path' must begin with /"]);
  });

  it('listens where the reference does and accepts its ineffective setting', () => {
    const { config } = settingsFor(factory, { check_collector_pipeline: { enabled: true, interval: '1m' } });
    expect(config).toMatchObject({ endpoint: 'localhost:13133', path: '/' });
  });

  it('answers 503 until the pipelines are ready, 200 while they run, and 503 while they stop', async () => {
    const { watcher, ask, stop } = await running();
    expect(await ask()).toEqual({ status: 503, type: 'application/json', body: '{"status":"Server not available"}' });
    watcher.pipelinesReady();
    const ready = await ask();
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.body)).toEqual({
      status: 'Server available',
      upSince: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      uptime: expect.stringMatching(/^([\d.]+(h|m|s|ms))+$/) as string,
    });
    watcher.pipelinesStopping();
    expect((await ask()).status).toBe(503);
    await stop();
  });

  it('answers on its path only, with the bodies it is given', async () => {
    const { watcher, ask, stop } = await running({
      path: '/up',
      response_body: { healthy: 'fine', unhealthy: 'wait' },
    });
    expect(await ask('/up')).toMatchObject({ status: 503, body: 'wait' });
    watcher.pipelinesReady();
    expect(await ask('/up')).toMatchObject({ status: 200, body: 'fine' });
    expect((await ask('/')).status).toBe(404);
    await stop();
  });

  it('shows in its snapshot which components are in trouble', async () => {
    const { watcher, stop } = await running();
    watcher.statusChanged('exporter/otlp@traces', { kind: 'recoverable', error: new Error('backend gone') });
    expect(watcher.snapshot()).toMatchObject({ unhealthy: { 'exporter/otlp@traces': 'recoverable: backend gone' } });
    watcher.statusChanged('exporter/otlp@traces', { kind: 'ok' });
    expect(watcher.snapshot()).toMatchObject({ unhealthy: {} });
    await stop();
  });
});
