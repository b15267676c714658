import { didYouMean } from '@clew/base';
import type { KdlNode } from '../../kdl/node.ts';
import { invalid } from './reader.ts';
import type { BlockDoc, Field, Invalid, OptionalField, Reader } from './reader.ts';

/** What a block becomes, and how it is read. */
export interface Block<T> {
  readonly doc: BlockDoc;
  read(node: KdlNode, reader: Reader): T | Invalid;
}

/** The settings of a block, under the names the model has for them. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends OptionalField<unknown> ? K : never }[keyof F];
type ValueOf<F> = F extends Field<infer T> ? T : never;

/** What the settings of a block are read as: absent ones have no key. */
export type Values<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]>;
} & {
  readonly [K in OptionalKeys<F>]?: Exclude<ValueOf<F[K]>, undefined>;
};

/** A block apart from its settings. */
export interface BlockOptions {
  /** Settings that the block's own arguments give, in order: `target "h:p"` is `target { address "h:p" }`. */
  readonly positional?: readonly string[];
  /** Whether a name nobody knows ends the loading. */
  readonly unknown?: 'error' | 'warning';
  /** Names that are known and have no effect in this build, with what they are for. */
  readonly unsupported?: Readonly<Record<string, string>>;
  /** What a setting is called in messages about unknown ones. */
  readonly noun?: string;
  /** Names that are read elsewhere, for messages about unknown ones. */
  readonly elsewhere?: readonly string[];
}

/** Describes a block whose values are its settings. */
export function block<const F extends Fields>(fields: F, options?: BlockOptions): Block<Values<F>>;
/** Describes a block whose settings are checked together and made into something else by `finish`. */
export function block<const F extends Fields, T>(
  fields: F,
  options: BlockOptions,
  finish: (values: Values<F>, node: KdlNode, reader: Reader) => T | Invalid,
): Block<T>;
export function block<const F extends Fields, T>(
  fields: F,
  options: BlockOptions = {},
  finish?: (values: Values<F>, node: KdlNode, reader: Reader) => T | Invalid,
): Block<T | Values<F>> {
  const described = new DescribedBlock(fields, options);
  return {
    doc: described.doc,
    read(node, reader) {
      const values = described.read(node, reader);
      return values === invalid || finish === undefined ? values : finish(values, node, reader);
    },
  };
}

class DescribedBlock<F extends Fields> {
  readonly doc: BlockDoc;
  readonly #fields: F;
  readonly #options: BlockOptions;
  readonly #keyByName = new Map<string, string>();

  constructor(fields: F, options: BlockOptions) {
    this.#fields = fields;
    this.#options = options;
    this.doc = { fields: Object.values(fields).map(({ doc }) => doc), unsupported: options.unsupported ?? {} };
    for (const [key, { doc, deprecated }] of Object.entries(fields)) {
      for (const name of [doc.name, ...doc.aliases, ...Object.keys(deprecated)]) this.#keyByName.set(name, key);
    }
  }

  read(node: KdlNode, reader: Reader): Values<F> | Invalid {
    const uses = this.#sortUses(node, reader);
    const values: Record<string, unknown> = {};
    let broken = false;
    for (const [key, field] of Object.entries(this.#fields)) {
      const value = field.read(uses.get(key) ?? [], node, reader);
      if (value === invalid) broken = true;
      else if (value !== undefined) values[key] = value;
    }
    return broken ? invalid : (values as Values<F>);
  }

  /** The nodes of every setting: arguments and properties of the block count as nodes with one argument. */
  #sortUses(node: KdlNode, reader: Reader): Map<string, KdlNode[]> {
    const uses = new Map<string, KdlNode[]>();
    for (const use of [...this.#positionalUses(node, reader), ...propertyUses(node), ...node.children]) {
      const key = this.#keyByName.get(use.name);
      if (key === undefined) {
        this.#reportUnknown(use, reader);
        continue;
      }
      const instead = this.#fields[key]!.deprecated[use.name];
      if (instead !== undefined) {
        reader.warn('deprecated', `${use.name} is the old name of ${instead}; write ${instead}`, use.position);
      }
      const known = uses.get(key);
      if (known === undefined) uses.set(key, [use]);
      else known.push(use);
    }
    return uses;
  }

  #positionalUses(node: KdlNode, reader: Reader): KdlNode[] {
    const names = this.#options.positional ?? [];
    const extra = node.arguments[names.length];
    if (extra !== undefined) {
      const allowed = names.length === 0 ? 'takes no value of its own' : `takes only ${names.join(' and ')}`;
      reader.warn('extra_value', `${node.name} ${allowed}; ${extra.text} is ignored`, extra.position);
    }
    return node.arguments.slice(0, names.length).map((value, index) => asNode(names[index]!, value.position, value));
  }

  #reportUnknown(use: KdlNode, reader: Reader): void {
    const { unsupported = {}, unknown = 'warning', noun = 'setting', elsewhere = [] } = this.#options;
    const purpose = Object.hasOwn(unsupported, use.name) ? unsupported[use.name] : undefined;
    if (purpose !== undefined) {
      const message = `${use.name} (${purpose}) is recognised, not supported by this build, ignored`;
      reader.warn('unsupported', message, use.position);
      return;
    }
    const names = [...Object.values(this.#fields).flatMap(({ doc }) => [doc.name, ...doc.aliases]), ...elsewhere];
    const known = `known ${noun}s: ${names.join(', ')}`;
    const message = `unrecognised ${noun} ${JSON.stringify(use.name)}${didYouMean(use.name, names)}`;
    if (unknown === 'error') reader.error('unknown_setting', message, use.position, known);
    else reader.warn('unknown_setting', `${message}, ignored`, use.position, known);
  }
}

function propertyUses(node: KdlNode): KdlNode[] {
  return node.properties.map(({ name, position, value }) => asNode(name, position, value));
}

/** A node that is a setting with one value. */
export function asNode(name: string, position: KdlNode['position'], value: KdlNode['arguments'][number]): KdlNode {
  return { name, position, arguments: [value], properties: [], children: [] };
}
