import type { Telemetry } from '@clew/base';
import { acquireListener, formatAddress, resolveGrpcServer, resolveHttpServer } from '@clew/net';
import type { Authenticate, ListenerLease, ServerSettings } from '@clew/net';
import type { Component, Host, ReceiverOutputs } from '@clew/pipeline';
import { resolveAuthenticator } from '../../auth/authenticator.ts';
import { defaultHttp } from './config.ts';
import type { OtlpReceiverConfig } from './config.ts';
import { traceService, unconsumedService } from './grpc-export.ts';
import { admitExport, traceExportHandler, unconsumedExportHandler } from './http-export.ts';
import { CountedEvents } from './counted-events.ts';
import { otlpEvents } from './telemetry.ts';
import type { Transport } from './telemetry.ts';
import { TraceIngest } from './trace-ingest.ts';
import { unconsumedSignals } from './unconsumed.ts';

/** How long requests in flight may take when the receiver stops. */
const drainGraceMs = 10_000;

/** Receives OTLP over gRPC and HTTP. Both protocols are answered on both ports, whichever one a client picked. */
export class OtlpReceiver implements Component {
  readonly #config: OtlpReceiverConfig;
  readonly #id: string;
  readonly #telemetry: Telemetry;
  readonly #events: CountedEvents;
  readonly #ingest: TraceIngest | undefined;
  readonly #leases = new Map<Transport, ListenerLease>();

  constructor(id: string, config: OtlpReceiverConfig, telemetry: Telemetry, outputs: ReceiverOutputs) {
    this.#id = id;
    this.#config = config;
    this.#telemetry = telemetry;
    this.#events = new CountedEvents(otlpEvents(telemetry, id));
    const limits = { maxSpans: config.max_spans_per_request, maxDepth: config.max_value_depth };
    this.#ingest = outputs.traces && new TraceIngest(outputs.traces, this.#events, limits);
  }

  async start(host: Host): Promise<void> {
    if (this.#leases.size > 0) return;
    const { grpc, http } = this.#config.protocols;
    try {
      if (grpc) await this.#listen('grpc', resolveGrpcServer(grpc), host);
      if (http) await this.#listen('http', resolveHttpServer(http), host);
    } catch (caught) {
      await this.#release(0);
      throw caught;
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#release(deadline.aborted ? 0 : drainGraceMs);
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return {
      listeners: [...this.#leases].map(([transport, lease]) => ({
        protocol: `otlp_${transport}`,
        address: formatAddress(lease.address),
        counters: this.#events.of(transport),
        listener: lease.snapshot(),
      })),
    };
  }

  /** Opens one port and mounts everything on it, so that a client of the other protocol is answered too. */
  async #listen(transport: Transport, settings: ServerSettings, host: Host): Promise<void> {
    const lease = await acquireListener({
      endpoint: settings.endpoint,
      owner: `${this.#id}/${transport}`,
      connections: settings.connections,
      ...(settings.tls ? { tls: settings.tls } : {}),
      onRejected: (reason, detail) => this.#events.rejected(transport, reason, detail),
      onNotice: (text) => this.#telemetry.logger.warn(text, { receiver: this.#id }),
    });
    this.#leases.set(transport, lease);
    const authenticate =
      settings.authenticator === undefined ? undefined : resolveAuthenticator(host, settings.authenticator);
    this.#mountGrpc(lease, settings, authenticate);
    this.#mountHttp(lease, settings, authenticate);
    const name = transport === 'grpc' ? 'GRPC' : 'HTTP';
    this.#telemetry.logger.info(`Starting ${name} server`, {
      receiver: this.#id,
      endpoint: formatAddress(lease.address),
    });
  }

  #mountGrpc(lease: ListenerLease, settings: ServerSettings, authenticate: Authenticate | undefined): void {
    const { grpc } = this.#config.protocols;
    const own = grpc ? resolveGrpcServer(grpc) : undefined;
    const options = {
      maxReceiveBytes: own?.maxReceiveBytes ?? this.#httpSettings().maxBodyBytes,
      includeMetadata: settings.includeMetadata,
      ...(authenticate ? { authenticate } : {}),
    };
    if (this.#ingest) lease.mountGrpc(traceService(this.#ingest, this.#events, options));
    if (!this.#config.accept_unconsumed_signals) return;
    for (const signal of unconsumedSignals) lease.mountGrpc(unconsumedService(signal, this.#events, options));
  }

  #mountHttp(lease: ListenerLease, settings: ServerSettings, authenticate: Authenticate | undefined): void {
    const { http } = this.#config.protocols;
    const own = this.#httpSettings();
    const options = {
      maxBodyBytes: own.maxBodyBytes,
      encodings: own.encodings,
      includeMetadata: settings.includeMetadata,
    };
    const common = {
      responseHeaders: own.responseHeaders,
      onRejected: this.#events.rejected.bind(this.#events, 'http'),
      ...(own.cors ? { cors: own.cors } : {}),
      ...(authenticate ? { authenticate } : {}),
    };
    if (this.#ingest) {
      const handler = traceExportHandler(this.#ingest, this.#events, options);
      lease.mountHttp({
        ...common,
        paths: [http?.traces_url_path ?? '/v1/traces'],
        handler,
        admit: admitExport(this.#ingest),
      });
    }
    if (!this.#config.accept_unconsumed_signals) return;
    const paths = { logs: http?.logs_url_path ?? '/v1/logs', metrics: http?.metrics_url_path ?? '/v1/metrics' };
    for (const signal of unconsumedSignals) {
      const handler = unconsumedExportHandler(signal, this.#events, options);
      lease.mountHttp({ ...common, paths: [paths[signal]], handler, admit: admitExport(undefined) });
    }
  }

  /** HTTP settings, or the defaults when only gRPC is configured. */
  #httpSettings() {
    return resolveHttpServer(this.#config.protocols.http ?? defaultHttp);
  }

  async #release(graceMs: number): Promise<void> {
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    await Promise.all(leases.map((lease) => lease.release({ graceMs })));
  }
}
