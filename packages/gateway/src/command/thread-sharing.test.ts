import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../test/agents/framed-agent.ts';
import { removeSocketPaths } from '../../test/agents/script.ts';
import { followThreads, onEnd, startBackend, startProgram, waitFor } from '../../test/command/harness.ts';

const THREADS = 3;

interface Parts {
  readonly filter?: string;
  readonly route?: string;
  readonly upstream?: string;
  readonly limits?: string;
}

const configOf = (port: number, { filter = '', route = '', upstream = '', limits = '' }: Parts): string => `
system { worker-threads ${THREADS}; graceful-shutdown-timeout-secs 5 }
listeners { listener "http" { address "127.0.0.1:0" } }
routes { route "all" { matches { path-prefix "/" }; upstream "backend"; ${filter === '' ? route : 'filters "limit"'} } }
upstreams { upstream "backend" { target "127.0.0.1:${port}"; ${upstream} } }
${filter === '' ? '' : `filters { filter "limit" { ${filter} } }`}
${limits}
observability { metrics { address "127.0.0.1:0" }; logging { error-log { enabled #false } } }`;

/** A gateway of several threads. */
const gatewayWith = (port: number, parts: Parts) => startProgram(configOf(port, parts));

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

  it('count the failures of an upstream together, and leave it alone together', async () => {
    const { port, state } = await startBackend();
    state.status = 500;
    const upstream = 'circuit-breaker { failure-threshold 3; timeout-secs 600 }';
    const { ask, metrics, said } = await gatewayWith(port, { upstream });
    const statuses: number[] = [];
    for (let index = 0; index < 4 * THREADS; index++) statuses.push(...(await ask(1)));
    expect([countOf(statuses, 500), countOf(statuses, 503), state.requests]).toEqual([3, 4 * THREADS - 3, 3]);
    expect(await metrics()).toContain('zentinel_circuit_breaker_state{component="backend",route="all"} 1');
    expect(said.filter((line) => line.includes('The circuit of an upstream opened'))).toHaveLength(1);
  });

  it('tell the same about upstreams, whichever is asked', async () => {
    const { port, state } = await startBackend();
    const route = '}; route "told" { priority 100; matches { path "/told" }; builtin-handler "upstreams"';
    const { url, ask } = await gatewayWith(port, { route });
    await ask(30);
    state.status = 500;
    await ask(10);
    const told = async (): Promise<unknown> => {
      const response = await fetch(`${url}told`, { headers: { connection: 'close' } });
      const { upstreams } = (await response.json()) as { upstreams: { targets: unknown[] }[] };
      return upstreams[0]!.targets[0];
    };
    const answers = await Promise.all(Array.from({ length: 5 * THREADS }, told));
    const target = { address: `127.0.0.1:${port}`, failure_rate: 0.25, last_error: 'status 500' };
    for (const answer of answers) expect(answer).toMatchObject(target);
  });

  it('never give agents two requests by one name at once', async () => {
    const { port } = await startBackend();
    const agent = await startFramedAgent({ script: () => ({ delayMs: 300 }) });
    onEnd(removeSocketPaths);
    onEnd(() => agent.stop());
    const agents = `agents { agent "a" { unix-socket "${agent.address}"; timeout-ms 20000 } }`;
    const { url } = await gatewayWith(port, { route: 'agents "a"', limits: agents });
    await waitFor(() => expect(agent.connections.open).toBeGreaterThanOrEqual(THREADS));
    const headers = { connection: 'close', 'x-correlation-id': 'chosen-by-client' };
    await Promise.all(Array.from({ length: 8 * THREADS }, async () => (await fetch(url, { headers })).arrayBuffer()));
    const names = agent.seen
      .filter(({ type }) => type === 'request_headers')
      .map(({ payload }) => (payload['metadata'] as { readonly correlation_id: string }).correlation_id);
    expect(names).toHaveLength(8 * THREADS);
    expect(names.filter((name) => name === 'chosen-by-client')).toHaveLength(1);
    expect(new Set(names).size).toBe(names.length);
  });

  it('try a circuit again with one request, whichever thread has it', async () => {
    const { port, state } = await startBackend();
    state.status = 500;
    const { ask } = await gatewayWith(port, {
      upstream: 'circuit-breaker { failure-threshold 1; success-threshold 1; timeout-secs 1 }',
    });
    expect(await ask(1)).toEqual([500]);
    Object.assign(state, { status: 200, hold: true });
    const asked: Promise<number[]>[] = [];
    await waitFor(() => {
      asked.push(ask(1));
      expect(state.held).toHaveLength(1);
    });
    expect(new Set(await ask(20))).toEqual(new Set([503]));
    expect(state.held).toHaveLength(1);
    state.hold = false;
    state.held[0]!();
    const statuses = (await Promise.all(asked)).flat();
    expect(countOf(statuses, 200)).toBe(1);
    expect(new Set(await ask(20))).toEqual(new Set([200]));
  });

  it('keep an open circuit over a reload, unless it is of what has changed', async () => {
    const { port, state } = await startBackend();
    state.status = 500;
    const upstream = 'circuit-breaker { failure-threshold 1; timeout-secs 600 }';
    const { ask, path, program } = await gatewayWith(port, { upstream });
    expect(await ask(1)).toEqual([500]);
    state.status = 200;
    writeFileSync(path, configOf(port, { upstream, limits: 'limits { max-header-count 90 }' }));
    await program.reload();
    expect(new Set(await ask(20))).toEqual(new Set([503]));
    writeFileSync(path, configOf(port, { upstream: upstream.replace('threshold 1', 'threshold 2') }));
    await program.reload();
    expect(new Set(await ask(20))).toEqual(new Set([200]));
  });

  it('count the failures of an agent together, and leave it alone together', async () => {
    const agent = await startFramedAgent({ script: () => ({ silent: true }) });
    onEnd(removeSocketPaths);
    onEnd(() => agent.stop());
    const { port } = await startBackend();
    const { ask, metrics, said } = await gatewayWith(port, {
      route: 'agents "a"',
      limits: `agents { agent "a" {
        unix-socket "${agent.address}"; timeout-ms 50; failure-mode "closed"
        circuit-breaker { failure-threshold 3; timeout-secs 600 }
      } }`,
    });
    await waitFor(() => expect(agent.connections.open).toBeGreaterThanOrEqual(THREADS));
    const statuses: number[] = [];
    for (let index = 0; index < 4 * THREADS; index++) statuses.push(...(await ask(1)));
    expect([countOf(statuses, 504), countOf(statuses, 503)]).toEqual([3, 4 * THREADS - 3]);
    expect(agent.seen.filter(({ type }) => type === 'request_headers')).toHaveLength(3);
    expect(await metrics()).toContain('zentinel_agent_circuit_breaker_state{agent="a"} 1');
    expect(said.filter((line) => line.includes('Calls to an agent are suspended'))).toHaveLength(1);
  });

  it('know of open circuits when they begin anew', async () => {
    const { port, state } = await startBackend();
    state.status = 500;
    const threads = followThreads();
    const upstream = 'circuit-breaker { failure-threshold 1; timeout-secs 600 }';
    const { ask } = await gatewayWith(port, { upstream });
    expect(await ask(1)).toEqual([500]);
    for (const worker of threads.workers.slice()) threads.crash(worker);
    await waitFor(() => expect(threads.serving).toBe(2 * (THREADS - 1)));
    const before = state.requests;
    expect(new Set(await ask(30))).toEqual(new Set([503]));
    expect(state.requests).toBe(before);
  });
});
