import type { ReceiverCounters } from './status.ts';

/**
 * `GET /live`: server-sent events. Each message has `event: ingest` and this as its data; the first is
 * sent at once, then one whenever a count changed, at most four a second, and at least one every 15 s.
 */
export interface IngestEvent {
  readonly atUnixMs: number;
  /** Spans accepted since the program started. */
  readonly acceptedSpansTotal: number;
  /** Over the last full second. */
  readonly acceptedSpansPerSecond: number;
  readonly refusedSpansTotal: number;
  /** Totals by `ReceiverStatus.id` and protocol, as `id protocol`. */
  readonly receivers: Readonly<Record<string, ReceiverCounters>>;
  /** The newest trace that can be opened now, once there is one. */
  readonly newest?: { readonly traceId: string; readonly service?: string; readonly name: string };
}

/** The key of a receiver in `IngestEvent.receivers`. */
export function receiverKey(receiver: { readonly id: string; readonly protocol: string }): string {
  return `${receiver.id} ${receiver.protocol}`;
}
