import type { ComponentFactory, ComponentKind } from '../component.ts';
import type { Signal } from '../consumer.ts';
import type { ComponentId } from './component-id.ts';
import type { MapNode } from './node.ts';
import type { Problem, SourcePosition } from './problem.ts';
import type { TelemetryConfig } from './service.ts';

/** One configured component: what makes it, and its settings as its schema left them. */
export interface ComponentConfig {
  readonly id: ComponentId;
  readonly kind: ComponentKind;
  readonly factory: ComponentFactory;
  /** What the factory's schema made of the settings; only that factory knows the type. */
  readonly settings: unknown;
  /** Where the id was written. */
  readonly position: SourcePosition;
}

/** The id of a pipeline: its signal, and a name when there are several of the signal. */
export interface PipelineId {
  readonly signal: Signal;
  readonly name: string;
  readonly text: string;
}

/** One pipeline: ids of configured components, trimmed. */
export interface PipelineConfig {
  readonly id: PipelineId;
  /** Ids of receivers, and of connectors used as such. */
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  /** Ids of exporters, and of connectors used as such. */
  readonly exporters: readonly string[];
  readonly position: SourcePosition;
}

/** Components of every kind by their id. */
export type ConfiguredComponents = Readonly<Record<ComponentKind, ReadonlyMap<string, ComponentConfig>>>;

/** A configuration that is read, substituted, decoded and valid. */
export interface Configuration {
  /** Sources as named, for messages and /debug. */
  readonly sources: readonly string[];
  /** The merged and substituted text with the origin of each value: what `clew config` prints. */
  readonly tree: MapNode;
  readonly components: ConfiguredComponents;
  /** Extensions to start, in order. */
  readonly extensions: readonly string[];
  readonly pipelines: ReadonlyMap<string, PipelineConfig>;
  readonly telemetry: TelemetryConfig;
  readonly warnings: readonly Problem[];
}
