import { readFile, readdir, readlink } from 'node:fs/promises';
import { basename } from 'node:path';

/**
 * Names the process that listens on a TCP port, such as `otelcol (pid 4711)` or `node server.js (pid 4712)`. Linux
 * only, and only processes this one may look at; undefined when nothing was found. Never rejects: it only makes an
 * error message better.
 */
export function findPortHolder(port: number): Promise<string | undefined> {
  return findHolder(['/proc/net/tcp', '/proc/net/tcp6'], LISTENING, port);
}

/** The same for a process that receives datagrams on a UDP port. */
export function findUdpPortHolder(port: number): Promise<string | undefined> {
  return findHolder(['/proc/net/udp', '/proc/net/udp6'], UNCONNECTED, port);
}

/** Socket states of proc(5), as the tables of /proc/net write them. */
const LISTENING = '0A';
const UNCONNECTED = '07';

async function findHolder(tables: readonly string[], state: string, port: number): Promise<string | undefined> {
  try {
    const inodes = new Set((await Promise.all(tables.map((table) => inodesOn(table, state, port)))).flat());
    return inodes.size === 0 ? undefined : await processHolding(inodes);
  } catch {
    return undefined; // No /proc here: the error message then goes without a name.
  }
}

/** Sockets in a state on the port; columns as in proc(5): local address is the second, state the fourth, inode the tenth. */
async function inodesOn(table: string, state: string, port: number): Promise<string[]> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile(table, 'utf8')).split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === state && columns[1]?.endsWith(wanted))
    .map((columns) => columns[9] ?? '');
}

async function processHolding(inodes: ReadonlySet<string>): Promise<string | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const links = await openLinks(pid);
    if (!links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''))) continue;
    return `${await nameOf(pid)} (pid ${pid})`;
  }
  return undefined;
}

/**
 * The program a process runs, and behind it the script when there is one: `node clew.mjs`. Taken from the command line, because
 * runtimes rename their main thread, which is what `comm` would show.
 */
async function nameOf(pid: string): Promise<string> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const [program = '', script = ''] = commandLine.split('\0');
  const words = script.startsWith('-') ? [program] : [program, script];
  return (
    words
      .map((word) => basename(word))
      .filter((word) => word !== '')
      .join(' ') || 'unknown'
  );
}

/** Where a process's descriptors point; none for a process that ended or belongs to somebody else. */
async function openLinks(pid: string): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
}
