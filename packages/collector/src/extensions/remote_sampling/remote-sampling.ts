import { Lifecycle, Limit, observeLimits } from '@clew/base';
import type { Telemetry } from '@clew/base';
import { acquireListener, formatAddress, resolveGrpcServer, resolveHttpServer } from '@clew/net';
import type { Authenticate, HttpReply, ListenerLease, ServerSettings } from '@clew/net';
import type { Component, CreateSettings, Host } from '@clew/pipeline';
import type { SamplingStrategy } from '@clew/wire/jaeger';
import { resolveAuthenticator } from '../../auth/authenticator.ts';
import { serverAvailableReply } from '../common/server-available.ts';
import { grpcEndpointOf } from './config.ts';
import type { RemoteSamplingConfig } from './config.ts';
import { Pollers } from './pollers.ts';
import { createProvider } from './providers.ts';
import { samplingService } from './sampling-grpc.ts';
import { samplingHandler, sharedPaths } from './sampling-http.ts';
import type { StrategyProvider } from './strategy-provider.ts';
import { samplingEvents } from './telemetry.ts';
import type { SamplingEvents, SamplingTransport } from './telemetry.ts';

/** How long requests in flight may take when the extension stops. */
const drainGraceMs = 1000;

/** On a port of its own every path is answered. */
const ownPaths = ['/*'] as const;

/** A port the extension answers on. */
interface Port {
  readonly protocol: 'sampling_http' | 'sampling_grpc';
  readonly lease: ListenerLease;
}

/** Tells services how much to sample, over HTTP and gRPC, on ports of its own and on those of Jaeger receivers. */
export class RemoteSampling implements Component {
  readonly #id: string;
  readonly #config: RemoteSamplingConfig;
  readonly #telemetry: Telemetry;
  readonly #events: SamplingEvents;
  readonly #provider: StrategyProvider;
  readonly #pollers: Pollers;
  readonly #limits: readonly Limit[];
  readonly #life: Lifecycle;
  #ports: Port[] = [];
  #host: Host | undefined;
  #upSince: number | undefined;
  #endObservations: (() => void)[] = [];

