// Builds the page when the sources it is made of changed since the last build.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const inputs = [
  'packages/web',
  'packages/api/src',
  'packages/model/src',
  'packages/base/src',
  'packages/analysis/src',
  'packages/traceql/src',
];
const stampPath = join(root, '.cache', 'web.stamp');

function hashTree(hash, directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (['node_modules', 'dist', '.types', 'testdata'].includes(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) hashTree(hash, path);
    else if (!/\.test\.tsx?$/.test(entry.name)) hash.update(entry.name).update(readFileSync(path));
  }
}

/** Makes packages/web/dist current. */
export function ensureWebBuilt(node) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const input of inputs) if (existsSync(join(root, input))) hashTree(hash, join(root, input));
  const stamp = hash.digest('hex');
  const built = existsSync(join(root, 'packages', 'web', 'dist', 'index.html'));
  if (built && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return;
  console.log('building the page');
  // A build that is cut short must not pass for a finished one at the next start.
  rmSync(stampPath, { force: true });
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = spawnSync(node, [vite, 'build', join(root, 'packages', 'web'), '--logLevel', 'warn'], {
    cwd: join(root, 'packages', 'web'),
    stdio: 'inherit',
  });
  if (result.status !== 0) {
    console.error('the page did not build; the messages above say why');
    process.exit(1);
  }
  writeFileSync(stampPath, stamp);
}
