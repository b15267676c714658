import { Document } from 'yaml';
import type { z } from 'zod';
import type { ComponentKind } from '../component.ts';
import { componentKinds } from '../registry/registry.ts';
import type { ComponentRegistry } from '../registry/registry.ts';
import { parseComponentId } from './component-id.ts';
import { fromPlainValue, mapNode } from './node.ts';
import type { ConfigNode, MapEntry, MapNode, PlainValue, ScalarNode } from './node.ts';
import { formatPosition } from './problem.ts';
import { resolveScalar } from './scalar.ts';
import { defaultOf, fieldsOf, isSecretAt, wantsText } from './schema-walk.ts';
import { serviceSchema } from './service.ts';

/** How a configuration is printed. */
export interface PrintOptions {
  /** Needed to know defaults and which settings are secret. */
  readonly registry: ComponentRegistry;
  /** Also print settings that were not written. Default false. */
  readonly defaults?: boolean;
  /** Append to each value where it was written. Default false. */
  readonly origins?: boolean;
  /** Print secrets as they are. Default false. */
  readonly revealSecrets?: boolean;
}

/** What a secret is printed as. */
export const redacted = '[REDACTED]';

/** The place of values that nobody wrote. */
const defaultPosition = { source: 'default' };

/** Names that promise a secret even where no schema says so. */
const secretName = /passw(or)?d|secret|token|api_?key|credential|private_key|key_pem|authorization|cookie/i;

/** Names that only look like secrets: where a secret lies, or a number about it. */
const harmlessName = /(_file|_url|_path|_interval|_timeout|_limit|_size)$/i;

/** A resolved configuration as YAML, secrets redacted. */
export function printConfig(tree: MapNode, options: PrintOptions): string {
  const whole = options.defaults === true ? withDefaults(tree, options.registry) : tree;
  const texts = keepTexts(whole, [], options.registry);
  const shown = options.revealSecrets === true ? texts : redactNode(texts, [], options.registry);
  const document = new Document(shownNode(new Document(), shown, options.origins === true));
  return document.toString({ lineWidth: 0, nullStr: '' });
}

/** Substituted values as their settings take them: `0123` stays text where text is wanted. */
function keepTexts(node: ConfigNode, path: readonly string[], registry: ComponentRegistry): ConfigNode {
  if (node.kind === 'map') {
    const entries = [...node.entries].map(
      ([key, entry]) => [key, { ...entry, value: keepTexts(entry.value, [...path, key], registry) }] as const,
    );
    return mapNode(entries, node.position);
  }
  if (node.kind === 'list') {
    return { ...node, items: node.items.map((item, index) => keepTexts(item, [...path, String(index)], registry)) };
  }
  if (node.text === undefined || typeof node.value === 'string') return node;
  const governed = schemaFor(path, registry);
  return governed !== undefined && wantsText(governed.schema, governed.rest) ? { ...node, value: node.text } : node;
}

/** The tree with every secret replaced by {@link redacted}: for pages and logs that show plain data. */
export function redactTree(tree: MapNode, registry: ComponentRegistry): MapNode {
  return redactNode(tree, [], registry) as MapNode;
}

function redactNode(node: ConfigNode, path: readonly string[], registry: ComponentRegistry): ConfigNode {
  if (node.kind === 'map') {
    const entries = [...node.entries].map(
      ([key, entry]) => [key, { ...entry, value: redactNode(entry.value, [...path, key], registry) }] as const,
    );
    return mapNode(entries, node.position);
  }
  if (node.kind === 'list')
    return { ...node, items: node.items.map((item, index) => redactNode(item, [...path, String(index)], registry)) };
  if (node.value === null || node.value === '' || !isSecretPath(path, registry)) return node;
  return { kind: 'scalar', value: redacted, position: node.position };
}

function isSecretPath(path: readonly string[], registry: ComponentRegistry): boolean {
  // What people write under `headers` is mostly credentials, whoever reads it.
  if (path.slice(0, -1).includes('headers')) return true;
  const name = path.findLast((step) => !/^\d+$/.test(step)) ?? '';
  if (secretName.test(name) && !harmlessName.test(name)) return true;
  const governed = schemaFor(path, registry);
  return governed !== undefined && isSecretAt(governed.schema, governed.rest);
}

/** The schema that governs a path, and the rest of the path inside it. */
function schemaFor(
  path: readonly string[],
  registry: ComponentRegistry,
): { schema: z.ZodType; rest: readonly string[] } | undefined {
  const [section, id, ...rest] = path;
  if (section === 'service') return { schema: serviceSchema, rest: path.slice(1) };
  const kind = componentKinds.find((candidate) => `${candidate}s` === section);
  const schema = kind === undefined || id === undefined ? undefined : componentSchema(kind, id, registry);
  return schema === undefined ? undefined : { schema, rest };
}

