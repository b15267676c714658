import { isCarrierKey } from '@clew/model';
import type { AttributeValue, KeyValue, PlainSpan } from '@clew/model';
import type { AttributeBag } from './attribute-bag.ts';
import { textsOfValue } from './attribute-text.ts';
import { addMetadata } from './metadata.ts';
import { ANNOTATIONS_KEY, METADATA_PREFIX } from './members.ts';
import { JsonObject } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { mergeInto, objectIn } from './json-paths.ts';
import { jsonOfAttribute, jsonOfText } from './json-values.ts';

/** Which attributes become annotations, which X-Ray indexes, instead of metadata, which it does not. */
export interface IndexOptions {
  /** Keys; those of the resource with `otel.resource.` before them. */
  readonly indexedAttributes: readonly string[];
  readonly indexAllAttributes: boolean;
}

const RESOURCE_PREFIX = 'otel.resource.';

/** Adds what no member of X-Ray took: annotations and metadata. */
export function addAttributes(
  segment: JsonObject,
  span: PlainSpan,
  bag: AttributeBag,
  resource: readonly KeyValue[],
  { indexedAttributes, indexAllAttributes }: IndexOptions,
): void {
  const indexed = new Set([...indexedAttributes, ...textsOfValue(bag.take(ANNOTATIONS_KEY))]);
  const add = (key: string, value: AttributeValue) => {
    if (isCarrierKey(key) || value === null) return;
    if (isAnnotation(value) && (indexAllAttributes || indexed.has(key))) annotate(segment, key, value);
    else if (key.startsWith(METADATA_PREFIX)) addNamespace(segment, key, value);
    else addMetadata(segment, key, jsonOfAttribute(value));
  };
  for (const { key, value } of resource) add(RESOURCE_PREFIX + key, value);
  const left = new Set<string>();
  for (const [key, value] of bag.rest()) {
    left.add(key);
    add(key, value);
  }
  // What is indexed by name is annotated even when another member of the segment has it too.
  for (const { key, value } of span.attributes) {
    if (indexed.has(key) && !left.has(key) && isAnnotation(value)) annotate(segment, key, value);
  }
}

/** X-Ray takes texts, numbers and truth values. */
function isAnnotation(value: AttributeValue): boolean {
  return typeof value === 'number' ? Number.isFinite(value) : value !== null && typeof value !== 'object';
}

/** Annotation keys have letters, digits, `_` and `.` only. */
function annotate(segment: JsonObject, key: string, value: AttributeValue): void {
  objectIn(segment, 'annotations').set(key.replace(/[^A-Za-z0-9_.]/g, '_'), jsonOfAttribute(value));
}

/** `aws.xray.metadata.<namespace>` holds a namespace as JSON; what is no object goes where other attributes go. */
function addNamespace(segment: JsonObject, key: string, value: AttributeValue): void {
  const json: Json | undefined = typeof value === 'string' ? jsonOfText(value) : undefined;
  if (!(json instanceof JsonObject)) addMetadata(segment, key, jsonOfAttribute(value));
  else mergeInto(objectIn(objectIn(segment, 'metadata'), key.slice(METADATA_PREFIX.length)), json);
}
