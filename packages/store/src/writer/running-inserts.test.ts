import { describe, expect, it } from 'vitest';
import type { EngineTarget, SqlClient, StatementOptions } from '../engine/client.ts';
import { checkNoRunningInsert, insertComment } from './running-inserts.ts';

const segment = 'ab'.repeat(16);

/** A client on whose engine the statements with these comments run. */
function clientWith(target: EngineTarget, running: readonly string[]): { client: SqlClient; asked: string[] } {
  const asked: string[] = [];
  const rows = async (sql: string, { params, comment }: StatementOptions): Promise<unknown[]> => {
    asked.push(sql);
    const wanted = String(params?.['segment']);
    return [{ running: String([...running, comment].filter((text) => text.includes(wanted)).length) }];
  };
  return { client: { target, rows } as unknown as SqlClient, asked };
}

describe('looking for a running insert of a segment', () => {
  it('refuses to count while one runs on a server, and not because of itself', async () => {
    const busy = clientWith('server', [insertComment(segment, 'spans', 10)]);
    await expect(checkNoRunningInsert(busy.client, segment)).rejects.toMatchObject({ code: 'overloaded' });
    const other = clientWith('server', [insertComment('cd'.repeat(16), 'spans', 10)]);
    await expect(checkNoRunningInsert(other.client, segment)).resolves.toBeUndefined();
  });

  it('asks nothing of the embedded engine, which ends with its client', async () => {
    const { client, asked } = clientWith('embedded', [insertComment(segment, 'spans', 10)]);
    await checkNoRunningInsert(client, segment);
    expect(asked).toEqual([]);
  });
});
