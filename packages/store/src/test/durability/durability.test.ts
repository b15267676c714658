import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mixedKills, runLives } from './harness.ts';
import type { PlannedKill } from './harness.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-durability-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const long = process.env['CLEW_LONG'] === '1';
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
      const result = await runLives(directory, [...steps, ...mixedKills(2, 0)]);
      expect(result.wrong).toEqual([]);
      expect(result.requests).toBeGreaterThan(100);
    },
    180_000,
  );

  it.runIf(long)(
    'are each stored exactly once after 200 kills, 54 of them at named steps',
    async () => {
      const result = await runLives(directory, mixedKills(200, 54));
      expect(result.wrong).toEqual([]);
      expect(result.kills).toBe(200);
    },
    3_600_000,
  );
});
