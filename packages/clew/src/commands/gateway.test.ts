import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../test/call.ts';

const frame = 'system {}\nlisteners { listener "http" { address "127.0.0.1:1" } }\n';

let folder: string;
/** A configuration that can be used, with nothing there of what it names: no target, no agent, no authority. */
let lonely: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'clew-gateway-words-'));
  lonely = file(
    'lonely.kdl',
    `${frame}
upstreams { upstream "u" { target "127.0.0.1:1"; tls { ca-cert "${join(folder, 'no-ca.pem')}" } } }
agents { agent "a" { unix-socket "${join(folder, 'no.sock')}" } }`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('clew gateway validate', () => {
  const target = 'upstream "u": cannot connect to 127.0.0.1:1: ';
  const agent = 'agent "a": cannot connect to ';
  const socket = 'agent "a": ';
  const certificate = 'upstream "u": cannot read ';

  it.each([
    [[], [target, agent, certificate], []],
    [['--skip-network'], [socket, certificate], [target, agent]],
    [['--skip-agents'], [target, certificate], [socket]],
    [['--skip-certs'], [target, agent], [certificate]],
    [['--skip-network', '--skip-agents'], [certificate], [target, socket]],
    [['--skip-agents', '--skip-certs'], [target], [socket, certificate]],
    [['--skip-network', '--skip-certs'], [socket], [target, agent, certificate]],
  ])('%j looks for what it is not told to leave out', async (options, found, leftOut) => {
    const { code, stdout, stderr } = await call(['gateway', 'validate', '--config', lonely, ...options]);
    expect([code, stdout]).toEqual([1, '']);
    for (const problem of found) expect(stderr).toContain(problem);
    for (const problem of leftOut) expect(stderr).not.toContain(problem);
  });

  it('is content when it is told to leave everything out', async () => {
    const all = ['--skip-network', '--skip-agents', '--skip-certs'];
    expect(await call(['gateway', 'validate', '-c', lonely, ...all])).toEqual({
      code: 0,
      stdout: `Configuration ${lonely}: validate found nothing to say\n`,
      stderr: '',
    });
  });
});

describe('clew gateway lint', () => {
  it('advises, and never fails for that', async () => {
    const { code, stdout, stderr } = await call(['gateway', 'lint', '-c', lonely]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Configuration ${lonely} passed (lint)`);
    expect(stdout).toContain('upstream "u" is used by no route');
  });
});

describe('clew gateway --test', () => {
  const valid = (path: string): string =>
    `Configuration ${path} is valid: 1 listener, 0 routes, 1 upstream, 1 agent, 0 filters\n`;

  it.each([[['--test', '--config']], [['-t', '-c']], [['test', '--config']], [['test', '-t', '-c']]])(
    'is said by %j, too, and needs nothing of what the file names',
    async (words) => {
      const { code, stdout } = await call(['gateway', ...words, lonely]);
      expect([code, stdout]).toEqual([0, valid(lonely)]);
    },
  );

  it.each(['CLEW_GATEWAY_CONFIG', 'ZENTINEL_CONFIG'])('takes the file from %s', async (variable) => {
    const { code, stdout } = await call(['gateway', '-t'], { [variable]: lonely });
    expect([code, stdout]).toEqual([0, valid(lonely)]);
  });

  it('believes the command line before the environment, and our own variable before the other', async () => {
    const other = file('other.kdl', frame);
    const env = { CLEW_GATEWAY_CONFIG: other, ZENTINEL_CONFIG: join(folder, 'gone.kdl') };
    expect((await call(['gateway', '-t', '-c', lonely], env)).stdout).toBe(valid(lonely));
    expect((await call(['gateway', '-t'], env)).stdout).toContain(`${other} is valid`);
  });

  it('ends with 1 and the report where the file cannot be used', async () => {
    const broken = file('broken.kdl', `${frame}routes { route "r" { upstream "nowhere" } }`);
    for (const words of [['-t'], ['validate'], ['lint'], []]) {
      const { code, stdout, stderr } = await call(['gateway', ...words, '-c', broken]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain('"nowhere"');
    }
  });
});

describe('clew gateway with words that make no sense', () => {
  it.each([
    [['frobnicate'], '"frobnicate" is unknown; it must be one of run, test, validate, lint'],
    [['--test', 'lint'], '--test and "lint" are two different things'],
    [['-t', 'validate'], '--test and "validate" are two different things'],
    [['--test', 'run'], '--test and "run" are two different things'],
    [['lint', 'again'], 'unexpected "again"'],
  ])('%j ends with 2', async (words, sentence) => {
    const { code, stdout, stderr } = await call(['gateway', ...words, '-c', lonely]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
  });
});
