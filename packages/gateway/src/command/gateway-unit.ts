import type { Logger } from '@clew/base';
import type { MetricFamily, PrometheusMeter } from '@clew/base/node';
import type { GatewayConfig } from '../config/model.ts';
import type { GatewayObserver, HealthChange, ReloadOutcome } from '../proxy/observer.ts';
import { SharedBuckets } from '../proxy/filters/shared-buckets.ts';
import { GatewayServer } from '../proxy/server/gateway-server.ts';
import type { GatewayServerOptions, GatewaySnapshot } from '../proxy/server/gateway-server.ts';
import type { SharedCircuits } from '../proxy/server/shared-circuits.ts';
import { SharedIds } from '../proxy/server/shared-ids.ts';
import { SharedTally } from '../proxy/server/shared-tally.ts';
import type { UpstreamSnapshot } from '../proxy/upstream/upstream.ts';
import type { Environment } from '../telemetry/exporter/settings.ts';
import type { SinkOpener } from '../telemetry/logs/log-sinks.ts';
import { observeUpstreams } from '../telemetry/metrics/upstream-figures.ts';
import { Observability } from '../telemetry/observability.ts';
import type { GatewayIdentity } from '../telemetry/spans/resource.ts';

/** What one thread finds out and all should know. */
export interface ThreadNews {
  healthChanged(change: HealthChange): void;
}

/** What all threads have together, and this thread's place in it. */
export interface SharedCounts {
  readonly index: number;
  /** Requests against rates. */
  readonly buckets: SharedArrayBuffer;
  /** Connections and requests in progress. */
  readonly tally: SharedArrayBuffer;
  /** Names of requests that agents know. */
  readonly ids: SharedArrayBuffer;
  /** What keys of TLS tickets are made from. */
  readonly ticketSecret: Uint8Array;
  /** When the first of them started, in milliseconds since 1970. */
  readonly startedUnixMs: number;
}

/** What one thread's gateway is made of. */
export interface GatewayUnitOptions {
  readonly identity: GatewayIdentity;
  readonly logger: Logger;
  readonly meter: PrometheusMeter;
  readonly env: Environment;
  readonly sinks: SinkOpener;
  /** Whether other threads listen on the same ports. */
  readonly sharePorts: boolean;
  /** Whether this is the thread that speaks for all: reloads are counted and told once. */
  readonly leads: boolean;
  /** Told what other threads should know. */
  readonly share?: ThreadNews | undefined;
  /** What all threads count in; absent = this thread is alone. */
  readonly shared?: SharedCounts | undefined;
  /** Prometheus text of the whole program, for the builtin handler. */
  readonly metricsText: () => Promise<string>;
  /** The upstreams as all threads know them, for the builtin handler. */
  readonly upstreams: () => Promise<readonly UpstreamSnapshot[]>;
}

/** What serves requests in one thread, with everything that is seen of it. */
export class GatewayUnit {
  readonly #observability: Observability;
  readonly #server: GatewayServer;
  readonly #endObservation: () => void;

  constructor(options: GatewayUnitOptions) {
    const { identity, logger, meter, leads, shared } = options;
    const telemetry = { logger, meter };
    this.#observability = new Observability({ ...options, telemetry });
    const { observer } = this.#observability;
    if (!leads) {
      observer.reloaded = () => undefined;
      observer.certificatesReloaded = () => undefined;
    }
    if (options.share !== undefined) shareNews(observer, options.share);
    this.#server = new GatewayServer({
      telemetry,
      observer,
      // Asked once everything else of a configuration has proved usable: telemetry follows, and nothing is left to fail.
      traceStarter: (config) => {
        this.#observability.configure(config);
        return this.#observability.traceStarter;
      },
      version: identity.version,
      instanceId: identity.instanceId,
      metricsText: options.metricsText,
      upstreams: options.upstreams,
      reusePort: options.sharePorts,
      probes: leads,
      ...(shared === undefined ? {} : countTogether(shared)),
    });
    this.#endObservation = observeUpstreams(meter, () => this.#server.snapshot().upstreams);
  }

  /** Binds all listeners. Fails with `GatewayError`, and listens nowhere then. */
  start(config: GatewayConfig, circuits?: SharedCircuits): Promise<void> {
    return this.#server.start(config, circuits);
  }

  /** The configuration in force: of what needs a restart, the one before. */
  get config(): GatewayConfig {
    return this.#server.config!;
  }

  /** Takes a new configuration, unless it cannot be used. */
  reload(config: GatewayConfig, circuits?: SharedCircuits): ReloadOutcome {
    return this.#server.reload(config, circuits);
  }

  /** Files of certificates may have changed though the configuration has not. */
  reloadCertificates(): void {
    this.#server.reloadCertificates();
  }

  /** A new configuration was refused before it got here. */
  reloadFailed(error: string): void {
    this.#observability.observer.reloaded({ result: 'failure', restartNeeded: [], error });
  }

  /** What another thread found out. */
  get news(): ThreadNews {
    return {
      healthChanged: (change) => this.#server.adoptHealth(change),
    };
  }

  snapshot(): GatewaySnapshot {
    return this.#server.snapshot();
  }

  metrics(): Promise<MetricFamily[]> {
    return this.#observability.metrics();
  }

  /**
   * Stops accepting, lets requests finish for `limitMs`, then cuts them; then sends spans and writes logs, for at most `flushMs`. Tells
   * whether all requests had finished.
   */
  async stop(limitMs: number, flushMs: number): Promise<boolean> {
    const clean = await this.#server.drain(limitMs);
    this.#endObservation();
    await this.#observability.stop(flushMs);
    return clean;
  }
}

/** A rate that changed begins anew: its settings are part of its name. */
function countTogether({
  index,
  buckets,
  tally,
  ids,
  ticketSecret,
  startedUnixMs,
}: SharedCounts): Pick<GatewayServerOptions, 'makeBuckets' | 'tally' | 'sharedIds' | 'ticketSecret' | 'startedMs'> {
  return {
    ticketSecret,
    // Each thread counts from its own start.
    startedMs: startedUnixMs - performance.timeOrigin,
    makeBuckets: (id, { rate }) => new SharedBuckets(`${id} ${JSON.stringify(rate)}`, rate, buckets),
    tally: new SharedTally(tally, index),
    sharedIds: new SharedIds(ids, index),
  };
}

/** What requests alone say of a target is for each thread to find out: it passes quickly. */
function shareNews(observer: GatewayObserver, news: ThreadNews): void {
  const { healthChanged } = observer;
  observer.healthChanged = (change) => {
    healthChanged.call(observer, change);
    if (change.probed) news.healthChanged(change);
  };
}
