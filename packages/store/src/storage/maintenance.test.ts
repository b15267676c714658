import { describe, expect, it } from 'vitest';
import { silentTelemetry } from '@clew/base';
import type { SqlClient } from '../engine/client.ts';
import { StoreError } from '../errors.ts';
import { Maintenance } from './maintenance.ts';

/** A client whose statements fail, and are counted. */
function failingClient(): { client: SqlClient; asked: () => number } {
  let asked = 0;
  const fail = async (): Promise<never> => {
    asked++;
    throw new StoreError('engine_unavailable', 'as told');
  };
  return { client: { target: 'embedded', rows: fail, execute: fail } as unknown as SqlClient, asked: () => asked };
}

describe('maintenance', () => {
  it('reports what fails, goes on, and stops at once while it waits for the next turn', async () => {
    const failures: unknown[] = [];
    const telemetry = {
      ...silentTelemetry,
      logger: { ...silentTelemetry.logger, warn: (_: string, fields?: unknown) => failures.push(fields) },
    };
    const { client, asked } = failingClient();
    const maintenance = new Maintenance({
      client,
      policy: { maxAgeMs: 1000 },
      telemetry,
      onDaysDropped: async () => {},
    });
    maintenance.start();
    maintenance.start();
    await expect.poll(() => failures.length).toBe(2);
    expect(failures).toEqual(
      expect.arrayContaining([
        { job: 'rollups', reason: 'as told' },
        { job: 'retention', reason: 'as told' },
      ]),
    );
    const before = asked();
    await maintenance.stop();
    await maintenance.stop();
    expect(asked()).toBe(before);
  });
});
