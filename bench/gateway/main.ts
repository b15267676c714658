// Question: what does the gateway cost over asking the backend directly, and how does it stand beside nginx and a well-known Node proxy?
//
// Everything runs in this one run, on one machine, each proxy with one thread (nginx: one worker): direct, nginx with keep-alive upstreams
// and a JSON access log, @fastify/http-proxy without log, and the gateway with tracing off, at 10 % and at 100 %, with and without access log,
// with 0, 1 and 2 agents. Measured are requests per second as fast as answers come (64 connections), CPU time per request, memory, and
// p50 and p99 at a fixed rate, half of what the gateway reaches with everything on (at most half of what the measured one reaches), corrected for coordinated omission. Rounds go through all
// kinds in turn, after each was warmed up, and medians count, because machines are shared.
//
// Usage: npm run bench -- gateway [--seconds=N] [--rounds=N] [--soak=SECONDS] [--results=DIRECTORY]
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@clew/testkit';
import { calibrate, calibrationText } from '../lib/calibration.ts';
import { endChildren, forked, notLeftBehind } from '../lib/child-processes.ts';
import { percentile } from '../lib/percentiles.ts';
import { processStats, processTree } from '../lib/process-stats.ts';
import type { Load, LoadResult } from './generator.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    soak: { type: 'string', default: '0' },
    results: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const connections = 64;
const warmUpSeconds = 1;
const compileSeconds = 4;

/** Something that answers, and the process whose CPU and memory count. */
interface Subject {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

interface Figures {
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly cpuMicros: number;
  readonly memoryMb: number;
  ratePerSecond?: number;
  p50?: number;
  p99?: number;
  readonly errors: number;
}

const folder = mkdtempSync(join(tmpdir(), 'clew-bench-gateway-'));

interface ClewKind {
  readonly name: string;
  readonly samplingRate?: number;
  readonly accessLog?: boolean;
  readonly agents?: number;
}

const everything = 'clew: tracing 100 %, access log';
const kinds: readonly ClewKind[] = [
  { name: 'clew: nothing on' },
  { name: 'clew: access log', accessLog: true },
  { name: 'clew: tracing 10 %', samplingRate: 0.1 },
  { name: 'clew: tracing 100 %', samplingRate: 1 },
  { name: everything, samplingRate: 1, accessLog: true },
  { name: 'clew: tracing 100 %, access log, 1 agent', samplingRate: 1, accessLog: true, agents: 1 },
  { name: 'clew: tracing 100 %, access log, 2 agents', samplingRate: 1, accessLog: true, agents: 2 },
];

async function startClew(
  kind: ClewKind,
  backendPort: number,
  collectorPort: number,
  sockets: readonly string[],
): Promise<Subject> {
  const used = sockets.slice(0, kind.agents ?? 0);
  const path = join(folder, `${kinds.indexOf(kind)}.kdl`);
  const tracing =
    kind.samplingRate === undefined
      ? ''
      : `tracing { backend "otlp" { endpoint "http://127.0.0.1:${collectorPort}" }; sampling-rate ${kind.samplingRate.toFixed(2)} }`;
  const accessLog = kind.accessLog === true ? `access-log { enabled #true; file "${join(folder, 'clew.log')}" }` : '';
  writeFileSync(
    path,
    `
system { worker-threads 1 }
listeners { listener "http" { address "127.0.0.1:0" } }
routes {
    route "api" { matches { path-prefix "/api/" }; upstream "backend"; ${used.length === 0 ? '' : `agents ${used.map((_, index) => `"agent-${index}"`).join(' ')}`} }
}
upstreams { upstream "backend" { target "127.0.0.1:${backendPort}" } }
agents {
    ${used.map((socket, index) => `agent "agent-${index}" { unix-socket path="${socket}"; events "request_headers"; timeout-ms 1000 }`).join('\n    ')}
}
limits { max-connections-per-client 1000 }
observability {
    ${tracing}
    logging {
        ${accessLog}
    }
    metrics { enabled #false }
}
`,
  );
  const { child, said } = await forked<{ port: number }>(new URL('./clew-gateway.ts', import.meta.url), [path]);
  return { name: kind.name, port: said.port, pid: child.pid! };
}

/** Undefined, with a sentence, when there is no nginx. */
async function startNginx(backendPort: number): Promise<Subject | undefined> {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
  } catch {
    console.log('nginx is not installed: it is left out.');
    return undefined;
  }
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `
worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log;
events { worker_connections 1024; }
http {
  log_format json escape=json '{"timestamp":"$time_iso8601","method":"$request_method","path":"$uri","status":$status,'
    '"duration":$request_time,"client_ip":"$remote_addr","user_agent":"$http_user_agent","upstream":"$upstream_addr"}';
  access_log ${folder}/nginx.log json buffer=8k flush=1s;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  keepalive_requests 1000000;
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 128; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`,
  );
  const child = notLeftBehind(spawn('nginx', ['-c', config, '-p', folder], { stdio: 'inherit' }));
  await sleep(500);
  return { name: 'nginx, JSON access log', port, pid: child.pid! };
}

