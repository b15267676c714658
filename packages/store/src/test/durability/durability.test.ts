import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FAULT_STEPS } from '../../journal/faults.ts';
import { runLives } from './harness.ts';
import type { PlannedKill } from './harness.ts';
import type { Victim } from './messages.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-durability-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const long = process.env['CLEW_LONG'] === '1';
const victims: readonly Victim[] = ['main', 'engine', 'both'];

/** Kills at named steps, in an order that visits each step and victim. */
function atSteps(count: number, offset = 0): PlannedKill[] {
  return Array.from({ length: count }, (_, i) => {
    const at = i + offset;
    return {
      victim: victims[(at + Math.floor(at / FAULT_STEPS.length)) % victims.length]!,
      moment: { kind: 'step', step: FAULT_STEPS[at % FAULT_STEPS.length]!, nth: 1 + (at % 4) },
    };
  });
}

/** Kills at random times. */
function atTimes(count: number): PlannedKill[] {
  return Array.from({ length: count }, (_, i) => ({
    victim: victims[i % victims.length]!,
    moment: { kind: 'time', afterMs: 50 + Math.floor(Math.random() * 1200) },
  }));
}

describe('requests under kill -9', () => {
  it.skipIf(long)(
    'are each stored exactly once after kills at named steps and at random',
    async () => {
      const steps: PlannedKill[] = [
        { victim: 'main', moment: { kind: 'step', step: 'writer.after_insert_before_delete', nth: 2 } },
        { victim: 'both', moment: { kind: 'step', step: 'journal.before_sync', nth: 40 } },
        { victim: 'engine', moment: { kind: 'step', step: 'writer.between_tables', nth: 1 } },
        { victim: 'main', moment: { kind: 'step', step: 'recovery.after_count', nth: 1 } },
      ];
      const result = await runLives(directory, [...steps, ...atTimes(2)]);
      expect(result.wrong).toEqual([]);
      expect(result.requests).toBeGreaterThan(100);
    },
    180_000,
  );

  it.runIf(long)(
    'are each stored exactly once after 200 kills, 54 of them at named steps',
    async () => {
      const result = await runLives(directory, [...atSteps(54), ...atTimes(146)]);
      expect(result.wrong).toEqual([]);
      expect(result.kills).toBe(200);
    },
    3_600_000,
  );
});
