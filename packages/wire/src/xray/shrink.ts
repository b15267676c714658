import { JsonNumber, JsonObject, isJsonArray } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { valueAt } from './json-paths.ts';
import { printJson } from './json-print.ts';

/** What is left out of a document that is too large, in this order, until it fits. */
export type ShrinkStep = 'metadata' | 'stacks' | 'links' | 'long_texts' | 'annotations' | 'exceptions';

/** A document that fits, with what had to be left out; no bytes when it cannot be made to fit. */
export interface Shrunk {
  readonly bytes: Uint8Array | undefined;
  readonly dropped: readonly ShrinkStep[];
}

const MAX_TEXT_LENGTH = 500;

/** Each takes something away and says whether there was anything to take. */
const steps: readonly (readonly [ShrinkStep, (segment: JsonObject, excessBytes: number) => boolean])[] = [
  ['metadata', dropNamespaces],
  ['stacks', dropStacks],
  ['links', (segment) => segment.members.delete('links')],
  ['long_texts', (segment) => cutTexts(segment)],
  ['annotations', (segment) => segment.members.delete('annotations')],
  ['exceptions', (segment) => segment.members.delete('cause')],
];

/** Prints a segment in at most `maxBytes`, leaving out what it must; the segment is changed. */
export function printWithin(segment: JsonObject, maxBytes: number): Shrunk {
  const dropped: ShrinkStep[] = [];
  let bytes = printJson(segment);
  for (const [name, step] of steps) {
    while (bytes.length > maxBytes && step(segment, bytes.length - maxBytes)) {
      if (dropped.at(-1) !== name) dropped.push(name);
      bytes = printJson(segment);
    }
  }
  return { bytes: bytes.length > maxBytes ? undefined : bytes, dropped };
}

/** Drops the largest namespaces, as few as make up for what is too much. */
function dropNamespaces({ members }: JsonObject, excessBytes: number): boolean {
  const metadata = members.get('metadata');
  if (!(metadata instanceof JsonObject)) return members.delete('metadata');
  const sizes = [...metadata.members].map(([namespace, value]) => ({ namespace, bytes: printJson(value).length }));
  let left = excessBytes;
  for (const { namespace, bytes } of sizes.sort((a, b) => b.bytes - a.bytes)) {
    if (left <= 0) break;
    metadata.members.delete(namespace);
    left -= bytes;
  }
  return metadata.members.size > 0 || members.delete('metadata');
}

/** X-Ray's own word for frames left out is `truncated`, their number. */
function dropStacks(segment: JsonObject): boolean {
  const exceptions = valueAt(segment, ['cause', 'exceptions']);
  let any = false;
  for (const exception of isJsonArray(exceptions) ? exceptions : []) {
    if (!(exception instanceof JsonObject)) continue;
    const stack = exception.get('stack');
    if (!isJsonArray(stack)) continue;
    const before = exception.get('truncated');
    const more = before instanceof JsonNumber ? Number(before.text) : 0;
    exception.members.delete('stack');
    exception.set('truncated', new JsonNumber(String(stack.length + Math.max(0, Math.trunc(more) || 0))));
    any = true;
  }
  return any;
}

/** Cuts every long text below `object`; ids and names are never that long. */
function cutTexts(object: JsonObject): boolean {
  let any = false;
  for (const [name, value] of object.members) {
    const cut = cutText(value);
    if (cut === value) continue;
    object.set(name, cut);
    any = true;
  }
  return any;
}

/** The value itself when there is nothing to cut. */
function cutText(value: Json): Json {
  if (typeof value === 'string') {
    return value.length > MAX_TEXT_LENGTH
      ? `${value.slice(0, MAX_TEXT_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…`
      : value;
  }
  if (value instanceof JsonObject) {
    const copy = new JsonObject(value.members, value.offset);
    return cutTexts(copy) ? copy : value;
  }
  if (!isJsonArray(value)) return value;
  const cut = value.map(cutText);
  return cut.some((element, at) => element !== value[at]) ? cut : value;
}
