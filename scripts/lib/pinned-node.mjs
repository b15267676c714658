// The Node that runs Clew: the one pinned by the platform packages, else the machine's when it is new enough to run
// TypeScript sources as they stand (22.18).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const packageNames = [
  `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
  `node-bin-${process.platform}-${process.arch}`,
];

/** Path of the Node executable to run Clew with; ends the process with one sentence when there is none. */
export function pinnedNode() {
  for (const name of packageNames) {
    const path = join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    // It must also run here: the packages carry glibc binaries.
    if (existsSync(path) && spawnSync(path, ['--version']).status === 0) return path;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  console.error(
    `Clew needs Node 22.18 or newer on ${process.platform}-${process.arch}, for which no pinned Node is published; this is ${process.version}. Install a newer Node and run the same command again.`,
  );
  process.exit(1);
}
