// Question: what do agents cost a request, per dialect? One and two agents that allow everything, each in a process of its
// own, are asked about request heads with 12 header fields: one request after another for the added latency, 64 at a time
// for calls per second and the gateway's CPU time per call. The agents are plain Node programs and take their share of the
// machine: with two cores, throughput is theirs as much as the gateway's.
//
// A bare ping-pong of the same bytes over a Unix socket stands beside it: what the machine takes for the way there and back.
//
// Usage: npm run bench -- gateway-agents [--seconds=N] [--rounds=N]
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silentTelemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { settingsFor } from '../../packages/gateway/test/agents/settings.ts';
import { AgentDirectory } from '../../packages/gateway/src/agents/index.ts';
import type { AgentChain } from '../../packages/gateway/src/agents/index.ts';
import { calibrate, calibrationText } from '../lib/calibration.ts';
import { endChildren, forked } from '../lib/child-processes.ts';
import { percentile, spreadOf } from '../lib/percentiles.ts';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '1' }, rounds: { type: 'string', default: '5' } },
});
const roundMs = Number(options.seconds) * 1000;
const rounds = Number(options.rounds);
const concurrency = 64;

const headers = [
  ['Host', 'shop.example'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Accept-Language', 'en-US,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Referer', 'https://shop.example/catalogue?page=2'],
  ['Cookie', 'session=8f14e45fceea167a5a36dedd4bea2543; theme=dark'],
  ['Cache-Control', 'no-cache'],
  ['Sec-Fetch-Dest', 'document'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['X-Forwarded-For', '203.0.113.9'],
].flat();
const head = { kind: 'request_headers', method: 'GET', uri: '/api/orders?page=2', headers, hasBody: false } as const;
const summary = { status: 200, durationMs: 1, requestBodyBytes: 0, responseBodyBytes: 0, upstreamAttempts: 1 };

let requests = 0;

async function ask(chain: AgentChain): Promise<void> {
  const exchange = chain.begin({
    correlationId: `c${++requests}`,
    requestId: '6f2f0f0e-4f3b-4a37-9d0a-0d2a4c1f7b11',
    clientIp: '203.0.113.9',
    clientPort: 40_000,
    protocol: 'HTTP/1.1',
    routeId: 'api',
    startUnixMs: Date.now(),
  });
  const verdict = await exchange.run(head);
  if (verdict.kind !== 'allow') throw new Error(`the agents refused: ${verdict.refusal.error?.message}`);
  await exchange.complete(summary);
}

/** Asks until the time is over; returns each request's time in milliseconds. */
async function lane(chain: AgentChain, untilMs: number, latencies: number[]): Promise<void> {
  while (performance.now() < untilMs) {
    const startedMs = performance.now();
    await ask(chain);
    latencies.push(performance.now() - startedMs);
  }
}

interface Round {
  readonly latencies: number[];
  readonly perSecond: number;
  readonly cpuMicros: number;
}

async function run(chain: AgentChain, lanes: number): Promise<Round> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: lanes }, () => lane(chain, startedMs + roundMs, latencies)));
  const spent = process.cpuUsage(cpu);
  const seconds = (performance.now() - startedMs) / 1000;
  return {
    latencies,
    perSecond: latencies.length / seconds,
    cpuMicros: (spent.user + spent.system) / latencies.length,
  };
}

async function measure(dialect: string, agents: number): Promise<void> {
  const script = new URL('./agent.ts', import.meta.url);
  const started = await Promise.all(Array.from({ length: agents }, () => forked<string>(script, [dialect])));
  const telemetry = { logger: silentTelemetry.logger, meter: new PrometheusMeter() };
  const directory = new AgentDirectory({ telemetry, proxyVersion: 'bench' });
  const settings = started.map(({ said: address }, at) =>
    settingsFor({ address }, { id: `agent-${at}`, failureMode: 'closed' }),
  );
  directory.apply(settings);
  const chain = directory.chain(settings.map(({ id }) => ({ agentId: id })));
  await run(chain, 1);
  const alone: Round[] = [];
  const crowded: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    alone.push(await run(chain, 1));
    crowded.push(await run(chain, concurrency));
  }
  const latencies = alone.flatMap((round) => round.latencies);
  const perSecond = spreadOf(crowded.map((round) => round.perSecond * agents));
  const cpu = spreadOf(crowded.map((round) => round.cpuMicros / agents));
  const cells = [
    dialect.padEnd(10),
    String(agents).padStart(6),
    (percentile(latencies, 0.5) * 1000).toFixed(0).padStart(9),
    (percentile(latencies, 0.99) * 1000).toFixed(0).padStart(9),
    perSecond.median.toFixed(0).padStart(9),
    `${perSecond.min.toFixed(0)}-${perSecond.max.toFixed(0)}`.padStart(15),
    cpu.median.toFixed(1).padStart(12),
  ];
  console.log(cells.join(' '));
  await directory.close(1000);
  await endChildren();
}

/** The same number of bytes there and back over a Unix socket, without any protocol. */
async function pingPong(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-agents-'));
  const path = join(folder, 'echo.sock');
  const server = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => {
    server.listen(path, () => resolve());
  });
  const socket = connect(path);
  const message = Buffer.alloc(1_100, 'x');
  const latencies: number[] = [];
  for (let i = 0; i < 5_000; i++) {
    const startedMs = performance.now();
    socket.write(message);
    for (let left = message.length; left > 0;) left -= ((await once(socket, 'data')) as [Buffer])[0].length;
    latencies.push(performance.now() - startedMs);
  }
  const micros = [0.5, 0.99].map((share) => (percentile(latencies, share) * 1000).toFixed(0));
  console.log(`ping-pong of ${message.length} bytes in one process: p50 ${micros[0]} µs, p99 ${micros[1]} µs`);
  socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
}

console.log(calibrationText(calibrate()));
await pingPong();
console.log(`rounds of ${roundMs} ms, ${rounds} each; ${concurrency} requests at a time for throughput`);
console.log('dialect    agents  p50 µs    p99 µs   calls/s         (spread) CPU µs/call');
for (const dialect of ['framed', 'envelope', 'numbered', 'grpc']) {
  for (const agents of [1, 2]) await measure(dialect, agents);
}
