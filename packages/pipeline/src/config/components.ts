import { didYouMean } from '@clew/base';
import type { z } from 'zod';
import type { ComponentKind } from '../component.ts';
import { knownSpellings } from '../registry/known-types.ts';
import type { ComponentRegistry } from '../registry/registry.ts';
import { parseComponentId } from './component-id.ts';
import type { ComponentId } from './component-id.ts';
import { decode } from './decode.ts';
import type { ComponentConfig } from './model.ts';
import type { ConfigNode, MapEntry } from './node.ts';
import type { Problem, SourcePosition } from './problem.ts';

/** What reading one section such as `processors` gave. */
export interface ComponentSection {
  readonly components: ReadonlyMap<string, ComponentConfig>;
  /** Ids that are configured, those with mistakes included, so that one mistake is not reported twice. */
  readonly ids: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** Reads all components of a kind: ids, types, settings. Everything wrong is collected. */
export function readComponents(
  kind: ComponentKind,
  node: ConfigNode | undefined,
  registry: ComponentRegistry,
): ComponentSection {
  const reader = new SectionReader(kind, registry);
  if (node?.kind === 'map') for (const [text, entry] of node.entries) reader.read(text, entry);
  else if (node !== undefined && !isNull(node)) {
    reader.problem(`error decoding '${kind}s': expected a map of component ids to settings`, [], node.position);
  }
  return reader;
}

function isNull(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

class SectionReader implements ComponentSection {
  readonly components = new Map<string, ComponentConfig>();
  readonly ids = new Set<string>();
  readonly problems: Problem[] = [];
  readonly #kind: ComponentKind;
  readonly #section: string;
  readonly #registry: ComponentRegistry;

  constructor(kind: ComponentKind, registry: ComponentRegistry) {
    this.#kind = kind;
    this.#section = `${kind}s`;
    this.#registry = registry;
  }

  read(text: string, { keyPosition, value }: MapEntry): void {
    const id = parseComponentId(text);
    if (!id.ok) return this.problem(`error decoding '${this.#section}': ${id.error}`, [text], keyPosition);
    if (this.ids.has(id.value.text)) {
      const message = `error decoding '${this.#section}': duplicate name ${JSON.stringify(id.value.text)} after trimming spaces`;
      return this.problem(message, [text], keyPosition);
    }
    this.ids.add(id.value.text);
    const factory = this.#registry.find(this.#kind, id.value.type);
    if (factory === undefined) return this.#unknownType(id.value, text, keyPosition);
    const deprecated = factory.deprecatedAliases?.[id.value.type];
    if (deprecated !== undefined)
      this.problem(`${this.#section}::${id.value.text}: ${deprecated}`, [text], keyPosition, 'warning');
    const decoded = decode(factory.configSchema as z.ZodType<unknown>, value, {
      path: [this.#section, id.value.text],
      decodePrefix: `error decoding '${this.#section}': error reading configuration for ${JSON.stringify(id.value.text)}: `,
    });
    if (!decoded.ok) return void this.problems.push(...decoded.problems);
    const settings = decoded.value;
    this.components.set(id.value.text, { id: id.value, kind: this.#kind, factory, settings, position: keyPosition });
  }

  problem(
    message: string,
    path: readonly string[],
    position: SourcePosition,
    severity: Problem['severity'] = 'error',
  ): void {
    this.problems.push({ phase: 'decode', severity, message, path: [this.#section, ...path], position });
  }

  #unknownType(id: ComponentId, text: string, position: SourcePosition): void {
    const valid = this.#registry.types(this.#kind);
    const values = `(valid values: [${valid.join(' ')}])`;
    if (knownSpellings(this.#kind, id.type).length > 0) {
      const message = `${this.#kind} type ${JSON.stringify(id.type)} for id: ${JSON.stringify(id.text)} is not part of this build yet; remove it or use another ${values}`;
      return this.problem(`error decoding '${this.#section}': ${message}`, [text], position);
    }
    const hint = didYouMean(id.type, valid);
    const message = `unknown type: ${JSON.stringify(id.type)} for id: ${JSON.stringify(id.text)} ${values}${hint}`;
    this.problem(`error decoding '${this.#section}': ${message}`, [text], position);
  }
}
