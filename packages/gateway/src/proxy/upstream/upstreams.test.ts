import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  freePort,
  onEnd,
  send,
  startBackend,
  startGateway,
  startTcp,
} from '../../../test/proxy/harness.ts';
import { HostResolver } from './resolver.ts';

interface Shape {
  readonly targets: readonly (number | string)[];
  readonly route?: string;
  readonly upstream?: string;
}

const text = ({ targets, route = '', upstream = '' }: Shape): string => `
  routes { route "r" { matches { path-prefix "/" }; upstream "b"; ${route} } }
  upstreams { upstream "b" {
    ${targets.map((target) => `target "${typeof target === 'number' ? `127.0.0.1:${target}` : target}"`).join('\n')}
    ${upstream}
  } }
`;

describe('what failures of an upstream become', () => {
  it.each([
    ['an answer that is no HTTP', 'SSH-2.0-OpenSSH_9\r\n', 502, 'invalid_response'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 502, 'invalid_response'],
    [
      'a length and a coding',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      502,
      'invalid_response',
    ],
    ['a head too large', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 502, 'invalid_response'],
  ])('%s', async (_title, bytes, status, failure) => {
    const port = await startTcp((socket) => socket.once('data', () => socket.end(bytes)));
    const gateway = await startGateway(text({ targets: [port] }));
    expect((await send(gateway, '/')).status).toBe(status);
    expect((await gateway.recorder.exchange()).attempts[0]!.failure).toBe(failure);
  });

  it('a connection closed without an answer: 502', async () => {
    const port = await startTcp((socket) => socket.once('data', () => socket.end()));
    const gateway = await startGateway(text({ targets: [port] }));
    expect((await send(gateway, '/')).status).toBe(502);
    expect((await gateway.recorder.exchange()).attempts[0]!.failure).toBe('connection_closed');
  });

  it('a name without an address: 502', async () => {
    const resolver = new HostResolver(() => Promise.reject(new Error('getaddrinfo ENOTFOUND')));
    const gateway = await startGateway(text({ targets: ['nowhere.test:80'] }), { resolver });
    expect((await send(gateway, '/')).status).toBe(502);
    expect((await gateway.recorder.exchange()).attempts[0]!.failure).toBe('dns_error');
  });

  it('silence: 504 after the read timeout', async () => {
    const port = await startTcp(() => {});
    const gateway = await startGateway(text({ targets: [port], upstream: 'timeouts { read-secs 1 }' }));
    expect((await send(gateway, '/')).status).toBe(504);
    expect((await gateway.recorder.exchange()).attempts[0]!.failure).toBe('read_timeout');
  });

  it('a request that takes longer than it may: 504', async () => {
    const port = await startTcp(() => {});
    const gateway = await startGateway(text({ targets: [port], route: 'policies { timeout-secs 1 }' }));
    expect((await send(gateway, '/')).status).toBe(504);
    const exchange = await gateway.recorder.exchange();
    expect(exchange.failure).toMatchObject({ type: 'Timeout', reason: 'request_timeout' });
    expect(exchange.attempts[0]!.failure).toBe('aborted');
  });

  it('an upstream that takes no data: 504 after the write timeout', async () => {
    const port = await startTcp((socket) => socket.pause());
    const limits = 'limits { max-body-size 2147483647 }';
    const gateway = await startGateway(
      `${limits}\n${text({ targets: [port], upstream: 'timeouts { write-secs 1 }' })}`,
    );
    const socket = connect(gateway.port, '127.0.0.1');
    onEnd(() => socket.destroy());
    socket.on('error', () => {});
    let seen = '';
    socket.on('data', (chunk) => (seen += chunk.toString()));
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000000\r\n\r\n');
    const chunk = Buffer.alloc(256 * 1024);
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    pour();
    await eventually(() => seen.includes(' 504 '));
    expect((await gateway.recorder.exchange()).attempts[0]!.failure).toBe('write_timeout');
  });
});

