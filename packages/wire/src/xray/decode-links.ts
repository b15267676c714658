import type { KeyValue, PlainLink } from '@clew/model';
import { addRest } from './decode-cause.ts';
import { parseSegmentId, parseXrayTraceId } from './ids.ts';
import { JsonObject, isJsonArray } from './json-tree.ts';
import type { Json } from './json-tree.ts';
import { takeAttributes } from './take-attribute.ts';

/** Takes the links of a segment. A list with anything but links to spans stays. */
export function takeLinks(segment: JsonObject): readonly PlainLink[] {
  const list = segment.get('links');
  if (!isJsonArray(list) || !list.every(isLink)) return [];
  segment.members.delete('links');
  return list.map(linkOf);
}

function isLink(entry: Json): entry is JsonObject {
  return entry instanceof JsonObject && idsOf(entry) !== undefined;
}

function idsOf(link: JsonObject): Pick<PlainLink, 'traceId' | 'spanId'> | undefined {
  const trace = link.get('trace_id');
  const span = link.get('id');
  const traceId = typeof trace === 'string' ? parseXrayTraceId(trace) : undefined;
  const spanId = typeof span === 'string' ? parseSegmentId(span) : undefined;
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

function linkOf(link: JsonObject): PlainLink {
  const ids = idsOf(link)!;
  link.members.delete('trace_id');
  link.members.delete('id');
  const attributes: KeyValue[] = [];
  takeAttributes(link.get('attributes'), (key, value) => attributes.push({ key, value }));
  addRest(attributes, link);
  return { ...ids, traceState: '', flags: 0, attributes, droppedAttributes: 0 };
}
