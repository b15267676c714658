import { describe, expect, it } from 'vitest';
import { frame, loadText, memoryIo, shortProblem } from '../test/load-text.ts';
import { loadGatewayConfig } from './load.ts';

async function loadFiles(files: Readonly<Record<string, string>>, path = 'etc/main.kdl', env = {}) {
  return loadGatewayConfig({ path }, memoryIo(files, env));
}

describe('loadGatewayConfig, on files', () => {
  it('names the file it cannot read', async () => {
    expect(await loadFiles({})).toEqual({
      problems: [{ severity: 'error', code: 'unreadable_file', message: 'cannot read etc/main.kdl: no such file' }],
      files: ['etc/main.kdl'],
    });
  });

  it('refuses other formats by their name', async () => {
    const { config, problems } = await loadFiles({ 'g.json': '{}' }, 'g.json');
    expect(config).toBeUndefined();
    expect(problems.map(({ message }) => message)).toEqual([
      'g.json looks like JSON; configurations are read in KDL only',
    ]);
  });

  it('says what is wrong with an include', async () => {
    const text = `${frame}include\ninclude 3\ninclude "gone.kdl"\ninclude "none/*.kdl"`;
    const { config, problems } = await loadFiles({ 'etc/main.kdl': text });
    expect(config).toBeUndefined();
    expect(problems.map(shortProblem)).toEqual([
      'error etc/main.kdl:3:1: include names no file',
      'error etc/main.kdl:4:9: include must be a path or a pattern of paths; found 3',
      'error etc/main.kdl:5:9: cannot read etc/gone.kdl: no such file',
      'warning etc/main.kdl:6:9: include "none/*.kdl" matches no file',
    ]);
  });

  it('names the chain of files that include each other', async () => {
    const { config, problems } = await loadFiles({
      'etc/main.kdl': `${frame}include "a.kdl"`,
      'etc/a.kdl': 'include "sub/b.kdl"',
      'etc/sub/b.kdl': '\n include "../a.kdl"',
    });
    expect(config).toBeUndefined();
    expect(problems.map(shortProblem)).toEqual([
      'error etc/sub/b.kdl:2:10: files include each other: etc/a.kdl → etc/sub/b.kdl → etc/a.kdl',
    ]);
    const self = await loadFiles({ 'etc/main.kdl': `${frame}include "*.kdl"` });
    expect(self.problems.map(({ code }) => code)).toEqual(['include_cycle']);
  });

  it('reads a file once, however many include it', async () => {
    const { config, problems } = await loadFiles({
      'etc/main.kdl': `${frame}include "a.kdl"\ninclude "b.kdl"`,
      'etc/a.kdl': 'include "c.kdl"',
      'etc/b.kdl': 'include "c.kdl"',
      'etc/c.kdl': 'upstreams { upstream "u" { target "h:1" } }',
    });
    expect([...config!.upstreams.keys()]).toEqual(['u']);
    expect(problems.map(shortProblem)).toEqual(['warning etc/b.kdl:1:9: etc/c.kdl is included again, ignored']);
  });

  it('puts what is included where the include stands, sorted by name, from any depth', async () => {
    const route = (id: string) => `routes { route "${id}" { builtin-handler "health"; matches { path "/${id}" } } }`;
    const { config, problems, files } = await loadFiles({
      'etc/main.kdl': `${route('first')}\ninclude "routes/**/*.kdl"\n${route('last')}\n${frame}`,
      'etc/routes/b.kdl': route('b'),
      'etc/routes/a.kdl': route('a'),
      'etc/routes/deep/er/c.kdl': route('c'),
      'etc/routes/.hidden.kdl': route('hidden'),
      'etc/routes/x.txt': 'not KDL {',
    });
    expect(problems).toEqual([]);
    expect(config!.routes.map(({ id }) => id)).toEqual(['first', 'a', 'b', 'c', 'last']);
    expect(config!.routes[3]!.position.file).toBe('etc/routes/deep/er/c.kdl');
    expect(files).toEqual(['etc/main.kdl', 'etc/routes/a.kdl', 'etc/routes/b.kdl', 'etc/routes/deep/er/c.kdl']);
    expect(config!.files).toEqual(files);
  });

  it('finds names that two files define', async () => {
    const { problems } = await loadFiles({
      'etc/main.kdl': `${frame}include "a.kdl"\nupstreams { upstream "u" { target "h:2" } }`,
      'etc/a.kdl': 'upstreams {\n upstream "u" { target "h:1" } }',
    });
    expect(problems.map(shortProblem)).toEqual([
      'error etc/main.kdl:4:13: upstream "u" is defined twice, before at etc/a.kdl:2',
    ]);
  });

  it('reports the syntax errors of all files together, and nothing that follows from them', async () => {
    const { problems } = await loadFiles({
      'etc/main.kdl': 'include "a.kdl" "b.kdl"',
      'etc/a.kdl': 'x [1]',
      'etc/b.kdl': 'y {',
    });
    expect(problems.map(shortProblem)).toEqual([
      'error etc/a.kdl:1:3: KDL has no lists in brackets',
      'error etc/b.kdl:1:3: a block is opened and never closed',
    ]);
  });
});

