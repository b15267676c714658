import type { ComponentFactory, ComponentKind } from '../component.ts';
import { PipelineError } from '../errors.ts';
import { knownSpellings } from './known-types.ts';

/** The kinds in the order a configuration lists them. */
export const componentKinds = [
  'receiver',
  'processor',
  'exporter',
  'connector',
  'extension',
] as const satisfies readonly ComponentKind[];

/** A factory of one kind. */
export type FactoryOf<Kind extends ComponentKind> = Extract<ComponentFactory, { readonly kind: Kind }>;

/** The components a program was built with, by kind and by every spelling of their type. */
export class ComponentRegistry {
  readonly #byKind = new Map<ComponentKind, Map<string, ComponentFactory>>();
  readonly #factories: ComponentFactory[] = [];

  /** Throws `registry_conflict` when two factories of a kind claim one spelling. */
  constructor(factories: readonly ComponentFactory[]) {
    for (const factory of factories) this.#add(factory);
  }

  /** The factory for a type as written by a user, aliases included. */
  find<Kind extends ComponentKind>(kind: Kind, type: string): FactoryOf<Kind> | undefined {
    return this.#byKind.get(kind)?.get(type) as FactoryOf<Kind> | undefined;
  }

  /** Canonical types of a kind, sorted: the valid values of an error message. */
  types(kind: ComponentKind): string[] {
    return this.#factories
      .filter((factory) => factory.kind === kind)
      .map((factory) => factory.type)
      .toSorted();
  }

  /** All factories in the order they were given. */
  list(): readonly ComponentFactory[] {
    return this.#factories;
  }

  #add(factory: ComponentFactory): void {
    let types = this.#byKind.get(factory.kind);
    if (types === undefined) this.#byKind.set(factory.kind, (types = new Map()));
    const spellings = new Set([
      factory.type,
      ...(factory.aliases ?? []),
      ...Object.keys(factory.deprecatedAliases ?? {}),
    ]);
    // Historic and snake_case spellings are accepted for every component, whether or not its author thought of both.
    for (const spelling of knownSpellings(factory.kind, factory.type)) spellings.add(spelling);
    for (const spelling of spellings) {
      const other = types.get(spelling);
      if (other !== undefined) {
        const message = `two ${factory.kind} factories claim the type "${spelling}": ${other.type} and ${factory.type}; rename one of them`;
        throw new PipelineError('registry_conflict', message);
      }
      types.set(spelling, factory);
    }
    this.#factories.push(factory);
  }
}
