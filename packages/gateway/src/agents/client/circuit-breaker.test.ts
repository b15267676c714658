import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitPass, CircuitState } from './circuit-breaker.ts';

const settings = { failureThreshold: 3, successThreshold: 2, openMs: 1000, halfOpenMaxRequests: 1 };

function breaker(changes: Partial<typeof settings> = {}) {
  const clock = { nowMs: 0 };
  const states: CircuitState[] = [];
  const circuit = new CircuitBreaker(
    { ...settings, ...changes },
    (state) => states.push(state),
    () => clock.nowMs,
  );
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

  it('opens because another one has, tells nobody, and tries again in its time', () => {
    const { circuit, clock, states } = breaker();
    circuit.trip();
    expect([circuit.state, circuit.enter(), states]).toEqual(['open', undefined, []]);
    clock.nowMs = 500;
    circuit.trip();
    clock.nowMs = 1000;
    expect(circuit.enter()).toBeDefined();
    expect(states).toEqual(['half_open']);
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
