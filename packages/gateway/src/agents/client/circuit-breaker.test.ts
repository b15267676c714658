import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker, circuitMemory, forgetTrials } from './circuit-breaker.ts';
import type { CircuitPass, CircuitState } from './circuit-breaker.ts';

const settings = { failureThreshold: 3, successThreshold: 2, openMs: 1000, halfOpenMaxRequests: 1 };

function breaker(changes: Partial<typeof settings> = {}, memory = circuitMemory(), clock = { nowMs: 0 }) {
  const states: CircuitState[] = [];
  const circuit = new CircuitBreaker({ ...settings, ...changes }, (state) => states.push(state), {
    nowMs: () => clock.nowMs,
    memory,
  });
  const fail = (times: number): void => {
    for (let i = 0; i < times; i++) circuit.enter()?.end('failure');
  };
  return { circuit, clock, states, fail };
}

describe('a circuit breaker', () => {
  it('opens after the threshold of failures in a row, and lets nothing through', () => {
    const { circuit, fail } = breaker();
    fail(2);
    circuit.enter()?.end('success');
    fail(2);
    expect(circuit.state).toBe('closed');
    fail(1);
    expect([circuit.state, circuit.enter()]).toEqual(['open', undefined]);
  });

  it('lets as many trials through as allowed when its time is over', () => {
    const { circuit, clock, fail } = breaker({ halfOpenMaxRequests: 2 });
    fail(3);
    clock.nowMs = 999;
    expect(circuit.enter()).toBeUndefined();
    clock.nowMs = 1000;
    expect([circuit.enter(), circuit.enter(), circuit.enter()].map((pass) => pass !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('opens again when a trial fails', () => {
    const { circuit, clock, states, fail } = breaker();
    fail(3);
    clock.nowMs = 1000;
    fail(1);
    expect(states).toEqual(['open', 'half_open', 'open']);
    clock.nowMs = 1999;
    expect(circuit.enter()).toBeUndefined();
  });

  it('closes after enough trials succeeded', () => {
    const { circuit, clock, states, fail } = breaker();
    fail(3);
    clock.nowMs = 1000;
    circuit.enter()?.end('success');
    circuit.enter()?.end('success');
    expect(states).toEqual(['open', 'half_open', 'closed']);
  });

  it('gives a trial back that says nothing about the other side', () => {
    const { circuit, clock, fail } = breaker();
    fail(3);
    clock.nowMs = 1000;
    const trial = circuit.enter();
    expect(circuit.enter()).toBeUndefined();
    trial?.end('neither');
    expect(circuit.enter()).toBeDefined();
  });

  it('ignores calls that began before its state changed, and a second end', () => {
    const { circuit, clock, fail } = breaker();
    const early = circuit.enter();
    fail(3);
    clock.nowMs = 1000;
    const trial = circuit.enter();
    early?.end('failure');
    expect(circuit.state).toBe('half_open');
    trial?.end('success');
    trial?.end('success');
    expect(circuit.state).toBe('half_open');
  });

  it('stays open for as long as it should, however long that is', () => {
    const tenYearsMs = 10 * 365 * 86_400_000;
    const { circuit, clock, fail } = breaker({ openMs: tenYearsMs });
    fail(3);
    clock.nowMs = tenYearsMs - 1;
    expect(circuit.enter()).toBeUndefined();
    clock.nowMs = 3 * tenYearsMs;
    expect(circuit.enter()).toBeDefined();
  });

  it('always recovers: whatever happened, successes close it in the end', () => {
    const step = fc.oneof(
      fc.constantFrom('enter' as const, 'wait' as const),
      fc.record({ end: fc.constantFrom('success' as const, 'failure' as const, 'neither' as const), which: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { circuit, clock } = breaker({ halfOpenMaxRequests: 2 });
        const passes: CircuitPass[] = [];
        for (const one of steps) {
          if (one === 'wait') clock.nowMs += 400;
          else if (one === 'enter') {
            const pass = circuit.enter();
            if (pass !== undefined) passes.push(pass);
          } else passes[one.which % Math.max(1, passes.length)]?.end(one.end);
        }
        for (const pass of passes) pass.end('neither');
        clock.nowMs += 1000;
        for (let i = 0; i < 4; i++) circuit.enter()?.end('success');
        expect(circuit.state).toBe('closed');
      }),
    );
  });
});

describe('breakers of several threads with the same memory', () => {
  function shared(count: number, changes: Partial<typeof settings> = {}) {
    const memory = circuitMemory();
    const clock = { nowMs: 0 };
    return { memory, clock, breakers: Array.from({ length: count }, () => breaker(changes, memory, clock)) };
  }

  it('count failures together, and only the one that opens the circuit tells', () => {
    const { breakers } = shared(3);
    for (const { fail } of breakers) fail(1);
    expect(breakers.map(({ circuit }) => circuit.state)).toEqual(['open', 'open', 'open']);
    expect(breakers.map(({ states }) => states)).toEqual([[], [], ['open']]);
  });

  it('let a success anywhere end a row of failures', () => {
    const { breakers } = shared(2);
    breakers[0]!.fail(2);
    breakers[1]!.circuit.enter()?.end('success');
    breakers[0]!.fail(2);
    expect(breakers[0]!.circuit.state).toBe('closed');
  });

  it('make together no more trials than are allowed, and close together', () => {
    const { breakers, clock } = shared(3);
    breakers[0]!.fail(3);
    clock.nowMs = 1000;
    const passes = breakers.map(({ circuit }) => circuit.enter());
    expect(passes.map((pass) => pass !== undefined)).toEqual([true, false, false]);
    passes[0]!.end('success');
    breakers[2]!.circuit.enter()?.end('success');
    expect(breakers.map(({ circuit }) => circuit.state)).toEqual(['closed', 'closed', 'closed']);
    expect(breakers.map(({ states }) => states)).toEqual([['open', 'half_open'], [], ['closed']]);
  });

  it('try again in place of a thread that is gone, whose trials nobody ends', () => {
    const { breakers, clock, memory } = shared(2);
    breakers[0]!.fail(3);
    clock.nowMs = 1000;
    const lost = breakers[0]!.circuit.enter();
    expect([lost !== undefined, breakers[1]!.circuit.enter()]).toEqual([true, undefined]);
    forgetTrials(memory);
    const trial = breakers[1]!.circuit.enter();
    expect(trial).toBeDefined();
    lost?.end('neither');
    trial?.end('neither');
    expect([breakers[0]!.circuit.enter(), breakers[1]!.circuit.enter()].map((pass) => pass !== undefined)).toEqual([
      true,
      false,
    ]);
  });

  it('of real threads, hammering it at once, change it one at a time', async () => {
    const memory = circuitMemory();
    const url = new URL('./circuit-breaker.ts', import.meta.url).href;
    const work = `
      const { parentPort, workerData } = await import('node:worker_threads');
      const { CircuitBreaker } = await import(workerData.url);
      const changes = [];
      const breaker = new CircuitBreaker(workerData.settings, (state) => changes.push(state), { memory: workerData.memory });
      const ends = ['failure', 'failure', 'success', 'neither'];
      for (let at = 0; at < 200_000; at++) breaker.enter()?.end(ends[(at * 7 + workerData.index) % 4]);
      parentPort.postMessage(changes);`;
    const fast = { failureThreshold: 2, successThreshold: 1, openMs: 0, halfOpenMaxRequests: 1 };
    const all = await Promise.all(
      [0, 1, 2].map(async (index) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(work)}`), {
          workerData: { url, settings: fast, memory, index },
        });
        const [changes] = (await once(worker, 'message')) as [CircuitState[]];
        await worker.terminate();
        return changes;
      }),
    );
    const count = (state: CircuitState): number => all.flat().filter((one) => one === state).length;
    const { circuit } = breaker(fast, memory, { nowMs: Number.MAX_SAFE_INTEGER });
    // Every change follows from the one before: open, half-open, then open or closed.
    const changes = { open: count('open'), halfOpen: count('half_open'), closed: count('closed') };
    expect(changes.open).toBeGreaterThan(0);
    expect(Math.abs(changes.open - changes.halfOpen)).toBeLessThanOrEqual(1);
    expect(changes.closed).toBeLessThanOrEqual(changes.halfOpen);
    for (let at = 0; at < 4; at++) circuit.enter()?.end('success');
    expect(circuit.state).toBe('closed');
  });
});
