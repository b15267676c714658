// Question: what do large bodies cost the gateway, in memory above all?
//
// One gateway with one thread between a client (this process) and a backend of its own. First small requests warm it up and give its idle
// memory. Then one body of --gib GiB goes through for each direction and protocol, and its memory (proportional set size) is read ten times
// a second: what counts is the highest figure above the idle one. Last, --slow clients that stop reading and as many that stop
// sending, each with a body that never ends, stay for ten seconds, while others are served.
//
// Usage: npm run bench -- gateway-bodies [--gib=N] [--slow=N] [--results=DIRECTORY]
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createAuthority } from '@clew/testkit';
import { calibrate, calibrationText } from '../lib/calibration.ts';
import { endChildren, forked } from '../lib/child-processes.ts';
import { percentile } from '../lib/percentiles.ts';
import { processStats } from '../lib/process-stats.ts';

const { values: options } = parseArgs({
  options: {
    gib: { type: 'string', default: '1' },
    slow: { type: 'string', default: '100' },
    results: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
  },
});
const bytes = Number(options.gib) * 1024 ** 3;
const slow = Number(options.slow);
const folder = mkdtempSync(join(tmpdir(), 'clew-bench-bodies-'));

const piece = Buffer.alloc(64 * 1024, 'clew ');

/** Writes a body as fast as it is taken. */
async function send(target: Writable): Promise<void> {
  for (let left = bytes; left > 0; left -= piece.length) {
    if (!target.write(left < piece.length ? piece.subarray(0, left) : piece)) await once(target, 'drain');
  }
  target.end();
}

async function countAll(source: Readable): Promise<number> {
  let count = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) count += chunk.length;
  return count;
}

async function download1(port: number): Promise<number> {
  const request = httpRequest({ host: '127.0.0.1', port, path: `/bytes/${bytes}` }).end();
  const [response] = (await once(request, 'response')) as [Readable];
  return countAll(response);
}

async function upload1(port: number): Promise<number> {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/',
    method: 'POST',
    headers: { 'Content-Length': bytes },
  });
  const answer = once(request, 'response') as Promise<[Readable]>;
  await send(request);
  return Number(await textOf((await answer)[0]));
}

