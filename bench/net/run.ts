// Question: what do shared listeners cost over bare node:http and node:http2? Echoes bodies of 23 kB and 60 kB (100
// and 265 spans) from 16 connections in a process of its own, and prints requests per second and the ratio to the
// bare server of the same run. Usage: node bench/net/run.ts [seconds per case]
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { drive } from './drive.ts';
import type { Protocol } from './drive.ts';

const secondsPerCase = Number(process.argv[2] ?? 3);
const sizes = [23_000, 60_000];
const protocols: Protocol[] = ['http1', 'grpc'];

async function start(kind: 'bare' | 'clew', protocol: Protocol): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL('./serve.ts', import.meta.url), [kind, protocol]);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

async function measure(kind: 'bare' | 'clew', protocol: Protocol, bodyBytes: number): Promise<number> {
  const { child, port } = await start(kind, protocol);
  try {
    await drive({ protocol, port, bodyBytes, seconds: 1 });
    return await drive({ protocol, port, bodyBytes, seconds: secondsPerCase });
  } finally {
    child.kill();
  }
}

console.log('protocol  body bytes  bare req/s  clew req/s  ratio');
for (const protocol of protocols) {
  for (const bodyBytes of sizes) {
    const bare = await measure('bare', protocol, bodyBytes);
    const clew = await measure('clew', protocol, bodyBytes);
    const columns = [protocol.padEnd(8), String(bodyBytes).padStart(11), bare.toFixed(0).padStart(11)];
    console.log([...columns, clew.toFixed(0).padStart(11), (clew / bare).toFixed(2).padStart(6)].join(' '));
  }
}