describe('retries', () => {
  const policy = (more = ''): string => `retry-policy { max-attempts 3; backoff "1ms"; max-backoff "5ms"; ${more} }`;

  it('tries another target when nobody listens', async () => {
    const backend = await startBackend((_request, response) => response.end('alive'));
    const gateway = await startGateway(text({ targets: [await freePort(), backend.port], route: policy() }));
    for (let n = 0; n < 4; n++) {
      expect((await send(gateway, '/', { method: 'POST', body: 'x' })).body).toBe('alive');
    }
    const tries = gateway.recorder.ended.map(({ attempts }) => attempts.length);
    expect(Math.max(...tries)).toBe(2);
  });

  it('makes one attempt without a policy', async () => {
    const gateway = await startGateway(text({ targets: [await freePort(), await freePort()] }));
    expect((await send(gateway, '/')).status).toBe(503);
    expect((await gateway.recorder.exchange()).attempts).toHaveLength(1);
  });

  it('repeats what the policy lists, with the body, and passes the last response through', async () => {
    const bodies: string[] = [];
    const backend = await startBackend((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(503, { 'X-Try': String(bodies.length) }).end('busy');
      });
    });
    const gateway = await startGateway(text({ targets: [backend.port], route: policy('retryable-status-codes 503') }));
    const response = await send(gateway, '/', { method: 'PUT', body: 'again' });
    expect(response).toMatchObject({ status: 503, body: 'busy', headers: { 'x-try': '3' } });
    expect(bodies).toEqual(['again', 'again', 'again']);
    const exchange = await gateway.recorder.exchange();
    expect(exchange.attempts.map(({ index, status }) => [index, status])).toEqual([
      [0, 503],
      [1, 503],
      [2, 503],
    ]);
    expect(gateway.recorder.attemptsEnded).toBe(3);
  });

  it('does not repeat what is not idempotent, unless told so', async () => {
    const port = await startTcp((socket) => socket.once('data', () => socket.destroy()));
    const careful = await startGateway(text({ targets: [port], route: policy() }));
    expect((await send(careful, '/', { method: 'POST', body: 'x' })).status).toBe(502);
    expect((await careful.recorder.exchange()).attempts).toHaveLength(1);
    const bold = await startGateway(text({ targets: [port], route: policy('retry-non-idempotent #true') }));
    expect((await send(bold, '/', { method: 'POST', body: 'x' })).status).toBe(502);
    expect((await bold.recorder.exchange()).attempts).toHaveLength(3);
  });

  it('does not repeat a body that is too large to keep', async () => {
    const port = await startTcp((socket) => {
      let bytes = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes > 50_000) socket.destroy();
      });
    });
    const gateway = await startGateway(
      `limits { max-body-buffer-bytes 10000 }\n${text({ targets: [port], route: policy() })}`,
    );
    expect((await send(gateway, '/', { method: 'PUT', body: Buffer.alloc(60_000) })).status).toBe(502);
    expect((await gateway.recorder.exchange()).attempts).toHaveLength(1);
  });

  it('gives each attempt its own time', async () => {
    let tries = 0;
    const backend = await startBackend((_request, response) => {
      if (++tries > 1) response.end('second');
    });
    const gateway = await startGateway(text({ targets: [backend.port], route: policy('per-attempt-timeout "200ms"') }));
    expect((await send(gateway, '/')).body).toBe('second');
    expect((await gateway.recorder.exchange()).attempts[0]!.failure).toBe('attempt_timeout');
  });

  it('replaces a connection that was closed while idle, once and without a policy', async () => {
    let served = 0;
    const port = await startTcp((socket) => {
      socket.on('data', () => {
        // The second request on a connection is one too many.
        if (socket.bytesRead > 0 && Reflect.get(socket, 'used') === true) socket.destroy();
        else {
          Reflect.set(socket, 'used', true);
          served++;
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        }
      });
    });
    const gateway = await startGateway(text({ targets: [port] }));
    for (let n = 0; n < 3; n++) expect((await send(gateway, '/')).body).toBe('ok');
    expect(served).toBe(3);
    expect(gateway.recorder.ended.map(({ attempts }) => attempts.length)).toEqual([1, 2, 2]);
  });
});

describe('load balancing', () => {
  async function spread(upstream: string, requests: number, weights = [1, 1, 1]): Promise<number[]> {
    const backends = await Promise.all(weights.map(() => startBackend((_request, response) => response.end())));
    const targets = backends.map(({ port }, index) => `target "127.0.0.1:${port}" weight=${weights[index]}`).join('\n');
    const gateway = await startGateway(
      `routes { route "r" { matches { path-prefix "/" }; upstream "b" } }
       upstreams { upstream "b" { ${targets}\n ${upstream} } }`,
    );
    for (let n = 0; n < requests; n++) await send(gateway, `/${n}`);
    return backends.map((backend) => backend.requests.length);
  }

  it('goes round', async () => {
    expect(await spread('', 9)).toEqual([3, 3, 3]);
  });
  it('follows weights', async () => {
    expect(await spread('load-balancing "weighted"', 12, [3, 2, 1])).toEqual([6, 4, 2]);
  });
  it('prefers who has least to do', async () => {
    expect((await spread('load-balancing "least_connections"', 9)).toSorted()).toEqual([3, 3, 3]);
  });
  it('keeps a client at one target', async () => {
    expect((await spread('load-balancing "ip_hash"', 9)).toSorted()).toEqual([0, 0, 9]);
  });
  it('keeps a path at one target, and spreads paths', async () => {
    const counts = await spread('load-balancing "consistent_hash"', 60);
    expect(Math.min(...counts)).toBeGreaterThan(5);
  });
  it('spreads by chance', async () => {
    const counts = await spread('load-balancing "random"', 60);
    expect(Math.min(...counts)).toBeGreaterThan(3);
  });
});

