import { errorMessage } from '@clew/base';
import { PrometheusMeter, exposeText } from '@clew/base/node';
import type { RootLogger } from '@clew/base/node';
import { formatAddress } from '@clew/net';
import { compareConfigs } from '../config/changes.ts';
import { prepareGatewayConfig } from '../config/commands.ts';
import type { ConfigIo } from '../config/io.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { GatewayConfig } from '../config/model.ts';
import { countsOf, formatProblem, formatProblems } from '../config/report.ts';
import { ApplicationOutput } from '../telemetry/logs/application-output.ts';
import { createApplicationLog, levelOf } from '../telemetry/logs/application-log.ts';
import { FileSinks } from '../telemetry/logs/log-sinks.ts';
import { MetricsServer } from '../telemetry/metrics/metrics-server.ts';
import { observeProcess } from '../telemetry/metrics/process-figures.ts';
import { thisProcess } from '../telemetry/spans/resource.ts';
import { ConfigWatch } from './config-watch.ts';
import { GatewayThreads } from './gateway-threads.ts';
import { GatewayError } from '../errors.ts';

/** What a gateway is started with. */
export interface GatewayProgramOptions {
  /** The configuration file. */
  readonly path: string;
  readonly io: ConfigIo;
  readonly version: string;
  /** Takes the application log as long as the configuration names no file for it. */
  readonly stderr: (text: string) => void;
  /** Instead of `worker-threads`. */
  readonly threads?: number;
}

/** Where a gateway is asked. */
export interface GatewayAddress {
  readonly scheme: 'http' | 'https';
  /** Host and port. */
  readonly address: string;
}

/** How long spans have to leave after the last request. */
const FLUSH_MS = 5000;

const exposition = { withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true };

/** A running gateway: configuration, threads, metrics listener, and the way from one configuration to the next. */
export class GatewayProgram {
  readonly #options: GatewayProgramOptions;
  readonly #output: ApplicationOutput;
  readonly #meter = new PrometheusMeter();
  #config: GatewayConfig | undefined;
  #logger: RootLogger | undefined;
  #sinks: FileSinks | undefined;
  #threads: GatewayThreads | undefined;
  #metricsServer: MetricsServer | undefined;
  #watch: ConfigWatch | undefined;
  #ready = false;
  readonly #started = Promise.withResolvers<void>();
  #reloading: Promise<void> = Promise.resolve();
  #stopped: Promise<boolean> | undefined;

  constructor(options: GatewayProgramOptions) {
    this.#options = options;
    this.#output = new ApplicationOutput(options.stderr);
  }

