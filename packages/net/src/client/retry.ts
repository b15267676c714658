import { setTimeout as delay } from 'node:timers/promises';
import { NetError } from '../errors.ts';
import { Backoff } from './backoff.ts';

/** Exponential backoff with jitter. */
export interface RetrySettings {
  /** Default true. */
  readonly enabled?: boolean;
  /** Default 5,000. */
  readonly initialIntervalMs?: number;
  /** Share of the interval by which a delay may differ, 0 to 1. Default 0.5. */
  readonly randomizationFactor?: number;
  /** Default 1.5. */
  readonly multiplier?: number;
  /** Default 30,000. */
  readonly maxIntervalMs?: number;
  /** Give up after this long; 0 = never. Default 300,000. */
  readonly maxElapsedTimeMs?: number;
}

/** A failed attempt that will be repeated. */
export interface RetryEvent {
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: Error;
}

/** What a failed attempt means: final, or to be repeated, after at least the delay the server asked for. */
export type RetryVerdict = { readonly retry: false } | { readonly retry: true; readonly throttleMs?: number };

/** How a request is retried; clock and waiting are replaced in tests. */
export interface RetryOptions {
  readonly settings: RetrySettings;
  readonly judge: (caught: unknown) => RetryVerdict;
  /** Aborting ends a waiting retry with `interrupted`. */
  readonly signal: AbortSignal;
  readonly onRetry?: (event: RetryEvent) => void;
  readonly nowMs?: () => number;
  readonly wait?: (delayMs: number, signal: AbortSignal) => Promise<void>;
  readonly random?: () => number;
}

/** Checks retry settings; returns the broken rules in the collector's words, none when all is well. */
export function retrySettingsProblems(settings: RetrySettings): string[] {
  const resolved = resolve(settings);
  const problems: string[] = [];
  if (!resolved.enabled) return problems;
  if (resolved.initialIntervalMs < 0) problems.push("'initial_interval' must be non-negative");
  if (resolved.randomizationFactor < 0 || resolved.randomizationFactor > 1) {
    problems.push("'randomization_factor' must be within [0, 1]");
  }
  if (resolved.multiplier < 0) problems.push("'multiplier' must be non-negative");
  if (resolved.maxIntervalMs < 0) problems.push("'max_interval' must be non-negative");
  if (resolved.maxElapsedTimeMs < 0) problems.push("'max_elapsed_time' must be non-negative");
  if (resolved.maxElapsedTimeMs > 0) {
    if (resolved.maxElapsedTimeMs < resolved.initialIntervalMs) {
      problems.push("'max_elapsed_time' must not be less than 'initial_interval'");
    }
    if (resolved.maxElapsedTimeMs < resolved.maxIntervalMs) {
      problems.push("'max_elapsed_time' must not be less than 'max_interval'");
    }
  }
  return problems;
}

/**
 * Runs attempts until one succeeds. Fails with `not_retryable`, `retries_exhausted` (also for a retryable failure
 * while retrying is switched off) or `interrupted`; the last attempt's error is the cause, its status is kept.
 */
export async function withRetries<T>(attempt: (number: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const settings = resolve(options.settings);
  const nowMs = options.nowMs ?? (() => performance.now());
  const wait = options.wait ?? sleep;
  const startedMs = nowMs();
  const backoff = new Backoff(
    {
      initialMs: settings.initialIntervalMs,
      multiplier: settings.multiplier,
      maxMs: settings.maxIntervalMs,
      jitter: settings.randomizationFactor,
    },
    options.random,
  );
  for (let number = 1; ; number++) {
    try {
      return await attempt(number);
    } catch (caught) {
      const verdict = options.judge(caught);
      if (!verdict.retry) throw final('not_retryable', 'not retryable error', caught);
      if (!settings.enabled) throw final('retries_exhausted', 'no more retries left', caught);
      const delayMs = Math.max(backoff.nextMs(), verdict.throttleMs ?? 0);
      const elapsedMs = nowMs() - startedMs;
      if (settings.maxElapsedTimeMs > 0 && elapsedMs + delayMs > settings.maxElapsedTimeMs) {
        throw final('retries_exhausted', 'no more retries left', caught);
      }
      if (options.signal.aborted) throw final('interrupted', 'interrupted due to shutdown', caught);
      options.onRetry?.({
        attempt: number,
        delayMs,
        error: caught instanceof Error ? caught : new Error(String(caught)),
      });
      try {
        await wait(delayMs, options.signal);
      } catch {
        // Waiting only ends early by abort; the error worth telling is the one that made us wait.
        throw final('interrupted', 'interrupted due to shutdown', caught);
      }
    }
  }
}

async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(delayMs, undefined, { signal });
}

function resolve(settings: RetrySettings): Required<RetrySettings> {
  return {
    enabled: settings.enabled ?? true,
    initialIntervalMs: settings.initialIntervalMs ?? 5_000,
    randomizationFactor: settings.randomizationFactor ?? 0.5,
    multiplier: settings.multiplier ?? 1.5,
    maxIntervalMs: settings.maxIntervalMs ?? 30_000,
    maxElapsedTimeMs: settings.maxElapsedTimeMs ?? 300_000,
  };
}

function final(code: 'not_retryable' | 'retries_exhausted' | 'interrupted', prefix: string, cause: unknown): NetError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const status = cause instanceof NetError ? cause.status : undefined;
  return new NetError(code, `${prefix}: ${why}`, { cause, ...(status ? { status } : {}) });
}
