import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { frame, loadText, shortProblem } from '../test/load-text.ts';

/** Problems of a text; what every configuration needs is added behind it, so that places stay. */
async function problemsOf(text: string): Promise<string[]> {
  const whole = /\blisteners\b/.test(text) ? text : `${text}\n${frame}`;
  const { config, problems } = await loadText(whole);
  expect(config === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
  return problems.map(shortProblem);
}

const minimal =
  'a minimal configuration begins:\nsystem {\n    worker-threads 0\n}\n\nlisteners {\n    listener "http" {\n        address "0.0.0.0:8080"\n    }\n}';

describe('loadGatewayConfig, on blocks', () => {
  it('shows a minimal configuration when system or listeners are missing', async () => {
    const { problems } = await loadText('routes {}\n// listeners');
    expect(problems.map(shortProblem)).toEqual([
      'error g.kdl:1:1: there is no system block',
      'error g.kdl:1:1: there is no listeners block',
    ]);
    expect(problems.map(({ help }) => help)).toEqual([minimal, minimal]);
    expect(await problemsOf('system {}\nlisteners {}')).toEqual(['error g.kdl:1:1: listeners holds no listener']);
    expect((await loadText('')).config).toBeUndefined();
  });

  it('lists the blocks there are beside one that is not', async () => {
    const { problems } = await loadText(`upstrems {}\n${frame}`);
    expect(problems).toEqual([
      {
        severity: 'error',
        code: 'unknown_setting',
        message: 'unrecognised block "upstrems" (did you mean "upstreams"?)',
        position: { file: 'g.kdl', line: 1, column: 1 },
        help: 'known blocks: schema-version, version, system, listeners, routes, upstreams, agents, filters, limits, rate-limits, observability, include',
      },
    ]);
  });

  it.each([
    ['cache { enabled #true }', 'cache (remembered answers)'],
    ['waf {}', 'waf (a web application firewall; use an agent)'],
    ['namespace "a" {}', 'namespace (configurations of their own for parts of an organisation)'],
  ])('says that %j is known and has no effect', async (text, what) => {
    expect(await problemsOf(text)).toEqual([
      `warning g.kdl:1:1: ${what} is recognised, not supported by this build, ignored`,
    ]);
  });

  it('merges repeated blocks, and lets the last of others count with a warning', async () => {
    const text = `system { worker-threads 1 }
system { worker-threads 2 }
server { worker-threads 3 }
upstreams { upstream "a" { target "h:1" } }
upstreams { upstream "b" { target "h:2" } }
listeners { listener "l" { address "127.0.0.1:1" } }
limits { max-header-count 5; max-body-size 10 }
limits { max-body-size 20 }`;
    const { config, problems } = await loadText(text);
    expect([...config!.upstreams.keys()]).toEqual(['a', 'b']);
    expect(config!.limits).toMatchObject({ maxHeaderCount: 5, maxBodyBytes: 20 });
    expect(config!.system.workerThreads).toBe(3);
    expect(problems.map(shortProblem)).toEqual([
      'warning g.kdl:3:1: server is the old name of system; write system',
      'warning g.kdl:3:1: server is set again (before at line 2); this one counts',
      'warning g.kdl:8:1: limits is there again (before at line 7); both count, and of a setting in both the last',
      'warning g.kdl:8:10: limits: max-body-size is set again (before at line 7); this one counts',
    ]);
  });

  it.each([
    ['schema-version "1.0"', []],
    ['version 1.0', []],
    [
      'schema-version "1.3"',
      [
        'warning g.kdl:1:16: schema-version 1.3 is newer than 1.0, which this build knows; what it added is not understood',
      ],
    ],
    ['schema-version "2"', ['error g.kdl:1:16: schema-version must be a version such as "1.0"; found "2"']],
    ['schema-version 1', ['error g.kdl:1:16: schema-version must be a version such as "1.0"; found 1']],
    [
      'schema-version "0.9"',
      ['error g.kdl:1:16: schema-version must be a version such as "1.0"; found "0.9": the oldest version is "1.0"'],
    ],
  ])('judges %j', async (text, expected) => {
    expect(await problemsOf(text)).toEqual(expected);
  });

  it('collects the problems of all blocks, in the order of the file', async () => {
    const text = `system { worker-threads "x" }
listeners {
  listener "a" { address "localhost:80"; protcol "http" }
  listener "a" { address "[::1]:80" }
}
routes {
  route "x" { upstream "nope"; agents "q"; matches { path "x"; path-regex "(?=a)" } }
  route "y" { priority 7 }
}
upstreams { upstream "up" { target "h" } }
observability { tracing { sampling-rate 2 }; logging { level "loud" } }`;
    expect(await problemsOf(text)).toEqual([
      'error g.kdl:1:25: system: worker-threads must be a whole number from 0 to 1024; found "x"',
      'error g.kdl:3:26: listener "a": address must be an IP address and a port, such as "0.0.0.0:8080" or "[::1]:8080"; found "localhost:80"',
      'warning g.kdl:3:42: listener "a": unrecognised setting "protcol" (did you mean "protocol"?), ignored',
      'error g.kdl:4:3: listener "a" is defined twice, before at g.kdl:3',
      'error g.kdl:7:24: route "x": upstream "nope" does not exist; available: "up"',
      'error g.kdl:7:39: route "x": agent "q" does not exist; there are no agents',
      'error g.kdl:7:59: route "x" matches: path must be a path that begins with /; found "x"',
      'error g.kdl:7:75: route "x" matches: path-regex must be a regular expression in RE2 syntax; found "(?=a)": error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
      'error g.kdl:8:3: route "y": it leads nowhere',
      'error g.kdl:10:36: upstream "up" target: address must be a host and a port, such as "127.0.0.1:3000" or "api:3000"; found "h": the port is missing',
      'error g.kdl:11:17: observability tracing: backend is missing',
      'error g.kdl:11:41: observability tracing: sampling-rate must be a number from 0 to 1; found 2',
      'error g.kdl:11:62: observability logging: level must be "error", "warn", "info", "debug" or "trace"; found "loud"',
    ]);
  });
});

/** One case of `testdata/problems.txt`. */
interface Case {
  readonly text: string;
  readonly expected: readonly string[];
}

function readCases(file: string): Case[] {
  const cases: { text: string; expected: string[] }[] = [];
  for (const line of file.split('\n')) {
    if (line.startsWith('#') || line === '') continue;
    if (line.startsWith('    ')) cases.at(-1)!.expected.push(line.trim());
    else cases.push({ text: line, expected: [] });
  }
  return cases;
}

const cases = readCases(await readFile(new URL('testdata/problems.txt', import.meta.url), 'utf8'));

describe('loadGatewayConfig, on single settings', () => {
  it('reads its cases', () => {
    expect(cases.length).toBeGreaterThan(90);
    for (const { text, expected } of cases) {
      expect(text).toContain('§');
      expect(expected).not.toEqual([]);
    }
  });

  it.each(cases)('says what is wrong, and where: $text', async ({ text, expected }) => {
    const place = `g.kdl:1:${text.indexOf('§') + 1}: `;
    const missing = [
      text.startsWith('system') ? '' : 'system {}',
      text.startsWith('listeners') ? '' : 'listeners { listener "http" { address "127.0.0.1:8080" } }',
    ];
    const { problems } = await loadText([text.replace('§', ''), ...missing].join('\n'));
    expect(problems.map(shortProblem)).toEqual(expected.map((one) => one.replace(' ', ` ${place}`)));
  });
});
