// Every command as a user runs it: the real program in a process of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchClew, freePorts } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { expectGolden } from './support/golden.ts';
import { runClew, startClew, until } from './support/clew.ts';
import { awaitTrace, findTrace, tagOf } from './support/jaeger.ts';
import { requestOf, traceIdOf } from './support/otlp-json.ts';

const seed004 = fileURLToPath(new URL('testdata/seed-004-collector.yaml', import.meta.url));
const protobufCapture = new URL('captures/otel-js_0.223.1__otlp-http-proto.bin', import.meta.url);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'clew-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file with this content in the folder of this run. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('help', () => {
  it.each(['', 'collector', 'validate', 'config', 'send', 'trace', 'demo', 'doctor'])(
    'of clew %s is the text people read',
    async (command) => {
      const { code, stdout, stderr } = await runClew([...(command === '' ? [] : [command]), '--help']);
      expect([code, stderr]).toEqual([0, '']);
      expectGolden(`help/${command || 'clew'}.txt`, stdout);
    },
  );
});

describe('a wrong call', () => {
  it.each([
    [['collect'], 2, 'there is no command "collect"; did you mean "collector"?'],
    [['--nonsense'], 2, "Unknown option '--nonsense'"],
    [['send', 'no-such-file.json'], 1, 'cannot read no-such-file.json'],
  ])('%j ends with %i and says so', async (words, code, sentence) => {
    const outcome = await runClew(words, { cwd: folder });
    expect(outcome.stderr).toContain(sentence);
    expect(outcome.stderr).toMatch(/^clew: /);
    expect([outcome.code, outcome.stdout]).toEqual([code, '']);
  });
});

describe('clew config and clew validate', () => {
  it('print the built-in configuration, which is itself valid for the collector', async () => {
    const { code, stdout } = await runClew(['config', '--data', '/var/lib/clew']);
    expect(code).toBe(0);
    expectGolden('config.yaml', stdout);
    const printed = file('printed.yaml', stdout);
    const validated = await runClew(['validate', printed]);
    expect(validated.stderr).toBe('');
    expect(validated.stdout).toBe(
      'The configuration is valid.\n  otlp: acknowledged = durable\n  jaeger: acknowledged = durable\n  zipkin: acknowledged = durable\n',
    );
    expect((await runClew(['collector', 'validate', '--config', printed])).code).toBe(0);
  });

  it('say of a published collector configuration which of its parts do not exist yet, and of no other', async () => {
    const { code, stderr } = await runClew(['validate', seed004]);
    expect(code).toBe(1);
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(':25:3: ');
    expect(lines[0]).toContain('processor type "tail_sampling"');
    expect(lines[1]).toContain(':39:3: ');
    expect(lines[1]).toContain('exporter type "jaeger"');
    for (const line of lines) expect(line).toContain('not part of this build yet');
  });

  it('list the components of this build', async () => {
    const { code, stdout } = await runClew(['collector', 'components']);
    expect(code).toBe(0);
    for (const name of ['otlp', 'batch', 'memory_limiter', 'filter', 'clew_store', 'clew_query']) {
      expect(stdout).toContain(`- name: ${name}\n`);
    }
  });
});

describe('clew doctor', () => {
  it('names each area it looked at, also as JSON', async () => {
    const text = await runClew(['doctor', '--data', folder]);
    expect(text.stdout).toMatch(/^(ok|WARNING|PROBLEM) +port 4317 /);
    const { stdout, code } = await runClew(['doctor', '--data', folder, '--json']);
    const findings = JSON.parse(stdout) as { area: string; level: string }[];
    const areas = ['port 4317', 'port 4318', 'port 16686', 'clock', 'open files', 'memory', 'cores', 'storage engine'];
    expect(findings.map(({ area }) => area)).toEqual(expect.arrayContaining(areas));
    expect(code).toBe(findings.some(({ level }) => level === 'problem') ? 1 : 0);
  });
});