function componentSchema(kind: ComponentKind, id: string, registry: ComponentRegistry): z.ZodType | undefined {
  const parsed = parseComponentId(id);
  return parsed.ok ? registry.find(kind, parsed.value.type)?.configSchema : undefined;
}

/** The tree with the defaults of every configured component and of `service` filled in. */
export function withDefaults(tree: MapNode, registry: ComponentRegistry): MapNode {
  const entries = new Map<string, MapEntry>(tree.entries);
  for (const kind of componentKinds) {
    const section = entries.get(`${kind}s`);
    if (section?.value.kind !== 'map') continue;
    const filled = [...section.value.entries].map(([id, entry]) => {
      const schema = componentSchema(kind, id, registry);
      return [id, schema === undefined ? entry : { ...entry, value: fill(entry.value, schema) }] as const;
    });
    entries.set(`${kind}s`, { ...section, value: mapNode(filled, section.value.position) });
  }
  const service = entries.get('service');
  const written = service?.value ?? mapNode([], defaultPosition);
  entries.set('service', { keyPosition: service?.keyPosition ?? defaultPosition, value: fill(written, serviceSchema) });
  return mapNode(entries, tree.position);
}

function fill(node: ConfigNode, schema: z.ZodType): ConfigNode {
  const fields = fieldsOf(schema);
  const isEmpty = node.kind === 'scalar' && node.value === null;
  if (Object.keys(fields).length === 0 || (node.kind !== 'map' && !isEmpty)) return node;
  const entries = new Map<string, MapEntry>(node.kind === 'map' ? node.entries : []);
  for (const [key, field] of Object.entries(fields)) {
    const written = entries.get(key);
    const isNull = written?.value.kind === 'scalar' && written.value.value === null;
    if (written !== undefined && !isNull) {
      entries.set(key, { ...written, value: fill(written.value, field) });
      continue;
    }
    const value = defaultOf(field);
    if (value === undefined) continue;
    const filled = fill(fromPlainValue(value as PlainValue, defaultPosition), field);
    entries.set(key, { keyPosition: written?.keyPosition ?? defaultPosition, value: filled });
  }
  return mapNode(entries, node.position);
}

/** The tree as the YAML library's nodes, so that origins become comments. */
function shownNode(document: Document, node: ConfigNode, origins: boolean): unknown {
  if (node.kind === 'list') {
    const sequence = document.createNode([]) as unknown as { items: unknown[]; flow?: boolean };
    sequence.items.push(
      ...node.items.map((item) =>
        item.kind === 'scalar'
          ? shownScalar(document, item, 'list')
          : shownNode(document, item, origins && item.kind === 'map'),
      ),
    );
    if (node.items.every((item) => item.kind === 'scalar')) sequence.flow = true;
    return withComment(sequence, node, origins && node.items.every((item) => item.kind === 'scalar'));
  }
  if (node.kind === 'map') {
    const map = document.createNode({}) as unknown as { items: unknown[] };
    for (const [key, { value }] of node.entries)
      map.items.push(document.createPair(shownKey(document, key), shownNode(document, value, origins)));
    return map;
  }
  return withComment(shownScalar(document, node, 'map'), node, origins);
}

/** A scalar that reads back as the same value: dollars escaped, and quoted whenever bare text would mean something else. */
function shownScalar(document: Document, { value, float }: ScalarNode, position: 'list' | 'map'): object {
  // In a map nothing at all says null; in a list it would be no item.
  if (value === null && position === 'list')
    return Object.assign(document.createNode(null) as object, { source: 'null' });
  if (typeof value !== 'string') {
    return Object.assign(document.createNode(value) as object, float === true ? { minFractionDigits: 1 } : {});
  }
  const escaped = value.replace(/\$(?=[${])/g, '$$$$');
  const node = document.createNode(escaped) as { type?: string };
  if (resolveScalar(escaped) !== escaped) node.type = 'QUOTE_DOUBLE';
  return node;
}

function withComment<T extends object>(shown: T, node: ConfigNode, origins: boolean): T {
  if (origins) Object.assign(shown, { comment: ` ${formatPosition(node.position)}` });
  return shown;
}

/** A key; one that would merge maps is quoted. */
function shownKey(document: Document, key: string): object {
  const node = document.createNode(key) as { type?: string };
  if (key === '<<') node.type = 'QUOTE_DOUBLE';
  return node;
}
