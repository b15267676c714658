import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { currentSchema } from '../schema/tables.ts';
import { dropPartition, listPartitions, type Partition } from './partitions.ts';

/** What to keep. Nothing is dropped for a limit that is left out. */
export interface RetentionPolicy {
  /** Days whose last moment is older than this are dropped; milliseconds. Setting `clew_storage.retention.max_age`. */
  readonly maxAgeMs?: number;
  /** The oldest days are dropped until all tables together have at most this many bytes. Setting `clew_storage.retention.max_bytes`. */
  readonly maxBytes?: number;
}

/** What a run did. */
export interface RetentionResult {
  /** Days since 1970 that were dropped, oldest first. */
  readonly days: readonly number[];
  readonly spans: bigint;
  readonly bytes: bigint;
  /** Bytes of all tables afterwards. */
  readonly bytesLeft: bigint;
  /** True when only the newest day is left and it alone is over the limit: nothing more can be dropped. */
  readonly overLimit: boolean;
}

const DAY_MS = 86_400_000;
/** What is dropped last: spans must never be left without what they refer to. */
const dropLast = new Set(['resources', 'tag_keys']);

/**
 * Drops whole days, oldest first, from every table: by age, then by bytes. Rows are never deleted one by one. Safe to repeat after an
 * interruption: a day of which only some tables were dropped is dropped whole by the next run.
 */
export async function applyRetention(
  client: SqlClient,
  policy: RetentionPolicy,
  nowUnixMs: number,
): Promise<RetentionResult> {
  if (policy.maxAgeMs !== undefined && !(policy.maxAgeMs > 0)) {
    throw new StoreError(
      'invalid_argument',
      `apply retention: max_age ${policy.maxAgeMs} ms must be positive (clew_storage.retention.max_age)`,
    );
  }
  const byDay = Map.groupBy(await listPartitions(client, currentSchema), (partition) => partition.day);
  const days = [...byDay.keys()];
  let bytesLeft = sum([...byDay.values()].flat());
  const dropped: number[] = [];
  let spans = 0n;
  let bytes = 0n;
  for (const day of days) {
    const partitions = byDay.get(day)!;
    const isTooOld = policy.maxAgeMs !== undefined && (day + 1) * DAY_MS <= nowUnixMs - policy.maxAgeMs;
    const isTooMuch = policy.maxBytes !== undefined && bytesLeft > BigInt(policy.maxBytes) && day !== days.at(-1);
    if (!isTooOld && !isTooMuch) break;
    await dropDay(client, partitions);
    dropped.push(day);
    const freed = sum(partitions);
    bytes += freed;
    bytesLeft -= freed;
    for (const partition of partitions) if (partition.table === 'spans') spans += partition.rows;
  }
  const overLimit = policy.maxBytes !== undefined && bytesLeft > BigInt(policy.maxBytes);
  return { days: dropped, spans, bytes, bytesLeft, overLimit };
}

async function dropDay(client: SqlClient, partitions: readonly Partition[]): Promise<void> {
  for (const partition of partitions) if (!dropLast.has(partition.table)) await dropPartition(client, partition);
  for (const partition of partitions) if (dropLast.has(partition.table)) await dropPartition(client, partition);
}

function sum(partitions: readonly Partition[]): bigint {
  return partitions.reduce((total, partition) => total + partition.bytes, 0n);
}
