import { StatusCode, ValueType } from '@clew/model';
import type { AttributeTable, SpanBatch } from '@clew/model';
import { isText } from './special-tags.ts';

/**
 * How a span's status travels in tags. Encoders write, for what the span does not already carry as an attribute:
 *
 * - `error` = `true` when the status is an error;
 * - `otel.status_code` and `otel.status_description`, unless the `error` tag says all there is to say. It can only do so for
 *   spans that came from Zipkin, as Zipkin's own clients know no other tag.
 *
 * Decoders take a tag away only when it is one an encoder would write again; both therefore ask {@link derivedStatusTags}.
 */

/** What the attribute `error` of a span says. */
export interface ErrorTag {
  /** Attributes with the key. */
  count: number;
  /** Whether the last of them means an error: any value but false. */
  isError: boolean;
  /** Where in the batch's heap the message of the last of them is; empty for `true` and for what is no text. */
  messageAt: number;
  messageLength: number;
}

/** Reads attribute `row` into `tag`, as one more of its key. */
export function readErrorTag(batch: SpanBatch, table: AttributeTable, row: number, tag: ErrorTag): void {
  const type = table.types[row];
  const at = table.lo[row]!;
  const length = table.hi[row]!;
  tag.count++;
  tag.messageAt = 0;
  tag.messageLength = 0;
  if (type === ValueType.BOOL) {
    tag.isError = at !== 0;
    return;
  }
  tag.isError = type !== ValueType.STRING || !isText(batch.heap, at, length, 'false');
  if (!tag.isError || type !== ValueType.STRING || isText(batch.heap, at, length, 'true')) return;
  tag.messageAt = at;
  tag.messageLength = length;
}

/** Tags an encoder derives from a status, as bits of {@link derivedStatusTags}. */
export const DerivedTag = Object.freeze({ ERROR: 1, CODE: 2, DESCRIPTION: 4 } as const);

/**
 * The tags to write for a status, but for those the span carries itself. `message` is the index of the status message,
 * `fromZipkin` whether the span came in a Zipkin format.
 */
export function derivedStatusTags(
  batch: SpanBatch,
  code: number,
  message: number,
  error: ErrorTag,
  fromZipkin: boolean,
): number {
  const isError = code === StatusCode.ERROR;
  let tags = isError && error.count === 0 ? DerivedTag.ERROR : 0;
  if (fromZipkin && isError && errorTagSaysAll(batch, message, error)) return tags;
  if (isError || code === StatusCode.OK) tags |= DerivedTag.CODE;
  if (message !== 0) tags |= DerivedTag.DESCRIPTION;
  return tags;
}

/** Whether a reader who sees nothing but the `error` tag (one of `true` when there is none yet) gets this message. */
function errorTagSaysAll(batch: SpanBatch, message: number, error: ErrorTag): boolean {
  if (error.count === 0) return message === 0;
  if (error.count > 1 || !error.isError) return false;
  return batch.strings.equals(message, batch.heap, error.messageAt, error.messageAt + error.messageLength);
}

/** What encoders write as `otel.status_code`. */
export const STATUS_CODE_TEXTS: Readonly<Record<number, string>> = {
  [StatusCode.OK]: 'STATUS_CODE_OK',
  [StatusCode.ERROR]: 'STATUS_CODE_ERROR',
};

const STATUS_TEXTS = new Map<string, StatusCode>([
  ['unset', StatusCode.UNSET],
  ['ok', StatusCode.OK],
  ['error', StatusCode.ERROR],
]);

/** The status a text under `otel.status_code` means, in any of the spellings clients use; `undefined` for others. */
export function statusOfText(bytes: Uint8Array, start: number, length: number): StatusCode | undefined {
  if (length > 17) return undefined;
  const text = String.fromCharCode(...bytes.subarray(start, start + length)).toLowerCase();
  return STATUS_TEXTS.get(text.startsWith('status_code_') ? text.slice(12) : text);
}
