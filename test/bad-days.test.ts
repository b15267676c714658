// Days on which something breaks under a whole, running Clew: its engine dies, it dies itself, the disk has no room, somebody
// starts it twice. What was acknowledged is stored exactly once, clients hear the retryable status, and it recovers by itself.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchOptions, LaunchedClew } from '@clew/testkit';
import { enginePid, exited, metric, runClew, settled, until } from './support/clew.ts';
import { callWithFrames, framed } from './support/grpc.ts';
import { awaitTrace, findTrace, jaegerData } from './support/jaeger.ts';
import type { JaegerTrace } from './support/jaeger.ts';
import { startLoad } from './support/load.ts';
import type { Load } from './support/load.ts';
import { asProtobuf, postJson, requestOf, traceIdOf } from './support/otlp-json.ts';
import { rawExchange } from './support/raw.ts';
import { storedRows } from './support/stored-rows.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A Clew that is ended after the test, whatever became of it. */
async function launch(options: LaunchOptions = {}): Promise<LaunchedClew> {
  const clew = await launchClew(options);
  cleanups.push(async () => {
    clew.process.kill('SIGKILL');
    await exited(clew.process);
  });
  return clew;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'clew-days-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  return folder;
}

function loadOn(clew: LaunchedClew): Load {
  const load = startLoad(clew.ports.http);
  cleanups.push(() => load.stop());
  return load;
}

/** Waits until so many more traces are acknowledged. */
async function acknowledgedMore(load: Load, traces: number): Promise<void> {
  const wanted = load.acknowledged.length + traces;
  await until(`${traces} more acknowledged traces`, () =>
    Promise.resolve(load.acknowledged.length >= wanted ? true : undefined),
  );
}

/** Ends a Clew gently and counts what its tables hold. */
async function expectStoredOnce(clew: LaunchedClew, acknowledged: readonly string[]): Promise<void> {
  await settled(clew);
  clew.process.kill('SIGTERM');
  expect(await exited(clew.process)).toBe(0);
  const rows = await storedRows(join(clew.directory, 'data'));
  expect(acknowledged.filter((id) => rows.get(id) !== 1)).toEqual([]);
  expect([...rows].filter(([, count]) => count !== 1)).toEqual([]);
}

describe('the engine killed under load', () => {
  it('is not noticed by senders, tells queries to come back, and is running again by itself', async () => {
    const directory = newFolder();
    const clew = await launch({ directory, args: ['--set', 'extensions.clew_storage.engine.max_unavailable=50ms'] });
    const load = loadOn(clew);
    await acknowledgedMore(load, 200);
    for (let round = 1; round <= 3; round++) {
      const pid = await enginePid(clew);
      process.kill(pid, 'SIGKILL');
      const refused = await until('a query that is told to come back', async () => {
        const response = await fetch(`${clew.queryUrl}/api/services`);
        if (response.status === 503) return response;
        await response.arrayBuffer();
        return undefined;
      });
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
      const { data, errors } = (await refused.json()) as { data: null; errors: { code: number; msg: string }[] };
      expect(data).toBeNull();
      expect(errors).toHaveLength(1);
      expect(errors[0]!.code).toBe(503);
      expect(errors[0]!.msg).not.toContain('\n');
      await until('a query that is answered', async () => {
        const response = await fetch(`${clew.queryUrl}/api/services`);
        return response.ok && ((await response.json()) as { data: string[] }).data.includes('load') ? true : undefined;
      });
      expect(await metric(clew, 'clew_engine_restarts_total')).toBeGreaterThanOrEqual(round);
      await acknowledgedMore(load, 100);
    }
    await load.stop();
    expect([load.refused, load.unanswered]).toEqual([[], 0]);
    await expectStoredOnce(clew, load.acknowledged);
  });
});

describe('Clew itself killed under load', () => {
  it('has everything it acknowledged, exactly once, when it is started again', async () => {
    const directory = newFolder();
    const acknowledged: string[] = [];
    for (let round = 0; round < 2; round++) {
      const clew = await launch({ directory });
      const load = loadOn(clew);
      await acknowledgedMore(load, 300);
      clew.process.kill('SIGKILL');
      await exited(clew.process);
      await load.stop();
      acknowledged.push(...load.acknowledged);
    }
    const clew = await launch({ directory });
    for (const id of [acknowledged[0]!, acknowledged.at(-1)!]) expect(await findTrace(clew, id)).toBeDefined();
    await expectStoredOnce(clew, acknowledged);
  });

  it('has it too when the engine is killed with it', async () => {
    const directory = newFolder();
    const first = await launch({ directory });
    const load = loadOn(first);
    await acknowledgedMore(load, 300);
    const pid = await enginePid(first);
    first.process.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await exited(first.process);
    await load.stop();
    await expectStoredOnce(await launch({ directory }), load.acknowledged);
  });
});

