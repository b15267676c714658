import { AttributeTag, intHead, textStart } from './text-start.ts';
import type { TextStart } from './text-start.ts';

/** Attribute keys of the gateway's spans, as far as they can be written beforehand. */

const textKeys = [
  'http.method',
  'http.target',
  'service.name',
  'peer.service',
  'http.request.method',
  'http.route',
  'url.path',
  'url.query',
  'url.scheme',
  'url.full',
  'server.address',
  'client.address',
  'user_agent.original',
  'network.protocol.version',
  'error.type',
  'gateway.route.id',
  'gateway.correlation_id',
  'gateway.upstream.id',
  'gateway.agent.id',
  'gateway.agent.event',
  'gateway.agent.decision',
  'gateway.agent.transport',
  'gateway.agent.failure_mode',
] as const;

const intKeys = [
  'http.status_code',
  'http.request.resend_count',
  'http.response.status_code',
  'server.port',
  'gateway.upstream.attempts',
] as const;

/** What attributes of text begin with. */
export const text: Readonly<Record<(typeof textKeys)[number], TextStart>> = beginnings(textKeys, textStart);

/** What attributes of integers begin with. */
export const int: Readonly<Record<(typeof intKeys)[number], Uint8Array>> = beginnings(intKeys, intHead);

/** The one attribute of events. */
export const exceptionMessage: TextStart = textStart(AttributeTag.EVENT, 'exception.message');

function beginnings<K extends string, B>(
  keys: readonly K[],
  beginningOf: (tag: number, key: string) => B,
): Readonly<Record<K, B>> {
  const entries = keys.map((key) => [key, beginningOf(AttributeTag.SPAN, key)]);
  return Object.freeze(Object.fromEntries(entries) as Record<K, B>);
}
