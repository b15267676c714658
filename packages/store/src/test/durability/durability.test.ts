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

/** A few kills where they hurt most; with `CLEW_LONG=1` two hundred, at every step and with every victim. */
const kills: readonly PlannedKill[] =
  process.env['CLEW_LONG'] === '1'
    ? mixedKills(200, 60)
    : [
        { victim: 'main', moment: { kind: 'step', step: 'writer.after_insert_before_delete', nth: 2 } },
        { victim: 'both', moment: { kind: 'step', step: 'journal.before_sync', nth: 40 } },
        { victim: 'engine', moment: { kind: 'step', step: 'writer.between_tables', nth: 1 } },
        { victim: 'main', moment: { kind: 'step', step: 'recovery.after_count', nth: 1 } },
        ...mixedKills(2, 0),
      ];

describe('requests under kill -9', () => {
  it('are each stored exactly once after kills at named steps and at random', async () => {
    const result = await runLives(directory, kills);
    expect(result.wrong).toEqual([]);
    expect(result.kills).toBe(kills.length);
    expect(result.requests).toBeGreaterThan(kills.length * 10);
  }, 3_600_000);
});
