import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Finding } from './check.ts';

const gibibyte = 1024 ** 3;

/** Free space and permissions of the data directory. */
export async function checkDisk(directory: string): Promise<Finding[]> {
  let existing = directory;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK | constants.R_OK | constants.X_OK);
  } catch {
    return [
      {
        area: 'data directory',
        level: 'problem',
        text: `${existing} cannot be read and written by this user`,
        advice: 'change its owner or mode, or choose another with --data DIR',
      },
    ];
  }
  const { bavail, bsize, blocks } = await statfs(existing);
  const free = (bavail * bsize) / gibibyte;
  const total = (blocks * bsize) / gibibyte;
  const text = `${free.toFixed(1)} GiB free of ${total.toFixed(0)} for ${directory}`;
  if (free < 1) {
    return [
      {
        area: 'disk',
        level: 'problem',
        text,
        advice: 'free some space: the journal refuses spans when the disk fills up',
      },
    ];
  }
  if (free < 10) {
    return [
      {
        area: 'disk',
        level: 'warning',
        text,
        advice: 'set a retention by bytes, or use a larger disk: a billion spans need about 85 GB',
      },
    ];
  }
  return [{ area: 'disk', level: 'ok', text }];
}

/** Whether the clock can be right: spans are placed by their own times. */
export function checkClock(now: Date = new Date()): Finding[] {
  const area = 'clock';
  if (now.getUTCFullYear() < 2024) {
    return [
      {
        area,
        level: 'problem',
        text: `it says ${now.toISOString()}`,
        advice: 'set the clock: searches for recent traces will find nothing',
      },
    ];
  }
  const state = synchronisation();
  if (state === false) {
    return [
      {
        area,
        level: 'warning',
        text: `${now.toISOString()}, not synchronised`,
        advice: 'run a time service: spans of different machines are compared by their clocks',
      },
    ];
  }
  return [{ area, level: 'ok', text: `${now.toISOString()}${state === true ? ', synchronised' : ''}` }];
}

/** What systemd-timesyncd or chrony left behind; undefined when neither is used here. */
function synchronisation(): boolean | undefined {
  if (existsSync('/run/systemd/timesync/synchronized')) return true;
  if (existsSync('/run/systemd/timesync')) return false;
  return undefined;
}

/** Open files, memory and cores. */
export function checkLimits(): Finding[] {
  return [...openFiles(), memory(), { area: 'cores', level: 'ok', text: String(cpus().length) }];
}

function openFiles(): Finding[] {
  if (!existsSync('/proc/self/limits')) return [];
  const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const limit = line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 0);
  const text = `${Number.isFinite(limit) ? limit : 'unlimited'} open files allowed`;
  if (limit >= 20_000) return [{ area: 'open files', level: 'ok', text }];
  return [
    {
      area: 'open files',
      level: 'warning',
      text,
      advice: 'raise it to 20,000 or more (ulimit -n): every part of a table is several files',
    },
  ];
}

function memory(): Finding {
  const limit = cgroupLimit() ?? totalmem();
  const text = `${(limit / gibibyte).toFixed(1)} GiB, ${(freemem() / gibibyte).toFixed(1)} free`;
  if (limit >= 1.5 * gibibyte) return { area: 'memory', level: 'ok', text };
  return {
    area: 'memory',
    level: 'warning',
    text,
    advice: 'start with --small: the default profile may use up to 900 MB',
  };
}

/** The memory limit of the container, in bytes, when there is one. */
function cgroupLimit(): number | undefined {
  for (const path of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    if (!existsSync(path)) continue;
    const bytes = Number(readFileSync(path, 'utf8').trim());
    if (Number.isFinite(bytes) && bytes > 0 && bytes < 2 ** 60) return bytes;
  }
  return undefined;
}