  constructor(settings: CreateSettings<RemoteSamplingConfig>) {
    const { id, config, telemetry } = settings;
    this.#id = id;
    this.#config = config;
    this.#telemetry = telemetry;
    this.#events = samplingEvents(telemetry, id);
    const services = new Limit(
      {
        name: 'sampling_services',
        setting: `extensions::${id}::max_services`,
        subject: 'the number of services that ask how much to sample',
        unit: 'items',
        defaultValue: 10_000,
      },
      config.max_services,
    );
    this.#pollers = new Pollers(services);
    const { provider, limits } = createProvider(settings, this.#events, services);
    this.#provider = provider;
    this.#limits = [services, ...limits];
    this.#life = new Lifecycle(`the extension ${id}`, {
      start: () => this.#start(),
      stop: (deadline) => this.#stop(deadline),
    });
  }

  start(host: Host): Promise<void> {
    this.#host ??= host;
    return this.#life.start();
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.#life.stop(deadline);
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return {
      listeners: this.#ports.map(({ protocol, lease }) => ({ protocol, address: formatAddress(lease.address) })),
      provider: this.#provider.snapshot(),
      services: this.#pollers.count,
      pollers: this.#pollers.list(),
    };
  }

  async #start(): Promise<void> {
    const host = this.#host!;
    this.#endObservations = [observeLimits(this.#telemetry.meter, this.#limits), this.#observePollers()];
    await this.#provider.start(host);
    this.#upSince = Date.now();
    const { http, also_http_endpoints: alsoHttp, also_grpc_endpoints: alsoGrpc } = this.#config;
    const grpc = { ...this.#config.grpc, endpoint: grpcEndpointOf(this.#id, this.#config.grpc.endpoint) };
    if (http.enabled) await this.#listenHttp(http, ownPaths, host);
    if (grpc.enabled) await this.#listenGrpc(grpc, true, host);
    for (const endpoint of alsoHttp) await this.#listenHttp({ ...http, endpoint }, sharedPaths, host);
    for (const endpoint of alsoGrpc) await this.#listenGrpc({ ...grpc, endpoint }, false, host);
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    const ports = this.#ports.splice(0);
    await Promise.all(ports.map(({ lease }) => lease.release({ graceMs: deadline.aborted ? 0 : drainGraceMs })));
    for (const end of this.#endObservations.splice(0)) end();
    await this.#provider.stop(deadline);
  }

  async #listenHttp(config: RemoteSamplingConfig['http'], paths: readonly string[], host: Host): Promise<void> {
    const settings = resolveHttpServer(config);
    const { lease, authenticate } = await this.#listen('sampling_http', settings, paths === ownPaths, host);
    lease.mountHttp({
      paths,
      handler: samplingHandler({
        ask: this.#ask,
        nameProblem: this.#nameProblem,
        events: this.#events,
        ...(paths === sharedPaths ? { health: () => this.#health() } : {}),
      }),
      responseHeaders: settings.responseHeaders,
      onRejected: this.#events.rejected,
      ...(settings.cors ? { cors: settings.cors } : {}),
      ...(authenticate ? { authenticate } : {}),
    });
  }

  async #listenGrpc(config: RemoteSamplingConfig['grpc'], isOwn: boolean, host: Host): Promise<void> {
    const settings = resolveGrpcServer(config);
    const { lease, authenticate } = await this.#listen('sampling_grpc', settings, isOwn, host);
    const { maxReceiveBytes } = settings;
    lease.mountGrpc(
      samplingService(this.#ask, this.#nameProblem, this.#events, {
        maxReceiveBytes,
        onRejected: this.#events.rejected,
        ...(authenticate ? { authenticate } : {}),
      }),
    );
  }

  /** `isOwn`: the port is not a receiver's, who would count what is no request already. */
  async #listen(
    protocol: Port['protocol'],
    { endpoint, connections, tls, authenticator }: ServerSettings,
    isOwn: boolean,
    host: Host,
  ): Promise<{ readonly lease: ListenerLease; readonly authenticate: Authenticate | undefined }> {
    const authenticate = authenticator === undefined ? undefined : resolveAuthenticator(host, authenticator);
    const lease = await acquireListener({
      endpoint,
      owner: this.#id,
      connections,
      ...(tls ? { tls } : {}),
      ...(isOwn ? { onRejected: this.#events.rejected } : {}),
      onNotice: (text) => this.#telemetry.logger.warn(text, { extension: this.#id }),
    });
    this.#ports.push({ protocol, lease });
    this.#telemetry.logger.info('Serving sampling strategies', {
      extension: this.#id,
      protocol,
      endpoint: formatAddress(lease.address),
    });
    return { lease, authenticate };
  }

  /** Names are remembered by the thousand, and gRPC would take one of megabytes. */
  readonly #nameProblem = (service: string): string | undefined => {
    const most = this.#config.max_service_name_length;
    if (most === 0 || service.length <= most) return undefined;
    return `the name of the service has ${service.length} characters, more than ${most} (max_service_name_length)`;
  };

  readonly #ask = async (
    service: string,
    transport: SamplingTransport,
    signal: AbortSignal,
  ): Promise<SamplingStrategy> => {
    const strategy = await this.#provider.strategyFor(service, signal);
    this.#pollers.note(service, transport, strategy);
    return strategy;
  };

  #health(): HttpReply {
    return serverAvailableReply(this.#upSince);
  }

  #observePollers(): () => void {
    return this.#telemetry.meter.observe(
      {
        name: 'clew_sampling_services',
        help: 'Services that asked how much to sample.',
        labels: ['extension'],
      },
      () => [{ value: this.#pollers.count, labels: { extension: this.#id } }],
    );
  }
}
