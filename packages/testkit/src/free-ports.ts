import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A program that cannot be told to choose its own ports gets them from here. Ports that the system hands out for `listen(0)`
// and for outgoing connections would be in use by somebody else every few hundred launches: between asking for a free one and
// using it, a busy test run opens many. So these come from below that range, and a file claims each for the process that asked.

const claims = join(tmpdir(), 'clew-test-ports');
/** The first port that is given. */
export const lowest = 10_240;
/** Where Linux begins with ports of its own choice when nobody has said otherwise; macOS and Windows begin at 49152. */
const usualEphemeralStart = 32_768;
const attempts = 2000;

const claimed: string[] = [];

/** Ports of 127.0.0.1 that are free for TCP and UDP and that no other caller gets until this process ends, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const highest = ephemeralStart();
  const ports: number[] = [];
  for (let attempt = 0; attempt < attempts && ports.length < count; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (claim(port) && (await isFree(port))) ports.push(port);
  }
  if (ports.length < count) {
    throw new Error(`looked for ${count} free ports between ${lowest} and ${highest}: found ${ports.length}`);
  }
  return ports;
}

/** One such port. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** The first port that the system gives away by itself: all that are given here are lower. */
export function ephemeralStart(): number {
  try {
    const start = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    return start > 2 * lowest ? start : usualEphemeralStart;
  } catch {
    return usualEphemeralStart; // No Linux.
  }
}

/** Whether the port is this process's now. */
function claim(port: number): boolean {
  mkdirSync(claims, { recursive: true });
  const path = join(claims, String(port));
  if (!writtenFirst(path)) {
    if (isAlive(ownerOf(path))) return false;
    rmSync(path, { force: true });
    if (!writtenFirst(path)) return false;
  }
  if (claimed.length === 0) process.once('exit', release);
  claimed.push(path);
  return true;
}

function release(): void {
  for (const path of claimed) rmSync(path, { force: true });
}

function writtenFirst(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (caught) {
    if ((caught as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw caught;
  }
}

/** The process that wrote a claim; undefined when it is gone or was not written to its end yet. */
function ownerOf(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}

/** A claim without an owner is being written: taken for one. */
function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (caught) {
    return (caught as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const socket = createSocket('udp4');
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await closed(server);
    await closed(socket);
  }
}

const closed = (opened: { close(done: () => void): unknown }) =>
  new Promise<void>((resolve) => {
    try {
      opened.close(() => resolve());
    } catch {
      resolve(); // It never opened.
    }
  });
