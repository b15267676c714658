import type { Telemetry } from '@clew/base';
import { resolveGrpcServer, resolveHttpServer } from '@clew/net';
import type { Component, Host, ReceiverOutputs, TracesConsumer } from '@clew/pipeline';
import { decodeAgentMessage, decodePostSpans, decodeThriftBatch } from '@clew/wire/jaeger';
import type { SpanBatch } from '@clew/model';
import type { DecodeLimits } from '@clew/wire';
import { grpcHealth } from '../common/grpc-health.ts';
import { grpcIngest } from '../common/grpc-ingest.ts';
import { httpIngest } from '../common/http-ingest.ts';
import { ReceiverListeners } from '../common/listeners.ts';
import { receiverMetrics } from '../common/receiver-metrics.ts';
import type { ReceiverMetrics } from '../common/receiver-metrics.ts';
import { SpanIngest } from '../common/span-ingest.ts';
import { TransportEvents } from '../common/transport-events.ts';
import type { UdpServerConfig } from '../common/udp-config.ts';
import { UdpListeners } from '../common/udp-listeners.ts';
import { ClientDrops } from './client-drops.ts';
import { udpSections } from './config.ts';
import type { JaegerReceiverConfig, UdpSection } from './config.ts';
import { thriftHttpDialect } from './thrift-http.ts';

/** What the protocols are called where people see them. */
const udpNames: Readonly<Record<UdpSection, string>> = {
  thrift_compact: 'jaeger_udp_compact',
  thrift_binary: 'jaeger_udp_binary',
  thrift_zipkin_compact: 'jaeger_udp_zipkin_compact',
};

const postSpans = { service: 'jaeger.api_v2.CollectorService', method: 'PostSpans' } as const;

/**
 * Receives what Jaeger's clients and agents send: protobuf over gRPC, Thrift over HTTP, Thrift in datagrams. Every datagram's
 * encoding is told from its bytes, whatever the port, because real clients send binary to the port of compact.
 */
export class JaegerReceiver implements Component {
  readonly #config: JaegerReceiverConfig;
  readonly #telemetry: Telemetry;
  readonly #next: TracesConsumer | undefined;
  readonly #limits: DecodeLimits;
  readonly #metrics: ReceiverMetrics;
  readonly #grpcEvents: TransportEvents;
  readonly #httpEvents: TransportEvents;
  readonly #listeners: ReceiverListeners;
  readonly #udp: UdpListeners;
  readonly #clientDrops: ClientDrops;
  #started = false;
  #stopping = new AbortController();

  constructor(id: string, config: JaegerReceiverConfig, telemetry: Telemetry, outputs: ReceiverOutputs) {
    this.#config = config;
    this.#telemetry = telemetry;
    this.#next = outputs.traces;
    this.#limits = { maxSpans: config.max_spans_per_request };
    this.#metrics = receiverMetrics(telemetry, id);
    this.#grpcEvents = new TransportEvents(this.#metrics, 'grpc');
    this.#httpEvents = new TransportEvents(this.#metrics, 'http');
    this.#listeners = new ReceiverListeners(id, telemetry);
    this.#udp = new UdpListeners(telemetry, this.#metrics);
    this.#clientDrops = new ClientDrops(telemetry, id);
  }

  async start(host: Host): Promise<void> {
    if (this.#started || this.#next === undefined) return;
    this.#started = true;
    this.#stopping = new AbortController();
    if (this.#config.remote_sampling !== undefined) {
      const { receiver } = this.#metrics;
      this.#telemetry.logger.warn(
        'remote_sampling of the jaeger receiver is ignored; configure the extension remote_sampling instead.',
        { receiver },
      );
    }
    try {
      await this.#openGrpc(this.#next, host);
      await this.#openHttp(this.#next, host);
      for (const section of udpSections) {
        const config = this.#config.protocols[section];
        if (config) await this.#openUdp(this.#next, section, config);
      }
    } catch (caught) {
      await this.stop(AbortSignal.abort());
      throw caught;
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#started = false;
    this.#stopping.abort();
    await Promise.all([this.#listeners.release(deadline), this.#udp.close()]);
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { listeners: [...this.#listeners.snapshot(), ...this.#udp.snapshot()] };
  }

  readonly #decodeDatagram = (bytes: Uint8Array, batch: SpanBatch): void => {
    this.#clientDrops.note(decodeAgentMessage(bytes, batch, this.#limits), batch);
  };

  readonly #decodeBatch = (bytes: Uint8Array, batch: SpanBatch): void => {
    this.#clientDrops.note(decodeThriftBatch(bytes, batch, this.#limits), batch);
  };

  #openUdp(next: TracesConsumer, section: UdpSection, config: UdpServerConfig): Promise<void> {
    const protocol = udpNames[section];
    const path = `protocols.${section}`;
    return this.#udp.open({ section, protocol, path, config, decode: this.#decodeDatagram }, next);
  }

  async #openGrpc(next: TracesConsumer, host: Host): Promise<void> {
    const { grpc } = this.#config.protocols;
    if (!grpc) return;
    const settings = resolveGrpcServer(grpc);
    const events = this.#grpcEvents;
    const { lease, authenticate } = await this.#listeners.open(
      { section: 'grpc', protocol: 'jaeger_grpc', title: 'GRPC', settings, events },
      host,
    );
    const { maxReceiveBytes, includeMetadata } = settings;
    const options = { maxReceiveBytes, includeMetadata, authenticate };
    const decode = (bytes: Uint8Array, batch: SpanBatch) => decodePostSpans(bytes, batch, this.#limits);
    lease.mountGrpc(grpcIngest(postSpans, new SpanIngest(next, events), events, options, decode));
    // Jaeger's collector has it on this port, where its deployments probe.
    lease.mountGrpc(grpcHealth([postSpans.service], this.#stopping.signal));
  }

  async #openHttp(next: TracesConsumer, host: Host): Promise<void> {
    const { thrift_http: http } = this.#config.protocols;
    if (!http) return;
    const settings = resolveHttpServer(http);
    const events = this.#httpEvents;
    const { lease, authenticate } = await this.#listeners.open(
      { section: 'thrift_http', protocol: 'jaeger_http', title: 'HTTP', settings, events },
      host,
    );
    const dialect = thriftHttpDialect(this.#decodeBatch);
    lease.mountHttp({
      ...httpIngest(new SpanIngest(next, events), events, settings, dialect),
      paths: ['/api/traces'],
      responseHeaders: settings.responseHeaders,
      onRejected: events.rejected.bind(events),
      ...(settings.cors ? { cors: settings.cors } : {}),
      ...(authenticate ? { authenticate } : {}),
    });
  }
}
