import { NameTable } from '../json/name-table.ts';

/** Tags that stand for a field of a span, numbered for {@link SPECIAL_TAGS}; what each means is in `tag-mapping.ts`. */
export const SpecialTag = Object.freeze({
  ERROR: 1,
  STATUS_CODE: 2,
  STATUS_DESCRIPTION: 3,
  SPAN_KIND: 4,
  TRACE_STATE: 5,
  LIBRARY_NAME: 6,
  LIBRARY_VERSION: 7,
  SERVICE_NAME_SOURCE: 8,
  CENSUS_CODE: 9,
  CENSUS_DESCRIPTION: 10,
  OPENCENSUS_DESCRIPTION: 11,
  HTTP_STATUS: 12,
} as const);

/** One more than the highest number in {@link SpecialTag}. */
export const SPECIAL_TAG_END = 13;

/** The keys of special tags. */
export const TagKey = Object.freeze({
  ERROR: 'error',
  STATUS_CODE: 'otel.status_code',
  STATUS_DESCRIPTION: 'otel.status_description',
  SPAN_KIND: 'span.kind',
  TRACE_STATE: 'w3c.tracestate',
  LIBRARY_NAME: 'otel.library.name',
  LIBRARY_VERSION: 'otel.library.version',
  SERVICE_NAME_SOURCE: 'otlp.service.name.source',
  LINK_PREFIX: 'otlp.link.',
} as const);

export const SPECIAL_TAGS: NameTable = new NameTable({
  [TagKey.ERROR]: SpecialTag.ERROR,
  [TagKey.STATUS_CODE]: SpecialTag.STATUS_CODE,
  [TagKey.STATUS_DESCRIPTION]: SpecialTag.STATUS_DESCRIPTION,
  [TagKey.SPAN_KIND]: SpecialTag.SPAN_KIND,
  [TagKey.TRACE_STATE]: SpecialTag.TRACE_STATE,
  [TagKey.LIBRARY_NAME]: SpecialTag.LIBRARY_NAME,
  [TagKey.LIBRARY_VERSION]: SpecialTag.LIBRARY_VERSION,
  [TagKey.SERVICE_NAME_SOURCE]: SpecialTag.SERVICE_NAME_SOURCE,
  'census.status_code': SpecialTag.CENSUS_CODE,
  'census.status_description': SpecialTag.CENSUS_DESCRIPTION,
  'opencensus.status_description': SpecialTag.OPENCENSUS_DESCRIPTION,
  'http.status_code': SpecialTag.HTTP_STATUS,
});

/** Resource attributes a service name may come from, in the order encoders look for one. */
export const SERVICE_NAME_SOURCES: readonly string[] = [
  'service.name',
  'faas.name',
  'k8s.deployment.name',
  'process.executable.name',
];

/** Attributes an endpoint's parts are kept in: keys of the current conventions, then older ones encoders accept too. */
export const EndpointKey = Object.freeze({
  LOCAL_ADDRESS: 'network.local.address',
  LOCAL_PORT: 'net.host.port',
  PEER_SERVICE: 'service.peer.name',
  PEER_ADDRESS: 'network.peer.address',
  PEER_PORT: 'net.peer.port',
  OLD_LOCAL_ADDRESS: 'net.host.ip',
  OLD_PEER_SERVICE: 'peer.service',
  OLD_PEER_ADDRESS: 'net.peer.ip',
} as const);

/** Attribute, bool, of a span that was sent without a timestamp. */
export const ABSENT_START = 'otel.zipkin.absentField.startTime';

/** Links a span can have in tags. */
export const MAX_LINK_TAGS = 128;

/** The number of the link whose tag has the key in `bytes[start, end)`, or -1 when it is no such key. */
export function linkNumber(bytes: Uint8Array, start: number, end: number): number {
  const prefix = TagKey.LINK_PREFIX.length;
  const digits = end - start - prefix;
  if (digits < 1 || digits > 3 || !startsWith(bytes, start, TagKey.LINK_PREFIX)) return -1;
  let value = 0;
  for (let i = start + prefix; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  const isCanonical = digits === 1 || bytes[start + prefix] !== 0x30;
  return isCanonical && value < MAX_LINK_TAGS ? value : -1;
}

function startsWith(bytes: Uint8Array, start: number, ascii: string): boolean {
  for (let i = 0; i < ascii.length; i++) if (bytes[start + i] !== ascii.charCodeAt(i)) return false;
  return true;
}

/** Whether `bytes[start, start + length)` is `ascii`. */
export function isText(bytes: Uint8Array, start: number, length: number, ascii: string): boolean {
  return length === ascii.length && startsWith(bytes, start, ascii);
}
