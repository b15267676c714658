import type { SpanBatch } from '@clew/model';

/**
 * Attribute keys of the gateway's spans. Every batch is opened by interning them in this order, so that a key's index in the batch
 * is known beforehand: `key['http.method']`.
 */
const keyNames = [
  'http.method',
  'http.target',
  'http.status_code',
  'service.name',
  'peer.service',
  'http.request.method',
  'http.request.resend_count',
  'http.response.status_code',
  'http.route',
  'url.path',
  'url.scheme',
  'url.full',
  'server.address',
  'server.port',
  'client.address',
  'user_agent.original',
  'network.protocol.version',
  'error.type',
  'gateway.route.id',
  'gateway.correlation_id',
  'gateway.upstream.id',
  'gateway.upstream.attempts',
  'gateway.agent.id',
  'gateway.agent.event',
  'gateway.agent.decision',
  'gateway.agent.transport',
  'gateway.agent.failure_mode',
  'exception',
  'exception.message',
] as const;

export type SpanKey = (typeof keyNames)[number];

/** The index of each key in every batch opened by {@link internKeys}; 0 is the empty string's. */
export const key: Readonly<Record<SpanKey, number>> = Object.freeze(
  Object.fromEntries(keyNames.map((name, index) => [name, index + 1])) as Record<SpanKey, number>,
);

/** Puts all keys into an empty batch. */
export function internKeys(batch: SpanBatch): void {
  for (const name of keyNames) batch.strings.internText(name);
}
