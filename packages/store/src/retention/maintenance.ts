import type { SqlClient } from '../engine/client.ts';
import { applyRetention, type RetentionPolicy, type RetentionResult } from './retention.ts';
import { type RollupResult, runRollups } from './rollups.ts';

/** What the store does to itself, and how it is told. */
export interface MaintenanceOptions {
  readonly client: SqlClient;
  readonly policy: RetentionPolicy;
  /** Time between runs in milliseconds; default one minute. */
  readonly intervalMs?: number;
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
  readonly onRetention?: (result: RetentionResult) => void;
  readonly onRollups?: (result: RollupResult) => void;
  /** A run failed; the next one tries again. */
  readonly onError: (task: 'retention' | 'rollups', error: unknown) => void;
}

/**
 * Runs retention and rollups every minute. `start` and `stop` are idempotent; `stop` waits for the run under way.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastRunUnixMs: number | undefined;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.run(), this.#options.intervalMs ?? 60_000).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  /** Runs once now, or joins the run under way. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#runTasks().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Plain data for pages that look inside. */
  snapshot(): { readonly running: boolean; readonly lastRunUnixMs: number | undefined } {
    return { running: this.#running !== undefined, lastRunUnixMs: this.#lastRunUnixMs };
  }

  async #runTasks(): Promise<void> {
    const { client, policy, onRetention, onRollups, onError, now = Date.now } = this.#options;
    try {
      onRetention?.(await applyRetention(client, policy, now()));
    } catch (error) {
      onError('retention', error);
    }
    try {
      onRollups?.(await runRollups(client, now()));
    } catch (error) {
      onError('rollups', error);
    }
    this.#lastRunUnixMs = now();
  }
}
