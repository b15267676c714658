// Question: what do shared listeners cost over bare node:http and node:http2? Echoes bodies of 23 kB and 60 kB (100
// and 265 spans) over 16 connections, server and client in processes of their own. Prints requests per second and the
// server's CPU time per request, and the ratio of the CPU times to the bare server of the same run: both servers are
// measured in turns, and the median of the rounds counts, because machines are shared.
// Usage: npm run bench -- net [seconds per round] [rounds]
import { once } from 'node:events';
import { endChildren, forked } from '../lib/child-processes.ts';
import type { Forked } from '../lib/child-processes.ts';
import { drive } from './drive.ts';
import type { Protocol } from './drive.ts';

const secondsPerRound = Number(process.argv[2] ?? 1);
const rounds = Number(process.argv[3] ?? 5);
const sizes = [23_000, 60_000];
const protocols: Protocol[] = ['http1', 'grpc'];
const kinds = ['bare', 'clew'] as const;

interface Round {
  readonly requestsPerSecond: number;
  readonly cpuMicros: number;
}

async function cpuMicros({ child }: Forked<number>): Promise<number> {
  child.send('cpu');
  const [micros] = (await once(child, 'message')) as [number];
  return micros;
}

async function measure(server: Forked<number>, protocol: Protocol, bodyBytes: number): Promise<Round> {
  const before = await cpuMicros(server);
  const requestsPerSecond = await drive({ protocol, port: server.said, bodyBytes, seconds: secondsPerRound });
  const spent = (await cpuMicros(server)) - before;
  return { requestsPerSecond, cpuMicros: spent / (requestsPerSecond * secondsPerRound) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

console.log('protocol  body bytes  bare req/s  clew req/s  bare µs/req  clew µs/req  ratio');
for (const protocol of protocols) {
  const script = new URL('./serve.ts', import.meta.url);
  const servers = {
    bare: await forked<number>(script, ['bare', protocol]),
    clew: await forked<number>(script, ['clew', protocol]),
  };
  for (const bodyBytes of sizes) {
    const results: Record<(typeof kinds)[number], Round[]> = { bare: [], clew: [] };
    for (const kind of kinds) await measure(servers[kind], protocol, bodyBytes);
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) results[kind].push(await measure(servers[kind], protocol, bodyBytes));
    }
    const rate = kinds.map((kind) => median(results[kind].map((result) => result.requestsPerSecond)));
    const cpu = kinds.map((kind) => median(results[kind].map((result) => result.cpuMicros)));
    const cells = [bodyBytes, ...rate, ...cpu].map((value) => value.toFixed(0).padStart(11));
    console.log(protocol.padEnd(8), ...cells, ((cpu[1] ?? 0) / (cpu[0] ?? 1)).toFixed(2).padStart(7));
  }
  await endChildren();
}
