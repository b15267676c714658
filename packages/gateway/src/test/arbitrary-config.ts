import fc from 'fast-check';
import type { AgentConfig, JsonValue } from '../config/model/agent.ts';
import type { HeaderEdits, RouteConfig } from '../config/model/route.ts';
import type { UpstreamConfig } from '../config/model/upstream.ts';

/** Any name a configuration can hold. */
export const id = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/);
const word = fc.stringMatching(/^[A-Za-z0-9/._-]{1,10}$/);
const headerName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/);
const headerValue = fc.stringMatching(/^[ -~]{0,10}$/).map((text) => text.replaceAll('${', '$'));
const seconds = fc.integer({ min: 1, max: 100_000 }).map((count) => count * 1000);
const count = fc.integer({ min: 1, max: 1_000_000 });
const pair = fc.record({ name: headerName, value: headerValue });

/** A record each of whose keys may be missing. */
function partial<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(model, { requiredKeys: [] });
}

const edits: fc.Arbitrary<HeaderEdits> = fc.record({
  rename: fc.array(fc.record({ from: headerName, to: headerName }), { maxLength: 2 }),
  set: fc.array(pair, { maxLength: 2 }),
  add: fc.array(pair, { maxLength: 2 }),
  remove: fc.array(headerName, { maxLength: 2 }),
});

const circuitBreaker = fc.record({
  failureThreshold: count,
  successThreshold: count,
  openMs: seconds,
  halfOpenMaxRequests: count,
});

/** An upstream apart from its name. */
export type Upstream = Omit<UpstreamConfig, 'id' | 'position'>;

/** Any upstream a configuration can hold. */
export const upstream: fc.Arbitrary<Upstream> = fc
  .record({
    targets: fc.array(
      fc.record({
        host: fc.constantFrom('h', '10.0.0.1', '::1', 'a.b'),
        port: fc.integer({ min: 1, max: 65535 }),
        weight: count,
      }),
      { minLength: 1, maxLength: 3 },
    ),
    loadBalancing: fc.constantFrom(
      'round_robin',
      'least_connections',
      'weighted',
      'ip_hash',
      'random',
      'consistent_hash',
    ),
    maxResponseHeadBytes: count,
    timeouts: fc.record({ connectMs: seconds, requestMs: seconds, readMs: seconds, writeMs: seconds }),
    connectionPool: fc.record({ maxConnections: count, maxIdle: count, idleTimeoutMs: seconds }),
    more: partial({
      healthCheck: fc.record({
        probe: fc.oneof(
          fc.record({ kind: fc.constant('tcp' as const) }),
          fc.record({
            kind: fc.constant('http' as const),
            path: word.map((text) => `/${text}`),
            expectedStatuses: fc.array(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 3 }),
            host: word,
          }),
        ),
        intervalMs: seconds,
        timeoutMs: seconds,
        healthyThreshold: count,
        unhealthyThreshold: count,
      }),
      circuitBreaker,
    }),
  })
  .map(({ more, ...rest }) => ({ ...rest, ...more }));

const json: fc.Arbitrary<JsonValue> = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 2 },
    fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(fc.oneof(word, fc.integer()), { minLength: 2, maxLength: 3 }),
    fc.dictionary(word, tie('json'), { minKeys: 1, maxKeys: 3 }).map((object) => ({ ...object })),
  ),
})).json;

/** An agent apart from its name. */
export type Agent = Omit<AgentConfig, 'id' | 'position'>;

const bodyMode = fc.oneof(
  fc.constantFrom({ kind: 'buffer' as const }, { kind: 'stream' as const }),
  fc.record({ kind: fc.constant('hybrid' as const), bufferBytes: fc.nat(1_000_000) }),
);

/** Any agent a configuration can hold. */
export const agent: fc.Arbitrary<Agent> = fc
  .record({
    transport: fc.oneof(
      fc.record({ kind: fc.constant('unix' as const), path: word }),
      fc.record({ kind: fc.constant('grpc' as const), address: fc.constantFrom('h:1', 'http://h:2') }),
    ),
    events: fc.uniqueArray(fc.constantFrom('request_headers', 'request_body', 'response_headers', 'request_complete'), {
      minLength: 1,
    }),
    timeoutMs: count,
    failureMode: fc.constantFrom('open', 'closed'),
    circuitBreaker,
    maxRequestBodyBytes: count,
    maxResponseBodyBytes: count,
    requestBodyMode: bodyMode,
    responseBodyMode: bodyMode,
    chunkTimeoutMs: count,
    maxConcurrentCalls: count,
    type: word,
    protocolVersion: fc.constantFrom<AgentConfig['protocolVersion'][]>('auto', 1, 2),
    connections: fc.integer({ min: 1, max: 256 }),
    more: partial({ config: json }),
  })
  .map(({ more, ...rest }) => ({ ...rest, ...more }));

/** A route apart from its name, and from what follows from the rest. */
export type Route = Omit<RouteConfig, 'id' | 'position' | 'serviceType' | 'filters'>;

/** Any route a configuration can hold, leading to and asking one of those named. */
export const route = (upstreams: readonly string[], agents: readonly string[]): fc.Arbitrary<Route> =>
  fc
    .record({
      priority: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      conditions: fc.record({
        paths: fc.array(
          fc.record({
            kind: fc.constantFrom('exact' as const, 'prefix' as const, 'regex' as const),
            value: fc.constantFrom('/', '/a', '/b/'),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        hosts: fc.array(
          fc.constantFrom({ kind: 'exact' as const, value: 'a.b' }, { kind: 'wildcard' as const, value: '*.a' }),
          { maxLength: 2 },
        ),
        methods: fc.array(fc.constantFrom('GET', 'PURGE'), { maxLength: 2 }),
        headers: fc.array(
          fc.oneof(pair, fc.record({ name: headerName })).map((one) => ({ ...one, name: one.name.toLowerCase() })),
          { maxLength: 2 },
        ),
        query: fc.array(fc.oneof(fc.record({ name: word, value: word }), fc.record({ name: word })), { maxLength: 2 }),
      }),
      destination: fc.oneof(
        fc.constantFrom(...upstreams.map((name) => ({ kind: 'upstream' as const, upstream: name }))),
        fc.constantFrom({ kind: 'builtin' as const, handler: 'status' as const }),
      ),
      agents: fc.uniqueArray(fc.constantFrom(...agents), { maxLength: 2 }),
      websocket: fc.boolean(),
      websocketInspection: fc.boolean(),
      policies: fc
        .record({
          requestHeaders: edits,
          responseHeaders: edits,
          failureMode: fc.constantFrom('open' as const, 'closed' as const),
          bufferRequests: fc.boolean(),
          bufferResponses: fc.boolean(),
          more: partial({ timeoutMs: seconds, maxBodyBytes: count }),
        })
        .map(({ more, ...rest }) => ({ ...rest, ...more })),
      more: partial({
        retryPolicy: fc.record({
          maxAttempts: fc.integer({ min: 1, max: 100 }),
          retryableStatusCodes: fc.array(fc.integer({ min: 100, max: 599 }), { maxLength: 2 }),
          backoffMs: fc.integer({ min: 0, max: 10 }),
          maxBackoffMs: fc.integer({ min: 10, max: 10_000 }),
          retryNonIdempotent: fc.boolean(),
        }),
      }),
    })
    .map(({ more, ...rest }) => ({ ...rest, ...more }));
