// Whether datagrams are lost: Jaeger's Thrift over UDP at a fixed rate, drops read from the kernel's own counter.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { calibrate, calibrationText } from '../lib/calibration.ts';
import { answerOf } from '../lib/child-processes.ts';
import { TreeMeter } from '../lib/process-stats.ts';
import type { UdpLoad, UdpLoadResult } from './generator.ts';

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '2000' },
    spans: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    protocol: { type: 'string', default: 'compact' },
    runs: { type: 'string', default: '1' },
  },
});

const calibration = calibrate();
console.log(calibrationText(calibration));
console.log(
  'method: generator in its own process on the same machine; a fresh Clew per run; datagrams on loopback at a fixed rate;',
);
console.log(
  '        kernel = drops of the socket in /proc/net/udp; taken = datagrams the receiver decoded and the journal made durable\n',
);

const results: object[] = [];
for (let run = 0; run < Number(values.runs); run++) results.push(await measure());
const directory = fileURLToPath(new URL('../results', import.meta.url));
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'udp.json'), `${JSON.stringify({ calibration, options: values, results }, null, 2)}\n`);

async function measure() {
  const clew = await launchClew();
  try {
    const port = values.protocol === 'compact' ? clew.ports.jaegerCompact : clew.ports.jaegerBinary;
    const before = kernelDrops(port);
    const meter = new TreeMeter(clew.pid);
    const load = await answerOf<UdpLoad, UdpLoadResult>(new URL('./generator.ts', import.meta.url), {
      port,
      packetsPerSecond: Number(values.packets),
      spansPerPacket: Number(values.spans),
      seconds: Number(values.seconds),
      protocol: values.protocol as UdpLoad['protocol'],
    });
    await untilQuiet(clew, load.spans);
    const used = meter.stop();
    const taken = await metric(clew, 'otelcol_receiver_accepted_spans', 'transport="udp"');
    const lostHere = await metric(clew, 'clew_receiver_dropped_packets_total', 'receiver="jaeger"');
    const kernel = kernelDrops(port) - before;
    const result = {
      load,
      takenSpans: taken,
      kernelDrops: kernel,
      ownDrops: lostHere - (await metric(clew, 'clew_receiver_dropped_packets_total', 'reason="kernel"')),
      cores: used.cpuSeconds / load.seconds,
      peakMiB: used.peakBytes / 1024 ** 2,
    };
    console.log(
      `${values.protocol}: ${load.packets} datagrams, ${load.spans} spans, ${(load.bytes / load.packets).toFixed(0)} bytes each, in ${load.seconds.toFixed(1)} s ` +
        `(${(load.packets / load.seconds).toFixed(0)}/s): kernel drops ${result.kernelDrops}, own drops ${result.ownDrops}, ` +
        `taken ${result.takenSpans} spans; ${result.cores.toFixed(2)} cores, peak ${result.peakMiB.toFixed(0)} MiB`,
    );
    return result;
  } finally {
    await clew.close();
  }
}

/** Until everything was taken, or nothing more comes. */
async function untilQuiet(clew: LaunchedClew, spans: number): Promise<void> {
  let before = -1;
  for (;;) {
    const taken = await metric(clew, 'otelcol_receiver_accepted_spans', 'transport="udp"');
    if (taken >= spans || taken === before) return;
    before = taken;
    await sleep(1000);
  }
}

/** The sum of a metric's series whose labels contain a text. */
async function metric(clew: LaunchedClew, name: string, label: string): Promise<number> {
  const text = await (await fetch(`${clew.queryUrl}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** The last column of /proc/net/udp for the port; proc(5). */
function kernelDrops(port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/udp', 'latin1').split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(wanted))
    .reduce((sum, columns) => sum + Number(columns.at(-1)), 0);
}
