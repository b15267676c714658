// The load generator, a process of its own. Told what to do by one JSON argument, it prints one JSON line with what it sent.
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanBatch } from '@clew/model';
import { SpanGenerator } from '@clew/testkit';
import { encodeAgentMessages } from '@clew/wire/jaeger';

/** What a run is told. */
export interface UdpLoad {
  readonly port: number;
  readonly packetsPerSecond: number;
  readonly spansPerPacket: number;
  readonly seconds: number;
  readonly protocol: 'compact' | 'binary';
}

/** What a run sent. */
export interface UdpLoadResult {
  readonly packets: number;
  readonly spans: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Different datagrams in rotation. */
const rotation = 512;

const load = JSON.parse(process.argv[2]!) as UdpLoad;
const generator = new SpanGenerator({
  profile: 'rich',
  startUnixNano: BigInt(Date.now()) * 1_000_000n,
  servicesPerFill: 1,
});
const batch = new SpanBatch();
const packets = Array.from({ length: rotation }, () => {
  batch.reset();
  generator.fill(batch, load.spansPerPacket);
  const { datagrams } = encodeAgentMessages(batch, undefined, { protocol: load.protocol });
  if (datagrams.length !== 1) throw new Error(`${load.spansPerPacket} spans do not fit one datagram`);
  return datagrams[0]!.slice();
});

const socket = createSocket('udp4');
socket.setMaxListeners(0);
let sent = 0;
let bytes = 0;
const startedMs = performance.now();
const total = load.packetsPerSecond * load.seconds;
while (sent < total) {
  // As many as are due: timers are coarse, so datagrams leave in small bursts, as from many clients.
  const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * load.packetsPerSecond));
  for (; sent < due; sent++) {
    const packet = packets[sent % rotation]!;
    bytes += packet.length;
    socket.send(packet, load.port, '127.0.0.1');
  }
  await sleep(1);
}
const seconds = (performance.now() - startedMs) / 1000;
socket.close(() => {
  const result: UdpLoadResult = { packets: sent, spans: sent * load.spansPerPacket, bytes, seconds };
  console.log(JSON.stringify(result));
});
