// How many spans a second are accepted, durable and searchable; what that costs. See README.md beside this file.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { calibrate, calibrationText } from '../lib/calibration.ts';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { answerOf } from '../lib/child-processes.ts';
import { spreadOf } from '../lib/percentiles.ts';
import { TreeMeter } from '../lib/process-stats.ts';
import type { LoadOptions, LoadProtocol, LoadResult } from './generator.ts';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'http,grpc' },
    profile: { type: 'string', default: 'light,rich' },
    size: { type: 'string', default: '1,10,100,1000' },
    seconds: { type: 'string', default: '15' },
    rate: { type: 'string', default: '0' },
    runs: { type: 'string', default: '1' },
    connections: { type: 'string', default: '8' },
    args: { type: 'string', default: '' },
  },
});

/** One measured run. */
interface Measurement {
  readonly load: LoadResult;
  readonly spansPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly coreShare: number;
  readonly peakMiB: number;
  /** Main process first, then the engine. */
  readonly processes: readonly { readonly cpuSeconds: number; readonly peakBytes: number }[];
  readonly searchableMs: number;
}

/** How long merges go on after the last insert, and are still counted. */
const mergeSettleMs = 5_000;

const list = (text: string) => text.split(',');
const calibration = calibrate();
console.log(calibrationText(calibration));
console.log(
  'method: generator in its own process on the same machine; a fresh Clew per line; accepted = acknowledged, which is durable;',
);
console.log(
  '        searchable = from the last acknowledgement until the journal is empty; CPU of Clew and engine until 5 s later\n',
);
console.log(
  'protocol profile spans/req   spans/s (min–max)        CPU-s/M  cores  ack p50  ack p99  searchable  peak memory  refused',
);

const results: object[] = [];
for (const profile of list(values.profile)) {
  for (const protocol of list(values.protocol)) {
    for (const size of list(values.size)) {
      const measurements: Measurement[] = [];
      for (let run = 0; run < Number(values.runs); run++) {
        measurements.push(
          await measure({ profile, protocol, spansPerRequest: Number(size), seed: run + 1 } as LoadOptions),
        );
      }
      report(protocol, profile, size, measurements);
    }
  }
}
const resultsDirectory = fileURLToPath(new URL('../results', import.meta.url));
mkdirSync(resultsDirectory, { recursive: true });
writeFileSync(
  join(resultsDirectory, 'ingest.json'),
  `${JSON.stringify({ calibration, options: values, results }, null, 2)}\n`,
);

async function measure(
  wanted: Pick<LoadOptions, 'profile' | 'protocol' | 'spansPerRequest' | 'seed'>,
): Promise<Measurement> {
  const clew = await launchClew({ args: values.args === '' ? [] : values.args.split(' ') });
  try {
    const meter = new TreeMeter(clew.pid);
    const load = await answerOf<LoadOptions, LoadResult>(new URL('./generator.ts', import.meta.url), {
      ...wanted,
      host: '127.0.0.1',
      port: portOf(clew, wanted.protocol),
      connections: Number(values.connections),
      seconds: Number(values.seconds),
      spansPerSecond: Number(values.rate),
    });
    await untilSearchable(clew);
    const searchableMs = Date.now() - load.lastAckUnixMs;
    // Merges that the load caused belong to its cost.
    await sleep(mergeSettleMs);
    const used = meter.stop();
    return {
      load,
      spansPerSecond: load.acceptedSpans / load.seconds,
      cpuSecondsPerMillion: (used.cpuSeconds / load.acceptedSpans) * 1e6,
      coreShare: used.cpuSeconds / (load.seconds + (searchableMs + mergeSettleMs) / 1000),
      peakMiB: used.peakBytes / 1024 ** 2,
      processes: used.processes.filter(({ cpuSeconds }) => cpuSeconds > 0),
      searchableMs,
    };
  } finally {
    await clew.close();
  }
}

function portOf({ ports }: LaunchedClew, protocol: LoadProtocol): number {
  if (protocol === 'jaeger_thrift') return ports.jaegerHttp;
  return protocol === 'zipkin_json' ? ports.zipkin : ports[protocol];
}

/** Until everything acknowledged has left the journal for the tables, where searches look. */
async function untilSearchable(clew: LaunchedClew): Promise<void> {
  for (;;) {
    const graph = (await (await fetch(`${clew.queryUrl}/debug/graph`)).json()) as {
      nodes: { key: string; details: { journal?: { rows: number } } }[];
    };
    const storage = graph.nodes.find(({ key }) => key === 'extension/clew_storage');
    if (storage?.details.journal?.rows === 0) return;
    await sleep(20);
  }
}

function report(protocol: string, profile: string, size: string, measurements: readonly Measurement[]): void {
  const rate = spreadOf(measurements.map((m) => m.spansPerSecond));
  const middle = (pick: (m: Measurement) => number) => spreadOf(measurements.map(pick)).median;
  const rates = `${thousands(rate.median)} (${thousands(rate.min)}–${thousands(rate.max)})`;
  console.log(
    [
      protocol.padEnd(8),
      profile.padEnd(7),
      size.padStart(9),
      rates.padStart(26),
      middle((m) => m.cpuSecondsPerMillion)
        .toFixed(2)
        .padStart(10),
      middle((m) => m.coreShare)
        .toFixed(2)
        .padStart(6),
      `${middle((m) => m.load.ackP50Ms).toFixed(1)} ms`.padStart(9),
      `${middle((m) => m.load.ackP99Ms).toFixed(1)} ms`.padStart(9),
      `${middle((m) => m.searchableMs).toFixed(0)} ms`.padStart(11),
      `${middle((m) => m.peakMiB).toFixed(0)} MiB`.padStart(11),
      String(measurements.reduce((sum, m) => sum + m.load.refusedRequests, 0)).padStart(8),
    ].join(' '),
  );
  for (const [index, name] of ['main', 'engine'].entries()) {
    const cpu = middle((m) => m.processes[index]?.cpuSeconds ?? 0);
    const peak = middle((m) => (m.processes[index]?.peakBytes ?? 0) / 1024 ** 2);
    console.log(`  ${name.padEnd(7)} ${cpu.toFixed(1)} CPU-s, peak ${peak.toFixed(0)} MiB`);
  }
  results.push({ protocol, profile, spansPerRequest: Number(size), measurements });
}

function thousands(value: number): string {
  return `${(value / 1000).toFixed(1)} k`;
}