async function textOf(source: Readable): Promise<string> {
  let text = '';
  for await (const chunk of source as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

async function over2<T>(
  port: number,
  ca: string,
  use: (session: ReturnType<typeof connectHttp2>) => Promise<T>,
): Promise<T> {
  const session = connectHttp2(`https://localhost:${port}`, { ca, settings: { initialWindowSize: 1024 * 1024 } });
  await once(session, 'connect');
  const result = await use(session);
  session.destroy();
  return result;
}

const download2 = (port: number, ca: string): Promise<number> =>
  over2(port, ca, (session) => countAll(session.request({ ':path': `/bytes/${bytes}` })));

const upload2 = (port: number, ca: string): Promise<number> =>
  over2(port, ca, async (session) => {
    const stream = session.request({ ':method': 'POST', ':path': '/', 'content-length': String(bytes) });
    await send(stream);
    return Number(await textOf(stream));
  });

async function warmUp(port: number): Promise<void> {
  for (let round = 0; round < 300; round++) {
    const request = httpRequest({ host: '127.0.0.1', port, path: '/bytes/100' }).end();
    await countAll(((await once(request, 'response')) as [Readable])[0]);
  }
}

const memoryMb = (pid: number): number => (processStats(pid)?.pssBytes ?? 0) / 1e6;

/** The highest memory while `work` runs. */
async function peakDuring<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ result: T; peakMb: number; seconds: number }> {
  let peakMb = 0;
  const timer = setInterval(() => (peakMb = Math.max(peakMb, memoryMb(pid))), 100);
  const startMs = performance.now();
  const result = await work();
  clearInterval(timer);
  return { result, peakMb: Math.max(peakMb, memoryMb(pid)), seconds: (performance.now() - startMs) / 1000 };
}

console.log(calibrationText(calibrate()));
const authority = createAuthority();
const issued = authority.issue('localhost');
writeFileSync(join(folder, 'own.crt'), issued.cert);
writeFileSync(join(folder, 'own.key'), issued.key);
const { said: backend } = await forked<{ port: number }>(new URL('./backend.ts', import.meta.url));
const configuration = join(folder, 'gateway.kdl');
writeFileSync(
  configuration,
  `
system { worker-threads 1 }
listeners {
    listener "http" { address "127.0.0.1:0"; request-timeout-secs 600 }
    listener "tls" { address "127.0.0.1:0"; protocol "https"; request-timeout-secs 600; tls { cert-file "${folder}/own.crt"; key-file "${folder}/own.key" } }
}
routes { route "all" { matches { path-prefix "/" }; upstream "backend"; policies { timeout-secs 600 } } }
upstreams { upstream "backend" { target "127.0.0.1:${backend.port}"; timeouts { request-secs 600 }; connection-pool { max-connections 1000 } } }
limits { max-connections-per-client 1000; max-body-size ${bytes * 2} }
observability { metrics { enabled #false } }
`,
);
const gateway = await forked<{ port: number; ports: Record<string, number> }>(
  new URL('../gateway/clew-gateway.ts', import.meta.url),
  [configuration],
);
const pid = gateway.child.pid!;
const http = gateway.said.ports['http']!;
const tls = gateway.said.ports['tls']!;
const results: object[] = [];
try {
  await warmUp(http);
  await over2(tls, authority.cert, (session) => countAll(session.request({ ':path': '/bytes/100' })));
  await sleep(1000);
  const idleMb = memoryMb(pid);
  console.log(`idle after 300 small requests: ${idleMb.toFixed(0)} MB`);
  console.log('| body | MB/s | peak above idle, MB |\n| --- | --- | --- |');
  const cases: readonly [string, () => Promise<number>][] = [
    ['HTTP/1.1 download', () => download1(http)],
    ['HTTP/1.1 upload', () => upload1(http)],
    ['HTTP/2 with TLS, download', () => download2(tls, authority.cert)],
    ['HTTP/2 with TLS, upload', () => upload2(tls, authority.cert)],
  ];
  for (const [name, work] of cases) {
    const { result, peakMb, seconds } = await peakDuring(pid, work);
    if (result !== bytes) throw new Error(`${name}: ${result} bytes arrived of ${bytes}`);
    console.log(`| ${name} | ${(bytes / 1e6 / seconds).toFixed(0)} | ${(peakMb - idleMb).toFixed(1)} |`);
    results.push({ name, megabytesPerSecond: bytes / 1e6 / seconds, addedMb: peakMb - idleMb });
  }
  results.push(await slowOnes(idleMb));
  mkdirSync(options.results, { recursive: true });
  writeFileSync(
    join(options.results, 'gateway-bodies.json'),
    `${JSON.stringify({ bytes, idleMb, results }, null, 2)}\n`,
  );
} finally {
  await endChildren();
  rmSync(folder, { recursive: true, force: true });
}

/** Clients that ask for much and read nothing, and clients that never finish sending. */
async function slowOnes(idleMb: number): Promise<object> {
  const sockets: Socket[] = [];
  for (let index = 0; index < slow; index++) {
    for (const text of [
      `GET /bytes/${bytes} HTTP/1.1\r\nHost: a.test\r\n\r\n`,
      `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(100_000)}`,
    ]) {
      const socket = connect({ port: http, host: '127.0.0.1' });
      socket.on('error', () => socket.destroy());
      socket.pause();
      socket.write(text);
      sockets.push(socket);
    }
  }
  const latencies: number[] = [];
  const { peakMb } = await peakDuring(pid, async () => {
    for (const endMs = performance.now() + 10_000; performance.now() < endMs;) {
      const startMs = performance.now();
      const request = httpRequest({ host: '127.0.0.1', port: http, path: '/bytes/100' }).end();
      await countAll(((await once(request, 'response')) as [Readable])[0]);
      latencies.push(performance.now() - startMs);
      await sleep(10);
    }
  });
  for (const socket of sockets) socket.destroy();
  latencies.sort((a, b) => a - b);
  const p99 = percentile(latencies, 0.99);
  console.log(
    `${2 * slow} slow clients for 10 s: ${(peakMb - idleMb).toFixed(1)} MB above idle, ${((peakMb - idleMb) / 2 / slow).toFixed(2)} MB each; others meanwhile p50 ${percentile(latencies, 0.5).toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
  );
  return { name: 'slow clients', clients: 2 * slow, addedMb: peakMb - idleMb, othersP99Ms: p99 };
}
