import { ValueType } from '../batch/attribute-table.ts';
import type { SpanCursor } from '../batch/span-cursor.ts';
import { StatusCode } from '../otlp-numbers.ts';

/**
 * Whether a span counts as failed, in search, on maps and in views: its status is error, or it has an attribute `error` that is true or the
 * text `true`, as OpenTracing's conventions have it. A 5xx response alone does not count. The store derives the same when spans arrive.
 */
export function isErrorSpan(cursor: SpanCursor): boolean {
  if (cursor.statusCode === StatusCode.ERROR) return true;
  const { attributes } = cursor;
  if (!attributes.findText('error')) return false;
  const { key } = attributes;
  attributes.rewind();
  while (attributes.next()) {
    if (attributes.key !== key) continue;
    if (attributes.type === ValueType.BOOL ? attributes.lo === 1 : attributes.decodeString() === 'true') return true;
  }
  return false;
}
