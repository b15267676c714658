import { didYouMean, fail, ok } from '@clew/base';
import type { Result } from '@clew/base';
import type { ComponentKind } from '../component.ts';
import { componentKinds } from '../registry/registry.ts';
import type { ComponentRegistry } from '../registry/registry.ts';
import type { FeatureGates } from '../feature-gates.ts';
import { readComponents } from './components.ts';
import type { ComponentSection } from './components.ts';
import { decode } from './decode.ts';
import { expandTree } from './expand.ts';
import { mergeNodes } from './merge.ts';
import type { Configuration } from './model.ts';
import { mapNode, nodeAt } from './node.ts';
import type { ConfigNode, MapNode } from './node.ts';
import type { Problem } from './problem.ts';
import { serviceSchema } from './service.ts';
import { loadSource, parseSet } from './source.ts';
import type { SourceAccess } from './source.ts';
import { validateService } from './validate.ts';

/** Where a configuration comes from and what it may name. */
export interface LoadOptions extends SourceAccess {
  /** Location URIs in the order given; see the reference collector's `--config`. */
  readonly sources: readonly string[];
  /** `a.b.c=value`, applied after all sources in the order given. */
  readonly sets?: readonly string[];
  /** A tree that sources are merged over, such as the built-in configuration. */
  readonly base?: ConfigNode;
  readonly registry: ComponentRegistry;
  /** Which gated behaviours are on; the defaults when absent. */
  readonly gates?: FeatureGates;
}

const sections = ['receivers', 'processors', 'exporters', 'connectors', 'extensions', 'service'];

/**
 * Reads, merges, substitutes, decodes and validates a configuration. Nothing is started or created.
 *
 * @returns the configuration, or everything that is wrong with it (errors, and warnings beside them).
 */
export async function loadConfig(options: LoadOptions): Promise<Result<Configuration, readonly Problem[]>> {
  const resolved = await resolveTree(options);
  if (!resolved.ok) return resolved;
  const { tree, problems: noticed } = resolved.value;
  return decodeConfig(tree, noticed, options);
}

/** The merged and substituted tree of all sources, without looking at what it says. */
export async function resolveTree(
  options: Omit<LoadOptions, 'registry'>,
): Promise<Result<{ readonly tree: MapNode; readonly problems: readonly Problem[] }, readonly Problem[]>> {
  const { sources, sets = [], base } = options;
  if (sources.length === 0 && sets.length === 0 && base === undefined) {
    return fail([{ phase: 'get', severity: 'error', message: 'at least one config flag must be provided', path: [] }]);
  }
  const merging = { appendServiceLists: options.gates?.isEnabled('confmap.enableMergeAppendOption') === true };
  const loaded: (ConfigNode | Problem[])[] = base === undefined ? [] : [base];
  for (const uri of sources) loaded.push(await loadSource(uri, options));
  loaded.push(...sets.map(parseSet));
  const broken = loaded.flatMap((part) => (Array.isArray(part) ? part : []));
  if (broken.length > 0) return fail(broken);
  const empty: ConfigNode = mapNode([], { source: sources.join(', ') });
  const merged = loaded.reduce<ConfigNode>(
    (whole, part) => (Array.isArray(part) ? whole : mergeNodes(whole, part, merging)),
    empty,
  );
  const { root, problems } = await expandTree(merged, options);
  if (problems.some((problem) => problem.severity === 'error') || root.kind !== 'map') return fail(problems);
  return ok({ tree: root, problems });
}

function decodeConfig(
  tree: MapNode,
  noticed: readonly Problem[],
  options: LoadOptions,
): Result<Configuration, readonly Problem[]> {
  const problems: Problem[] = [...noticed, ...unknownSections(tree)];
  const read = new Map<ComponentKind, ComponentSection>();
  for (const kind of componentKinds) {
    const section = readComponents(kind, nodeAt(tree, [`${kind}s`]), options.registry);
    read.set(kind, section);
    problems.push(...section.problems);
  }
  const of = <T>(pick: (section: ComponentSection) => T) =>
    Object.fromEntries(componentKinds.map((kind) => [kind, pick(read.get(kind)!)])) as Record<ComponentKind, T>;
  const serviceNode = nodeAt(tree, ['service']) ?? mapNode([], tree.position);
  const service = decode(serviceSchema, serviceNode, { path: ['service'], decodePrefix: `error decoding 'service': ` });
  if (!service.ok) return fail([...problems, ...service.problems]);
  const validated = validateService(
    tree,
    service.value,
    of((section) => section.ids),
  );
  problems.push(...validated.problems);
  if (problems.some((problem) => problem.severity === 'error')) return fail(problems);
  return ok({
    sources: [...options.sources, ...(options.sets ?? []).map((set) => `--set ${set.split('=')[0]}`)],
    tree,
    components: of((section) => section.components),
    extensions: validated.extensions,
    pipelines: validated.pipelines,
    telemetry: service.value.telemetry,
    warnings: problems,
  });
}

function unknownSections(tree: MapNode): Problem[] {
  return [...tree.entries]
    .filter(([key]) => !sections.includes(key))
    .map(([key, { keyPosition }]) => ({
      phase: 'decode',
      severity: 'error',
      message: `'' has invalid keys: ${key}${didYouMean(key, sections)}`,
      path: [key],
      position: keyPosition,
    }));
}