describe('SIGTERM under load', () => {
  it('answers what it has begun, refuses the rest retryably, ends with 0 and has lost nothing', async () => {
    const directory = newFolder();
    const clew = await launch({ directory });
    const load = loadOn(clew);
    await acknowledgedMore(load, 300);
    clew.process.kill('SIGTERM');
    expect(await exited(clew.process)).toBe(0);
    await load.stop();
    expect(load.refused.filter(({ status }) => status !== 503)).toEqual([]);
    for (const { retryAfter } of load.refused) expect(retryAfter).toMatch(/^\d+$/);
    const rows = await storedRows(join(directory, 'data'));
    expect(load.acknowledged.filter((id) => rows.get(id) !== 1)).toEqual([]);
  });
});

describe('a journal that is full because the engine stands still', () => {
  it('refuses by HTTP before the body is sent, and by gRPC, says when to come back, and goes on when the engine does', async () => {
    const limit = 'extensions.clew_storage.journal.max_bytes=200kB';
    const clew = await launch({ directory: newFolder(), args: ['--set', limit] });
    const pid = await enginePid(clew);
    process.kill(pid, 'SIGSTOP');
    cleanups.push(() => resume(pid));
    const acknowledged: string[] = [];
    const full = await until('a refusal', async () => {
      const ids = Array.from({ length: 100 }, (_, at) => traceIdOf(50, acknowledged.length + at));
      const response = await postJson(clew.ports.http, requestOf('load', ids));
      if (!response.ok) return response;
      acknowledged.push(...ids);
      return undefined;
    });
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(full.status).toBe(503);
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(((await full.json()) as { message: string }).message).toContain('journal.max_bytes');

    // Only the head of a request: the answer comes without a byte of the body.
    const head =
      'POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: 200000\r\n\r\n';
    const early = await rawExchange(clew.ports.http, head);
    expect(early.status).toBe(503);
    expect(early.text).toMatch(/\r\nretry-after: \d+\r\n/i);
    const manyIds = Array.from({ length: 3000 }, (_, at) => traceIdOf(52, at));
    const grpc = await callWithFrames(clew.ports.grpc, framed(asProtobuf(requestOf('load', manyIds))));
    expect(grpc.grpcStatus).toBe('14');
    expect(await metric(clew, 'clew_journal_refused_total', { reason: 'journal_full' })).toBeGreaterThan(0);

    resume(pid);
    await settled(clew);
    const late = traceIdOf(51, 1);
    expect((await postJson(clew.ports.http, requestOf('load', [late]))).status).toBe(200);
    await expectStoredOnce(clew, [...acknowledged, late]);
  });
});

describe('a disk without room', () => {
  it('is the retryable status at once, and a sentence that names the setting', async () => {
    const reserve = 'extensions.clew_storage.journal.min_free_bytes=1000000GiB';
    const clew = await launch({ directory: newFolder(), args: ['--set', reserve] });
    const response = await postJson(clew.ports.http, requestOf('load', [traceIdOf(60, 1)]));
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(((await response.json()) as { message: string }).message).toContain('journal.min_free_bytes');
  });
});

describe('a damaged journal record', () => {
  it('is set aside and counted, and costs nothing else', async () => {
    const directory = newFolder();
    const ids = [traceIdOf(85, 0), traceIdOf(85, 1), traceIdOf(85, 2)] as const;
    const first = await launch({ directory });
    const pid = await enginePid(first);
    process.kill(pid, 'SIGSTOP'); // So that the records are still in the journal when everything dies.
    for (const id of ids) expect((await postJson(first.ports.http, requestOf('load', [id]))).status).toBe(200);
    first.process.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await exited(first.process);
    flipByteAt(join(directory, 'data', 'journal'), Buffer.from(ids[1], 'hex'));

    const second = await launch({ directory });
    expect(await metric(second, 'clew_journal_damaged_records_total')).toBe(1);
    expect(readdirSync(join(directory, 'data', 'quarantine')).some((name) => name.endsWith('.json'))).toBe(true);
    const late = traceIdOf(86, 0);
    expect((await postJson(second.ports.http, requestOf('load', [late]))).status).toBe(200);
    for (const id of [ids[0], ids[2], late]) expect((await awaitTrace(second, id)).spans).toHaveLength(1);
    expect(await findTrace(second, ids[1])).toBeUndefined();
    await expectStoredOnce(second, [ids[0], ids[2], late]);
  });
});

