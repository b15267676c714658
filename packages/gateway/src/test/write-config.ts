import type { AgentConfig, JsonValue } from '../config/model/agent.ts';
import type { HeaderEdits } from '../config/model/route.ts';
import type { Agent, Route, Upstream } from './arbitrary-config.ts';

/** Writes parts of a configuration, knowing nothing of how they are read. */
export const write = {
  text: (value: string) => JSON.stringify(value),
  flag: (value: boolean) => `#${value}`,
  block: (lines: readonly (string | undefined)[]) => `{\n${lines.filter((line) => line !== undefined).join('\n')}\n}`,
  values(name: string, values: readonly (string | number)[]): string | undefined {
    return values.length === 0 ? undefined : `${name} ${values.map((value) => JSON.stringify(value)).join(' ')}`;
  },
  json(name: string, value: JsonValue): string {
    const key = JSON.stringify(name);
    if (Array.isArray(value)) return `${key} ${value.map((item) => write.scalar(item)).join(' ')}`;
    if (typeof value !== 'object' || value === null) return `${key} ${write.scalar(value)}`;
    return `${key} ${write.block(Object.entries(value).map(([inner, held]) => write.json(inner, held)))}`;
  },
  scalar(value: JsonValue): string {
    return typeof value === 'boolean' || value === null ? `#${value}` : JSON.stringify(value);
  },
  breaker: ({ failureThreshold, successThreshold, openMs, halfOpenMaxRequests }: AgentConfig['circuitBreaker']) =>
    `circuit-breaker failure-threshold=${failureThreshold} success-threshold=${successThreshold} timeout-seconds=${openMs / 1000} half-open-max-requests=${halfOpenMaxRequests}`,
  edits: (name: string, { rename, set, add, remove }: HeaderEdits) =>
    `${name} ${write.block([
      ...rename.map(({ from, to }) => `rename { ${write.text(from)} ${write.text(to)} }`),
      ...set.map(({ name: header, value }) => `set { ${write.text(header)} ${write.text(value)} }`),
      ...add.map(({ name: header, value }) => `add ${write.text(header)}=${write.text(value)}`),
      write.values('remove', remove),
    ])}`,
  upstream(name: string, value: Upstream): string {
    const {
      targets,
      loadBalancing,
      healthCheck,
      timeouts,
      maxResponseHeadBytes,
      connectionPool,
      circuitBreaker: breaker,
    } = value;
    const probe = healthCheck?.probe;
    return `upstream ${write.text(name)} ${write.block([
      ...targets.map(({ host, port, weight }, index) => {
        const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
        return index === 0
          ? `target "${address}" weight=${weight}`
          : `targets { target { address "${address}"; weight ${weight} } }`;
      }),
      `load-balancing "${loadBalancing.replaceAll('_', '-')}"`,
      `timeouts connect=${timeouts.connectMs / 1000} request="${timeouts.requestMs}ms" { read-secs ${timeouts.readMs / 1000}; write ${timeouts.writeMs / 1000} }`,
      `connection-pool { max-connections ${connectionPool.maxConnections}; max-idle ${connectionPool.maxIdle}; idle-timeout ${connectionPool.idleTimeoutMs / 1000} }`,
      `max-response-head-bytes ${maxResponseHeadBytes}`,
      breaker === undefined ? undefined : write.breaker(breaker),
      healthCheck === undefined || probe === undefined
        ? undefined
        : `health-check ${write.block([
            probe.kind === 'tcp'
              ? 'type "tcp"'
              : `type "http" { path ${write.text(probe.path)}; ${write.values('expected-status', probe.expectedStatuses)}; host ${write.text(probe.host)} }`,
            `interval-secs ${healthCheck.intervalMs / 1000}`,
            `timeout-secs ${healthCheck.timeoutMs / 1000}`,
            `healthy-threshold ${healthCheck.healthyThreshold}`,
            `unhealthy-threshold ${healthCheck.unhealthyThreshold}`,
          ])}`,
    ])}`;
  },
  agent(name: string, value: Agent): string {
    const mode = (body: AgentConfig['requestBodyMode']) =>
      body.kind === 'hybrid' ? `"hybrid:${body.bufferBytes}"` : `"${body.kind}"`;
    const { transport } = value;
    return `agent ${write.text(name)} type=${write.text(value.type)} ${write.block([
      transport.kind === 'unix' ? `unix-socket path=${write.text(transport.path)}` : `grpc "${transport.address}"`,
      write.values('events', value.events),
      `timeout-ms ${value.timeoutMs}`,
      `failure-mode "${value.failureMode}"`,
      write.breaker(value.circuitBreaker),
      `max-request-body-bytes ${value.maxRequestBodyBytes}`,
      `max-response-body-bytes ${value.maxResponseBodyBytes}`,
      `request-body-mode ${mode(value.requestBodyMode)}`,
      `response-body-mode ${mode(value.responseBodyMode)}`,
      `chunk-timeout-ms ${value.chunkTimeoutMs}`,
      `max-concurrent-calls ${value.maxConcurrentCalls}`,
      `protocol-version ${value.protocolVersion === 'auto' ? '"auto"' : value.protocolVersion}`,
      `connections ${value.connections}`,
      value.config === undefined ? undefined : write.json('config', value.config),
    ])}`;
  },
  route(
    name: string,
    { priority, conditions, destination, agents, websocket, websocketInspection, policies, retryPolicy }: Route,
  ): string {
    const names = { exact: 'path', prefix: 'path-prefix', regex: 'path-regex' };
    const condition = (kind: string, { name: key, value }: { readonly name: string; readonly value?: string }) =>
      `${kind} ${write.text(key)}${value === undefined ? '' : ` value=${write.text(value)}`}`;
    return `route ${write.text(name)} ${write.block([
      `priority ${priority}`,
      `matches ${write.block([
        ...conditions.paths.map(({ kind, value }) => `${names[kind]} ${write.text(value)}`),
        write.values(
          'host',
          conditions.hosts.map(({ value }) => value),
        ),
        write.values('method', conditions.methods),
        ...conditions.headers.map((header) => condition('header', header)),
        ...conditions.query.map((parameter) => condition('query-param', parameter)),
      ])}`,
      destination.kind === 'upstream' ? `upstream ${write.text(destination.upstream)}` : 'builtin-handler "status"',
      write.values('agents', agents),
      `websocket ${write.flag(websocket)}`,
      `websocket-inspection ${write.flag(websocketInspection)}`,
      `policies ${write.block([
        write.edits('request-headers', policies.requestHeaders),
        write.edits('response-headers', policies.responseHeaders),
        `failure-mode "${policies.failureMode}"`,
        `buffer-requests ${write.flag(policies.bufferRequests)}`,
        `buffer-responses ${write.flag(policies.bufferResponses)}`,
        policies.timeoutMs === undefined ? undefined : `timeout-secs ${policies.timeoutMs / 1000}`,
        policies.maxBodyBytes === undefined ? undefined : `max-body-size ${policies.maxBodyBytes}`,
      ])}`,
      retryPolicy === undefined
        ? undefined
        : `retry-policy ${write.block([
            `max-attempts ${retryPolicy.maxAttempts}`,
            write.values('retryable-status-codes', retryPolicy.retryableStatusCodes),
            `backoff "${retryPolicy.backoffMs}ms"`,
            `max-backoff "${retryPolicy.maxBackoffMs}ms"`,
            `retry-non-idempotent ${write.flag(retryPolicy.retryNonIdempotent)}`,
          ])}`,
    ])}`;
  },
};
