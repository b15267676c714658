// Installs dependencies when the lock file, the platform or the installed tree changed since the last time.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const cache = join(root, '.cache');
const stampPath = join(cache, 'install.stamp');
const lockPath = join(cache, 'install.lock');

/** What an installation depends on. */
function wantedStamp() {
  const lockFile = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(lockFile).update(`${process.platform}-${process.arch}`).digest('hex');
}

const installed = (stamp) =>
  existsSync(stampPath) &&
  readFileSync(stampPath, 'utf8') === stamp &&
  existsSync(join(root, 'node_modules', '.package-lock.json'));

/** Whether the process that took the lock still lives. */
function holderLives() {
  const pid = Number(existsSync(join(lockPath, 'pid')) ? readFileSync(join(lockPath, 'pid'), 'utf8') : '0');
  if (!pid) return Date.now() - started < 2000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const started = Date.now();

/** Takes the lock, waiting for another installation of the same clone to end. */
function lock() {
  mkdirSync(cache, { recursive: true });
  for (let told = false; ;) {
    try {
      mkdirSync(lockPath);
      writeFileSync(join(lockPath, 'pid'), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!holderLives()) {
      rmSync(lockPath, { recursive: true, force: true });
      continue;
    }
    if (!told) console.log('waiting for another installation in this folder to finish');
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
}

/** Runs npm, the one that called us when there is one. */
function npm(args) {
  const viaNode = process.env.npm_execpath?.endsWith('.js') || process.env.npm_execpath?.endsWith('.cjs');
  const [file, prefix] = viaNode
    ? [process.execPath, [process.env.npm_execpath]]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  return spawnSync(file, [...prefix, ...args], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32' && !viaNode,
  });
}

/** Makes node_modules what the lock file says, doing nothing when it already is. */
export function ensureInstalled() {
  const stamp = wantedStamp();
  if (installed(stamp)) return;
  lock();
  try {
    if (installed(stamp)) return;
    console.log('installing dependencies (about 1 GB, once; the storage engine is most of it)');
    const result = npm(['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
    if (result.status !== 0) {
      console.error(
        `npm ci ended with ${result.status ?? result.signal ?? result.error?.message}; nothing was started. Run it again when the registry is reachable.`,
      );
      process.exit(1);
    }
    writeFileSync(stampPath, stamp);
  } finally {
    rmSync(lockPath, { recursive: true, force: true });
  }
}