const cpuOf = (pid: number): number =>
  processTree(pid).reduce((sum, one) => sum + (processStats(one)?.cpuSeconds ?? 0), 0);
const memoryOf = (pid: number): number =>
  processTree(pid).reduce((sum, one) => sum + (processStats(one)?.pssBytes ?? 0), 0) / 1e6;

console.log(calibrationText(calibrate()));
const { said: backend, child: backendProcess } = await forked<{ port: number; collectorPort: number }>(
  new URL('./backend.ts', import.meta.url),
);
const { child: generator } = await forked(new URL('./generator.ts', import.meta.url));
const agent = new URL('../gateway-agents/agent.ts', import.meta.url);
const agents = [await forked<string>(agent, ['framed']), await forked<string>(agent, ['framed'])];

async function measure(load: Load): Promise<LoadResult> {
  const answer = once(generator, 'message') as Promise<[LoadResult]>;
  generator.send(load);
  return (await answer)[0];
}

/** As fast as answers come, for so long. */
const saturating = (subject: Subject, forSeconds: number): Load => ({
  port: subject.port,
  connections,
  seconds: forSeconds,
  warmUpSeconds: 0,
  ratePerSecond: 0,
});

async function saturate(subject: Subject): Promise<Figures> {
  await measure(saturating(subject, warmUpSeconds));
  const before = cpuOf(subject.pid);
  const { requestsPerSecond, errors } = await measure(saturating(subject, seconds));
  const cpuMicros = ((cpuOf(subject.pid) - before) / (requestsPerSecond * seconds)) * 1e6;
  return { name: subject.name, requestsPerSecond, cpuMicros, memoryMb: memoryOf(subject.pid), errors };
}

const subjects: Subject[] = [{ name: 'direct', port: backend.port, pid: backendProcess.pid! }];
const nginx = await startNginx(backend.port);
if (nginx !== undefined) subjects.push(nginx);
const fastify = await forked<{ port: number }>(new URL('./fastify-proxy.ts', import.meta.url), [String(backend.port)]);
subjects.push({ name: '@fastify/http-proxy', port: fastify.said.port, pid: fastify.child.pid! });
for (const kind of kinds) {
  subjects.push(
    await startClew(
      kind,
      backend.port,
      backend.collectorPort,
      agents.map(({ said }) => said),
    ),
  );
}

try {
  const results = await compare();
  if (Number(options.soak) > 0) await soak(subjects.find(({ name }) => name === everything)!);
  mkdirSync(options.results, { recursive: true });
  writeFileSync(join(options.results, 'gateway.json'), `${JSON.stringify(results, null, 2)}\n`);
} finally {
  await endChildren();
  rmSync(folder, { recursive: true, force: true });
}

