// What `npm start`, `npm test` and their siblings run. Plain JavaScript for Node 18 or newer without dependencies, because
// it runs before anything is installed: it installs what is needed (once, under a lock), builds the page when its
// sources changed, then hands over to the pinned Node. npm hooks are not used: they are skipped under `ignore-scripts`.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './lib/install.mjs';
import { ensureWebBuilt } from './lib/web-build.mjs';
import { findChromium } from './lib/chromium.mjs';
import { pinnedNode } from './lib/pinned-node.mjs';
import { printTestCount } from './lib/test-count.mjs';
import { root } from './lib/paths.mjs';

const [command = 'start', ...args] = process.argv.slice(2);
const bin = (...path) => join(root, 'node_modules', ...path);

/** Runs a step to its end and stops everything when it fails. */
function step(title, file, stepArgs, options = {}) {
  const started = Date.now();
  const result = spawnSync(file, stepArgs, { cwd: root, stdio: 'inherit', ...options });
  const failed = result.status !== 0;
  console.log(`${failed ? 'FAILED' : 'ok'}: ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  return !failed;
}

/** Runs the long-lived program in the foreground and takes over its exit. */
function become(file, childArgs, env) {
  const child = spawn(file, childArgs, {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`cannot run ${file}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : (code ?? 1)));
}

const checks = (node) => [
  ['structure', node, ['scripts/check-structure.mjs']],
  ['types', node, [bin('typescript', 'bin', 'tsc'), '-b', 'tsconfig.json']],
  ['lint', node, [bin('oxlint', 'bin', 'oxlint'), '--type-aware', 'packages', 'scripts', 'bench', 'test']],
  ['format', node, [bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.']],
];

ensureInstalled();
const node = pinnedNode();
mkdirSync(join(root, '.cache'), { recursive: true });

switch (command) {
  case 'start':
  case 'clew':
    ensureWebBuilt(node);
    become(node, [join(root, 'packages', 'clew', 'bin', 'clew.mjs'), ...args]);
    break;
  case 'test': {
    ensureWebBuilt(node);
    const whole = args.length === 0;
    let good = true;
    if (whole) for (const [title, file, stepArgs] of checks(node)) good = step(title, file, stepArgs) && good;
    const chromium = findChromium();
    const results = join(root, '.cache', 'test-results.json');
    const ran = step(
      'tests',
      node,
      [
        bin('vitest', 'vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${results}`,
        ...args,
      ],
      {
        env: {
          ...process.env,
          ...(chromium ? { CLEW_CHROMIUM: chromium } : {}),
          PATH: `${join(node, '..')}:${process.env.PATH}`,
        },
      },
    );
    good = ran && good;
    good = printTestCount(results) && good;
    process.exit(good ? 0 : 1);
    break;
  }
  case 'check': {
    let good = true;
    for (const [title, file, stepArgs] of checks(node)) good = step(title, file, stepArgs) && good;
    process.exit(good ? 0 : 1);
    break;
  }
  case 'format':
    process.exit(
      step('format', node, [bin('prettier', 'bin', 'prettier.cjs'), '--write', '--log-level', 'warn', '.']) ? 0 : 1,
    );
    break;
  case 'bench': {
    const [name, ...rest] = args;
    const script = join(root, 'bench', name ?? '', 'main.ts');
    if (!name || !existsSync(script)) {
      console.error('usage: npm run bench -- NAME [options]; the names are the folders of bench/');
      process.exit(2);
    }
    become(node, ['--expose-gc', script, ...rest]);
    break;
  }
  default:
    console.error(`unknown command "${command}"; use start, test, check, format, bench or clew`);
    process.exit(2);
}
