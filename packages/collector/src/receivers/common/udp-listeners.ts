import type { Telemetry } from '@clew/base';
import { formatAddress, openUdpSource, parseListenEndpoint } from '@clew/net';
import type { PacketDropReason, UdpSource } from '@clew/net';
import type { TracesConsumer } from '@clew/pipeline';
import { KernelDropWarning } from './kernel-drop-warning.ts';
import type { ReceiverMetrics } from './receiver-metrics.ts';
import type { Decode } from './span-ingest.ts';
import { TransportEvents } from './transport-events.ts';
import type { UdpServerConfig } from './udp-config.ts';
import { UdpIngest } from './udp-ingest.ts';

/** What a receiver asks for when it opens a UDP port. */
export interface OpenUdp {
  /** The section of the configuration, such as `thrift_compact`: names the port in errors and metrics. */
  readonly section: string;
  /** The protocol's name in snapshots, such as `jaeger_udp_compact`. */
  readonly protocol: string;
  /** Where the settings are, for messages that name one, such as `protocols.thrift_compact`; empty at the top. */
  readonly path: string;
  readonly config: UdpServerConfig;
  readonly decode: Decode;
}

/** The UDP ports of one receiver: opened one after the other, seen in its snapshot, closed together. */
export class UdpListeners {
  readonly #metrics: ReceiverMetrics;
  readonly #drops: ReturnType<typeof dropCounter>;
  readonly #open: {
    readonly protocol: string;
    readonly source: UdpSource;
    readonly ingest: UdpIngest;
    readonly events: TransportEvents;
    readonly warning: KernelDropWarning;
  }[] = [];

  constructor(telemetry: Telemetry, metrics: ReceiverMetrics) {
    this.#metrics = metrics;
    this.#drops = dropCounter(telemetry);
  }

  /** Opens one port. Fails with `NetError` when it cannot be had. */
  async open({ section, protocol, path, config, decode }: OpenUdp, next: TracesConsumer): Promise<void> {
    const setting = (name: string) => (path === '' ? name : `${path}.${name}`);
    const { receiver, logger } = this.#metrics;
    const events = new TransportEvents(this.#metrics, 'udp');
    const ingest = new UdpIngest(next, events, decode);
    const endpoint = parseListenEndpoint(config.endpoint);
    if (endpoint.transport === 'unix') throw new TypeError('a UDP endpoint is host and port');
    const warning = new KernelDropWarning((packets) => {
      const text = 'The kernel dropped datagrams because the receive buffer was full.';
      logger.warn(text, { receiver, protocol: section, packets });
    });
    const source = await openUdpSource({
      endpoint,
      owner: `${receiver}/${section}`,
      receiveBufferSetting: setting('socket_buffer_size'),
      ...(config.socket_buffer_size > 0 ? { receiveBufferBytes: config.socket_buffer_size } : {}),
      maxPacketBytes: config.max_packet_size,
      maxQueuedPackets: config.queue_size,
      maxQueuedBytes: config.max_queue_bytes,
      onPackets: (packets) => ingest.take(packets),
      onDropped: (reason, packets) => {
        this.#drops.add(packets, { receiver, protocol: section, reason });
        if (reason !== 'kernel') events.rejected(reason, detailOf(reason, setting, config), packets);
        else warning.dropped(packets);
      },
      onNotice: (text) => logger.warn(text, { receiver }),
    });
    this.#open.push({ protocol, source, ingest, events, warning });
    logger.info('Starting UDP server', { receiver, endpoint: addressOf(source) });
  }

  /** Stops receiving and hands on what was received. */
  async close(): Promise<void> {
    await Promise.all(
      this.#open.splice(0).map(async ({ source, ingest, warning }) => {
        ingest.stop();
        await source.close();
        warning.tellRest();
      }),
    );
  }

  snapshot(): readonly Readonly<Record<string, unknown>>[] {
    return this.#open.map(({ protocol, source, events }) => ({
      protocol,
      address: addressOf(source),
      counters: events.counters,
      socket: source.snapshot(),
    }));
  }
}

function addressOf({ address }: UdpSource): string {
  return formatAddress({ transport: 'tcp', ...address });
}

function detailOf(
  reason: Exclude<PacketDropReason, 'kernel'>,
  setting: (name: string) => string,
  config: UdpServerConfig,
): string {
  if (reason === 'queue_full') {
    return `more than ${config.queue_size} datagrams or ${config.max_queue_bytes} bytes waited (${setting('queue_size')}, ${setting('max_queue_bytes')})`;
  }
  return `a datagram was larger than ${config.max_packet_size} bytes (${setting('max_packet_size')})`;
}

function dropCounter({ meter }: Telemetry) {
  return meter.counter({
    name: 'clew_receiver_dropped_packets_total',
    help: 'Datagrams lost before they were decoded: in the kernel (buffer full), too many waiting, too large.',
    labels: ['receiver', 'protocol', 'reason'],
  });
}
