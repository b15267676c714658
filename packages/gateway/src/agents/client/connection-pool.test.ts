// The pool's timing, with a clock of its own and connections that are only pretended.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentConnection, ConnectionListener } from '../dialects/connection.ts';
import { CallScope } from './call-scope.ts';
import { ConnectionPool } from './connection-pool.ts';
import { GatewayError } from '../../errors.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Pretended {
  readonly connection: AgentConnection;
  readonly listener: ConnectionListener;
  pings: number;
  answersPings: boolean;
}

function pool(options: { readonly maxConnections?: number; readonly maxCalls?: number } = {}) {
  const made: Pretended[] = [];
  const attempts: number[] = [];
  const state = { away: false };
  const open = async (listener: ConnectionListener): Promise<AgentConnection> => {
    attempts.push(Date.now());
    if (state.away) throw new GatewayError('connect', 'nobody there');
    const one: Pretended = {
      listener,
      pings: 0,
      answersPings: true,
      connection: {
        dialect: 'framed',
        description: {},
        maxCalls: options.maxCalls ?? 1,
        closed: false,
        proven: false,
        call: () => new Promise(() => undefined),
        abandon: () => undefined,
        finish: () => Promise.resolve(),
        forgotten: () => Promise.resolve(),
        ping: () => {
          one.pings++;
          return one.answersPings ? Promise.resolve() : new Promise(() => undefined);
        },
        close() {
          if (this.closed) return;
          (this as { closed: boolean }).closed = true;
          listener.onClosed(new GatewayError('closed', 'closed'));
        },
      },
    };
    made.push(one);
    return one.connection;
  };
  const failures: number[] = [];
  const connections = new ConnectionPool({
    open,
    maxConnections: options.maxConnections ?? 2,
    events: {
      onConnected: () => undefined,
      onLost: () => undefined,
      onConnectFailed: (_error, attempt) => failures.push(attempt),
      onHealth: () => undefined,
      onNotice: () => undefined,
    },
  });
  return { pool: connections, made, attempts, failures, state };
}

async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

describe('a pool of connections', () => {
  it('tries every five seconds to reach an agent that is away, and reports it as down after the third time', async () => {
    const { pool: connections, attempts, failures, state } = pool();
    state.away = true;
    const startedMs = Date.now();
    connections.start();
    await settle(4_999);
    expect([failures, connections.down]).toEqual([[1], false]);
    await settle(5_001);
    expect([failures, connections.down]).toEqual([[1, 2, 3], true]);
    state.away = false;
    await settle(5_000);
    expect(attempts.map((ms) => ms - startedMs)).toEqual([0, 5_000, 10_000, 15_000]);
    expect([connections.size, connections.down]).toEqual([1, false]);
  });

  it('connects again at once when a connection is lost, and then every five seconds', async () => {
    const { pool: connections, made, attempts, state } = pool();
    connections.start();
    await settle();
    state.away = true;
    made[0]!.connection.close();
    await settle();
    expect(attempts).toHaveLength(2);
    await settle(5_000);
    expect(attempts).toHaveLength(3);
  });

  it('pings a connection that is idle, and closes one that does not answer', async () => {
    const { pool: connections, made } = pool();
    connections.start();
    await settle(10_000);
    expect(made[0]!.pings).toBe(1);
    made[0]!.answersPings = false;
    await settle(10_000);
    expect([made[0]!.pings, made[0]!.connection.closed]).toEqual([2, false]);
    await settle(5_000);
    expect([made[0]!.connection.closed, made.length]).toEqual([true, 2]);
  });

  it('pings no connection that is in use', async () => {
    const { pool: connections, made } = pool();
    connections.start();
    await settle();
    await connections.acquire(new CallScope('a call', 100_000));
    await settle(30_000);
    expect(made[0]!.pings).toBe(0);
  });

  it('grows while all connections are busy, to its maximum', async () => {
    const { pool: connections, made } = pool({ maxConnections: 3 });
    connections.start();
    await settle();
    const scopes = Array.from({ length: 5 }, () => new CallScope('a call', 1_000));
    const taken = scopes.map((scope) => Promise.resolve(connections.acquire(scope)));
    for (const one of taken) one.catch(() => undefined);
    await settle();
    expect(made).toHaveLength(3);
    connections.release(await taken[0]!);
    const served = await taken[3]!;
    expect(served.calls).toBe(1);
    await settle(1_000);
    await expect(taken[4]!).rejects.toMatchObject({ code: 'timeout' });
  });

  it('shares a connection among calls rather than wait for another', async () => {
    const { pool: connections, made } = pool({ maxCalls: 10, maxConnections: 1 });
    connections.start();
    await settle();
    const scopes = Array.from({ length: 4 }, () => new CallScope('a call', 1_000));
    const calls = await Promise.all(scopes.map(async (scope) => connections.acquire(scope)));
    expect([made.length, new Set(calls).size, calls[0]!.calls]).toEqual([1, 1, 4]);
  });

  it('gives new requests no connection that the agent drains, while there is another', async () => {
    const { pool: connections, made } = pool({ maxCalls: 10 });
    connections.start();
    await settle();
    made[0]!.listener.onHealth({ state: 'draining' });
    const first = await connections.acquire(new CallScope('a call', 1_000));
    await settle();
    expect(made).toHaveLength(2);
    const second = await connections.acquire(new CallScope('a call', 1_000));
    expect([first.connection === made[0]!.connection, second.connection === made[1]!.connection]).toEqual([true, true]);
    expect(connections.health).toBe('draining');
  });

  it('sends everybody away who waits for an agent that cannot be reached', async () => {
    const { pool: connections, state } = pool();
    state.away = true;
    const waiting = Promise.resolve(connections.acquire(new CallScope('a call', 60_000)));
    await expect(waiting).rejects.toMatchObject({ code: 'connect' });
  });

  it('gives nothing any more once it is closed', async () => {
    const { pool: connections, made } = pool();
    connections.start();
    await settle();
    connections.close();
    await settle(60_000);
    expect(made.map(({ connection }) => connection.closed)).toEqual([true]);
    await expect(connections.acquire(new CallScope('a call', 1_000))).rejects.toMatchObject({ code: 'closed' });
  });
});
