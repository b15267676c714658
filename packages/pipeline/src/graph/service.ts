import { isDeepStrictEqual } from 'node:util';
import { errorMessage } from '@clew/base';
import type { Result, Telemetry } from '@clew/base';
import type { Component } from '../component.ts';
import { loadConfig } from '../config/load.ts';
import type { LoadOptions } from '../config/load.ts';
import type { Configuration } from '../config/model.ts';
import { formatProblem } from '../config/problem.ts';
import type { Problem } from '../config/problem.ts';
import { PipelineError } from '../errors.ts';
import type { FeatureGates } from '../feature-gates.ts';
import type { EdgeHost } from './edge-part.ts';
import { buildGraph } from './graph.ts';
import type { Acknowledgement, GraphSnapshot, PipelineGraph } from './graph.ts';
import type { GraphNode } from './instantiate.ts';

/** What a service runs on. */
export interface ServiceOptions {
  /** Reads the configuration; called again for every reload. */
  readonly load: () => Promise<Result<Configuration, readonly Problem[]>>;
  readonly telemetry: Telemetry;
  /** Which gated behaviours are on; the defaults when absent. */
  readonly gates?: FeatureGates;
  /** Called when the process must end: a component failed fatally, or a reload left nothing running. */
  readonly onFatal: (error: Error) => void;
  /** How long stopping may drain before it is cut short, in milliseconds. Default 30,000. */
  readonly drainTimeoutMs?: number;
  /** Runs receivers and stateless processors in threads of their own; everything runs in this one when absent. */
  readonly edge?: EdgeHost;
}

/** How a reload ended. */
export type ReloadOutcome =
  | { readonly kind: 'reloaded' }
  /** The new configuration was refused; the old one runs on untouched. */
  | { readonly kind: 'rejected'; readonly problems: readonly Problem[] }
  /** The new configuration did not start; the old one was started again. */
  | { readonly kind: 'rolled_back'; readonly error: Error };

