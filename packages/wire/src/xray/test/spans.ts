import { SpanKind, fromPlain, keyValues, plainResource, plainSpan, unixNano } from '@clew/model';
import type { AttributeValue, PlainSpanInput } from '@clew/model';
import type { EncodeSegmentsOptions } from '../encode-segments.ts';
import { encodedDocuments } from './documents.ts';

/* Spans of other formats, for tests of how they are written. */

/** Attributes by key. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What every span below has. */
export const base = {
  traceId: '581cf771a006649127e371903a2de979',
  spanId: '70de5b6f19ff9a0a',
  startUnixNano: 1_478_293_361_271_000_000n,
  endUnixNano: 1_478_293_361_449_000_000n,
  name: 'GET /users',
} satisfies PlainSpanInput;

/** A batch of one span of a resource with these attributes. */
export function batchOf(span: Partial<PlainSpanInput>, resource: Attributes = {}) {
  return fromPlain([plainSpan({ ...base, resource: plainResource(resource), ...span })]);
}

/** The documents of such a span. */
export function documentsOf(
  span: Partial<PlainSpanInput>,
  resource: Attributes = {},
  options: EncodeSegmentsOptions = {},
) {
  return encodedDocuments(batchOf(span, resource), options);
}

/** The one document of a span. */
export function documentOf(...args: Parameters<typeof documentsOf>): Record<string, unknown> {
  const [document, ...others] = documentsOf(...args);
  if (document === undefined || others.length > 0) throw new Error('the span is not one document');
  return document;
}

/** A span that calls something, with a parent. */
export const client = (attributes: Attributes, more: Partial<PlainSpanInput> = {}) => ({
  kind: SpanKind.CLIENT,
  parentSpanId: '53995c3f42cd8ad8',
  attributes,
  ...more,
});
/** A span that serves, without a parent. */
export const server = (attributes: Attributes, more: Partial<PlainSpanInput> = {}) => ({
  kind: SpanKind.SERVER,
  attributes,
  ...more,
});

/** An `exception` event. */
export function exceptionEvent(attributes: Attributes) {
  return { timeUnixNano: unixNano(1n), name: 'exception', attributes: keyValues(attributes), droppedAttributes: 0 };
}

/** A link without attributes. */
export const noLink = {
  traceId: '5759e988bd862e3fe1be46a994272793',
  spanId: '53995c3f42cd8ad8',
  traceState: '',
  flags: 0,
  attributes: [],
  droppedAttributes: 0,
} as unknown as NonNullable<PlainSpanInput['links']>[number];
