import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { onEnd, startBackend, startProgram, waitFor } from '../../test/command/harness.ts';

const THREADS = 3;

/** A gateway of several threads. */
const gatewayWith = (port: number, { filter = '', upstream = '', limits = '' }) =>
  startProgram(`
system { worker-threads ${THREADS}; graceful-shutdown-timeout-secs 5 }
listeners { listener "http" { address "127.0.0.1:0" } }
routes { route "all" { matches { path-prefix "/" }; upstream "backend"; ${filter === '' ? '' : 'filters "limit"'} } }
upstreams { upstream "backend" { target "127.0.0.1:${port}"; ${upstream} } }
${filter === '' ? '' : `filters { filter "limit" { ${filter} } }`}
${limits}
observability { metrics { address "127.0.0.1:0" }; logging { error-log { enabled #false } } }`);

const countOf = (statuses: readonly number[], status: number): number =>
  statuses.filter((one) => one === status).length;

describe('threads of a gateway', () => {
  it('let pass together what a rate allows, and not that many each', async () => {
    const { port } = await startBackend();
    const filter = 'type "rate-limit"; max-rps 0.001; burst 10; key "client-ip"';
    const { ask } = await gatewayWith(port, { filter });
    const statuses = await ask(60);
    expect([countOf(statuses, 200), countOf(statuses, 429)]).toEqual([10, 50]);
  });

  it('hold together as many connections of a client as are allowed', async () => {
    const { port } = await startBackend();
    const { url } = await gatewayWith(port, { limits: 'limits { max-connections-per-client 5 }' });
    const states: string[] = [];
    for (let index = 0; index < 9; index++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      onEnd(() => socket.destroy());
      socket.on('error', () => undefined); // Being refused may show as a reset.
      socket.on('close', () => (states[index] = 'refused'));
      socket.on('data', (piece) => (states[index] = piece.toString().slice(9, 12)));
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await waitFor(() => expect(states[index]).toBeDefined());
    }
    expect(states.map((state) => state === '200')).toEqual([...Array(5).fill(true), ...Array(4).fill(false)]);
  });

  it('probe a target once for all, and all believe the result', async () => {
    const { port, state } = await startBackend();
    const check =
      'health-check { type "http" { path "/probe" }; interval-secs 1; unhealthy-threshold 1; healthy-threshold 1 }';
    const { ask, metrics, said } = await gatewayWith(port, { upstream: check });
    await waitFor(() => expect(state.probes).toBeGreaterThan(0));
    const probesBefore = state.probes;
    const startedMs = performance.now();
    state.status = 500;
    await waitFor(async () =>
      expect(await metrics()).toContain(`zentinel_upstream_health{upstream="backend",target="127.0.0.1:${port}"} 0`),
    );
    await waitFor(async () => expect(new Set(await ask(20))).toEqual(new Set([503])));
    const seconds = (performance.now() - startedMs) / 1000;
    expect(state.probes - probesBefore).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    state.status = 200;
    await waitFor(async () => expect(new Set(await ask(20))).toEqual(new Set([200])));
    expect(said.filter((line) => line.includes('A target is unhealthy'))).toHaveLength(1);
  });

  it('suspend requests everywhere once a circuit opened anywhere', async () => {
    const { port, state } = await startBackend();
    state.status = 500;
    const { ask, metrics } = await gatewayWith(port, {
      upstream: 'circuit-breaker { failure-threshold 3; timeout-secs 600 }',
    });
    for (let index = 0; index < 3 * THREADS; index++) await ask(1);
    await waitFor(async () => {
      const before = state.requests;
      expect(new Set(await ask(20))).toEqual(new Set([503]));
      expect(state.requests).toBe(before);
    });
    expect(state.requests).toBeLessThan(3 * THREADS + 20);
    expect(await metrics()).toContain('zentinel_circuit_breaker_state{component="backend",route="all"} 1');
  });
});
