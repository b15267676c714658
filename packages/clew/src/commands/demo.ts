import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTraces } from '@clew/wire/otlp';
import type { Command, CommandInput } from '../cli/command.ts';
import { shopCases } from '../demo/shop.ts';
import type { ShopCase } from '../demo/shop.ts';
import { DemoTraffic } from '../demo/traffic.ts';
import { ClewError } from '../errors.ts';
import { Progress } from '../terminal/progress.ts';
import { targetClient, targetEndpoint, targetOptions } from './otlp-target.ts';

const defaultRate = 2;
const maxRate = 1000;
/** A burst is spread over the last minutes, so that lists and charts have something to show. */
const burstSpreadNano = 15n * 60_000_000_000n;
/** The longest story, so that no trace ends in the future. */
const longestTraceNano = 6_000_000_000n;
const tracesPerRequest = 50;

/** `clew demo`: traces of a shop, as its services' SDKs would send them. */
export const demoCommand: Command = {
  name: 'demo',
  summary: 'Send traces of a demo shop: seven services, six stories.',
  usage: 'demo [--rate N | --burst N | --case NAME] [--endpoint URL]',
  description: `Stories:\n${Object.entries(shopCases)
    .map(([name, text]) => `  ${name.padEnd(12)}${text}`)
    .join('\n')}`,
  options: {
    ...targetOptions,
    rate: {
      type: 'string',
      value: 'N',
      help: `Traces per second, until stopped (default ${defaultRate}, at most ${maxRate}).`,
    },
    burst: { type: 'string', value: 'N', help: 'Send N traces at once, spread over the last 15 minutes, and end.' },
    case: { type: 'string', value: 'NAME', help: 'Send one trace of this story and print its id.' },
    seed: { type: 'string', value: 'N', help: 'Start the generator here; the same seed makes the same traces.' },
  },
  examples: ['clew demo', 'clew demo --burst 500', 'clew demo --case slow-query'],
  async run(input, io) {
    const traffic = new DemoTraffic(...(input.text('seed') === undefined ? [] : [count(input, 'seed', 0, 2 ** 31)]));
    const client = targetClient(input, io);
    const send = (bytes: Uint8Array) => client.send('traces', bytes, { signal: io.signal });
    try {
      const name = input.text('case');
      if (name !== undefined) {
        const trace = traffic.trace(nowUnixNano() - longestTraceNano, knownCase(name));
        await send(encodeTraces(trace.batch));
        io.stdout.write(`${trace.traceId}\n`);
      } else if (input.text('burst') !== undefined) await burst(traffic, count(input, 'burst', 1, 1_000_000), send, io);
      else
        await steady(
          traffic,
          input.text('rate') === undefined ? defaultRate : count(input, 'rate', 1, maxRate),
          send,
          io,
          targetEndpoint(input, io),
        );
    } finally {
      await client.close();
    }
    return 0;
  },
};

type Send = (bytes: Uint8Array) => Promise<unknown>;
type Io = Parameters<Command['run']>[1];

async function burst(traffic: DemoTraffic, traces: number, send: Send, io: Io): Promise<void> {
  const progress = new Progress(io);
  const end = nowUnixNano() - longestTraceNano;
  for (let sent = 0; sent < traces && !io.signal.aborted; sent += tracesPerRequest) {
    const piece = Math.min(tracesPerRequest, traces - sent);
    const share = (burstSpreadNano * BigInt(piece)) / BigInt(traces);
    const pieceEnd = end - burstSpreadNano + (burstSpreadNano * BigInt(sent + piece)) / BigInt(traces);
    await send(encodeTraces(traffic.burst(piece, pieceEnd, share)));
    progress.update(`${sent + piece} of ${traces} traces`);
  }
  progress.done();
  io.stdout.write(`${traces} traces sent\n`);
}

/** One request per trace, paced; ends when interrupted. */
async function steady(traffic: DemoTraffic, rate: number, send: Send, io: Io, endpoint: string): Promise<void> {
  io.stdout.write(`sending ${rate} traces a second to ${endpoint}; Ctrl-C ends it\n`);
  const progress = new Progress(io);
  const startedMs = Date.now();
  let sent = 0;
  for (; !io.signal.aborted; sent++) {
    try {
      await send(encodeTraces(traffic.trace(nowUnixNano() - longestTraceNano).batch));
    } catch (caught) {
      if (io.signal.aborted) break; // Interrupted in the middle of a request, which is how this ends.
      throw caught;
    }
    progress.update(`${sent + 1} traces sent`);
    const waitMs = startedMs + ((sent + 1) * 1000) / rate - Date.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: io.signal }).catch(ignoreAbort);
  }
  progress.done();
  io.stdout.write(`${sent} traces sent\n`);
}

/** Being interrupted is how waiting ends. */
function ignoreAbort(caught: unknown): void {
  if (!(caught instanceof Error && caught.name === 'AbortError')) throw caught;
}

function knownCase(name: string): ShopCase {
  if (name in shopCases) return name as ShopCase;
  throw new ClewError('usage', `--case is "${name}"; it must be one of ${Object.keys(shopCases).join(', ')}`);
}

function count(input: CommandInput, option: string, min: number, max: number): number {
  const text = input.text(option);
  const value = Number(text);
  if (text !== undefined && text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ClewError('usage', `--${option} is "${text}"; it must be a whole number from ${min} to ${max}`);
}

function nowUnixNano(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
