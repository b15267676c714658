import { describe, expect, it } from 'vitest';
import type { EngineSnapshot, SqlClient } from '../engine/client.ts';
import { LateClient } from './late-client.ts';

const options = { class: 'point', comment: 'test' } as const;

/** A client that answers every statement with its text. */
const echo: SqlClient = {
  target: 'server',
  execute: async () => {},
  rows: async <T>(sql: string) => [sql] as T[],
  stream: async () => (async function* () {})(),
  insertFile: async () => {},
  snapshot: () => ({ target: 'server', restarts: 7 }) as unknown as EngineSnapshot,
};

describe('a client of an engine that is not connected yet', () => {
  it('fails statements after a bounded wait, naming the setting and the last reason', async () => {
    const client = new LateClient('server', undefined, 20);
    client.explain('connection refused');
    await expect(client.rows('SELECT 1', options)).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringMatching(/20 ms \(clew_storage\.engine\.max_unavailable\): connection refused/),
    });
  });

  it('fails a statement whose caller gives up while it waits', async () => {
    const client = new LateClient('server', undefined, 60_000);
    const caller = new AbortController();
    const waiting = client.execute('SELECT 1', { ...options, signal: caller.signal });
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('passes statements on that waited for the connection, and all later ones', async () => {
    const client = new LateClient('cluster', 'main', 60_000);
    expect(client.cluster).toBe('main');
    expect(client.snapshot().state.kind).toBe('starting');
    const waiting = client.rows('SELECT 1', options);
    client.connect(echo);
    expect(await waiting).toEqual(['SELECT 1']);
    expect(await client.rows('SELECT 2', options)).toEqual(['SELECT 2']);
    expect(client.snapshot().restarts).toBe(7);
  });
});