describe('with a running Clew', () => {
  let clew: LaunchedClew;
  let target: { readonly env: Readonly<Record<string, string>> };

  beforeAll(async () => {
    clew = await launchClew();
    const env = { CLEW_URL: clew.queryUrl, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${clew.ports.http}` };
    target = { env };
  });
  afterAll(() => clew.close());

  it('send takes OTLP as JSON, protobuf and JSON lines, each also in gzip, and says what was accepted', async () => {
    const one = (index: number) => JSON.stringify(requestOf('files', [traceIdOf(10, index)]));
    const paths = [
      file('one.json', one(0)),
      file('pretty.json', JSON.stringify(requestOf('files', [traceIdOf(10, 1)]), null, 2)),
      file('lines.jsonl', `${one(2)}\n${one(3)}\n`),
      file('zipped.json.gz', gzipSync(one(4))),
      file('spans.pb', readFileSync(protobufCapture)),
    ];
    const { code, stdout, stderr } = await runClew(['send', ...paths], target);
    expect([code, stderr]).toEqual([0, '']);
    const spans = [1, 1, 2, 1, 2];
    const endpoint = target.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    expect(stdout).toBe(paths.map((path, at) => `${path}: ${spans[at]} spans accepted by ${endpoint}\n`).join(''));
    for (let index = 0; index < 5; index++) await awaitTrace(clew, traceIdOf(10, index));
    await awaitTrace(clew, '4bf92f3577b34da6a3ce929d0e0e4736', 2);
  });

  it('send speaks each of the three protocols', async () => {
    for (const [index, protocol] of ['grpc', 'http/protobuf', 'http/json'].entries()) {
      const path = file(`by-${index}.json`, JSON.stringify(requestOf('protocols', [traceIdOf(11, index)])));
      const port = protocol === 'grpc' ? clew.ports.grpc : clew.ports.http;
      const words = ['send', path, '--protocol', protocol, '--endpoint', `http://127.0.0.1:${port}`];
      expect(await runClew(words)).toMatchObject({ code: 0, stderr: '' });
      await awaitTrace(clew, traceIdOf(11, index));
    }
  });

  it('send refuses a file that holds no spans and sends nothing of it', async () => {
    const { code, stderr } = await runClew(['send', file('notes.txt', 'buy milk')], target);
    expect(code).toBe(1);
    expect(stderr).toContain('is no OTLP trace file (protobuf, JSON or JSON lines)');
  });

  it('demo --case sends one story and trace draws it', async () => {
    const demo = await runClew(['demo', '--case', 'slow-query'], target);
    expect(demo.code).toBe(0);
    const traceId = demo.stdout.trim();
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    const { code, stdout } = await runClew(['trace', traceId], target);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(new RegExp(`^trace ${traceId} .* spans, 3 services, 0 errors`));
    expect(lines[2]).toMatch(/^api-gateway: GET \/api\/v1\/users\/\{id\} .*█/);
    expect(stdout).toMatch(/^ +user-service: .*1\.\d+ s .*█/m);
    expect(stdout).toContain(`${clew.queryUrl}/trace/${traceId}`);
    const json = await runClew(['trace', traceId, '--json'], target);
    expect((JSON.parse(json.stdout) as { traceId: string }).traceId).toBe(traceId);
  });

  it('demo marks what it sends as demo data', async () => {
    const { stdout } = await runClew(['demo', '--case', 'retry', '--seed', '7'], target);
    const trace = await awaitTrace(clew, stdout.trim());
    for (const process of Object.values(trace.processes)) expect(tagOf(process.tags, 'clew.demo')).toBe(true);
    expect(trace.spans.filter((span) => tagOf(span.tags, 'error') === true).length).toBeGreaterThanOrEqual(2);
  });

  it('demo --burst sends as many traces as it was told and ends', async () => {
    const { code, stdout } = await runClew(['demo', '--burst', '60'], target);
    expect([code, stdout]).toEqual([0, '60 traces sent\n']);
    const query = `${clew.queryUrl}/api/traces?service=api-gateway&limit=1000&lookback=1h`;
    await until('all of them in a search', async () => {
      const { data } = (await (await fetch(query)).json()) as { data: unknown[] };
      return data.length >= 60 ? true : undefined;
    });
  });

  it('demo sends steadily until it is interrupted, and ends well', async () => {
    const demo = startClew(['demo', '--rate', '50'], target);
    await until('a first word', async () => (demo.output.stdout.includes('Ctrl-C ends it') ? true : undefined));
    await until('some traces', async () => {
      const response = await fetch(`${clew.queryUrl}/api/traces?service=auth-service&limit=5`);
      return ((await response.json()) as { data: unknown[] }).data.length > 0 ? true : undefined;
    });
    demo.process.kill('SIGINT');
    const { code, stdout } = await demo.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n\d+ traces sent\n$/);
  });

  it('trace says of an id it does not know that it does not', async () => {
    const { code, stderr } = await runClew(['trace', 'abcdef'], target);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^clew: .*000abcdef/);
  });
});

describe('clew collector', () => {
  it('forwards what it receives to another Clew, reloads on SIGHUP, and drains when told to end', async () => {
    const clew = await launchClew();
    const [port, health] = (await freePorts(2)) as [number, number];
    const config = (batch: string) =>
      JSON.stringify({
        receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
        processors: { batch: { timeout: batch }, attributes: { actions: [action(batch)] } },
        exporters: { otlp: { endpoint: `127.0.0.1:${clew.ports.grpc}`, tls: { insecure: true } } },
        extensions: { health_check: { endpoint: `127.0.0.1:${health}` } },
        service: {
          extensions: ['health_check'],
          pipelines: { traces: { receivers: ['otlp'], processors: ['attributes', 'batch'], exporters: ['otlp'] } },
          telemetry: { metrics: { level: 'none' } },
        },
      });
    const path = file('forward.yaml', config('50ms'));
    const collector = startClew(['collector', '--config', path]);
    try {
      const ready = () => fetch(`http://127.0.0.1:${health}/`).then((answer) => (answer.ok ? true : undefined));
      await until('the collector', ready);
      await sendOne(port, traceIdOf(20, 0));
      expect(tagOf((await awaitTrace(clew, traceIdOf(20, 0))).spans[0]!.tags, 'hop')).toBe('50ms');

      writeFileSync(path, config('75ms'));
      collector.process.kill('SIGHUP');
      let index = 1;
      await until('a span by the new configuration', async () => {
        const traceId = traceIdOf(20, index++);
        await sendOne(port, traceId);
        return tagOf((await awaitTrace(clew, traceId)).spans[0]!.tags, 'hop') === '75ms' ? true : undefined;
      });

      writeFileSync(path, 'receivers: [');
      collector.process.kill('SIGHUP');
      await until('the complaint about a broken file', async () =>
        collector.output.stderr.includes('Configuration not reloaded: ') ? true : undefined,
      );
      await sendOne(port, traceIdOf(21, 0));
      collector.process.kill('SIGTERM');
      expect((await collector.ended).code).toBe(0);
      expect(await findTrace(clew, traceIdOf(21, 0))).toBeDefined();
    } finally {
      collector.process.kill('SIGKILL');
      await collector.ended;
      await clew.close();
    }
  });
});

const action = (value: string) => ({ key: 'hop', value, action: 'insert' });

/** Sends a span and insists that it is taken; retried while a reload has the port closed. */
async function sendOne(port: number, traceId: string): Promise<void> {
  await until('a collector that takes a span', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(requestOf('forwarded', [traceId])),
    });
    return response.ok ? true : undefined;
  });
}
