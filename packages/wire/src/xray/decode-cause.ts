import { Carrier } from '@clew/model';
import type { AttributeValue, KeyValue } from '@clew/model';
import { AttributeBag } from './attribute-bag.ts';
import { jsonText } from './json-print.ts';
import { JsonObject, equalJson, isJsonArray } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { pruned, removeAt, valueAt } from './json-paths.ts';
import { exceptionMembers } from './members.ts';
import { framesOfStackText, stackText } from './stack-text.ts';
import { takeAttribute } from './take-attribute.ts';

const exceptionsPath = ['cause', 'exceptions'] as const;

/** Takes the exceptions of a segment: the attributes of one `exception` event each. A list with anything but objects stays. */
export function takeExceptions(segment: JsonObject): readonly (readonly KeyValue[])[] {
  const list = valueAt(segment, exceptionsPath);
  if (!isJsonArray(list)) return [];
  const exceptions = list.filter((entry) => entry instanceof JsonObject);
  if (exceptions.length < list.length) return [];
  removeAt(segment, exceptionsPath);
  return exceptions.map(exceptionAttributes);
}

function exceptionAttributes(exception: JsonObject): readonly KeyValue[] {
  const attributes: KeyValue[] = [];
  const add = (key: string, value: AttributeValue) => attributes.push({ key, value });
  for (const { path, key } of exceptionMembers) {
    const value = takeAttribute(exception, path);
    if (value !== undefined) add(key, value);
  }
  const stack = exception.get('stack');
  if (isJsonArray(stack) && stack.length > 0) {
    exception.members.delete('stack');
    const head = new AttributeBag(attributes);
    const text = stackText(head.peekText('exception.type'), head.peekText('exception.message'), stack);
    add('exception.stacktrace', text);
    if (!equalJson(framesOfStackText(text), stack)) add(Carrier.XRAY_STACK, jsonText(stack));
  }
  addRest(attributes, exception);
  return attributes;
}

/** Keeps what is left of an object as a carrier attribute. */
export function addRest(attributes: KeyValue[], left: Json): void {
  const rest = pruned(left);
  if (rest !== undefined) attributes.push({ key: Carrier.XRAY_REST, value: jsonText(rest) });
}
