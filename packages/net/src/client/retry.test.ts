import { describe, expect, it } from 'vitest';
import { retrySettingsProblems, withRetries } from './retry.ts';
import type { RetryOptions } from './retry.ts';

/** Runs retries against a clock that only moves by waiting. */
function harness(options: Partial<RetryOptions> = {}) {
  let nowMs = 0;
  const waits: number[] = [];
  const controller = new AbortController();
  const run = (attempt: (number: number) => Promise<string>) =>
    withRetries(attempt, {
      settings: { randomizationFactor: 0 },
      judge: (caught) => ({ retry: !String(caught).includes('permanent') }),
      signal: controller.signal,
      nowMs: () => nowMs,
      wait: async (delayMs, signal) => {
        waits.push(delayMs);
        nowMs += delayMs;
        signal.throwIfAborted();
      },
      ...options,
    });
  return { run, waits, controller };
}

const always = (text: string) => () => Promise.reject(new Error(text));

describe('retrying', () => {
  it('does not repeat what is permanent', async () => {
    const { run, waits } = harness();
    await expect(run(always('permanent'))).rejects.toMatchObject({
      code: 'not_retryable',
      message: 'not retryable error: permanent',
    });
    expect(waits).toEqual([]);
  });

  it('waits longer each time, up to the maximum, until its time is used up', async () => {
    const { run, waits } = harness();
    await expect(run(always('busy'))).rejects.toMatchObject({
      code: 'retries_exhausted',
      message: 'no more retries left: busy',
    });
    expect(waits.slice(0, 6)).toEqual([5000, 7500, 11_250, 16_875, 25_312.5, 30_000]);
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(300_000);
  });

  it('goes on for ever when told to', async () => {
    const { run, waits } = harness({ settings: { maxElapsedTimeMs: 0 } });
    expect(await run(async (number) => (number < 100 ? Promise.reject(new Error('busy')) : 'done'))).toBe('done');
    expect(waits.length).toBe(99);
  });

  it('stays within the jitter', async () => {
    for (const [random, expected] of [
      [0, 2500],
      [0.5, 5000],
      [1, 7500],
    ] as const) {
      const { run, waits } = harness({ settings: {}, random: () => random });
      await run(async (number) => (number === 1 ? Promise.reject(new Error('busy')) : 'done'));
      expect(waits).toEqual([expected]);
    }
  });

  it('waits as long as the server asks, when that is longer', async () => {
    const throttles = [60_000, 1];
    const { run, waits } = harness({
      settings: { randomizationFactor: 0 },
      judge: () => ({ retry: true, throttleMs: throttles.shift() ?? 0 }),
    });
    await run(async (number) => (number < 3 ? Promise.reject(new Error('busy')) : 'done'));
    expect(waits).toEqual([60_000, 7500]);
  });

  it('ends when it is interrupted while waiting', async () => {
    const { run, controller } = harness({
      wait: (_delayMs, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
          controller.abort();
        }),
    });
    await expect(run(always('busy'))).rejects.toMatchObject({
      code: 'interrupted',
      message: 'interrupted due to shutdown: busy',
    });
  });

  it('tells of every wait', async () => {
    const told: number[] = [];
    const { run } = harness({ onRetry: ({ attempt, delayMs }) => told.push(attempt, delayMs) });
    await run(async (number) => (number < 3 ? Promise.reject(new Error('busy')) : 'done'));
    expect(told).toEqual([1, 5000, 2, 7500]);
  });

  it('tries once when switched off', async () => {
    const { run, waits } = harness({ settings: { enabled: false } });
    await expect(run(always('busy'))).rejects.toMatchObject({ code: 'retries_exhausted' });
    expect(waits).toEqual([]);
  });
});

describe('retry settings', () => {
  it.each([
    [{}, []],
    [{ maxElapsedTimeMs: 0 }, []],
    [{ maxElapsedTimeMs: 1000, maxIntervalMs: 500 }, ["'max_elapsed_time' must not be less than 'initial_interval'"]],
    [{ maxElapsedTimeMs: 10_000 }, ["'max_elapsed_time' must not be less than 'max_interval'"]],
    [{ randomizationFactor: 1.1 }, ["'randomization_factor' must be within [0, 1]"]],
    [{ multiplier: -1 }, ["'multiplier' must be non-negative"]],
    [{ enabled: false, multiplier: -1 }, []],
  ])('%j: %j', (settings, problems) => {
    expect(retrySettingsProblems(settings)).toEqual(problems);
  });
});
