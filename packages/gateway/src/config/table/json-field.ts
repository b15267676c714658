import type { KdlNode, KdlScalar, KdlValue } from '../../kdl/node.ts';
import type { JsonValue } from '../model/agent.ts';
import { describe, lastUse } from './field.ts';
import type { FieldOptions } from './field.ts';
import type { OptionalField, Reader } from './reader.ts';

/**
 * A block with settings of somebody else's, as JSON: properties and children make an object, several values an array, one
 * value itself, and a bare name `true`.
 */
export function json(name: string, options: FieldOptions): OptionalField<JsonValue> {
  return {
    ...describe(name, options, { type: 'a block of any settings', required: false }),
    optional: true,
    read(uses, _owner, reader) {
      const use = lastUse(uses, reader);
      return use === undefined ? undefined : toJson(use, reader);
    },
  };
}

function toJson(node: KdlNode, reader: Reader): JsonValue {
  const members = [
    ...node.properties.map((property) => [property.name, scalar(property.value, reader), property.position] as const),
    ...node.children.map((inner) => [inner.name, toJson(inner, reader), inner.position] as const),
  ];
  if (members.length === 0) {
    const values = node.arguments.map((value) => scalar(value, reader));
    if (values.length === 0) return true;
    return values.length === 1 ? values[0]! : values;
  }
  const ignored = node.arguments[0];
  if (ignored !== undefined) {
    const message = `${node.name} has settings and values; JSON has room for the settings only, ${ignored.text} is ignored`;
    reader.warn('extra_value', message, ignored.position);
  }
  const seen = new Set<string>();
  for (const [key, , position] of members) {
    if (seen.has(key)) reader.warn('repeated', `${key} is set again in ${node.name}; the last one counts`, position);
    seen.add(key);
  }
  return Object.fromEntries(members.map(([key, value]) => [key, value]));
}

function scalar({ value, text, position }: KdlValue, reader: Reader): KdlScalar {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    reader.error('wrong_type', `JSON has no ${text}; write a number, or text between quotes`, position);
    return null;
  }
  return value;
}
