import { describe, expect, it } from 'vitest';
import { eventually, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import { PassiveHealth } from './passive-health.ts';
import { HostResolver } from './resolver.ts';

const text = (target: string, upstream: string): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
  upstreams { upstream "b" { target "${target}"; ${upstream} } }
`;

describe('connections to a target', () => {
  it('are shared out: whoever waits too long is told so', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((_request, response) => held.push(() => response.end('ok')));
    const gateway = await startGateway(
      text(`127.0.0.1:${backend.port}`, 'connection-pool { max-connections 1 }; timeouts { connect-secs 1 }'),
    );
    const first = send(gateway, '/');
    await eventually(() => held.length === 1);
    const second = send(gateway, '/');
    expect((await second).status).toBe(503);
    expect((await gateway.recorder.exchange()).attempts[0]!.failure).toBe('pool_exhausted');
    held[0]!();
    expect((await first).body).toBe('ok');
  });

  it('go to who waits as soon as they are free', async () => {
    const backend = await startBackend((_request, response) => void setTimeout(() => response.end('ok'), 5));
    const gateway = await startGateway(text(`127.0.0.1:${backend.port}`, 'connection-pool { max-connections 2 }'));
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(gateway, '/')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(gateway.server.snapshot().upstreams[0]!.targets[0]!.connections).toBe(2);
  });

  it('are not kept beyond what may idle', async () => {
    const backend = await startBackend((_request, response) => void setTimeout(() => response.end('ok'), 20));
    const gateway = await startGateway(text(`127.0.0.1:${backend.port}`, 'connection-pool { max-idle 1 }'));
    await Promise.all(Array.from({ length: 5 }, () => send(gateway, '/')));
    await eventually(() => gateway.server.snapshot().upstreams[0]!.targets[0]!.connections === 1);
    expect((await send(gateway, '/')).status).toBe(200);
  });

  it('end when they are old', async () => {
    const backend = await startBackend((_request, response) => response.end('ok'));
    const gateway = await startGateway(text(`127.0.0.1:${backend.port}`, 'connection-pool { max-lifetime 1 }'));
    await send(gateway, '/');
    await send(gateway, '/');
    await eventually(async () => {
      await send(gateway, '/');
      return gateway.recorder.ended.at(-1)!.attempts[0]!.connectionReused === false;
    });
    const reused = gateway.recorder.ended.map(({ attempts }) => attempts[0]!.connectionReused);
    expect(reused.slice(0, 2)).toEqual([false, true]);
  });

  it('are given up when the client goes before there is one', async () => {
    const held: (() => void)[] = [];
    const backend = await startBackend((_request, response) => held.push(() => response.end('ok')));
    const gateway = await startGateway(text(`127.0.0.1:${backend.port}`, 'connection-pool { max-connections 1 }'));
    const first = send(gateway, '/first');
    await eventually(() => held.length === 1);
    const { connect } = await import('node:net');
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('GET /gone HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => gateway.recorder.attemptsStarted === 2);
    socket.destroy();
    expect(await gateway.recorder.exchange()).toMatchObject({ path: '/gone', status: 499 });
    held[0]!();
    expect((await first).status).toBe(200);
    expect(backend.requests.map(({ url }) => url)).toEqual(['/first']);
  });
});

describe('resolving', () => {
  it('asks once for everybody who waits', async () => {
    let lookups = 0;
    const resolver = new HostResolver(() => {
      lookups++;
      return Promise.resolve(['192.0.2.1']);
    });
    const answers = await Promise.all([1, 2, 3].map(() => resolver.resolve('a.test')));
    expect(answers.flat()).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1']);
    expect(lookups).toBe(1);
    expect([resolver.knows('a.test', '192.0.2.1'), resolver.knows('a.test', '192.0.2.2')]).toEqual([true, false]);
  });
  it('does not ask for addresses', async () => {
    const resolver = new HostResolver(() => Promise.reject(new Error('asked')));
    expect(await resolver.resolve('::1')).toEqual(['::1']);
  });
  it('does not remember failures', async () => {
    let fails = true;
    const resolver = new HostResolver(() => (fails ? Promise.reject(new Error('no')) : Promise.resolve(['192.0.2.1'])));
    await expect(resolver.resolve('a.test')).rejects.toThrow('no');
    fails = false;
    expect(await resolver.resolve('a.test')).toEqual(['192.0.2.1']);
  });
});

describe('passive health', () => {
  it('needs more than a few results, and more than half of them bad', () => {
    const health = new PassiveHealth();
    for (let n = 0; n < 19; n++) expect(health.record(true, 0)).toBe(false);
    expect(health.record(true, 0)).toBe(true);
    expect(health.avoided(9_999)).toBe(true);
    expect(health.avoided(10_000)).toBe(false);
    expect(health.failureRate).toBe(0);
  });
  it('tells when the target gets requests again, whoever notices', () => {
    const reasons: string[] = [];
    const health = new PassiveHealth((reason) => reasons.push(reason));
    const fail = (nowMs: number): void => {
      for (let n = 0; n < 20; n++) health.record(true, nowMs);
    };
    health.reset();
    fail(0);
    expect(reasons).toEqual([]);
    health.avoided(10_000);
    fail(10_000);
    health.record(false, 20_000);
    fail(20_000);
    health.reset();
    const waited = 'it was left alone for 10 seconds';
    expect(reasons).toEqual([waited, waited, 'a probe succeeded']);
  });
  it('looks back on the last hundred only', () => {
    const health = new PassiveHealth();
    for (let n = 0; n < 100; n++) health.record(false, 0);
    for (let n = 0; n < 50; n++) expect(health.record(true, 0)).toBe(false);
    expect(health.failureRate).toBe(0.5);
    expect(health.record(true, 0)).toBe(true);
  });
});