describe('spans of strange times', () => {
  it('from 1970, from 2262 and from 150 different days in one request are stored and found by id', async () => {
    const clew = await launch({ directory: newFolder() });
    const dayNano = 86_400_000_000_000n;
    const nowNano = BigInt(Date.now()) * 1_000_000n;
    const times = [
      0n,
      1n,
      9_223_372_036_000_000_000n,
      ...Array.from({ length: 150 }, (_, day) => nowNano - BigInt(day) * dayNano),
    ];
    const ids = times.map((_, at) => traceIdOf(70, at));
    const spans = times.map((time, at) => requestOf('old', [ids[at]!], time).resourceSpans[0]!);
    expect((await postJson(clew.ports.http, { resourceSpans: spans })).status).toBe(200);
    for (const moment of ['acknowledged', 'stored']) {
      if (moment === 'stored') await settled(clew);
      const query = `/api/traces?${ids.map((id) => `traceID=${id}`).join('&')}`;
      const found = new Map((await jaegerData<JaegerTrace[]>(clew, query)).map((trace) => [trace.traceID, trace]));
      const starts = ids.map((id) => found.get(id)?.spans.map((span) => span.startTime));
      expect(starts, moment).toEqual(times.map((time) => [Number(time / 1000n)]));
    }
    for (const at of [0, 2, 152]) expect((await findTrace(clew, ids[at]!))?.spans).toHaveLength(1);
    expect(await metric(clew, 'clew_store_quarantined_spans_total')).toBe(0);
    await expectStoredOnce(clew, ids);
  });
});

describe('a request repeated by its client', () => {
  it('is acknowledged again and stored once, also across a crash', async () => {
    const directory = newFolder();
    const request = requestOf('again', [traceIdOf(80, 1)]);
    const first = await launch({ directory });
    expect((await postJson(first.ports.http, request)).status).toBe(200);
    expect((await postJson(first.ports.http, request)).status).toBe(200);
    first.process.kill('SIGKILL');
    await exited(first.process);
    const second = await launch({ directory });
    expect((await postJson(second.ports.http, request)).status).toBe(200);
    expect((await awaitTrace(second, traceIdOf(80, 1))).spans).toHaveLength(1);
    await expectStoredOnce(second, [traceIdOf(80, 1)]);
  });
});

describe('a start that cannot work ends with one sentence', () => {
  /** Ports of its own, so that only the thing under test is in the way. */
  async function startOn(directory: string, ports: readonly number[] = []) {
    const [grpc = 0, http = 0, query = 0] = ports;
    const at = (port: number) => ({ endpoint: `127.0.0.1:${port}` });
    const config = join(newFolder(), 'ports.json');
    const settings = {
      receivers: { otlp: { protocols: { grpc: at(grpc), http: at(http) } } },
      extensions: { clew_query: { http: at(query) }, health_check: at(0) },
      service: { telemetry: { metrics: { level: 'none' } } },
    };
    writeFileSync(config, JSON.stringify(settings));
    return runClew(['--data', directory, '--config', config]);
  }

  it('when another Clew works on the directory: it names the directory and the process', async () => {
    const directory = newFolder();
    const clew = await launch({ directory });
    const data = join(directory, 'data');
    const { code, stderr, stdout } = await startOn(data);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(
      `Cannot use the data directory ${data}: the process with pid ${clew.pid} works on it already`,
    );
    expect((await postJson(clew.ports.http, requestOf('load', [traceIdOf(90, 1)]))).status).toBe(200);
  });

  it('when the directory is a file', async () => {
    const path = join(newFolder(), 'file');
    writeFileSync(path, 'not a directory');
    const { code, stderr } = await startOn(path);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`Cannot use the data directory ${path}`);
    expect(stderr).toContain('must be a directory');
  });

  it('when a port is taken: it names the port and who holds it', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => void holder.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise<void>((resolve) => void holder.close(() => resolve())));
    const { port } = holder.address() as AddressInfo;
    const { code, stderr } = await startOn(join(newFolder(), 'data'), [port]);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}: the address is in use`);
    expect(stderr).toContain(`(pid ${process.pid})`);
  });
});

/** Damages the one file below a folder that holds these bytes, right at them. */
function flipByteAt(folder: string, content: Buffer): void {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  const holding = files.filter((path) => statSync(path).isFile() && readFileSync(path).includes(content));
  expect(holding).toHaveLength(1);
  const bytes = readFileSync(holding[0]!);
  bytes[bytes.indexOf(content)]! ^= 0x40;
  writeFileSync(holding[0]!, bytes);
}

function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (caught) {
    // Gone already, and with it the need to wake it.
    if (!(caught instanceof Error && 'code' in caught && caught.code === 'ESRCH')) throw caught;
  }
}
