import { didYouMean } from '@clew/base';
import type { KdlNode, KdlValue } from '../../kdl/node.ts';
import type { SourcePosition } from '../../kdl/position.ts';
import type { HeaderValue } from '../model/route.ts';
import { headerName, headerValue } from './address-type.ts';
import type { Block } from './block.ts';
import { asNode } from './block.ts';
import { describe, lastUse, mergeNodes, readValue } from './field.ts';
import type { FieldOptions } from './field.ts';
import { invalid } from './reader.ts';
import type { Invalid, OptionalField, Reader, RequiredField } from './reader.ts';
import { flag } from './value-type.ts';

/** What a block of named things holds: those that could be read, and the names of all of them. */
export interface NamedItems<T> {
  readonly items: readonly T[];
  /** Also those whose settings are wrong, so that references to them are not reported on top. */
  readonly ids: ReadonlyMap<string, SourcePosition>;
}

/** A block with a name: what its settings became, with the name and its place. */
export type WithId<T> = T & { readonly id: string; readonly position: SourcePosition };

/** `upstreams { upstream "a" {…} upstream "b" {…} }`; repeated outer blocks are merged. */
export function named<T extends object>(
  name: string,
  itemName: string,
  inner: Block<T>,
  options: FieldOptions,
): RequiredField<NamedItems<WithId<T>>> {
  return {
    ...describe(name, options, { type: 'block', required: false, nested: new Map([[`${itemName} "id"`, inner.doc]]) }),
    optional: false,
    read(uses, owner, reader) {
      const merged = mergeNodes(name, uses, owner);
      for (const value of [...merged.arguments, ...merged.properties]) {
        reader.warn('extra_value', `${name} takes no value of its own, ignored`, value.position);
      }
      const items: WithId<T>[] = [];
      const ids = new Map<string, SourcePosition>();
      for (const node of merged.children) {
        const item = readNamed(node, name, itemName, inner, ids, reader);
        if (item !== invalid) items.push(item);
      }
      return { items, ids };
    },
  };
}

function readNamed<T extends object>(
  node: KdlNode,
  name: string,
  itemName: string,
  inner: Block<T>,
  ids: Map<string, SourcePosition>,
  reader: Reader,
): WithId<T> | Invalid {
  if (node.name !== itemName) {
    const message = `${name} holds only ${itemName} blocks; found ${JSON.stringify(node.name)}${didYouMean(node.name, [itemName])}`;
    return reader.error('unknown_setting', message, node.position, `write: ${itemName} "name" { … }`);
  }
  const id = node.arguments[0]?.value;
  if (typeof id !== 'string' || id.trim() === '') {
    const message = `${itemName} needs a name`;
    return reader.error('missing', message, node.position, `write: ${itemName} "name" { … }`);
  }
  const known = ids.get(id);
  if (known !== undefined) {
    const where = `${known.file}:${known.line}`;
    return reader.error(
      'duplicate_id',
      `${itemName} ${JSON.stringify(id)} is defined twice, before at ${where}`,
      node.position,
    );
  }
  ids.set(id, node.position);
  const settings = { ...node, arguments: node.arguments.slice(1) };
  const value = inner.read(settings, reader.within(`${itemName} ${JSON.stringify(id)}`));
  return value === invalid ? invalid : { ...value, id, position: node.position };
}

/** What a word selects: `backend "otlp" { endpoint "…" }`. */
export interface VariantOptions<T> {
  readonly variants: Readonly<Record<string, Block<T>>>;
  /** Words that are known and not supported by this build, and the word that is used in their place. */
  readonly unsupported?: Readonly<Record<string, string>>;
  readonly aliases?: Readonly<Record<string, string>>;
  /** The word meant when none is written. */
  readonly default?: string;
}

/** A block whose settings depend on the word that follows its name; a field with exactly one of them. */
export function variant<T>(name: string, variants: VariantOptions<T>, options: FieldOptions): OptionalField<T> {
  const nested = new Map(Object.entries(variants.variants).map(([word, inner]) => [JSON.stringify(word), inner.doc]));
  const defaultText = variants.default === undefined ? {} : { defaultText: JSON.stringify(variants.default) };
  return {
    ...describe(name, options, { type: [...nested.keys()].join(', '), required: false, nested, ...defaultText }),
    optional: true,
    read(uses, owner, reader) {
      const use =
        lastUse(uses, reader) ??
        (variants.default === undefined ? undefined : { ...owner, arguments: [], properties: [], children: [] });
      if (use === undefined) return undefined;
      return readVariant(name, use, use.arguments[0], { ...use, arguments: use.arguments.slice(1) }, variants, reader);
    },
  };
}

