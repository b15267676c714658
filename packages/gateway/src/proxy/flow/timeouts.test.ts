// How long things may take, by each of the settings that say so. Limits under test are as short as they can be, all others so long that
// no machine is slow enough to reach them.
import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { onEnd, send, startBackend, startGateway, startTcp } from '../../../test/proxy/harness.ts';
import { HostResolver } from '../upstream/resolver.ts';

interface Texts {
  readonly target: string;
  readonly listener?: string;
  readonly filter?: string;
  readonly policies?: string;
  readonly upstream?: string;
}

const text = ({ target, listener = '', filter = '', policies = '', upstream = '' }: Texts): string => `
  listeners { listener "l" { address "127.0.0.1:0"; ${listener} } }
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; filters "f"; policies { ${policies} } } }
  filters { filter "f" { type "timeout"; ${filter} } }
  upstreams { upstream "b" { target "${target}"; ${upstream} } }`;

/** A target that takes requests and says nothing. */
const silence = async (): Promise<string> => `127.0.0.1:${await startTcp(() => {})}`;

/** A target that answers after longer than the shortest limits of these tests. */
const hesitation = async (): Promise<string> => {
  const { port } = await startBackend((_request, response) => void setTimeout(() => response.end('late'), 200));
  return `127.0.0.1:${port}`;
};

/**
 * A target at which connections never come about: it listens and does not accept, and those that may wait to be accepted are
 * there already.
 */
async function fullTarget(): Promise<string> {
  const listen = `
    const { createServer } = require('node:net');
    const { parentPort } = require('node:worker_threads');
    const server = createServer(() => {}).listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(listen, { eval: true });
  onEnd(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  // The system keeps one more than it is asked to.
  for (let n = 0; n < 2; n++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    onEnd(() => socket.destroy());
    await once(socket, 'connect');
  }
  return `127.0.0.1:${port}`;
}

describe('a whole request', () => {
  it.each([
    ['the listener', { listener: 'request-timeout-secs "80ms"' }],
    ['a filter', { filter: 'request-timeout-secs "80ms"' }],
    ['a filter before policies', { filter: 'request-timeout-secs "80ms"', policies: 'timeout-secs 60' }],
  ])('has the time that %s gives it', async (_whose, settings) => {
    const gateway = await startGateway(text({ target: await silence(), ...settings }));
    expect((await send(gateway, '/')).status).toBe(504);
    expect((await gateway.recorder.exchange()).failure).toMatchObject({
      type: 'Timeout',
      reason: 'request_timeout',
      message: 'the request took longer than 80 ms',
    });
  });

  it.each([
    ['a filter', { filter: 'request-timeout-secs 60' }],
    ['policies', { policies: 'timeout-secs 60' }],
  ])('has more time than its listener gives where %s says so', async (_whose, settings) => {
    const listener = 'request-timeout-secs "80ms"';
    const gateway = await startGateway(text({ target: await hesitation(), listener, ...settings }));
    expect(await send(gateway, '/')).toMatchObject({ status: 200, body: 'late' });
  });

  it('is cut off where its response has begun', async () => {
    const backend = await startBackend((_request, response) => void response.write('begun'));
    const listener = 'request-timeout-secs 1';
    const gateway = await startGateway(text({ target: `127.0.0.1:${backend.port}`, listener }));
    await expect(send(gateway, '/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await gateway.recorder.exchange()).toMatchObject({
      end: 'cut',
      status: 200,
      failure: { reason: 'request_timeout' },
    });
  });
});

describe('the exchange with a target', () => {
  it.each([
    ['its upstream', { upstream: 'timeouts { request-secs "80ms" }' }],
    [
      'a filter instead of its upstream',
      { filter: 'upstream-timeout-secs "80ms"', upstream: 'timeouts { request-secs 50 }' },
    ],
  ])('has the time that %s gives it', async (_whose, settings) => {
    const target = await silence();
    const gateway = await startGateway(text({ target, ...settings }));
    expect((await send(gateway, '/')).status).toBe(504);
    const { attempts, failure } = await gateway.recorder.exchange();
    expect(attempts[0]).toMatchObject({
      failure: 'attempt_timeout',
      failureMessage: `${target} took longer than 80 ms`,
    });
    expect(failure).toMatchObject({ type: 'Timeout', reason: 'upstream_attempt_timeout' });
  });

  it('has more time than its upstream gives where a filter says so', async () => {
    const settings = { filter: 'upstream-timeout-secs 50', upstream: 'timeouts { request-secs "80ms" }' };
    const gateway = await startGateway(text({ target: await hesitation(), ...settings }));
    expect(await send(gateway, '/')).toMatchObject({ status: 200, body: 'late' });
  });
});

describe('connecting to a target', () => {
  /** What came of a request that should have failed because it took too long to connect. */
  async function outcome(settings: Texts, resolver = new HostResolver()) {
    const gateway = await startGateway(text(settings), { resolver });
    const { status, body } = await send(gateway, '/');
    const { attempts, failure } = await gateway.recorder.exchange();
    expect([status, attempts.length, attempts[0]!.failure]).toEqual([504, 1, 'connection_timeout']);
    expect(failure).toMatchObject({ type: 'Timeout', reason: 'upstream_connection_timeout' });
    // Where the backend is, is nobody's business.
    expect(body).not.toContain(settings.target);
    return attempts[0]!.failureMessage;
  }
  const upstream = 'timeouts { connect-secs "80ms" }';

  it('takes no longer than the upstream says: a target that takes no connections', async () => {
    const target = await fullTarget();
    expect(await outcome({ target, upstream })).toContain(`connecting to ${target}`);
  });

  it('takes no longer than the upstream says: a name that is looked for in vain', async () => {
    const never = new HostResolver(() => new Promise(() => {}));
    const message = await outcome({ target: 'api.test:80', upstream }, never);
    expect(message).toBe('connecting to api.test:80 took longer than 80 ms');
  });

  it('takes no longer than the upstream says: a target that does not agree on TLS', async () => {
    const target = await silence();
    const message = await outcome({ target, upstream: `${upstream}; tls { insecure-skip-verify #true }` });
    expect(message).toContain(`connecting to ${target} with TLS took longer than`);
  });

  it('takes no longer than a filter says', async () => {
    const target = await fullTarget();
    const filter = 'connect-timeout-secs "80ms"';
    const message = await outcome({ target, filter, upstream: 'timeouts { connect-secs 50 }' });
    expect(message).toBe(`no connection to ${target} within 80 ms`);
  });

  it('is no matter where a connection is there: a filter gives the response all the time it wants', async () => {
    const gateway = await startGateway(`
      routes {
        route "first" { matches { path "/first" }; upstream "b" }
        route "r" { matches { path "/" }; upstream "b"; filters "f" }
      }
      filters { filter "f" { type "timeout"; connect-timeout-secs "80ms" } }
      upstreams { upstream "b" { target "${await hesitation()}" } }`);
    for (const path of ['/first', '/']) expect(await send(gateway, path)).toMatchObject({ status: 200, body: 'late' });
    expect((await gateway.recorder.exchange(1)).attempts[0]!.connectionReused).toBe(true);
  });
});