  /** Bound ports by listener id, and that of metrics (0 when there is none). */
  get ports(): { readonly listeners: Readonly<Record<string, number>>; readonly metrics: number } {
    return { listeners: this.#threads?.ports() ?? {}, metrics: this.#metricsServer?.port ?? 0 };
  }

  /** Where its listeners are, in the order of the configuration; nowhere before the start. */
  get addresses(): readonly GatewayAddress[] {
    const listeners = this.#threads?.listeners() ?? [];
    return listeners.map(({ protocol, address }) => ({
      scheme: protocol,
      address: formatAddress({ transport: 'tcp', ...address }),
    }));
  }

  /** Fails with `GatewayError`: `configuration`, `start_failed`; nothing is left open then. */
  async start(): Promise<void> {
    try {
      await this.#start();
    } finally {
      this.#started.resolve();
    }
  }

  async #start(): Promise<void> {
    const { path, io, version } = this.#options;
    const loaded = await prepareGatewayConfig(path, io);
    if (loaded.config === undefined) throw new GatewayError('configuration', formatProblems(loaded.problems));
    const { config } = loaded;
    const { logging, metrics } = config.observability;
    this.#config = config;
    this.#output.use(logging.file);
    const logger = createApplicationLog(
      () => this.#config!.observability.logging,
      (line) => this.#output.write(line),
    );
    this.#logger = logger;
    logger.info('The gateway starts.', { version, config: path, contents: countsOf(config) });
    this.#warn(loaded);
    const telemetry = { logger, meter: this.#meter };
    this.#sinks = new FileSinks(telemetry);
    observeProcess(this.#meter, version);
    this.#threads = new GatewayThreads({
      identity: thisProcess(version),
      telemetry,
      env: io.env,
      sinks: this.#sinks,
      count: this.#options.threads ?? config.system.workerThreads,
      metricsText: () => this.#metricsText(),
    });
    try {
      await this.#threads.start(config);
    } catch (error) {
      await this.#sinks.close();
      this.#output.close();
      throw new GatewayError('start_failed', errorMessage(error), { cause: error });
    }
    if (metrics.enabled) await this.#startMetrics(config);
    this.#watchConfig(loaded);
    this.#ready = true;
    logger.info('The gateway is ready.', { threads: this.#threads.count });
  }

  /**
   * Loads the configuration again, while starting as soon as that is done; one that has not changed changes nothing. What is wrong is
   * logged. Never rejects.
   */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  /** Opens all log files anew. */
  reopenLogs(): void {
    this.#output.reopen();
    this.#sinks?.reopen();
    this.#logger?.info('Log files were opened anew.');
  }

  /** A signal without a meaning came; without anybody to take it, it would end the process. */
  ignoreSignal(name: string): void {
    this.#logger?.info('A signal means nothing to the gateway.', { signal: name });
  }

  /** Ends everything in order; tells whether all requests finished within `graceful-shutdown-timeout-secs`. Idempotent. */
  stop(): Promise<boolean> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #reload(): Promise<void> {
    await this.#started.promise;
    if (!this.#ready || this.#stopped !== undefined) return;
    const logger = this.#logger!;
    // Files of certificates are read by listeners, each of which keeps what it has when they cannot be used.
    const loaded = await prepareGatewayConfig(this.#options.path, this.#options.io, { certificates: false });
    this.#watchConfig(loaded);
    const { config } = loaded;
    if (config === undefined) {
      this.#threads!.reloadFailed(formatProblems(loaded.problems));
      return;
    }
    if (compareConfigs(this.#config!, config).unchanged) {
      logger.info('The configuration has not changed.');
      await this.#threads!.reloadCertificates();
      return;
    }
    this.#warn(loaded);
    const before = this.#config!;
    this.#config = config;
    this.#output.use(config.observability.logging.file);
    logger.setLevel(levelOf(config.observability.logging.level));
    if (await this.#threads!.reload(config)) await this.#followMetrics(config);
    else this.#config = before;
  }

  async #stop(): Promise<boolean> {
    this.#ready = false;
    this.#started.resolve();
    this.#watch?.close();
    await this.#reloading;
    const limitMs = this.#config?.system.gracefulShutdownTimeoutMs ?? 0;
    this.#logger?.info('The gateway stops.', { limitMs });
    const clean = (await this.#threads?.stop(limitMs, FLUSH_MS)) ?? true;
    await this.#sinks?.close();
    await this.#metricsServer?.stop();
    if (clean) this.#logger?.info('The gateway has stopped.');
    else this.#logger?.warn('The gateway has stopped; requests that took too long were cut.', { limitMs });
    this.#output.close();
    return clean;
  }

  /** Metrics are switched on and off, and shown at another path, while running. */
  async #followMetrics(config: GatewayConfig): Promise<void> {
    const { metrics } = config.observability;
    const server = this.#metricsServer;
    if (metrics.enabled && server === undefined) await this.#startMetrics(config);
    else if (metrics.enabled) server!.change(metrics);
    else if (server !== undefined) {
      this.#metricsServer = undefined;
      await server.stop();
      this.#logger!.info('Metrics are not served any more.');
    }
  }

  async #startMetrics({ observability: { metrics } }: GatewayConfig): Promise<void> {
    const refused = this.#meter.counter({
      name: 'clew_gateway_metrics_connections_refused_total',
      help: 'Connections to where metrics are served that were too many.',
    });
    refused.add(0);
    const sources = {
      metrics: () => this.#metricsText(),
      ready: () => this.#ready,
      connectionRefused: () => refused.add(1),
    };
    this.#metricsServer = new MetricsServer(metrics, sources, this.#logger!);
    await this.#metricsServer.start(metrics.address);
  }

  async #metricsText(): Promise<string> {
    return exposeText(await this.#threads!.metrics(), exposition);
  }

  #watchConfig({ config, files }: LoadedConfig): void {
    // A file that cannot be read any more says nothing about auto-reload: what held before goes on.
    const wanted = (config ?? this.#config)?.system.autoReload === true;
    if (wanted) this.#watch ??= new ConfigWatch(this.#logger!, () => void this.reload());
    this.#watch?.update(wanted ? files : []);
  }

  #warn({ problems }: LoadedConfig): void {
    for (const problem of problems) {
      if (problem.severity === 'warning') this.#logger!.warn(formatProblem(problem), { code: problem.code });
    }
  }
}