/** A block whose settings depend on a setting among them: `filter "x" { type "cors" … }`. */
export function blockByType<T>(key: string, variants: VariantOptions<T>): Block<T> {
  const nested = new Map(Object.entries(variants.variants).map(([word, inner]) => [JSON.stringify(word), inner.doc]));
  const { doc } = describe(
    key,
    { doc: 'what it does', level: 'should' },
    { type: [...nested.keys()].join(', '), required: true, nested },
  );
  return {
    doc: { fields: [doc], unsupported: {} },
    read(node, reader) {
      const own = node.properties
        .filter(({ name }) => name === key)
        .map(({ position, value }) => asNode(key, position, value));
      const use = lastUse([...own, ...node.children.filter(({ name }) => name === key)], reader);
      const rest: KdlNode = {
        ...node,
        properties: node.properties.filter(({ name }) => name !== key),
        // `type "cors" { … }` is as good as settings beside it.
        children: [...node.children.filter(({ name }) => name !== key), ...(use?.children ?? [])],
      };
      if (use === undefined) {
        return reader.error(
          'missing',
          `${key} is missing`,
          node.position,
          `add: ${key} ${[...nested.keys()][0]}; one of ${[...nested.keys()].join(', ')}`,
        );
      }
      return readVariant(key, use, use.arguments[0], rest, variants, reader);
    },
  };
}

function readVariant<T>(
  name: string,
  use: KdlNode,
  selector: KdlValue | undefined,
  settings: KdlNode,
  { variants, unsupported = {}, aliases = {}, default: fallback }: VariantOptions<T>,
  reader: Reader,
): T | Invalid {
  const words = Object.keys(variants);
  const choices = words.map((word) => JSON.stringify(word)).join(', ');
  if (selector === undefined && fallback === undefined) {
    return reader.error('missing', `${name} has no value; it must be one of ${choices}`, use.position);
  }
  const written = selector?.value ?? fallback;
  const position = selector?.position ?? use.position;
  if (typeof written !== 'string') {
    return reader.error('wrong_type', `${name} must be one of ${choices}; found ${selector?.text}`, position);
  }
  const folded = written.toLowerCase().replaceAll('_', '-');
  const word = Object.hasOwn(aliases, folded) ? aliases[folded]! : folded;
  if (Object.hasOwn(variants, word))
    return variants[word]!.read(settings, reader.within(name === 'type' ? '' : `${name} ${JSON.stringify(word)}`));
  if (Object.hasOwn(unsupported, word)) {
    const instead = unsupported[word]!;
    if (instead === '')
      return reader.error(
        'unsupported',
        `${name} ${JSON.stringify(written)} is recognised, not supported by this build; one of ${choices} is`,
        position,
      );
    const message = `${name} ${JSON.stringify(written)} is recognised, not supported by this build; ${JSON.stringify(instead)} is used`;
    reader.warn('unsupported', message, position);
    return variants[instead]!.read({ ...settings, properties: [], children: [] }, reader);
  }
  const message = `${name} must be one of ${choices}; found ${JSON.stringify(written)}${didYouMean(written, words)}`;
  return reader.error('invalid_value', message, position);
}

/** `set { Name "value" }`: header names as nodes or properties, in the order written. */
export function headerPairs(name: string, options: FieldOptions): RequiredField<readonly HeaderValue[]> {
  return {
    ...describe(name, options, { type: 'a block of header names, each with its value', required: false }),
    optional: false,
    read(uses, _owner, reader) {
      return uses.flatMap((use) => pairsOf(use, reader)).filter((pair) => pair !== undefined);
    },
  };
}

function pairsOf(use: KdlNode, reader: Reader): (HeaderValue | undefined)[] {
  const extra = use.arguments[0];
  if (extra !== undefined) {
    reader.error(
      'wrong_type',
      `${use.name} takes a block of header names; found ${extra.text}`,
      extra.position,
      `write: ${use.name} { "X-Name" "value" }`,
    );
  }
  const properties = use.properties.map(({ name, position, value }) => asNode(name, position, value));
  return [...properties, ...use.children].map((pair) => {
    const named = readValue(use.name, asValue(pair), headerName, reader);
    const value = pair.arguments[0];
    if (value === undefined) {
      reader.error('missing', `${use.name} gives ${JSON.stringify(pair.name)} no value`, pair.position);
      return undefined;
    }
    const read = readValue(pair.name, value, headerValue, reader);
    return named === invalid || read === invalid ? undefined : { name: named, value: read };
  });
}

/** The name of a node as if it were a value. */
function asValue(node: KdlNode): KdlValue {
  return { value: node.name, text: JSON.stringify(node.name), quoted: false, position: node.position };
}

/** `fields { name #false }`: names switched off. */
export function switches<const N extends string>(
  name: string,
  known: readonly N[],
  options: FieldOptions,
): RequiredField<readonly N[]> {
  return {
    ...describe(name, options, {
      type: `a block of names, each #true or #false: ${known.join(', ')}`,
      required: false,
    }),
    optional: false,
    read(uses, owner, reader) {
      const merged = mergeNodes(name, uses, owner);
      const off = new Set<N>();
      const properties = merged.properties.map(({ name: key, position, value }) => asNode(key, position, value));
      for (const use of [...properties, ...merged.children]) {
        const field = known.find((candidate) => candidate === use.name.replaceAll('-', '_'));
        if (field === undefined) {
          reader.warn(
            'unknown_setting',
            `unrecognised field ${JSON.stringify(use.name)}${didYouMean(use.name, known)}, ignored`,
            use.position,
          );
          continue;
        }
        const value = use.arguments[0];
        const on = value === undefined ? true : readValue(use.name, value, flag, reader);
        if (on === false) off.add(field);
        else off.delete(field);
      }
      return known.filter((field) => off.has(field));
    },
  };
}