describe('loadGatewayConfig, on environment variables', () => {
  const text = (value: string) => `${frame}upstreams { upstream "u" { target ${value} } }`;

  it('refuses a variable that is not set and has no default', async () => {
    const { config, problems } = await loadText(text('"${HOST}:1"'));
    expect(config).toBeUndefined();
    expect(problems).toEqual([
      {
        severity: 'error',
        code: 'environment',
        message: 'environment variable HOST is not set and has no default',
        position: { file: 'g.kdl', line: 3, column: 35 },
        help: 'set it, write ${HOST:-default}, or write $${HOST} for the text itself',
      },
    ]);
  });

  it.each([
    ['"${HOST}:1"', { HOST: 'a' }, 'a'],
    ['"${HOST:-b}:1"', {}, 'b'],
    ['"${HOST:-b}:1"', { HOST: 'a' }, 'a'],
    ['"${A}${B:-}c:1"', { A: 'x' }, 'xc'],
  ])('puts them into %s', async (value, env, host) => {
    const { config, problems } = await loadText(text(value), memoryIo({}, env));
    expect(problems).toEqual([]);
    expect(config!.upstreams.get('u')!.targets[0]!.host).toBe(host);
  });

  it('leaves raw strings, escaped dollars and other dollars alone', async () => {
    const inside =
      'matches { path-regex #"^/a${x}$"# "^/b$" }; policies { request-headers { set { A "$${X} $Y ${z" } } }';
    const loaded = await loadText(`${frame}routes { route "r" { builtin-handler "health"; ${inside} } }`);
    expect(loaded.config!.routes[0]!.policies.requestHeaders.set).toEqual([{ name: 'A', value: '${X} $Y ${z' }]);
    expect(loaded.config!.routes[0]!.conditions.paths.map(({ value }) => value)).toEqual(['^/a${x}$', '^/b$']);
  });

  it('lets a variable stand for a number or a boolean, and ordinary text not', async () => {
    const system = (threads: string) => `system { worker-threads ${threads}; auto-reload "\${RELOAD:-true}" }
listeners { listener "l" { address "127.0.0.1:1" } }`;
    const { config } = await loadText(system('"${THREADS}"'), memoryIo({}, { THREADS: '3' }));
    expect(config!.system).toMatchObject({ workerThreads: 3, autoReload: true });
    expect((await loadText(system('"3"'))).config).toBeUndefined();
    const wrong = await loadText(system('"${THREADS}"'), memoryIo({}, { THREADS: 'many' }));
    expect(wrong.problems.map(shortProblem)).toEqual([
      'error g.kdl:1:25: system: worker-threads must be a whole number from 0 to 1024; found "many"',
    ]);
  });
});
