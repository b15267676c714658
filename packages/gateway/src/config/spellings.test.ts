import { describe, expect, it } from 'vitest';
import { configOf } from '../test/load-text.ts';

async function upstream(inside: string) {
  return (await configOf(`upstreams { upstream "u" { ${inside} } }`)).upstreams.get('u')!;
}

async function agent(inside: string, entries = '') {
  return (await configOf(`agents { agent "a" ${entries} { ${inside} } }`)).agents.get('a')!;
}

async function route(inside: string) {
  return (await configOf(`routes { route "r" { builtin-handler "health"; matches { path "/" }; ${inside} } }`))
    .routes[0]!;
}

async function filter(inside: string) {
  const text = `filters { filter "f" { ${inside} } }\nagents { agent "a" { unix-socket "/a" } }`;
  return (await configOf(text)).filters.get('f')!.settings;
}

describe('spellings of a setting that mean the same', () => {
  it.each([
    'target "h:1" weight=3',
    'target address="h:1" weight=3',
    'target { address "h:1"; weight 3 }',
    'target "h:1" { weight 3 }',
    'targets { target "h:1" weight=3 }',
    'targets { target { address "h:1"; weight 3 } }',
    'address "h:1" weight=3',
  ])('target: %s', async (inside) => {
    expect((await upstream(inside)).targets).toEqual([{ host: 'h', port: 1, weight: 3 }]);
  });

  it('gives every target weight 1 unless told otherwise, and reads IPv6 addresses', async () => {
    expect((await upstream('target "[::1]:80"; target "10.0.0.1:81"; targets { target "x.y:82" }')).targets).toEqual([
      { host: '::1', port: 80, weight: 1 },
      { host: '10.0.0.1', port: 81, weight: 1 },
      { host: 'x.y', port: 82, weight: 1 },
    ]);
  });

  it.each(['unix-socket "/a.sock"', 'unix-socket path="/a.sock"', 'unix-socket { path "/a.sock" }'])(
    'socket: %s',
    async (inside) => {
      expect((await agent(inside)).transport).toEqual({ kind: 'unix', path: '/a.sock' });
    },
  );

  it.each(['grpc "h:1"', 'grpc address="h:1"', 'grpc { address "h:1" }'])('gRPC: %s', async (inside) => {
    expect((await agent(inside)).transport).toEqual({ kind: 'grpc', address: 'h:1' });
  });

  it.each(['http "http://h:1/a"', 'http url="http://h:1/a"', 'http { url "http://h:1/a" }'])(
    'agents: %s',
    async (inside) => {
      expect((await agent(inside)).transport).toEqual({ kind: 'http', address: 'http://h:1/a' });
    },
  );

  it('speaks TLS to agents with https, or when told so', async () => {
    expect((await agent('http "https://h:1" { ca-cert "ca.pem" }')).transport).toMatchObject({
      kind: 'http',
      tls: { caCertFile: 'ca.pem' },
    });
    const tls = { insecureSkipVerify: false };
    expect((await agent('grpc "https://h:1"')).transport).toEqual({ kind: 'grpc', address: 'https://h:1', tls });
    expect((await agent('grpc "h:1" { ca-cert "ca.pem" }')).transport).toMatchObject({
      tls: { ...tls, caCertFile: 'ca.pem' },
    });
    expect((await agent('grpc "h:1" { tls { sni "x" } }')).transport).toMatchObject({ tls: { sni: 'x' } });
    expect((await agent('grpc "h:1" { insecure-skip-verify }')).transport).toMatchObject({
      tls: { insecureSkipVerify: true },
    });
  });

  it.each([
    ['failure-mode "open"', 'open'],
    ['failure-mode "fail-open"', 'open'],
    ['failure-mode "fail_open"', 'open'],
    ['failure-mode "closed"', 'closed'],
    ['failure-mode "FAIL-CLOSED"', 'closed'],
    ['', 'open'],
  ])('agents: %s', async (inside, expected) => {
    expect((await agent(`unix-socket "/a"; ${inside}`)).failureMode).toBe(expected);
  });

  it('knows events by all their names, once each', async () => {
    const events = 'events "request-headers" "request_body_chunk" "log" "request_complete" "guardrail_inspect"';
    expect((await agent(`unix-socket "/a"; ${events}`)).events).toEqual([
      'request_headers',
      'request_body',
      'request_complete',
      'guardrail',
    ]);
  });

  it.each([
    ['buffer', { kind: 'buffer' }],
    ['stream', { kind: 'stream' }],
    ['hybrid', { kind: 'hybrid', bufferBytes: 65536 }],
    ['hybrid:1024', { kind: 'hybrid', bufferBytes: 1024 }],
  ])('body mode %s', async (mode, expected) => {
    expect((await agent(`unix-socket "/a"; request-body-mode "${mode}"`)).requestBodyMode).toEqual(expected);
  });

  it.each([
    ['protocol-version 1', 1],
    ['protocol-version "2"', 2],
    ['protocol-version "v2"', 2],
    ['protocol-version "auto"', 'auto'],
  ])('dialect: %s', async (inside, expected) => {
    expect((await agent(`unix-socket "/a"; ${inside}`)).protocolVersion).toBe(expected);
  });

  it('takes a type beside the name', async () => {
    expect((await agent('unix-socket "/a"', 'type="waf"')).type).toBe('waf');
    expect((await agent('unix-socket "/a"; type "auth"')).type).toBe('auth');
  });

  it('turns settings of an agent into JSON', async () => {
    const inside = `unix-socket "/a"; config mode="strict" {
      paths "/a" "/b"; limit 1.5; on #true; off #false; none #null; bare
      nested x=1 { list 1 2; text "t" }
      "__proto__" "own"
    }`;
    const { config } = await agent(inside);
    expect(JSON.parse(JSON.stringify(config))).toEqual(
      JSON.parse(
        '{"mode":"strict","paths":["/a","/b"],"limit":1.5,"on":true,"off":false,"none":null,"bare":true,"nested":{"x":1,"list":[1,2],"text":"t"},"__proto__":"own"}',
      ),
    );
    expect((await agent('unix-socket "/a"; config "one"')).config).toBe('one');
    expect((await agent('unix-socket "/a"; config 1 2')).config).toEqual([1, 2]);
    expect((await agent('unix-socket "/a"; config')).config).toBe(true);
    expect((await agent('unix-socket "/a"')).config).toBeUndefined();
  });

  it.each([
    ['interval-secs 10', 10_000],
    ['interval-secs 0.5', 500],
    ['interval-secs "1m30s"', 90_000],
    ['interval-secs "250ms"', 250],
  ])('durations: %s', async (inside, expected) => {
    expect((await upstream(`target "h:1"; health-check { ${inside} }`)).healthCheck!.intervalMs).toBe(expected);
  });

  it.each([
    ['connect 3; request 4; read 5; write 6', [3000, 4000, 5000, 6000]],
    ['connect-secs 3; read-secs "10ms"', [3000, 60_000, 10, 30_000]],
  ])('timeouts: %s', async (inside, expected) => {
    const { timeouts } = await upstream(`target "h:1"; timeouts { ${inside} }`);
    expect([timeouts.connectMs, timeouts.requestMs, timeouts.readMs, timeouts.writeMs]).toEqual(expected);
  });

  it.each([
    ['max-body-size 1024', 1024],
    ['max-body-size "10MB"', 10 * 2 ** 20],
    ['max-body-size "10mib"', 10 * 2 ** 20],
    ['max-body-size "1.5 KB"', 1536],
    ['max-body-size "2G"', 2 * 2 ** 30],
    ['max-body-size "7B"', 7],
  ])('sizes are powers of 1024: %s', async (inside, expected) => {
    expect((await route(`policies { ${inside} }`)).policies.maxBodyBytes).toBe(expected);
  });

  it('accepts both names of limits', async () => {
    const first = await configOf('limits { max-header-size 1; max-body-size "2KB" }');
    const second = await configOf('limits { max-header-size-bytes 1; max-body-size-bytes 2048 }');
    expect(second.limits).toEqual(first.limits);
  });

  it.each([
    [
      'type "http" { path "/x"; expected-status 204 }',
      { kind: 'http', path: '/x', expectedStatuses: [204], host: 'localhost' },
    ],
    [
      'type "http" { expected-status "200" 204 }',
      { kind: 'http', path: '/health', expectedStatuses: [200, 204], host: 'localhost' },
    ],
    ['type "http" path="/x" host="h"', { kind: 'http', path: '/x', expectedStatuses: [200], host: 'h' }],
    ['type "tcp"', { kind: 'tcp' }],
    ['', { kind: 'tcp' }],
  ])('health checks: %s', async (inside, expected) => {
    expect((await upstream(`target "h:1"; health-check { ${inside} }`)).healthCheck!.probe).toEqual(expected);
  });

  it.each([
    ['least-connections', 'least_connections'],
    ['weighted_round_robin', 'weighted'],
    ['IP_HASH', 'ip_hash'],
  ])('balancing: %s', async (written, expected) => {
    expect((await upstream(`target "h:1"; load-balancing "${written}"`)).loadBalancing).toBe(expected);
  });

  it('reads headers and parameters with or without names of their parts', async () => {
    const inside =
      'header "X-A"; header "X-B" "1"; header name="X-C" value="2"; query-param "q"; query-param name="r" value=""';
    const { routes } = await configOf(`routes { route "r" { builtin-handler "health"; matches { ${inside} } } }`);
    expect(routes[0]!.conditions.headers).toEqual([
      { name: 'x-a' },
      { name: 'x-b', value: '1' },
      { name: 'x-c', value: '2' },
    ]);
    expect(routes[0]!.conditions.query).toEqual([{ name: 'q' }, { name: 'r', value: '' }]);
  });

  it('edits headers by blocks or properties, and turns numbers into text', async () => {
    const edits = 'set { X-A "1"; "X-B" 2 }; add X-C=#true; rename { Old "New" }; remove "D" "E"; remove "F"';
    expect((await route(`policies { request-headers { ${edits} } }`)).policies.requestHeaders).toEqual({
      rename: [{ from: 'Old', to: 'New' }],
      set: [
        { name: 'X-A', value: '1' },
        { name: 'X-B', value: '2' },
      ],
      add: [{ name: 'X-C', value: 'true' }],
      remove: ['D', 'E', 'F'],
    });
  });

  it.each([
    ['client_ip', { kind: 'client-ip' }],
    ['client-ip-and-path', { kind: 'client-ip-and-path' }],
    ['route', { kind: 'route' }],
    ['header:X-Api-Key', { kind: 'header', header: 'x-api-key' }],
  ])('rate keys: %s', async (written, key) => {
    const { rateLimit } = (await route(`policies { rate-limit { requests-per-second 0.5; key "${written}" } }`))
      .policies;
    expect(rateLimit).toEqual({ requestsPerSecond: 0.5, burst: 10, key });
  });

  it('merges several matches blocks and understands hosts', async () => {
    const text = 'matches { host "A.b" "*.C.d" }; matches { host "x[0-9].e"; host-regex "^f" "g" }';
    const { routes } = await configOf(`routes { route "r" { builtin-handler "health"; ${text} } }`);
    expect(routes[0]!.conditions.hosts).toEqual([
      { kind: 'exact', value: 'a.b' },
      { kind: 'wildcard', value: '*.c.d' },
      { kind: 'regex', value: 'x[0-9].e' },
      { kind: 'regex', value: '^f' },
      { kind: 'regex', value: 'g' },
    ]);
  });

  it.each([
    [
      'type "rate-limit"',
      {
        type: 'rate-limit',
        rate: { requestsPerSecond: 100, burst: 10, key: { kind: 'client-ip' } },
        onLimit: 'reject',
        statusCode: 429,
        maxDelayMs: 5000,
        maxKeys: 100_000,
      },
    ],
    ['type "rate_limit"; limit-message "slow"', expect.objectContaining({ type: 'rate-limit', message: 'slow' })],
    ['type "agent"; agent "a"', { type: 'agent', agent: 'a', inspectBody: false }],
    [
      'type "agent"; agent "a"; failure-mode "open"; phase "both"; timeout-ms 5',
      { type: 'agent', agent: 'a', inspectBody: false, failureMode: 'open', phase: 'both', timeoutMs: 5 },
    ],
    [
      'type "headers"; phase "response"; remove "Server"',
      { type: 'headers', phase: 'response', edits: { rename: [], set: [], add: [], remove: ['Server'] } },
    ],
    [
      'type "cors"',
      {
        type: 'cors',
        allowedOrigins: ['*'],
        allowedMethods: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'],
        allowedHeaders: [],
        exposedHeaders: [],
        allowCredentials: false,
        maxAgeSeconds: 86_400,
      },
    ],
    [
      'type "cors" { allowed-origins "https://EXAMPLE.com/"; allowed-methods "get" }',
      expect.objectContaining({ allowedOrigins: ['https://example.com'], allowedMethods: ['GET'] }),
    ],
    [
      'type "redirect"; scheme "https"; port 8443; status-code 308',
      { type: 'redirect', statusCode: 308, scheme: 'https', port: 8443 },
    ],
    [
      'type "redirect"; replace-prefix-match "/new"',
      { type: 'redirect', statusCode: 302, path: { kind: 'prefix', prefix: '/new' } },
    ],
    [
      'type "url-rewrite"; hostname "h"; replace-full-path "/x"',
      { type: 'url-rewrite', hostname: 'h', path: { kind: 'full', path: '/x' } },
    ],
    ['type "timeout"; request-timeout-secs 5', { type: 'timeout', requestTimeoutMs: 5000 }],
  ])('filters: %s', async (inside, expected) => {
    expect(await filter(inside)).toEqual(expected);
  });

  it('leaves out filters that do nothing, and the mentions of them', async () => {
    const text = `filters { filter "zip" { type "compress" }; filter "t" { type "timeout"; request-timeout-secs 1 } }
routes { route "r" { builtin-handler "health"; matches { path "/" }; filters "zip" "t" } }`;
    const { filters, routes } = await configOf(text);
    expect([...filters.keys()]).toEqual(['t']);
    expect(routes[0]!.filters).toEqual(['t']);
  });

  it('tells the service type from the destination', async () => {
    const routes = `routes {
      route "a" { upstream "u"; matches { path "/a" } }
      route "b" { upstream "u"; service-type "api"; matches { path "/b" } }
      route "c" { static-files { root "/srv" }; matches { path "/c" } }
      route "d" { builtin-handler "not_found"; priority "low" }
    }
    upstreams { upstream "u" { target "h:1" } }`;
    const config = await configOf(routes);
    expect(config.routes.map(({ serviceType, destination }) => [serviceType, destination.kind])).toEqual([
      ['web', 'upstream'],
      ['api', 'upstream'],
      ['static', 'static'],
      ['builtin', 'builtin'],
    ]);
  });

  it('reads listeners with certificates, and takes h2 for what it can serve', async () => {
    const tls =
      'tls { cert-file "c"; key-file "k"; min-version 1.3; sni { hostnames "*.A.b"; cert-file "d"; key-file "e" } }';
    const { listeners } = await configOf(`system {}\nlisteners {
      listener "a" { address "[::]:443"; protocol "https"; ${tls} }
      listener "b" { address "0.0.0.0:444"; protocol "h2"; ${tls} }
    }`);
    expect(listeners[0]).toMatchObject({
      address: { host: '::', port: 443 },
      protocol: 'https',
      tls: { minVersion: 'TLSv1.3', sni: [{ hostnames: ['*.a.b'], certFile: 'd' }] },
    });
    expect(listeners[1]!.protocol).toBe('https');
  });

  it('switches fields of the access log off', async () => {
    const text = 'observability { logging { access-log { fields { path #false; user-agent #false; query #true } } } }';
    const { logging } = (await configOf(text)).observability;
    expect(logging.accessLog!.omittedFields).toEqual(['path', 'user_agent']);
    expect(logging.accessLog!.file).toBeUndefined();
    expect(logging.accessLog!.defaultFile).toBe('/var/log/zentinel/access.log');
  });

  it('takes jaeger, zipkin and OTLP backends with headers', async () => {
    const backend = async (text: string) =>
      (await configOf(`observability { tracing { backend ${text} } }`)).observability.tracing!.backend;
    expect(await backend('"jaeger" { endpoint "http://j:14268/api/traces" }')).toEqual({
      kind: 'jaeger',
      endpoint: 'http://j:14268/api/traces',
      headers: [],
    });
    expect(
      await backend('"OTLP" endpoint="https://o:4318" { protocol "http/json"; headers { Authorization "Bearer x" } }'),
    ).toEqual({
      kind: 'otlp',
      endpoint: 'https://o:4318',
      protocol: 'http/json',
      headers: [{ name: 'Authorization', value: 'Bearer x' }],
    });
  });

  it('gives rate-limits their two halves', async () => {
    expect((await configOf('rate-limits {}')).rateLimits).toEqual({});
    const key = { kind: 'client-ip' };
    expect((await configOf('rate-limits { default-rps 5; global { max-rps 9; burst 2 } }')).rateLimits).toEqual({
      perRoute: { requestsPerSecond: 5, burst: 10, key },
      global: { requestsPerSecond: 9, burst: 2, key },
    });
  });
});
