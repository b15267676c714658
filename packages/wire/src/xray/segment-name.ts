import { SpanKind } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import type { AttributeBag } from './attribute-bag.ts';
import { textOfValue } from './attribute-text.ts';
import { hostOfSqlUrl } from './sql-url.ts';

/** What X-Ray calls a span, and where that came from. */
export interface SegmentName {
  readonly name: string;
  /** Whether the name is that of something the span called. */
  readonly isRemote: boolean;
}

const MAX_NAME_LENGTH = 200;

/** Spans of the local root are also services when they are internal. */
export const LOCAL_ROOT = 'LOCAL_ROOT';

/**
 * Segments are called by what they are a part of, unlike spans, which are called by what they do: the first of the attributes that tell
 * the service, else the span's name.
 */
export function segmentName(span: PlainSpan, bag: AttributeBag, resource: AttributeBag): SegmentName {
  const candidate = localName(span, bag) ?? remoteName(span, bag, resource);
  return { name: cleanName(candidate?.name ?? span.name), isRemote: candidate?.isRemote ?? false };
}

function localName(span: PlainSpan, bag: AttributeBag): SegmentName | undefined {
  const isService =
    span.kind === SpanKind.SERVER || (span.kind === SpanKind.INTERNAL && bag.peek('aws.span.kind') === LOCAL_ROOT);
  const name = isService ? bag.peekText('aws.local.service') : undefined;
  return name === undefined ? undefined : { name, isRemote: false };
}

function remoteName(span: PlainSpan, bag: AttributeBag, resource: AttributeBag): SegmentName | undefined {
  const isServer = span.kind === SpanKind.SERVER;
  const remote = isDependency(span.kind) ? bag.peekText('aws.remote.service') : undefined;
  const called =
    (remote === undefined ? undefined : withoutSdkPrefix(remote, bag)) ??
    bag.peekText('peer.service') ??
    bag.peekText('service.peer.name') ??
    bag.peekText('aws.service') ??
    databaseName(bag);
  if (called !== undefined) return { name: called, isRemote: true };
  const own = isServer ? resource.peekText('service.name') : undefined;
  if (own !== undefined) return { name: own, isRemote: false };
  const peer = ['rpc.service', 'http.host', 'net.peer.name', ...(isServer ? [] : ['server.address'])];
  const name = peer.map((key) => bag.peekText(key)).find((text) => text !== undefined);
  return name === undefined ? undefined : { name, isRemote: true };
}

/** Whether spans of this kind stand for a call of something else. */
export function isDependency(kind: number): boolean {
  return kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER || kind === SpanKind.CONSUMER;
}

/** Whether the span is one of an AWS SDK's. */
export function isAwsSdk(bag: AttributeBag): boolean {
  return bag.peek('rpc.system') === 'aws-api' || bag.peek('rpc.system.name') === 'aws-api';
}

function withoutSdkPrefix(name: string, bag: AttributeBag): string {
  return isAwsSdk(bag) ? name.replace(/^(?:AWS\.SDK\.|AWS::)/, '') : name;
}

function databaseName(bag: AttributeBag): string | undefined {
  const name = textOfValue(bag.peek('db.namespace')) ?? textOfValue(bag.peek('db.name'));
  if (name === undefined) return undefined;
  const connection = bag.peekText('db.connection_string');
  const host = (connection === undefined ? undefined : hostOfSqlUrl(connection)) ?? bag.peekText('server.address');
  return host === undefined ? name : `${name}@${host}`;
}

/** The characters X-Ray allows in names, at most 200 of them. */
export function cleanName(name: string): string {
  const clean = name.replace(/[^\p{L}\p{N}\s_.:/%&#=+,\-@]/gu, '');
  const cut = Array.from(clean.slice(0, MAX_NAME_LENGTH * 2))
    .slice(0, MAX_NAME_LENGTH)
    .join('');
  return cut === '' ? 'span' : cut;
}
