import type { Telemetry } from '@clew/base';
import { resolveGrpcServer, resolveHttpServer } from '@clew/net';
import type { ListenerLease, ServerSettings } from '@clew/net';
import type { Component, Host, ReceiverOutputs, TracesConsumer } from '@clew/pipeline';
import type { DecodeLimits } from '@clew/wire/otlp';
import { httpIngest } from '../common/http-ingest.ts';
import { ReceiverListeners } from '../common/listeners.ts';
import type { OpenedListener } from '../common/listeners.ts';
import { receiverMetrics } from '../common/receiver-metrics.ts';
import { SpanIngest } from '../common/span-ingest.ts';
import { TransportEvents } from '../common/transport-events.ts';
import { defaultHttp } from './config.ts';
import type { OtlpReceiverConfig } from './config.ts';
import { traceService, unconsumedService } from './grpc-export.ts';
import { otlpDialect, refuseHead, unconsumedExportHandler } from './http-export.ts';
import { countUnconsumed } from './telemetry.ts';
import type { OnUnconsumed } from './telemetry.ts';
import { unconsumedSignals } from './unconsumed.ts';

/** Receives OTLP over gRPC and HTTP. Both protocols are answered on both ports, whichever one a client picked. */
export class OtlpReceiver implements Component {
  readonly #config: OtlpReceiverConfig;
  readonly #next: TracesConsumer | undefined;
  readonly #limits: DecodeLimits;
  readonly #grpcEvents: TransportEvents;
  readonly #httpEvents: TransportEvents;
  readonly #onUnconsumed: OnUnconsumed;
  readonly #listeners: ReceiverListeners;
  #started = false;

  constructor(id: string, config: OtlpReceiverConfig, telemetry: Telemetry, outputs: ReceiverOutputs) {
    this.#config = config;
    this.#next = outputs.traces;
    this.#limits = { maxSpans: config.max_spans_per_request, maxDepth: config.max_value_depth };
    const metrics = receiverMetrics(telemetry, id);
    this.#grpcEvents = new TransportEvents(metrics, 'grpc');
    this.#httpEvents = new TransportEvents(metrics, 'http');
    this.#onUnconsumed = countUnconsumed(telemetry, id);
    this.#listeners = new ReceiverListeners(id, telemetry);
  }

  async start(host: Host): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { grpc, http } = this.#config.protocols;
    try {
      if (grpc) await this.#listen('grpc', resolveGrpcServer(grpc), host);
      if (http) await this.#listen('http', resolveHttpServer(http), host);
    } catch (caught) {
      await this.stop(AbortSignal.abort());
      throw caught;
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#started = false;
    await this.#listeners.release(deadline);
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { listeners: this.#listeners.snapshot() };
  }

  /** Opens one port and mounts everything on it, so that a client of the other protocol is answered too. */
  async #listen(transport: 'grpc' | 'http', settings: ServerSettings, host: Host): Promise<void> {
    const events = transport === 'grpc' ? this.#grpcEvents : this.#httpEvents;
    const title = transport === 'grpc' ? 'GRPC' : 'HTTP';
    const opened = await this.#listeners.open(
      { section: transport, protocol: `otlp_${transport}`, title, settings, events },
      host,
    );
    this.#mountGrpc(opened, settings);
    this.#mountHttp(opened, settings);
  }

  #mountGrpc({ lease, authenticate }: OpenedListener, settings: ServerSettings): void {
    const { grpc } = this.#config.protocols;
    const own = grpc ? resolveGrpcServer(grpc) : undefined;
    const options = {
      maxReceiveBytes: own?.maxReceiveBytes ?? this.#httpSettings().maxBodyBytes,
      includeMetadata: settings.includeMetadata,
      authenticate,
    };
    const events = this.#grpcEvents;
    if (this.#next) lease.mountGrpc(traceService(new SpanIngest(this.#next, events), events, options, this.#limits));
    if (!this.#config.accept_unconsumed_signals) return;
    for (const signal of unconsumedSignals) {
      lease.mountGrpc(unconsumedService(signal, events, options, this.#onUnconsumed));
    }
  }

  #mountHttp({ lease, authenticate }: OpenedListener, settings: ServerSettings): void {
    const own = this.#httpSettings();
    const events = this.#httpEvents;
    const options = {
      maxBodyBytes: own.maxBodyBytes,
      encodings: own.encodings,
      includeMetadata: settings.includeMetadata,
    };
    const mount = (path: string, how: Pick<Parameters<ListenerLease['mountHttp']>[0], 'handler' | 'admit'>): void => {
      lease.mountHttp({
        ...how,
        paths: [path],
        responseHeaders: own.responseHeaders,
        onRejected: events.rejected.bind(events),
        ...(own.cors ? { cors: own.cors } : {}),
        ...(authenticate ? { authenticate } : {}),
      });
    };
    const { http } = this.#config.protocols;
    if (this.#next) {
      const ingest = new SpanIngest(this.#next, events);
      mount(http?.traces_url_path ?? '/v1/traces', httpIngest(ingest, events, options, otlpDialect(this.#limits)));
    }
    if (!this.#config.accept_unconsumed_signals) return;
    const paths = { logs: http?.logs_url_path ?? '/v1/logs', metrics: http?.metrics_url_path ?? '/v1/metrics' };
    for (const signal of unconsumedSignals) {
      const handler = unconsumedExportHandler(signal, events, options, this.#onUnconsumed);
      mount(paths[signal], { handler, admit: refuseHead });
    }
  }

  /** HTTP settings, or the defaults when only gRPC is configured. */
  #httpSettings() {
    return resolveHttpServer(this.#config.protocols.http ?? defaultHttp);
  }
}
