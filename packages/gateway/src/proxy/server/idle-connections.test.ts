// Connections that nobody uses: how long those of clients and those to upstreams are kept.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually, onEnd, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import { askHttp2, certificates, openHttp2, tlsListener } from '../../../test/proxy/tls.ts';

const routes = (port: number, pool = ''): string => `
  routes {
    route "own" { matches { path "/own" }; builtin-handler "health" }
    route "r" { matches { path "/" }; upstream "b" }
  }
  upstreams { upstream "b" { target "127.0.0.1:${port}"; connection-pool { ${pool} } } }`;

/** A backend that answers when the test lets it. */
async function slowBackend() {
  const held: (() => void)[] = [];
  const { port } = await startBackend((_request, response) => void held.push(() => response.end('late')));
  return { port, held };
}

/** Longer than the idle time of these tests, which takes away what it should not if anything does. */
const aWhile = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 300));

describe('keepalive-timeout-secs', () => {
  const idle = 'keepalive-timeout-secs "60ms"';

  /** An open connection, and what came back on it. */
  function open(port: number) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const seen = { text: '', ended: false };
    socket.on('data', (part) => (seen.text += part.toString()));
    socket.on('end', () => (seen.ended = true));
    socket.on('error', () => {});
    onEnd(() => socket.destroy());
    return { socket, seen };
  }

  it('ends an HTTP/1.1 connection that has been idle after a request, and not before it', async () => {
    const gateway = await startGateway(`listeners { listener "l" { address "127.0.0.1:0"; ${idle} } }\n${routes(1)}`);
    const { socket, seen } = open(gateway.port);
    // Whoever has not asked anything yet has the time of a head.
    await aWhile();
    expect(seen.ended).toBe(false);
    socket.write('GET /own HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => seen.ended, 'the end of the connection');
    expect(seen.text).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.text.toLowerCase()).not.toContain('connection: close');
  });

  it('does not count the time of a request', async () => {
    const { port, held } = await slowBackend();
    const gateway = await startGateway(
      `listeners { listener "l" { address "127.0.0.1:0"; ${idle} } }\n${routes(port)}`,
    );
    const { socket, seen } = open(gateway.port);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => held.length === 1);
    await aWhile();
    expect(seen).toEqual({ text: '', ended: false });
    held[0]!();
    await eventually(() => seen.ended);
    expect(seen.text).toMatch(/late$/);
  });

  it('ends an HTTP/2 connection that has been idle, and lets its requests finish', async () => {
    const { port, held } = await slowBackend();
    const files = certificates();
    const { cert, key } = files.issue('own');
    const listener = tlsListener(`cert-file "${cert}"; key-file "${key}"`, idle);
    const gateway = await startGateway(`${listener}\n${routes(port)}`);
    const session = openHttp2(gateway, files.ca);
    const running = askHttp2(session, { ':path': '/' });
    await eventually(() => held.length === 1);
    await aWhile();
    held[0]!();
    expect((await running).body).toBe('late');
    await eventually(() => session.destroyed, 'the end of the session');
    const another = openHttp2(gateway, files.ca);
    expect((await askHttp2(another, { ':path': '/own' })).headers[':status']).toBe(200);
    await eventually(() => another.destroyed, 'the end of an idle session');
    expect(gateway.recorder.ended.map(({ end }) => end)).toEqual(['complete', 'complete']);
  });
});

describe('idle-timeout', () => {
  /** A backend that counts its connections. It would keep them for a minute itself. */
  async function countingBackend() {
    const backend = await startBackend((_request, response) => response.end());
    const state = { open: 0, made: 0 };
    backend.server.on('connection', (socket) => {
      state.open++;
      state.made++;
      socket.on('close', () => state.open--);
    });
    return { port: backend.port, state };
  }

  it('closes a connection to a target that no request has used for so long', async () => {
    const { port, state } = await countingBackend();
    const gateway = await startGateway(routes(port, 'idle-timeout "50ms"'));
    await send(gateway, '/');
    await eventually(() => state.open === 0, 'the end of the connection');
    expect(state.made).toBe(1);
    expect(gateway.server.snapshot().upstreams[0]!.targets[0]).toMatchObject({ connections: 0, idleConnections: 0 });
  });

  it('has no request use a connection that has been idle for longer, even if it is still there', async () => {
    const { port, state } = await countingBackend();
    const gateway = await startGateway(routes(port, 'idle-timeout "20ms"'));
    await send(gateway, '/');
    await new Promise((resolve) => void setTimeout(resolve, 25));
    await send(gateway, '/');
    expect((await gateway.recorder.exchange(1)).attempts[0]!.connectionReused).toBe(false);
    expect(state.made).toBe(2);
  });

  it('keeps a connection for as long as it says', async () => {
    const { port } = await countingBackend();
    const gateway = await startGateway(routes(port, 'idle-timeout 50'));
    await send(gateway, '/');
    await aWhile();
    await send(gateway, '/');
    expect((await gateway.recorder.exchange(1)).attempts[0]!.connectionReused).toBe(true);
  });
});