describe('health', () => {
  it('takes a target out when probes fail, and back when they succeed', async () => {
    let status = 500;
    const sick = await startBackend((request, response) => {
      response.statusCode = request.url === '/hz' ? status : 200;
      response.end('sick');
    });
    const well = await startBackend((_request, response) => response.end('well'));
    const check = `health-check { type "http" { path "/hz"; expected-status 200 }
      interval-secs 1; timeout-secs 1; healthy-threshold 1; unhealthy-threshold 1 }`;
    const gateway = await startGateway(text({ targets: [sick.port, well.port], upstream: check }));
    await eventually(() => gateway.recorder.health.some(({ healthy }) => !healthy));
    const probe = sick.requests.find(({ url }) => url === '/hz')!;
    expect(probe.headers['user-agent']).toBe('Clew-HealthCheck/1.0');
    for (let n = 0; n < 4; n++) expect((await send(gateway, '/')).body).toBe('well');
    status = 200;
    await eventually(() => gateway.recorder.health.at(-1)!.healthy && gateway.recorder.health.length >= 3);
    const bodies = new Set<string>();
    for (let n = 0; n < 4; n++) bodies.add((await send(gateway, '/')).body);
    expect(bodies).toEqual(new Set(['sick', 'well']));
    // Probes are no requests.
    expect(gateway.recorder.started).toHaveLength(8);
  });

  it('answers 503 when no target is left', async () => {
    const port = await freePort();
    const check = 'health-check { type "tcp"; interval-secs 1; timeout-secs 1; unhealthy-threshold 1 }';
    const gateway = await startGateway(text({ targets: [port], upstream: check }));
    await eventually(() => gateway.recorder.health.length > 0);
    const response = await send(gateway, '/');
    expect(response.status).toBe(503);
    expect((await gateway.recorder.exchange()).failure!.type).toBe('NoHealthyUpstream');
  });

  it('avoids a target whose requests fail', async () => {
    const bad = await startBackend((_request, response) => response.writeHead(500).end());
    const good = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(text({ targets: [bad.port, good.port] }));
    for (let n = 0; n < 60; n++) await send(gateway, '/');
    expect(bad.requests.length).toBe(20);
    expect(gateway.recorder.health).toMatchObject([{ healthy: false, target: `127.0.0.1:${bad.port}` }]);
  });

  it('opens the circuit after failures in a row, and closes it when trials succeed', async () => {
    let status = 500;
    const backend = await startBackend((_request, response) => response.writeHead(status).end());
    const breaker = 'circuit-breaker { failure-threshold 2; success-threshold 1; timeout-seconds 1 }';
    const gateway = await startGateway(text({ targets: [backend.port], upstream: breaker }));
    for (let n = 0; n < 2; n++) expect((await send(gateway, '/')).status).toBe(500);
    expect((await send(gateway, '/')).status).toBe(503);
    expect((await gateway.recorder.exchange(2)).failure!.type).toBe('CircuitBreakerOpen');
    expect(backend.requests).toHaveLength(2);
    status = 200;
    await eventually(async () => (await send(gateway, '/')).status === 200);
    expect(gateway.recorder.circuit).toEqual(['open', 'half_open', 'closed']);
  });
});

describe('names', () => {
  it('follows a name to another address, within half a minute at most', async () => {
    let lookups = 0;
    const resolver = new HostResolver(() => {
      lookups++;
      return Promise.resolve(['127.0.0.1']);
    });
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(text({ targets: [`api.test:${backend.port}`] }), { resolver });
    for (let n = 0; n < 3; n++) expect((await send(gateway, '/')).status).toBe(200);
    expect(lookups).toBe(1);
    expect(backend.requests[0]!.headers.host).toBe(`127.0.0.1:${gateway.port}`);
  });

  it('tries the next address when one does not answer', async () => {
    const resolver = new HostResolver(() => Promise.resolve(['127.9.9.9', '127.0.0.1']));
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(text({ targets: [`api.test:${backend.port}`] }), { resolver });
    for (let n = 0; n < 3; n++) expect((await send(gateway, '/')).status).toBe(200);
  });

  it('recovers when a name that was missing appears', async () => {
    let known = false;
    const resolver = new HostResolver(() =>
      known ? Promise.resolve(['127.0.0.1']) : Promise.reject(new Error('none')),
    );
    const backend = await startBackend((_request, response) => response.end());
    const gateway = await startGateway(text({ targets: [`api.test:${backend.port}`] }), { resolver });
    expect((await send(gateway, '/')).status).toBe(502);
    known = true;
    expect((await send(gateway, '/')).status).toBe(200);
  });
});
