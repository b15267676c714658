import type { AttributeCursor } from '../batch/attribute-cursor.ts';
import type { SpanCursor } from '../batch/span-cursor.ts';
import { Carrier, CarrierFormat } from '../carrier.ts';
import { SpanKind, StatusCode } from '../otlp-numbers.ts';
import { shownForm, valueText } from '../values/json.ts';
import type { AttributeValue } from '../values/value.ts';

/**
 * What a span *means* where its fields leave it open, derived when it is read. Exporters of other formats spell kind and status
 * as attributes; stored spans keep that spelling.
 */

/** A span's status. */
export interface DerivedStatus {
  readonly code: number;
  readonly message: string;
}

/**
 * Whether a span counts as an error, in search and on maps: its status is error or, when the status is unset, attributes say
 * so (see {@link derivedStatus}). A status of ok overrides them. A 5xx response alone does not count.
 */
export function isErrorSpan(cursor: SpanCursor): boolean {
  return derivedStatus(cursor).code === StatusCode.ERROR;
}

/**
 * The status as sent unless unset; then by the attributes, first match wins: `error` (true, or the text "true"; from Zipkin
 * any value but "false", whose text is the message), `otel.status_code` (text; Go's Jaeger exporter sends 1 for error, 2 for ok).
 */
export function derivedStatus(cursor: SpanCursor): DerivedStatus {
  const { statusCode } = cursor;
  if (statusCode !== StatusCode.UNSET) return { code: statusCode, message: shownMessage(cursor) };
  const { attributes } = cursor;
  const error = attributes.findText('error') ? attributes.decodeValue() : undefined;
  if (error !== undefined && meansError(error, cursor)) {
    return { code: StatusCode.ERROR, message: describedBy(attributes) ?? errorText(error) };
  }
  const named = attributes.findText('otel.status_code') ? attributes.decodeValue() : undefined;
  const code = named === undefined ? StatusCode.UNSET : statusOf(named, cursor);
  const message = shownMessage(cursor);
  return { code, message: message === '' && code !== StatusCode.UNSET ? (describedBy(attributes) ?? '') : message };
}

/** The kind as sent unless unspecified; then by the attribute `span.kind` (client, server, producer, consumer, internal). */
export function derivedKind(cursor: SpanCursor): number {
  if (cursor.kind !== SpanKind.UNSPECIFIED) return cursor.kind;
  if (!cursor.attributes.findText('span.kind')) return SpanKind.UNSPECIFIED;
  return kindsByName.get(cursor.attributes.decodeString()?.toLowerCase() ?? '') ?? SpanKind.UNSPECIFIED;
}

/**
 * The service a span belongs to: `service.name` of its resource, else of the span itself (exporters that put resource
 * attributes on every span). `undefined` when there is none: each API has its own word for that.
 */
export function derivedServiceName(cursor: SpanCursor): string | undefined {
  const name = cursor.decodeServiceName();
  if (name !== undefined && name !== '') return name;
  return cursor.attributes.findText('service.name') ? nonEmpty(cursor.attributes.decodeString()) : undefined;
}

const kindsByName: ReadonlyMap<string, number> = new Map([
  ['internal', SpanKind.INTERNAL],
  ['server', SpanKind.SERVER],
  ['client', SpanKind.CLIENT],
  ['producer', SpanKind.PRODUCER],
  ['consumer', SpanKind.CONSUMER],
]);

function meansError(value: AttributeValue, cursor: SpanCursor): boolean {
  if (value === true) return true;
  if (typeof value !== 'string') return false;
  return isFromZipkin(cursor) ? value !== 'false' : value.toLowerCase() === 'true';
}

function errorText(value: AttributeValue): string {
  return typeof value === 'string' && value.toLowerCase() !== 'true' ? shownForm(value) : '';
}

function statusOf(value: AttributeValue, cursor: SpanCursor): number {
  const text = valueText(value).toUpperCase();
  if (text === 'ERROR' || text === 'STATUS_CODE_ERROR') return StatusCode.ERROR;
  if (text === 'OK' || text === 'STATUS_CODE_OK') return StatusCode.OK;
  if (typeof value !== 'bigint' || !isFromGoJaeger(cursor)) return StatusCode.UNSET;
  return value === 1n ? StatusCode.ERROR : value === 2n ? StatusCode.OK : StatusCode.UNSET;
}

function isFromZipkin(cursor: SpanCursor): boolean {
  const { scopeAttributes } = cursor;
  return scopeAttributes.findText(Carrier.FORMAT) && scopeAttributes.decodeString() === CarrierFormat.ZIPKIN;
}

/** Go's Jaeger exporter numbers statuses the other way round; it is known by its SDK's language or by its client's version. */
function isFromGoJaeger(cursor: SpanCursor): boolean {
  const { resourceAttributes } = cursor;
  if (resourceAttributes.findText('telemetry.sdk.language')) return resourceAttributes.decodeString() === 'go';
  return (
    resourceAttributes.findText('opencensus.exporterversion') &&
    (resourceAttributes.decodeString() ?? '').startsWith('Jaeger-Go')
  );
}

function describedBy(attributes: AttributeCursor): string | undefined {
  return attributes.findText('otel.status_description') ? nonEmpty(attributes.decodeString()) : undefined;
}

function shownMessage(cursor: SpanCursor): string {
  return cursor.batch.strings.text(cursor.statusMessage);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
