import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Limit } from '@clew/base';
import { eventually } from '@clew/pipeline/contract-tests';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SamplingEvents } from '../telemetry.ts';
import { FileStrategies } from './file-strategies.ts';
import { strategiesSource } from './strategies-source.ts';

/** Events as a list. */
class RecordedEvents implements SamplingEvents {
  readonly seen: string[] = [];

  requested(): void {}
  rejected(): void {}
  loaded(_source: string, services: number, warnings: readonly string[]): void {
    this.seen.push(`loaded ${services} ${warnings.length}`);
  }
  noStrategies(): void {
    this.seen.push('none');
  }
  reloaded(outcome: string): void {
    this.seen.push(outcome);
  }
  reloadFailed(reason: string, isNew: boolean): void {
    this.seen.push(`failed ${isNew ? 'new' : 'again'}: ${reason}`);
  }
}

const running: FileStrategies[] = [];
const servers: Server[] = [];
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-sampling-'));
});
afterEach(async () => {
  for (const strategies of running.splice(0)) await strategies.stop();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

const content = (param: number) => JSON.stringify({ default_strategy: { type: 'probabilistic', param } });

function open(place: string, options: { readonly reloadIntervalMs?: number; readonly maxBytes?: number } = {}) {
  const limit = new Limit({
    name: 'x',
    setting: 'file::max_bytes',
    subject: 'the file',
    unit: 'bytes',
    defaultValue: options.maxBytes ?? 10_000,
  });
  const events = new RecordedEvents();
  const strategies = new FileStrategies({
    source: strategiesSource(place, limit),
    reloadIntervalMs: options.reloadIntervalMs ?? 0,
    defaultProbability: 0.001,
    events,
  });
  running.push(strategies);
  const rate = () => strategies.strategyFor('any').probabilisticSampling?.samplingRate;
  return { strategies, events, rate };
}

/** A server that answers every request with `handle`. */
async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('strategies of a file', () => {
  it('that is not there keep the program from starting, in one sentence', async () => {
    const { strategies } = open(join(directory, 'missing.json'));
    await expect(strategies.start()).rejects.toMatchObject({
      code: 'sampling_unreadable',
      message: expect.stringMatching(/cannot read sampling strategies from .*missing\.json: ENOENT/) as string,
    });
  });

  it('that is none keep the program from starting, with the place', async () => {
    const path = join(directory, 'strategies.json');
    await writeFile(path, '{"default_strategy":\n7}');
    await expect(open(path).strategies.start()).rejects.toMatchObject({
      code: 'sampling_invalid',
      message: `cannot use the sampling strategies of ${path}: line 2, column 1: a strategy must be an object, not a number`,
    });
  });

  it('that is too large are refused by the limit, which is named', async () => {
    const path = join(directory, 'strategies.json');
    await writeFile(path, content(1).padEnd(50_000));
    await expect(open(path).strategies.start()).rejects.toThrow(
      /exceeds the limit of 10000 bytes .*; raise file::max_bytes/,
    );
  });

  it('are the default probability when no file is named', async () => {
    const events = new RecordedEvents();
    const strategies = new FileStrategies({ reloadIntervalMs: 0, defaultProbability: 0.5, events });
    await strategies.start();
    expect(strategies.strategyFor('any').probabilisticSampling).toEqual({ samplingRate: 0.5 });
    await strategies.stop();
  });

  it('are followed when it changes, and stay when it becomes unreadable, which is said once', async () => {
    const path = join(directory, 'strategies.json');
    await writeFile(path, content(0.1));
    const { strategies, events, rate } = open(path, { reloadIntervalMs: 5 });
    await strategies.start();
    expect(rate()).toBe(0.1);
    await eventually('an unchanged reload', () => events.seen.includes('unchanged'));
    await writeFile(path, content(0.2));
    await eventually('the new strategies', () => rate() === 0.2);

    events.seen.length = 0;
    await writeFile(path, '{"default_strategy"');
    const failures = () => events.seen.filter((event) => event.startsWith('failed'));
    await eventually('three failed reloads', () => failures().filter((event) => /no JSON: Exp/.test(event)).length > 2);
    const same = failures().filter((event) => /no JSON: Exp/.test(event));
    expect(same.filter((event) => event.startsWith('failed new'))).toHaveLength(1);
    expect(rate()).toBe(0.2);
    expect(strategies.snapshot()).toMatchObject({ failure: expect.stringContaining('it is no JSON') as string });

    await writeFile(path, content(0.3));
    await eventually('recovery', () => rate() === 0.3);
    await eventually('the failure to be over', () => strategies.snapshot()['failure'] === null);
  });

  it('are read once when no interval is given', async () => {
    const path = join(directory, 'strategies.json');
    await writeFile(path, content(0.1));
    const { strategies, events, rate } = open(path);
    await strategies.start();
    await strategies.start();
    expect(events.seen).toEqual(['loaded 0 0']);
    expect(rate()).toBe(0.1);
  });
});

describe('strategies of an address', () => {
  it('are downloaded with the credentials it has, which no message repeats', async () => {
    let authorization: string | undefined;
    const url = await serve((request, response) => {
      authorization = request.headers.authorization;
      response.end(content(0.7));
    });
    const { strategies, rate } = open(url.replace('://', '://user:p%40ss@'));
    await strategies.start();
    expect(rate()).toBe(0.7);
    expect(authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    expect(JSON.stringify(strategies.snapshot())).not.toContain('ss');
  });

  it('are downloaded without them where a redirection leads to another server', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(content(0.4));
    });
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(307, { location: `${other}/strategies` }).end();
    });
    const { strategies, rate } = open(url.replace('://', '://user:secret@'));
    await strategies.start();
    expect(rate()).toBe(0.4);
    expect(seen).toEqual([expect.stringMatching(/^Basic /), undefined]);
  });

  it('are the defaults while the server answers 503, first and later', async () => {
    let status = 503;
    const url = await serve((_, response) => response.writeHead(status).end(content(0.7)));
    const { strategies, rate, events } = open(url, { reloadIntervalMs: 5 });
    await strategies.start();
    expect(rate()).toBe(0.001);
    status = 200;
    await eventually('strategies', () => rate() === 0.7);
    status = 503;
    await eventually('none again', () => rate() === 0.001);
    expect(events.seen).toContain('none');
    status = 500;
    await eventually('a failure', () => events.seen.some((event) => /the server answered 500/.test(event)));
  });

  it('may be elsewhere, a few redirections away', async () => {
    const url = await serve((request, response) => {
      const hop = Number(request.url!.slice(1));
      if (hop < 3) response.writeHead(302, { location: `/${hop + 1}` }).end();
      else response.end(content(0.6));
    });
    const { strategies, rate } = open(`${url}/0`);
    await strategies.start();
    expect(rate()).toBe(0.6);
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, RegExp]>([
    ['a server that never answers', () => undefined, /was not answered within 1000 ms|given up/],
    ['another status', (_, response) => void response.writeHead(404).end(), /the server answered 404/],
    ['too large an answer', (_, response) => void response.end(' '.repeat(20_000)), /raise file::max_bytes/],
    [
      'redirections without end',
      (_, response) => void response.writeHead(301, { location: '/' }).end(),
      /more than 5 redirections/,
    ],
  ])('cannot be had from %s', async (_, handle, message) => {
    const { strategies } = open(await serve(handle));
    await expect(strategies.start()).rejects.toThrow(message);
  });
});
