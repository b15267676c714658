import { isDeepStrictEqual } from 'node:util';
import { errorMessage } from '@clew/base';
import type { Telemetry } from '@clew/base';
import type { MetricFamily, PrometheusMeter } from '@clew/base/node';
import type { GatewayConfig } from '../config/model.ts';
import type { TracingConfig } from '../config/model/observability.ts';
import type { TraceStarter } from '../proxy/observer.ts';
import { openBackend } from './exporter/backend.ts';
import { exportTarget, spanQueueSettings } from './exporter/settings.ts';
import type { Environment } from './exporter/settings.ts';
import { SpanExporter } from './exporter/span-exporter.ts';
import { ExporterTelemetry } from './exporter/telemetry.ts';
import { GatewayTelemetry } from './gateway-telemetry.ts';
import type { ObservedOutputs } from './gateway-telemetry.ts';
import { AccessLog } from './logs/access-log.ts';
import { AuditLog } from './logs/audit-log.ts';
import { ErrorLog } from './logs/error-log.ts';
import type { SinkOpener } from './logs/log-sinks.ts';
import { EventFigures } from './metrics/event-figures.ts';
import { RequestFigures } from './metrics/request-figures.ts';
import { gatewayOrigin } from './spans/resource.ts';
import type { GatewayIdentity } from './spans/resource.ts';
import { SpanRecorder } from './spans/span-recorder.ts';
import { RatioTraceStarter } from './spans/trace-starter.ts';
import { WallClock } from './spans/wall-clock.ts';

/** What observing needs from outside. */
export interface ObservabilityOptions {
  readonly identity: GatewayIdentity;
  readonly telemetry: Telemetry & { readonly meter: PrometheusMeter };
  readonly env: Environment;
  readonly sinks: SinkOpener;
}

/** How often the clock of spans is set against the time of day. */
const CLOCK_CHECK_MS = 10_000;
/** How long the end waits for a backend that fails. */
const FAILING_FLUSH_MS = 1000;

interface Tracing {
  readonly config: TracingConfig;
  readonly exporter: SpanExporter;
  readonly recorder: SpanRecorder;
  readonly starter: TraceStarter;
}

/**
 * Spans, logs and metrics of one thread's requests. {@link configure} makes them what a configuration says and may be called again: what
 * it does not change is kept.
 */
export class Observability {
  readonly observer: GatewayTelemetry;
  readonly #options: ObservabilityOptions;
  readonly #requests = new RequestFigures();
  readonly #exporterTelemetry: ExporterTelemetry;
  readonly #clock = new WallClock();
  readonly #clockTimer: NodeJS.Timeout;
  readonly #stopping = new Set<Promise<void>>();
  readonly #deadline = new AbortController();
  #tracing: Tracing | undefined;

  constructor(options: ObservabilityOptions) {
    this.#options = options;
    const { telemetry } = options;
    this.#exporterTelemetry = new ExporterTelemetry(telemetry);
    this.observer = new GatewayTelemetry(telemetry, this.#requests, new EventFigures(telemetry.meter));
    this.#clockTimer = setInterval(() => this.#clock.adjust(), CLOCK_CHECK_MS).unref();
  }

  /** Decides about traces; undefined without tracing. */
  get traceStarter(): TraceStarter | undefined {
    return this.#tracing?.starter;
  }

  /** Takes a new configuration. Spans that wait are sent to where they were meant for. */
  configure(config: GatewayConfig): void {
    const { tracing } = config.observability;
    if (!sameTracing(this.#tracing?.config, tracing)) {
      const before = this.#tracing;
      this.#tracing = this.#openTracing(tracing);
      if (before !== undefined) this.#stopExporter(before.exporter);
    }
    this.observer.replaceOutputs(this.#outputs(config));
  }

  /** All metrics as plain data, sorted by name. */
  async metrics(): Promise<MetricFamily[]> {
    const families = [...this.#requests.families(), ...(await this.#options.telemetry.meter.collect())];
    return families.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Sends and writes what is left; spans that have not been taken within `flushMs` are lost and counted. */
  async stop(flushMs: number): Promise<void> {
    clearInterval(this.#clockTimer);
    const giveUp = (): void => this.#deadline.abort();
    // A backend that fails will hardly be back while somebody waits for the gateway to end.
    const early = setTimeout(() => this.#exporterTelemetry.failing && giveUp(), Math.min(flushMs, FAILING_FLUSH_MS));
    const late = setTimeout(giveUp, flushMs);
    if (this.#tracing !== undefined) this.#stopExporter(this.#tracing.exporter);
    this.#tracing = undefined;
    await Promise.all(this.#stopping);
    clearTimeout(early);
    clearTimeout(late);
    await this.#options.sinks.close();
  }

  #stopExporter(exporter: SpanExporter): void {
    const stopping = exporter.stop(this.#deadline.signal).finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
  }

  #outputs({ observability: { logging } }: GatewayConfig): ObservedOutputs {
    const { accessLog, errorLog, auditLog } = logging;
    const { sinks, identity } = this.#options;
    const { access, error, audit } = sinks.update(logging);
    return {
      spans: this.#tracing?.recorder,
      accessLog: accessLog && access && new AccessLog(accessLog, access, identity.instanceId),
      errorLog: error && new ErrorLog(errorLog, error),
      auditLog: auditLog && audit && new AuditLog(auditLog, audit),
    };
  }

  /** A backend that cannot be set up is a warning: requests are then served untraced. */
  #openTracing(config: TracingConfig | undefined): Tracing | undefined {
    if (config === undefined || !config.enabled) return undefined;
    const { identity, telemetry, env } = this.#options;
    const ignored: string[] = [];
    const settings = spanQueueSettings(env, ignored);
    try {
      const backend = openBackend(exportTarget(config.backend, env, ignored), {
        exportTimeoutMs: settings.exportTimeoutMs,
        userAgent: `clew-gateway/${identity.version}`,
        onRetry: ({ error }) => this.#exporterTelemetry.willRetry(error),
      });
      const origin = gatewayOrigin(config.serviceName, identity);
      const exporter = new SpanExporter(backend, settings, this.#exporterTelemetry, origin);
      for (const problem of ignored) telemetry.logger.warn('An environment variable is ignored.', { problem });
      return {
        config,
        exporter,
        recorder: new SpanRecorder(exporter, this.#clock, config),
        starter: new RatioTraceStarter(config.samplingRate),
      };
    } catch (error) {
      telemetry.logger.warn('Spans cannot be exported: requests are served untraced.', { reason: errorMessage(error) });
      return undefined;
    }
  }
}

/** Where it was written does not matter. */
function sameTracing(a: TracingConfig | undefined, b: TracingConfig | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return isDeepStrictEqual({ ...a, position: undefined }, { ...b, position: undefined });
}