/** Runs the graph of a configuration, and exchanges it for another on reload. */
export class PipelineService {
  readonly #options: ServiceOptions;
  #graph: PipelineGraph | undefined;
  /** Start, reload and stop happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Loads, builds and starts. Rejects with a `PipelineError` whose message begins with the phase that failed. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      const config = await this.#options.load();
      if (!config.ok) throw PipelineError.fromProblems(config.error);
      this.#warn(config.value.warnings);
      const graph = this.#build(config.value, new Map());
      if (!graph.ok) throw PipelineError.fromProblems(graph.error);
      await graph.value.start();
      this.#graph = graph.value;
      this.#announce(graph.value);
    });
  }

  /**
   * Reads the configuration again and exchanges the graph. An invalid configuration changes nothing. Extensions whose settings
   * are the same keep running.
   */
  reload(): Promise<ReloadOutcome> {
    return this.#inTurn(async () => {
      const old = this.#graph;
      if (old === undefined)
        throw new PipelineError('start_failed', 'cannot reload: the service is not running; start it first');
      const { logger } = this.#options.telemetry;
      const config = await this.#options.load();
      if (!config.ok) return this.#reject(config.error);
      const reuse = unchangedExtensions(old, config.value);
      const graph = this.#build(config.value, reuse);
      if (!graph.ok) return this.#reject(graph.error);
      this.#warn(config.value.warnings);
      logger.info('Configuration changed; exchanging the pipelines.');
      await this.#stopGraph(old, new Set(reuse.keys()));
      try {
        await graph.value.start();
        this.#graph = graph.value;
        this.#announce(graph.value);
        return { kind: 'reloaded' };
      } catch (error) {
        return await this.#rollBack(old.config, reuse, error);
      }
    });
  }

  /** Drains and stops everything. Does nothing when it did not run. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      this.#stopped = true;
      const graph = this.#graph;
      if (graph === undefined) return;
      const { logger } = this.#options.telemetry;
      logger.info('Starting shutdown...');
      this.#graph = undefined;
      await this.#stopGraph(graph, new Set());
      logger.info('Shutdown complete.');
    });
  }

  /** The running configuration, or undefined. */
  get config(): Configuration | undefined {
    return this.#graph?.config;
  }

  /** The running graph as plain data, or undefined. */
  snapshot(): GraphSnapshot | undefined {
    return this.#graph?.snapshot();
  }

  /** What acknowledging means at each receiver. */
  acknowledgements(): readonly Acknowledgement[] {
    return this.#graph?.acknowledgements() ?? [];
  }

  /** A running extension by its id. */
  extension(id: string): Component | undefined {
    return this.#graph?.extension(id);
  }

  #build(config: Configuration, reuse: ReadonlyMap<string, Component>): Result<PipelineGraph, readonly Problem[]> {
    const { telemetry, gates, edge } = this.#options;
    return buildGraph(config, {
      telemetry,
      ...(edge === undefined ? {} : { edge }),
      ...(gates === undefined ? {} : { gates }),
      reuse,
      onFatal: (error, key) => {
        if (!this.#stopped) this.#options.onFatal(new Error(`${key} failed: ${error.message}`, { cause: error }));
      },
    });
  }

  #reject(problems: readonly Problem[]): ReloadOutcome {
    const { logger } = this.#options.telemetry;
    for (const problem of problems) {
      if (problem.severity === 'error') logger.error(`Configuration not reloaded: ${formatProblem(problem)}`);
    }
    return { kind: 'rejected', problems };
  }

  async #rollBack(
    config: Configuration,
    reuse: ReadonlyMap<string, Component>,
    caught: unknown,
  ): Promise<ReloadOutcome> {
    const error = caught instanceof Error ? caught : new Error(String(caught));
    const { logger } = this.#options.telemetry;
    logger.error('The new configuration did not start; going back to the old one.', { error });
    const graph = this.#build(config, reuse);
    try {
      if (!graph.ok) throw PipelineError.fromProblems(graph.error);
      await graph.value.start();
    } catch (second) {
      this.#graph = undefined;
      const message = `neither the new configuration nor the old one could be started: ${error.message}; ${errorMessage(second)}`;
      const fatal = new PipelineError('start_failed', message, { cause: second });
      this.#options.onFatal(fatal);
      throw fatal;
    }
    this.#graph = graph.value;
    return { kind: 'rolled_back', error };
  }

  async #stopGraph(graph: PipelineGraph, keep: ReadonlySet<string>): Promise<void> {
    const deadline = AbortSignal.timeout(this.#options.drainTimeoutMs ?? 30_000);
    try {
      await graph.stop(deadline, keep);
    } catch (error) {
      // Each component's failure has been logged; a reload or a shutdown goes on regardless.
      this.#options.telemetry.logger.error('Not everything stopped cleanly.', { error });
    }
  }

  #announce(graph: PipelineGraph): void {
    const { logger } = this.#options.telemetry;
    for (const { receiver, text } of graph.acknowledgements()) logger.info(`Receiver "${receiver}": ${text}`);
    logger.info('Everything is ready. Begin running and processing data.');
  }

  #warn(warnings: readonly Problem[]): void {
    for (const warning of warnings) this.#options.telemetry.logger.warn(formatProblem(warning));
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action, action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Running extensions that a new configuration wants exactly as they are. */
function unchangedExtensions(graph: PipelineGraph, config: Configuration): Map<string, Component> {
  const wanted = new Set(config.extensions);
  const unchanged = ({ kind, id, component }: GraphNode): boolean => {
    const other = config.components.extension.get(id);
    if (kind !== 'extension' || !wanted.has(id) || other === undefined) return false;
    return other.factory === component.factory && isDeepStrictEqual(other.settings, component.settings);
  };
  return new Map(graph.nodes.filter(unchanged).map(({ key, instance }) => [key, instance]));
}

/** What checking a configuration found: problems with their positions, and what acknowledging would mean. */
export interface Validation {
  readonly problems: readonly Problem[];
  /** Empty when there are errors. */
  readonly acknowledgements: readonly Acknowledgement[];
}

/** Resolves, decodes, validates and builds a configuration without starting anything. */
export async function validateConfig(options: LoadOptions, telemetry: Telemetry): Promise<Validation> {
  const config = await loadConfig(options);
  if (!config.ok) return { problems: config.error, acknowledgements: [] };
  const graph = buildGraph(config.value, {
    telemetry,
    ...(options.gates === undefined ? {} : { gates: options.gates }),
  });
  if (!graph.ok) return { problems: [...config.value.warnings, ...graph.error], acknowledgements: [] };
  return { problems: config.value.warnings, acknowledgements: graph.value.acknowledgements() };
}
