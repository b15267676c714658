import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from './main.ts';
import { call } from './test/call.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'clew-main-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('a wrong call', () => {
  it.each([
    [['collect'], 2, 'there is no command "collect"; did you mean "collector"?'],
    [['collect'], 2, 'See clew --help'],
    [['xyzzy'], 2, 'there is no command "xyzzy"\nSee'],
    [['--nonsense'], 2, "Unknown option '--nonsense'"],
    [['doctor', 'please'], 2, 'unexpected "please"'],
    [['trace'], 2, 'clew trace needs more words'],
    [['trace'], 2, 'Usage: clew trace ID'],
    [['trace', 'xyz'], 2, '"xyz" is no trace id: write 1 to 32 hexadecimal digits'],
    [['trace', '1', '--rows', '0'], 2, '--rows is "0"; it must be a whole number from 1'],
    [['trace', '1', '--url', 'http://127.0.0.1:1'], 1, 'no Clew answers at http://127.0.0.1:1'],
    [['demo', '--case', 'nope'], 2, '--case is "nope"; it must be one of normal, slow-query'],
    [['demo', '--burst', '0'], 2, '--burst is "0"; it must be a whole number from 1'],
    [['demo', '--rate', '1.5'], 2, '--rate is "1.5"'],
    [['demo', '--seed', '-1'], 2, '--seed'],
    [['send', join(tmpdir(), 'no-such-file.json')], 1, 'cannot read'],
    [['send', 'x', '--protocol', 'carrier-pigeon'], 2, 'it must be one of http/protobuf, http/json, grpc'],
    [['collector', 'frob'], 2, '"frob" is unknown; it must be one of validate, components, print-config'],
    [['collector', '--config', join(tmpdir(), 'no-such-file.yaml')], 1, 'unable to read the file'],
  ])('%j ends with %i and says %j', async (words, code, sentence) => {
    const outcome = await call(words);
    expect(outcome.stderr).toContain(sentence);
    expect([outcome.code, outcome.stdout]).toEqual([code, '']);
  });
});

describe('help', () => {
  it('is the same by the word help, by --help and by -h', async () => {
    const [word, long, short] = await Promise.all([
      call(['help', 'send']),
      call(['send', '--help']),
      call(['send', '-h']),
    ]);
    expect(word).toEqual(long);
    expect(short).toEqual(long);
  });

  it('wins over words that would be wrong', async () => {
    expect((await call(['trace', '--help'])).code).toBe(0);
  });

  it.each(commands.map((command) => [command.name, command] as const))(
    'of %s shows its options and only examples that parse',
    async (name, command) => {
      const { stdout } = await call([name, '--help']);
      for (const option of Object.keys(command.options)) expect(stdout).toContain(`--${option}`);
      for (const example of command.examples ?? []) {
        const [words] = example.split(/ [|&>]/);
        expect((await call([...words!.split(' ').slice(1), '--help'])).code, example).toBe(0);
      }
    },
  );

  it('of the program lists every command and fits a terminal of 80 columns', async () => {
    const { stdout } = await call(['--help']);
    for (const { name, summary } of commands) {
      expect(stdout).toContain(`  ${name} `);
      expect(stdout.replace(/\s+/g, ' ')).toContain(summary);
    }
    const listed = stdout.slice(stdout.indexOf('Commands:'), stdout.indexOf('clew COMMAND'));
    for (const line of listed.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('the version', () => {
  it('is that of the package', async () => {
    expect((await call(['--version'])).stdout).toMatch(/^clew \d+\.\d+\.\d+\n$/);
    expect(await call(['version'])).toEqual(await call(['--version']));
  });
});

describe('clew config', () => {
  it('says where every value was written', async () => {
    const extra = file('extra.yaml', 'receivers:\n  otlp:\n    max_value_depth: 50\n');
    const set = 'extensions.clew_storage.retention.max_age=72h';
    const { stdout } = await call(['config', '--origins', '--config', extra, '--set', set]);
    expect(stdout).toContain(`max_value_depth: 50 # ${extra}:3:22`);
    expect(stdout).toContain('max_age: 72h # --set extensions.clew_storage.retention.max_age');
    expect(stdout).toMatch(/endpoint: 127\.0\.0\.1:4317 # built-in configuration:\d+:\d+/);
  });

  it('follows the environment, options before it, and the small profile', async () => {
    const env = { CLEW_DATA: '/from-env', CLEW_LISTEN_HOST: '0.0.0.0' };
    const { stdout } = await call(['config', '--small'], env);
    expect(stdout).toContain('directory: /from-env');
    expect(stdout).toContain('endpoint: 0.0.0.0:16686');
    expect(stdout).toContain('max_memory_bytes: 350MB');
    expect((await call(['config', '--data', '/from-option'], env)).stdout).toContain('directory: /from-option');
  });

  it('brackets an IPv6 address', async () => {
    expect((await call(['config', '--listen', '::1'])).stdout).toContain('[::1]:4317');
  });

  it('prints settings nobody wrote when asked', async () => {
    expect((await call(['config'])).stdout).not.toContain('max_value_depth');
    expect((await call(['config', '--defaults'])).stdout).toContain('max_value_depth: 64');
  });

  it('never prints a secret', async () => {
    const { stdout } = await call(['config', '--set', 'extensions.clew_storage.password=hunter2']);
    expect(stdout).toContain('password');
    expect(stdout).not.toContain('hunter2');
  });

  it('reports a file that is no YAML with its position', async () => {
    const path = file('broken.yaml', 'receivers:\n  otlp: [\n');
    const { code, stderr } = await call(['config', '--config', path]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path}:`);
  });
});

describe('clew validate', () => {
  it('takes the built-in configuration and says what acknowledging means', async () => {
    const { code, stdout } = await call(['validate']);
    expect([code, stdout]).toEqual([
      0,
      'The configuration is valid.\n  otlp: acknowledged = durable\n  jaeger: acknowledged = durable\n  zipkin: acknowledged = durable\n',
    ]);
  });

  it('says of a pipeline without a store that what is acknowledged is not kept, and why', async () => {
    const path = file(
      'memory.yaml',
      'receivers: {otlp: {protocols: {http: {}}}}\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n',
    );
    const { code, stdout } = await call(['validate', path]);
    expect(code).toBe(0);
    expect(stdout).toContain('otlp: acknowledged = not kept (exporter "debug" only prints)');
  });

  it('reports every problem with its place and the name that was meant', async () => {
    const path = file(
      'bad.yaml',
      'receivers:\n  otpl:\nservice:\n  pipelines:\n    traces:\n      recievers: [otlp]\n',
    );
    const { code, stdout, stderr } = await call(['validate', path]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${path}:2:3: error decoding 'receivers'`);
    expect(stderr).toContain('did you mean "receivers"');
  });

  it('suggests the setting that was meant', async () => {
    const { code, stderr } = await call(['validate', '--set', 'extensions.clew_storage.retention.max_ages=1h']);
    expect(code).toBe(1);
    expect(stderr).toContain('did you mean "max_age"?');
  });

  it('agrees with clew collector validate, which prints nothing when all is well', async () => {
    const path = file('printed.yaml', (await call(['config'])).stdout);
    expect(await call(['collector', 'validate', '--config', path])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});