async function compare() {
  const all = new Map<string, Figures[]>();
  // What is compiled while it runs needs a while to become as fast as it will be.
  for (const subject of subjects) await measure(saturating(subject, compileSeconds));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const figures = await saturate(subject);
      all.set(subject.name, [...(all.get(subject.name) ?? []), figures]);
    }
  }
  const medians = [...all].map(([name, of]) => medianOf(name, of));
  const reached = (name: string): number => medians.find((one) => one.name === name)?.requestsPerSecond ?? NaN;
  const half = Math.round(reached(everything) / 2);
  for (const subject of subjects) {
    // What asks agents is not measured beyond its own limits.
    const ratePerSecond = Math.min(half, Math.round(reached(subject.name) / 2));
    const load = { port: subject.port, connections, seconds: seconds * 2, warmUpSeconds, ratePerSecond };
    const latencies: LoadResult[] = [];
    for (let round = 0; round < rounds; round++) latencies.push(await measure(load));
    const figures = medians.find(({ name }) => name === subject.name)!;
    figures.ratePerSecond = ratePerSecond;
    figures.p50 = percentile(
      latencies.map(({ p50 }) => p50),
      0.5,
    );
    figures.p99 = percentile(
      latencies.map(({ p99 }) => p99),
      0.5,
    );
  }
  print(medians);
  const cpu = (name: string): number => medians.find((one) => one.name === name)!.cpuMicros;
  const latency = (name: string): { p50: number; p99: number } => {
    const { p50 = NaN, p99 = NaN } = medians.find((one) => one.name === name)!;
    return { p50, p99 };
  };
  const summary = {
    everythingToFastify: reached(everything) / reached('@fastify/http-proxy'),
    everythingToNginx: reached(everything) / reached('nginx, JSON access log'),
    throughputLostToTracing: 1 - reached('clew: tracing 100 %') / reached('clew: nothing on'),
    // Each request has two spans.
    addedP50Ms: latency(everything).p50 - latency('direct').p50,
    addedP99Ms: latency(everything).p99 - latency('direct').p99,
    cpuMicrosPerSpan: (cpu('clew: tracing 100 %') - cpu('clew: nothing on')) / 2,
  };
  console.log(summary);
  return { seconds, rounds, connections, medians, summary };
}

function medianOf(name: string, of: readonly Figures[]): Figures {
  const median = (pick: (figures: Figures) => number): number => percentile(of.map(pick), 0.5);
  return {
    name,
    requestsPerSecond: median((one) => one.requestsPerSecond),
    cpuMicros: median((one) => one.cpuMicros),
    memoryMb: Math.max(...of.map(({ memoryMb }) => memoryMb)),
    errors: of.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function print(medians: readonly Figures[]): void {
  console.log(
    `\n| | requests/s | CPU µs/request | MB | at requests/s | p50 / p99 ms | errors |\n| --- | --- | --- | --- | --- | --- | --- |`,
  );
  for (const figures of medians) {
    const { name, requestsPerSecond, cpuMicros, memoryMb, ratePerSecond = NaN, p50 = NaN, p99 = NaN, errors } = figures;
    const shown = [
      Math.round(requestsPerSecond),
      cpuMicros.toFixed(0),
      memoryMb.toFixed(0),
      ratePerSecond,
      `${p50.toFixed(2)} / ${p99.toFixed(2)}`,
      errors,
    ];
    console.log(`| ${name} | ${shown.join(' | ')} |`);
  }
}

/** Memory over a long run at saturation. */
async function soak(subject: Subject): Promise<void> {
  const steps = 10;
  for (let step = 0; step <= steps; step++) {
    console.log(`soak, ${Math.round((step * Number(options.soak)) / steps)} s: ${memoryOf(subject.pid).toFixed(0)} MB`);
    if (step === steps) return;
    await measure(saturating(subject, Number(options.soak) / steps));
  }
}
