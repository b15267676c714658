import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '@clew/base';
import { errorMessage } from '@clew/base';
import type { SqlClient } from '../engine/client.ts';
import { applyRetention } from '../retention/retention.ts';
import type { RetentionPolicy } from '../retention/retention.ts';
import { runRollups } from '../retention/rollups.ts';

const MINUTE_MS = 60_000;
/** Behind the end of a minute, so that what arrived in its last moment is stored when it is summed up. */
const ROLLUP_LAG_MS = 5000;
const RETENTION_EVERY_MS = 10 * MINUTE_MS;

/** What maintenance works with. */
export interface MaintenanceOptions {
  readonly client: SqlClient;
  readonly policy: RetentionPolicy;
  readonly telemetry: Telemetry;
  /** Told the days (since 1970) whose partitions were dropped. */
  readonly onDaysDropped: (days: readonly number[]) => Promise<void>;
}

/** What is done again and again beside storing: sums of closed minutes, and dropping of old days. A failure is reported and the next turn tries again. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #telemetry: ReturnType<typeof maintenanceTelemetry>;
  readonly #stopping = new AbortController();
  #loops: Promise<unknown> | undefined;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#telemetry = maintenanceTelemetry(options.telemetry);
  }

  /** Begins; idempotent. */
  start(): void {
    this.#loops ??= Promise.all([
      this.#repeat('rollups', () => this.#rollUp(), untilNextMinute),
      this.#repeat(
        'retention',
        () => this.#retain(),
        () => RETENTION_EVERY_MS,
      ),
    ]);
  }

  /** Ends behind the statement under way; idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  async #repeat(job: string, work: () => Promise<void>, pauseMs: () => number): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        if (!signal.aborted) this.#telemetry.failed(job, error);
      }
      await sleep(pauseMs(), undefined, { signal }).catch(() => undefined);
    }
  }

  async #rollUp(): Promise<void> {
    for (let more = true; more && !this.#stopping.signal.aborted;) {
      const result = await runRollups(this.#options.client, Date.now());
      this.#telemetry.rolledUp(result.minutes.length);
      more = result.more;
    }
  }

  async #retain(): Promise<void> {
    const { client, policy, onDaysDropped } = this.#options;
    const result = await applyRetention(client, policy, Date.now());
    if (result.days.length > 0) await onDaysDropped(result.days);
    this.#telemetry.retained(result.days.length, Number(result.spans), Number(result.bytesLeft), result.overLimit);
  }
}

/** Milliseconds until shortly after the minute is over. */
function untilNextMinute(): number {
  return MINUTE_MS - ((Date.now() - ROLLUP_LAG_MS) % MINUTE_MS);
}

function maintenanceTelemetry({ logger, meter }: Telemetry) {
  const failures = meter.counter({
    name: 'clew_store_maintenance_failures_total',
    help: 'Runs of background work that failed, by job.',
    labels: ['job'],
  });
  const minutes = meter.counter({ name: 'clew_store_rollup_minutes_total', help: 'Minutes summed up.' });
  const days = meter.counter({ name: 'clew_store_dropped_days_total', help: 'Days dropped by retention.' });
  const spans = meter.counter({ name: 'clew_store_dropped_spans_total', help: 'Spans dropped by retention.' });
  const bytes = meter.gauge({ name: 'clew_store_size_bytes', help: 'Bytes of all tables.' });
  return {
    failed(job: string, error: unknown): void {
      failures.add(1, { job });
      logger.warn('background work of the storage failed and is tried again', { job, reason: errorMessage(error) });
    },
    rolledUp: (count: number): void => minutes.add(count),
    retained(droppedDays: number, droppedSpans: number, bytesLeft: number, overLimit: boolean): void {
      bytes.set(bytesLeft);
      days.add(droppedDays);
      spans.add(droppedSpans);
      if (droppedDays > 0) logger.info('dropped old days', { days: droppedDays, spans: droppedSpans, bytesLeft });
      if (overLimit) {
        logger.warn('the newest day alone is larger than retention.max_bytes; nothing more can be dropped', {
          bytesLeft,
        });
      }
    },
  };
}
