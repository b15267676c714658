import { JsonObject } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { objectIn } from './json-paths.ts';

/** The metadata namespace that values without a namespace are put in, and the one used when that is no object. */
const NAMESPACES = ['default', 'otel'] as const;

/** Puts a value that has no place of its own in X-Ray into a segment's metadata. */
export function addMetadata(segment: JsonObject, key: string, value: Json): void {
  const metadata = objectIn(segment, 'metadata');
  const taken = metadata.get(NAMESPACES[0]);
  const namespace = taken === undefined || taken instanceof JsonObject ? NAMESPACES[0] : NAMESPACES[1];
  objectIn(metadata, namespace).set(key, value);
}
