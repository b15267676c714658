import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '@clew/testkit';
import { describe, expect, it } from 'vitest';
import { followThreads, startBackend, startProgram, testFolder, waitFor } from '../../test/command/harness.ts';

const THREADS = 3;

const text = (port: number, route = 'all', listener = 'address "127.0.0.1:0"'): string => `
system { worker-threads ${THREADS}; graceful-shutdown-timeout-secs 5 }
listeners { listener "http" { ${listener} } }
routes { route "${route}" { matches { path-prefix "/" }; upstream "backend" } }
upstreams { upstream "backend" { target "127.0.0.1:${port}" } }
observability { metrics { address "127.0.0.1:0" }; logging { error-log { enabled #false } } }`;

const requestsIn = (metrics: string, route = 'all'): number =>
  Number(
    new RegExp(`zentinel_requests_total\\{route="${route}",method="GET",status="200"\\} (\\d+)`).exec(metrics)?.[1],
  );

describe('a thread that is lost', () => {
  it('is replaced, with all others serving meanwhile', async () => {
    const threads = followThreads();
    const { port } = await startBackend();
    const { ask, said } = await startProgram(text(port));
    expect(threads.workers).toHaveLength(THREADS - 1);
    threads.crash(threads.workers[0]!);
    await waitFor(() => expect(said.join('')).toContain('A thread of the gateway was lost and is started again.'));
    expect(said.join('')).toMatch(/Cannot read properties of null|TypeError/);
    expect(new Set(await ask(20))).toEqual(new Set([200]));
    await waitFor(() => expect(threads.serving).toBe(THREADS));
    expect(new Set(await ask(40))).toEqual(new Set([200]));
  });

  it('does not make counters go back', async () => {
    const threads = followThreads();
    const { port } = await startBackend();
    const { ask, metrics } = await startProgram(text(port));
    await ask(60);
    expect(requestsIn(await metrics())).toBe(60);
    for (const worker of threads.workers.slice()) threads.crash(worker);
    await waitFor(() => expect(threads.serving).toBe(2 * (THREADS - 1)));
    expect(requestsIn(await metrics())).toBe(60);
    await ask(30);
    expect(requestsIn(await metrics())).toBe(90);
    expect(await metrics()).toMatch(/zentinel_open_connections \d\b/);
  });

  it('comes back with the configuration that holds by then, and where the others listen', async () => {
    const threads = followThreads();
    const { port } = await startBackend();
    const { ask, metrics, program, path } = await startProgram(text(port));
    writeFileSync(path, text(port, 'renamed', 'address "127.0.0.2:0"; request-timeout-secs 7'));
    await program.reload();
    for (const worker of threads.workers.slice()) threads.crash(worker);
    await waitFor(() => expect(threads.serving).toBe(2 * (THREADS - 1)));
    expect(new Set(await ask(60))).toEqual(new Set([200]));
    expect(requestsIn(await metrics(), 'renamed')).toBe(60);
    // The other address is for the next start.
    const elsewhere = `http://127.0.0.2:${program.ports.listeners['http']}/`;
    await expect(fetch(elsewhere)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('is tried again as long as it cannot start, and reloads do not wait for it', async () => {
    const folder = testFolder();
    const { cert, key } = createAuthority().issue('localhost');
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const threads = followThreads();
    const { port } = await startBackend();
    const plain = 'address "127.0.0.1:0"';
    const secure = `listener "tls" { address "127.0.0.1:0"; protocol "https"; tls { cert-file "${certFile}"; key-file "${keyFile}" } }`;
    const both = (route: string): string => text(port, route, `${plain} }\n${secure.slice(0, -1)}`);
    const { ask, program, path, said } = await startProgram(both('all'));
    writeFileSync(certFile, 'broken');
    threads.crash(threads.workers[0]!);
    await waitFor(() => expect(threads.workers.length).toBeGreaterThan(THREADS));
    expect(said.join('')).toContain('cannot use');
    expect(new Set(await ask(20))).toEqual(new Set([200]));
    writeFileSync(certFile, cert);
    writeFileSync(path, both('renamed'));
    await program.reload();
    await waitFor(() => expect(threads.serving).toBe(THREADS));
    expect(new Set(await ask(20))).toEqual(new Set([200]));
  });
});
