import { AttributeTag, intHead, textHead } from './span-bytes.ts';

/** Attribute keys of the gateway's spans, as far as they can be written beforehand. */

const textKeys = [
  'http.method',
  'http.target',
  'service.name',
  'peer.service',
  'http.request.method',
  'http.route',
  'url.path',
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
export const text: Readonly<Record<(typeof textKeys)[number], Uint8Array>> = heads(textKeys, textHead);

/** What attributes of integers begin with. */
export const int: Readonly<Record<(typeof intKeys)[number], Uint8Array>> = heads(intKeys, intHead);

/** The one attribute of events. */
export const exceptionMessage: Uint8Array = textHead(AttributeTag.EVENT, 'exception.message');

function heads<K extends string>(
  keys: readonly K[],
  headOf: (tag: number, key: string) => Uint8Array,
): Readonly<Record<K, Uint8Array>> {
  const entries = keys.map((key) => [key, headOf(AttributeTag.SPAN, key)]);
  return Object.freeze(Object.fromEntries(entries) as Record<K, Uint8Array>);
}
