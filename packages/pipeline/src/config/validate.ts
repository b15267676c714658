import { didYouMean } from '@clew/base';
import type { ComponentKind } from '../component.ts';
import type { Signal } from '../consumer.ts';
import { parseComponentId } from './component-id.ts';
import type { PipelineConfig, PipelineId } from './model.ts';
import { positionAt } from './node.ts';
import type { ConfigNode } from './node.ts';
import type { Problem } from './problem.ts';
import type { ServiceSection } from './service.ts';

/** Ids configured per kind, those with mistakes included. */
export type ConfiguredIds = Readonly<Record<ComponentKind, ReadonlySet<string>>>;

/** The service section with its references resolved, and what is wrong with it. */
export interface ValidatedService {
  readonly extensions: readonly string[];
  readonly pipelines: ReadonlyMap<string, PipelineConfig>;
  readonly problems: readonly Problem[];
}

const signals = ['traces', 'metrics', 'logs'] as const satisfies readonly Signal[];

/** Checks the rules that hold between sections: what `service` refers to must exist, and ids must be unambiguous. */
export function validateService(root: ConfigNode, service: ServiceSection, ids: ConfiguredIds): ValidatedService {
  const checker = new ServiceChecker(root, ids);
  checker.checkSections();
  const extensions = checker.references(['service', 'extensions'], service.extensions, ['extension']);
  const pipelines = checker.pipelines(service.pipelines);
  return { extensions, pipelines, problems: checker.problems };
}

class ServiceChecker {
  readonly problems: Problem[] = [];
  readonly #root: ConfigNode;
  readonly #ids: ConfiguredIds;

  constructor(root: ConfigNode, ids: ConfiguredIds) {
    this.#root = root;
    this.#ids = ids;
  }

  checkSections(): void {
    const { receiver, exporter, connector } = this.#ids;
    if (Object.values(this.#ids).every((set) => set.size === 0)) return this.#problem([], 'empty configuration file');
    // A pipeline can be fed, or emptied, by connectors alone, but not all of them.
    if (receiver.size === 0) this.#problem([], 'no receiver configuration specified in config');
    if (exporter.size === 0) this.#problem([], 'no exporter configuration specified in config');
    for (const id of connector) {
      const clash = exporter.has(id) ? 'exporter' : receiver.has(id) ? 'receiver' : undefined;
      if (clash === undefined) continue;
      const advice = `Change one of the components' IDs to eliminate ambiguity (e.g. rename "${id}" connector to "${id}/connector")`;
      this.#problem(
        ['connectors', id],
        `connectors::${id}: ambiguous ID: Found both "${id}" ${clash} and "${id}" connector. ${advice}`,
      );
    }
  }

  pipelines(section: ServiceSection['pipelines']): ReadonlyMap<string, PipelineConfig> {
    const pipelines = new Map<string, PipelineConfig>();
    const path = ['service', 'pipelines'];
    if (Object.keys(section).length === 0)
      this.#problem(path, 'service::pipelines: service must have at least one pipeline');
    for (const [text, { receivers, processors, exporters }] of Object.entries(section)) {
      const here = [...path, text];
      const id = this.#pipelineId(text, here);
      if (id === undefined) continue;
      if (receivers.length === 0) this.#problem(here, `${here.join('::')}: must have at least one receiver`);
      if (exporters.length === 0) this.#problem(here, `${here.join('::')}: must have at least one exporter`);
      const resolved = {
        receivers: this.references([...here, 'receivers'], receivers, ['receiver', 'connector']),
        processors: this.references([...here, 'processors'], processors, ['processor']),
        exporters: this.references([...here, 'exporters'], exporters, ['exporter', 'connector']),
      };
      this.#checkTwice([...here, 'processors'], resolved.processors);
      const position = positionAt(this.#root, here) ?? this.#root.position;
      if (pipelines.has(id.text))
        this.#problem(here, `${here.join('::')}: duplicate name ${JSON.stringify(id.text)} after trimming spaces`);
      pipelines.set(id.text, { id, ...resolved, position });
    }
    return pipelines;
  }

  /** The ids a list refers to, trimmed; those of a list that names nothing configured are reported. */
  references(
    path: readonly string[],
    list: readonly string[],
    kinds: readonly [ComponentKind, ...ComponentKind[]],
  ): string[] {
    const owner = path[1] === 'extensions' ? path : path.slice(0, -1);
    const seen = new Set<string>();
    for (const [index, text] of list.entries()) {
      const at = [...path, String(index)];
      const id = parseComponentId(text);
      if (!id.ok) {
        this.#problem(at, `${owner.join('::')}: ${id.error}`);
        continue;
      }
      if (!kinds.some((kind) => this.#ids[kind].has(id.value.text))) {
        const hint = didYouMean(
          id.value.text,
          kinds.flatMap((kind) => [...this.#ids[kind]]),
        );
        const reference = `references ${kinds[0]} ${JSON.stringify(id.value.text)} which is not configured`;
        this.#problem(at, `${owner.join('::')}: ${reference}${hint}`);
      }
      // Listing a receiver, exporter or extension twice means nothing more than listing it once.
      if (kinds[0] === 'processor' || !seen.has(id.value.text)) seen.add(id.value.text);
    }
    return kinds[0] === 'processor' ? list.map((text) => trimmed(text)) : [...seen];
  }

  #checkTwice(path: readonly string[], ids: readonly string[]): void {
    const repeated = ids.filter((id, index) => ids.indexOf(id) !== index);
    for (const id of new Set(repeated)) {
      const at = [...path, String(ids.lastIndexOf(id))];
      this.#problem(at, `${path.slice(0, -1).join('::')}: references processor ${JSON.stringify(id)} multiple times`);
    }
  }

  #pipelineId(text: string, path: readonly string[]): PipelineId | undefined {
    const id = parseComponentId(text);
    if (!id.ok) {
      this.#problem(path, `service::pipelines: ${id.error}`);
      return undefined;
    }
    const signal = signals.find((candidate) => candidate === id.value.type);
    if (signal === undefined) {
      const hint = didYouMean(id.value.type, signals);
      this.#problem(
        path,
        `service::pipelines: unknown signal ${JSON.stringify(id.value.type)}${hint}; use one of ${signals.join(', ')}`,
      );
      return undefined;
    }
    return { signal, name: id.value.name, text: id.value.text };
  }

  #problem(path: readonly string[], message: string): void {
    const position = positionAt(this.#root, path);
    this.problems.push({
      phase: 'validate',
      severity: 'error',
      message,
      path,
      ...(position === undefined ? {} : { position }),
    });
  }
}

function trimmed(text: string): string {
  const id = parseComponentId(text);
  return id.ok ? id.value.text : text;
}
