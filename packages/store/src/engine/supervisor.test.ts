import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreError } from '../errors.ts';
import type { EngineProcess } from './engine-process.ts';
import { EngineSupervisor } from './supervisor.ts';
import type { SupervisorOptions } from './supervisor.ts';

/** A process that ends when told. */
function fakeProcess(pid: number): { readonly process: EngineProcess; end(reason: string): void; stops: number[] } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const stops: number[] = [];
  const address = { kind: 'unix', socketPath: `/nowhere/${pid}` } as const;
  return {
    stops,
    end: resolve,
    process: {
      pid,
      ready: { kind: 'ready', address, version: '1.2', results: 'pipe' },
      ended: promise,
      stop(drainMs) {
        stops.push(drainMs);
        resolve('it was stopped');
        return Promise.resolve();
      },
    },
  };
}

type Started = ReturnType<typeof fakeProcess>;

/** A supervisor whose processes come from a list; errors in the list fail the start. */
function supervise(
  plan: readonly (Started | StoreError)[],
  options: Partial<SupervisorOptions> = {},
): { supervisor: EngineSupervisor; states: string[] } {
  const states: string[] = [];
  let next = 0;
  const supervisor = new EngineSupervisor({
    spawn() {
      const step = plan[next++];
      if (step === undefined) throw new Error('The plan has no further process');
      if (step instanceof StoreError) return Promise.reject(step);
      return Promise.resolve({
        process: step.process,
        endpoint: { address: step.process.ready.address, user: 'u', secret: 's' },
      });
    },
    onEvent: (event) => {
      if (event.kind === 'state') states.push(event.state.kind);
    },
    maxUnavailableMs: 1_000,
    backoff: { firstMs: 100, maxMs: 400, healthyMs: 10_000, lockedMs: 250 },
    ...options,
  });
  return { supervisor, states };
}

const locked = new StoreError('directory_locked', 'locked');
const broken = new StoreError('engine_unavailable', 'no library');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the supervisor of an engine that cannot start', () => {
  it('fails at once with the reason and lets statements fail at once, too', async () => {
    const { supervisor, states } = supervise([broken]);
    await expect(supervisor.start()).rejects.toBe(broken);
    expect(states).toEqual(['starting', 'failed']);
    await expect(supervisor.route(performance.now() + 1_000, undefined)).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringContaining('no library'),
    });
  });

  it('waits a moment for a lock, as the engine of a killed owner needs it to go', async () => {
    const { supervisor } = supervise([locked, locked, fakeProcess(1)]);
    const start = supervisor.start();
    await vi.advanceTimersByTimeAsync(200);
    await start;
    expect(supervisor.state).toMatchObject({ kind: 'ready', pid: 1, version: '1.2' });
  });

  it('reports a lock that is not given up', async () => {
    const { supervisor } = supervise([locked, locked, locked, locked, locked]);
    const outcome = expect(supervisor.start()).rejects.toBe(locked);
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
    expect(supervisor.state).toMatchObject({ kind: 'failed', code: 'directory_locked' });
  });
});

describe('the supervisor of an engine that ends', () => {
  it('starts it again after growing pauses until it lives', async () => {
    const first = fakeProcess(1);
    const { supervisor, states } = supervise([first, broken, broken, broken, fakeProcess(2)]);
    await supervisor.start();
    first.end('it crashed');
    await vi.advanceTimersByTimeAsync(0);
    const pauses: number[] = [];
    for (let i = 0; i < 4; i++) {
      if (supervisor.state.kind !== 'restarting') throw new Error(`Unexpected state ${supervisor.state.kind}`);
      const pauseMs = supervisor.state.retryAtUnixMs - Date.now();
      pauses.push(pauseMs);
      await vi.advanceTimersByTimeAsync(pauseMs);
    }
    expect(pauses).toEqual([100, 200, 400, 400]);
    expect(states).toEqual(['starting', 'ready', 'restarting', 'restarting', 'restarting', 'restarting', 'ready']);
    expect(supervisor.restarts).toBe(4);
  });

  it('starts it again quickly when it has been healthy for long', async () => {
    const [first, second] = [fakeProcess(1), fakeProcess(2)];
    const { supervisor } = supervise([first, second, fakeProcess(3)]);
    await supervisor.start();
    first.end('it crashed');
    await vi.advanceTimersByTimeAsync(100);
    await vi.advanceTimersByTimeAsync(10_000);
    second.end('it crashed again');
    await vi.advanceTimersByTimeAsync(0);
    expect(supervisor.state).toMatchObject({ kind: 'restarting', attempt: 1, reason: 'it crashed again' });
  });

  it('lets statements wait for its return', async () => {
    const first = fakeProcess(1);
    const { supervisor } = supervise([first, fakeProcess(2)]);
    await supervisor.start();
    first.end('it crashed');
    await vi.advanceTimersByTimeAsync(0);
    const route = supervisor.route(performance.now() + 1_000, undefined);
    await vi.advanceTimersByTimeAsync(100);
    await expect(route).resolves.toMatchObject({ request: { socketPath: '/nowhere/2' } });
  });

  it('lets statements go that are cancelled meanwhile', async () => {
    const first = fakeProcess(1);
    const { supervisor } = supervise([first, fakeProcess(2)]);
    await supervisor.start();
    first.end('it crashed');
    await vi.advanceTimersByTimeAsync(0);
    const abort = new AbortController();
    const outcome = expect(supervisor.route(performance.now() + 1_000, abort.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
    abort.abort();
    await outcome;
  });
});

describe('stopping the supervisor', () => {
  it('ends the engine, passes the time on and does not start it again', async () => {
    const first = fakeProcess(1);
    const { supervisor, states } = supervise([first]);
    await supervisor.start();
    await supervisor.stop(123);
    await supervisor.stop(456);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(first.stops).toEqual([123]);
    expect(states).toEqual(['starting', 'ready', 'stopping', 'stopped']);
    expect(supervisor.endpoint).toBeUndefined();
  });

  it('ends an engine that becomes ready while it stops', async () => {
    const late = fakeProcess(1);
    const gate = Promise.withResolvers<void>();
    const { supervisor } = supervise([], {
      async spawn() {
        await gate.promise;
        return { process: late.process, endpoint: { address: late.process.ready.address, user: 'u', secret: 's' } };
      },
    });
    const start = supervisor.start();
    const stop = supervisor.stop(5);
    gate.resolve();
    await Promise.all([start, stop]);
    expect(late.stops).toEqual([5]);
    expect(supervisor.state).toEqual({ kind: 'stopped' });
  });

  it('calls off a restart that has not begun', async () => {
    const first = fakeProcess(1);
    const { supervisor, states } = supervise([first, fakeProcess(2)]);
    await supervisor.start();
    first.end('it crashed');
    await vi.advanceTimersByTimeAsync(0);
    await supervisor.stop(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states).toEqual(['starting', 'ready', 'restarting', 'stopping', 'stopped']);
  });
});
