import type { Telemetry } from '@clew/base';
import type { z } from 'zod';
import type { Signal, TracesConsumer } from './consumer.ts';
import type { FeatureGates } from './feature-gates.ts';

/** The five kinds of parts a pipeline configuration has. */
export type ComponentKind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension';

/** How a component may be spread over edge workers and owner shards. */
export type Placement = 'stateless' | 'per-trace' | 'singleton';

/** The reference's maturity words, per signal. */
export type Stability = 'development' | 'alpha' | 'beta' | 'stable' | 'deprecated';

/** Anything with a life: started once, stopped once. Both are idempotent and safe to call in any state. */
export interface Component {
  start(host: Host): Promise<void>;
  /** Stops taking work, finishes what is in flight, releases everything. `deadline` aborts waiting, not cleaning up. */
  stop(deadline: AbortSignal): Promise<void>;
  /** Plain data for /debug and the command line; never secrets. */
  snapshot(): Readonly<Record<string, unknown>>;
}

/** What a started component may reach. */
export interface Host {
  /** A started extension by its id as configured, or undefined. */
  extension(id: string): Component | undefined;
  /** The first started extension of which `guard` is true: how a component finds a capability such as storage. */
  capability<T extends Component>(guard: (component: Component) => component is T): T | undefined;
  /** Bytes of memory in use by other threads that work for the pipelines; absent when there are none. */
  otherThreadsBytes?(): number;
  /** Reports a change of health; `fatal` shuts the process down. */
  reportStatus(status: ComponentStatus): void;
}

/**
 * A component that holds bytes which memory limits should know of but cannot see in this thread's heap: a journal's buffers
 * in another thread or process.
 */
export interface MemoryHolder extends Component {
  /** Bytes held now. */
  heldBytes(): number;
}

/** Whether a component is a {@link MemoryHolder}. */
export function isMemoryHolder(component: Component): component is MemoryHolder {
  return typeof (component as Partial<MemoryHolder>).heldBytes === 'function';
}

/** An extension that wants to know when the pipelines work and how their components fare, as health checks do. */
export interface PipelineWatcher extends Component {
  /** Every component has started. */
  pipelinesReady(): void;
  /** Pipelines are about to stop. */
  pipelinesStopping(): void;
  /** A component reported its health; `key` is its node in the graph, such as `receiver/otlp`. */
  statusChanged(key: string, status: ComponentStatus): void;
}

/** Whether an extension is a {@link PipelineWatcher}. */
export function isPipelineWatcher(component: Component): component is PipelineWatcher {
  return ['pipelinesReady', 'pipelinesStopping', 'statusChanged'].every(
    (name) => typeof (component as unknown as Record<string, unknown>)[name] === 'function',
  );
}

/** Health of one component, in the reference's words. */
export type ComponentStatus =
  | { readonly kind: 'starting' | 'ok' | 'stopping' | 'stopped' }
  | { readonly kind: 'recoverable' | 'permanent' | 'fatal'; readonly error: Error };

/** What every factory is given beside its configuration. */
export interface CreateSettings<Config> {
  /** The id as the user wrote it: `type` or `type/name`. */
  readonly id: string;
  readonly config: Config;
  readonly telemetry: Telemetry;
  /** Which gated behaviours are on; the defaults when absent. */
  readonly gates?: FeatureGates;
}

/** What all factories share. `create` only makes objects: it opens, reads and starts nothing, so that a configuration can be checked. */
interface FactoryBase<Config> {
  /** The canonical type, e.g. `otlp`. */
  readonly type: string;
  /** Other spellings accepted in configuration. */
  readonly aliases?: readonly string[];
  /** Spellings accepted with a warning, each with the sentence that says what to write instead. */
  readonly deprecatedAliases?: Readonly<Record<string, string>>;
  readonly stability: Partial<Record<Signal, Stability>>;
  readonly placement: Placement;
  /** Strict schema: unknown keys are errors. An empty value means all defaults. */
  readonly configSchema: z.ZodType<Config>;
}

/** Makes receivers. One instance per id, feeding `next` of each signal a pipeline uses it for. */
export interface ReceiverFactory<Config> extends FactoryBase<Config> {
  readonly kind: 'receiver';
  create(settings: CreateSettings<Config>, next: ReceiverOutputs): Component;
}

/** Where a receiver sends, per signal; absent when no pipeline of that signal uses the receiver. */
export interface ReceiverOutputs {
  readonly traces?: TracesConsumer;
}

/** Makes processors: one instance per pipeline that lists the id. */
export interface ProcessorFactory<Config> extends FactoryBase<Config> {
  readonly kind: 'processor';
  create(settings: CreateSettings<Config>, next: TracesConsumer): Component & TracesConsumer;
}

/** Makes exporters: one instance per id and signal. */
export interface ExporterFactory<Config> extends FactoryBase<Config> {
  readonly kind: 'exporter';
  /**
   * True when the exporter acknowledges before it has sent, and so counts sent and failed spans itself at the far end of its
   * queue (`exporterMetrics`). Otherwise whoever builds the graph counts them.
   */
  readonly countsOwnSpans?: boolean;
  create(settings: CreateSettings<Config>): Component & TracesConsumer;
}

/** Makes connectors: the exporter of one pipeline and the receiver of another. */
export interface ConnectorFactory<Config> extends FactoryBase<Config> {
  readonly kind: 'connector';
  /** Signals it can emit. Default: those it takes (the keys of `stability`). */
  readonly outputs?: readonly Signal[];
  create(settings: CreateSettings<Config>, next: ReceiverOutputs): Component & TracesConsumer;
}

/** Makes extensions. */
export interface ExtensionFactory<Config> extends FactoryBase<Config> {
  readonly kind: 'extension';
  create(settings: CreateSettings<Config>): Component;
}

/** A factory whose configuration's type is forgotten: what a list of different factories holds. */
type Erased<Factory> = Omit<Factory, 'configSchema'> & { readonly configSchema: z.ZodType };

/** Any factory. */
export type ComponentFactory =
  | Erased<ReceiverFactory<never>>
  | Erased<ProcessorFactory<never>>
  | Erased<ExporterFactory<never>>
  | Erased<ConnectorFactory<never>>
  | Erased<ExtensionFactory<never>>;
