// Documentation that is true: every block a reader could copy is run here, every link leads somewhere, and every error code
// has its row.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { runSnippet } from './docs/run-snippet.ts';
import { snippetsOf } from './docs/snippets.ts';
import { runClew } from './support/clew.ts';
import { awaitTrace } from './support/jaeger.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Inside the repository, so that scripts find its packages. */
const stageRoot = join(root, '.cache', 'docs-stage');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
/** Pages about the inside: their blocks are drawings and excerpts. */
const forBuilders = new Set(['docs/engine-protocol.md']);

const read = (page: string) => readFileSync(join(root, page), 'utf8');

describe('every snippet of the documentation runs', () => {
  let clew: LaunchedClew;

  beforeAll(async () => {
    rmSync(stageRoot, { recursive: true, force: true });
    mkdirSync(stageRoot, { recursive: true });
    clew = await launchClew();
  });
  afterAll(async () => {
    await clew.close();
    rmSync(stageRoot, { recursive: true, force: true });
  });

  const snippets = pages.filter((page) => !forBuilders.has(page)).flatMap((page) => snippetsOf(page, read(page)));

  it('and there are some', () => {
    expect(snippets.length).toBeGreaterThan(20);
  });

  it.each(snippets)('$place ($language)', async (snippet) => {
    const page = snippet.place.replace(/:\d+$/, '').replaceAll('/', '-');
    const outcome = await runSnippet(snippet, { clew, folder: join(stageRoot, page) });
    if (outcome === undefined) throw new Error(`${snippet.place}: nobody knows how to run "${snippet.language}"`);
    expect(outcome.code, `${outcome.stdout}\n${outcome.stderr}`).toBe(0);
  });

  it('with the effect they promise: the span of the README is there', async () => {
    const trace = await awaitTrace(clew, '5b8aa5a2d2c872e8321cf37308d69df2');
    expect(trace.spans.map((span) => span.operationName)).toEqual(['hello']);
  });
});

describe('every link inside the documentation', () => {
  const all = [...pages, 'ARCHITECTURE.md', 'CHANGELOG.md'];
  const links = all.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => ({ page, target })),
  );

  it.each(links)('$page → $target leads somewhere', ({ page, target }) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? join(root, page) : join(root, dirname(page), path);
    expect(existsSync(file), relative(root, file)).toBe(true);
    if (anchor === undefined) return;
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text]) => slug(text!));
    expect(headings).toContain(anchor);
  });
});

describe('docs/errors.md', () => {
  const sections = new Map(
    read('docs/errors.md')
      .split(/^## /m)
      .slice(1)
      .map((text) => [text.split('\n', 1)[0]!, [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code!)]),
  );

  it.each(readdirSync(join(root, 'packages')))('has a row for every error code of %s, and no other', (name) => {
    const codes = errorCodes(join(root, 'packages', name, 'src'));
    expect((sections.get(name) ?? []).toSorted()).toEqual(codes);
  });

  it('covers all packages that have codes', () => {
    expect(sections.size).toBeGreaterThanOrEqual(11);
  });
});

describe('names in the documentation', () => {
  const text = pages.map(read).join('\n');
  const sources = readdirSync(join(root, 'packages')).flatMap((name) =>
    sourcesBelow(join(root, 'packages', name, 'src')),
  );

  it('of metrics are names of metrics', () => {
    const named = new Set([...text.matchAll(/`((?:clew|otelcol)_\w+)`/g)].map(([, name]) => name!));
    const metrics = [...named].filter((name) => !components.has(name));
    expect(metrics.length).toBeGreaterThan(10);
    expect(metrics.filter((name) => !sources.some((source) => source.includes(`'${name}'`)))).toEqual([]);
  });

  it('of benchmarks are folders of bench, and none is left out', () => {
    const named = [...read('docs/benchmarks.md').matchAll(/`npm run bench -- ([\w-]+)`/g)].map(([, name]) => name!);
    const folders = readdirSync(join(root, 'bench')).filter((name) => existsSync(join(root, 'bench', name, 'main.ts')));
    expect(named.toSorted()).toEqual(folders.toSorted());
  });

  it('of settings are settings, with the defaults the table gives them', async () => {
    const rows = read('docs/configure.md').matchAll(
      /^\| `((?:receivers|processors|extensions)\.[\w.]+)` \| (.+?) \|/gm,
    );
    const documented = [...rows].map(([, path, cell]) => ({ path: path!, cell: cell!.replaceAll('`', '') }));
    expect(documented.length).toBeGreaterThan(15);
    const fixed = documented.filter(({ path }) => !machineDependent.has(path));
    const tree = parse((await runClew(['config', '--defaults'])).stdout) as unknown;
    expect(fixed.map(({ path }) => `${path} ${String(valueAt(tree, path))}`)).toEqual(
      fixed.map(({ path, cell }) => `${path} ${cell}`),
    );
    const sets = [...machineDependent].flatMap(([path, value]) => ['--set', `${path}=${value}`]);
    expect(await runClew(['validate', ...sets])).toMatchObject({ code: 0, stderr: '' });
  });
});

function valueAt(tree: unknown, path: string): unknown {
  return path.split('.').reduce((node, key) => (node as Record<string, unknown> | undefined)?.[key], tree);
}

/** Components whose names look like metrics. */
const components = new Set(['clew_storage', 'clew_store', 'clew_query', 'clew_storage.queries']);

/** Settings whose default depends on the machine, or that have none, with a value they may have. */
const machineDependent = new Map([
  ['extensions.clew_storage.journal.max_bytes', '1GiB'],
  ['extensions.clew_storage.engine.sessions', '2'],
  ['extensions.clew_storage.url', 'http://127.0.0.1:8123'],
  ['extensions.remote_sampling.file.path', 'strategies.json'],
]);

/** Types that hold the codes of errors somebody outside may see. The page of the browser only repeats the server's. */
const codeTypes = /export type (?:\w*ErrorCode|RefusalCode) =([^;]+);/g;

/** The text of every source file below a folder, tests left out. */
function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

/** The members of every union of error codes declared below a folder, sorted. */
function errorCodes(folder: string): string[] {
  const found = sourcesBelow(folder)
    .map((text) => text.replace(/\/\*[\s\S]*?\*\//g, ''))
    .flatMap((text) => [...text.matchAll(codeTypes)])
    .flatMap(([, union]) => [...union!.matchAll(/'(\w+)'/g)].map(([, code]) => code!));
  return [...new Set(found)].sort();
}

/** A heading as GitHub makes an anchor of it. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-');
}
