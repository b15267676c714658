import type { Result } from '@clew/base';
import { expositionContentType } from '@clew/base/node';
import type { ListenerLease } from '@clew/net';
import { PipelineError, PipelineService, loadConfig, printConfig } from '@clew/pipeline';
import type { Acknowledgement, ComponentRegistry, Configuration, LoadOptions, Problem } from '@clew/pipeline';
import { canSharePorts } from '@clew/net';
import { receiverStatuses } from '@clew/query';
import type { PageContent, ProgramView } from '@clew/query';
import { DemoGenerator } from '../demo/control.ts';
import { EdgePool } from '../workers/edge-pool.ts';
import type { SpawnWorker } from '../workers/edge-thread.ts';
import type { WorkerCount } from '../workers/worker-count.ts';
import { exposeMetrics, startMetricsListeners } from './metrics-listeners.ts';
import { createTelemetry } from './own-telemetry.ts';
import type { OwnTelemetry } from './own-telemetry.ts';
import { createRegistry } from './registry.ts';
import { version } from './version.ts';

/** What a program runs. */
export interface ProgramOptions {
  /** Sources, sets and base of the configuration; the registry is the program's own. */
  readonly config: Omit<LoadOptions, 'registry'>;
  readonly page?: PageContent;
  /** Offer the demo generator of the page. */
  readonly demo: boolean;
  /** Whether a taken metrics port keeps the program from starting. */
  readonly metricsPortRequired: boolean;
  /** Threads that receive; with one, everything runs in the main thread. */
  readonly workers: WorkerCount;
  /** How the threads of workers are made; tests that end them watch it. */
  readonly spawnWorker?: SpawnWorker;
}

/** A running Clew: pipelines, own metrics, reload, shutdown. */
export class Program {
  readonly registry: ComponentRegistry;
  readonly #options: ProgramOptions;
  readonly #startedUnixMs = Date.now();
  readonly #demo: DemoGenerator | undefined;
  #telemetry: OwnTelemetry | undefined;
  #service: PipelineService | undefined;
  #edge: EdgePool | undefined;
  #metrics: ListenerLease[] = [];

  /** Rejects through `failed` when a component fails for good while running. */
  readonly failed: Promise<never>;
  readonly #fail: (error: Error) => void;

  constructor(options: ProgramOptions) {
    this.#options = options;
    if (options.demo) this.#demo = new DemoGenerator(() => this.#ownEndpoint());
    this.registry = createRegistry(this.#view());
    const { promise, reject } = Promise.withResolvers<never>();
    // Whoever runs the program awaits it; until then it must not count as unhandled.
    promise.catch(() => undefined);
    this.failed = promise;
    this.#fail = reject;
  }

  /** Loads the configuration and starts everything. Rejects with a `PipelineError` whose message names the phase. */
  async start(): Promise<void> {
    const first = await this.#load();
    if (!first.ok) throw PipelineError.fromProblems(first.error);
    const telemetry = createTelemetry(first.value.telemetry);
    this.#telemetry = telemetry;
    const edge = await this.#startWorkers(telemetry, first.value);
    let pending: Result<Configuration, readonly Problem[]> | undefined = first;
    const service = new PipelineService({
      // The configuration that was just read is the one to start with; reloads read again.
      load: () => {
        const loaded = pending;
        pending = undefined;
        return loaded === undefined ? this.#load() : Promise.resolve(loaded);
      },
      telemetry,
      onFatal: this.#fail,
      ...(edge === undefined ? {} : { edge }),
    });
    this.#service = service;
    try {
      this.#metrics = await startMetricsListeners(first.value.telemetry, telemetry, this.#options.metricsPortRequired);
      await service.start();
    } catch (caught) {
      await this.stop();
      throw caught;
    }
  }

  /** Reads the configuration again; an invalid one changes nothing. */
  async reload(): Promise<void> {
    await this.#service?.reload();
  }

  /** Drains and stops everything. */
  async stop(): Promise<void> {
    await this.#demo?.close();
    await this.#service?.stop();
    await this.#edge?.close();
    const leases = this.#metrics.splice(0);
    await Promise.all(leases.map((lease) => lease.release({ graceMs: 0 })));
    this.#telemetry?.close();
    this.#telemetry?.logger.flush();
  }

  /** What acknowledging means, per receiver. */
  acknowledgements(): readonly Acknowledgement[] {
    return this.#service?.acknowledgements() ?? [];
  }

  /** The running pipelines as plain data. */
  get service(): PipelineService | undefined {
    return this.#service;
  }

  get telemetry(): OwnTelemetry | undefined {
    return this.#telemetry;
  }

  #load(): Promise<Result<Configuration, readonly Problem[]>> {
    return loadConfig({ ...this.#options.config, registry: this.registry });
  }

  /** Threads that receive, unless one is enough or ports cannot be shared here. */
  async #startWorkers(telemetry: OwnTelemetry, { telemetry: settings }: Configuration): Promise<EdgePool | undefined> {
    const { count, asked } = this.#options.workers;
    if (count <= 1) return undefined;
    if (!(await canSharePorts())) {
      telemetry.logger[asked ? 'warn' : 'info'](
        'This platform cannot share a port among threads (SO_REUSEPORT); everything runs in one thread.',
        { workers: count },
      );
      return undefined;
    }
    const { spawnWorker: spawn } = this.#options;
    const edge = new EdgePool({ count, telemetry, logLevel: settings.logs.level, ...(spawn ? { spawn } : {}) });
    telemetry.addThreads(() => edge.families());
    this.#edge = edge;
    return edge;
  }

  /** Where this program receives OTLP over HTTP. */
  #ownEndpoint(): string | undefined {
    return receiverStatuses(this.#service?.snapshot()).find(({ protocol }) => protocol === 'otlp_http')?.url;
  }

  /** What the query server may show; read when it is asked, so that it is never stale. */
  #view(): ProgramView {
    return {
      version,
      startedUnixMs: this.#startedUnixMs,
      metrics: async () => {
        const plain = { withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true };
        const body = this.#telemetry === undefined ? '' : await exposeMetrics(this.#telemetry, plain);
        return { contentType: expositionContentType, body };
      },
      graph: () => this.#service?.snapshot(),
      configuration: ({ origins }) => {
        const config = this.#service?.config;
        return config === undefined
          ? ''
          : printConfig(config.tree, { registry: this.registry, defaults: true, origins });
      },
      ...(this.#options.page ? { page: this.#options.page } : {}),
      ...(this.#demo ? { demo: this.#demo } : {}),
    };
  }
}
