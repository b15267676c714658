import { NameTable } from '../json/name-table.ts';

// The members of the OTLP messages, numbered as in protobuf.
export const REQUEST_NAMES: NameTable = new NameTable({ resourceSpans: 1 });
export const RESOURCE_SPANS_NAMES: NameTable = new NameTable({ resource: 1, scopeSpans: 2, schemaUrl: 3 });
export const SCOPE_SPANS_NAMES: NameTable = new NameTable({ scope: 1, spans: 2, schemaUrl: 3 });
export const RESOURCE_NAMES: NameTable = new NameTable({ attributes: 1, droppedAttributesCount: 2, entityRefs: 3 });
export const ENTITY_REF_NAMES: NameTable = new NameTable({ schemaUrl: 1, type: 2, idKeys: 3, descriptionKeys: 4 });
export const SCOPE_NAMES: NameTable = new NameTable({ name: 1, version: 2, attributes: 3, droppedAttributesCount: 4 });
export const SPAN_NAMES: NameTable = new NameTable({
  traceId: 1,
  spanId: 2,
  traceState: 3,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  startTimeUnixNano: 7,
  endTimeUnixNano: 8,
  attributes: 9,
  droppedAttributesCount: 10,
  events: 11,
  droppedEventsCount: 12,
  links: 13,
  droppedLinksCount: 14,
  status: 15,
  flags: 16,
});
export const EVENT_NAMES: NameTable = new NameTable({
  timeUnixNano: 1,
  name: 2,
  attributes: 3,
  droppedAttributesCount: 4,
});
export const LINK_NAMES: NameTable = new NameTable({
  traceId: 1,
  spanId: 2,
  traceState: 3,
  attributes: 4,
  droppedAttributesCount: 5,
  flags: 6,
});
export const STATUS_NAMES: NameTable = new NameTable({ message: 2, code: 3 });
export const KEY_VALUE_NAMES: NameTable = new NameTable({ key: 1, value: 2 });
export const ANY_VALUE_NAMES: NameTable = new NameTable({
  stringValue: 1,
  boolValue: 2,
  intValue: 3,
  doubleValue: 4,
  arrayValue: 5,
  kvlistValue: 6,
  bytesValue: 7,
});
export const VALUES_NAMES: NameTable = new NameTable({ values: 1 });

/** Names of span kinds; the number is one more than the enum's, as 0 means unknown. */
export const SPAN_KIND_NAMES: NameTable = new NameTable({
  SPAN_KIND_UNSPECIFIED: 1,
  SPAN_KIND_INTERNAL: 2,
  SPAN_KIND_SERVER: 3,
  SPAN_KIND_CLIENT: 4,
  SPAN_KIND_PRODUCER: 5,
  SPAN_KIND_CONSUMER: 6,
});
/** Names of status codes; the number is one more than the enum's. */
export const STATUS_CODE_NAMES: NameTable = new NameTable({
  STATUS_CODE_UNSET: 1,
  STATUS_CODE_OK: 2,
  STATUS_CODE_ERROR: 3,
});
