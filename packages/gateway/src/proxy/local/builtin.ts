import type { GatewayConfig } from '../../config/model.ts';
import type { BuiltinHandler } from '../../config/model/route.ts';
import type { Exchange } from '../exchange.ts';
import type { UpstreamSnapshot } from '../upstream/upstream.ts';
import type { LocalAnswer } from './answer.ts';
import { configView } from './config-view.ts';

/** What builtin handlers tell about. */
export interface BuiltinSource {
  readonly version: string;
  readonly instanceId: string;
  /** `performance.now()` when the gateway started. */
  readonly startedMs: number;
  /** Prometheus text; undefined when metrics are off. */
  readonly metricsText: (() => string | Promise<string>) | undefined;
  /** With what other threads know. */
  upstreams(): readonly UpstreamSnapshot[] | Promise<readonly UpstreamSnapshot[]>;
  /** The configuration in force. */
  config(): GatewayConfig;
}

const json = 'application/json; charset=utf-8';
const prometheus = 'text/plain; version=0.0.4; charset=utf-8';

/** The answer of a builtin handler. */
export async function builtinAnswer(
  handler: BuiltinHandler,
  exchange: Exchange,
  source: BuiltinSource,
): Promise<LocalAnswer> {
  switch (handler) {
    case 'health':
      return answer(exchange, 200, json, JSON.stringify({ status: 'healthy', timestamp: now() }));
    case 'status':
      return answer(exchange, 200, json, indented(statusOf(source)));
    case 'metrics':
      return answer(exchange, 200, prometheus, (await source.metricsText?.()) ?? '');
    case 'not-found':
      return answer(exchange, 404, json, indented(notFound(exchange)));
    case 'upstreams':
      return answer(exchange, 200, json, indented(upstreamsOf(exchange, await source.upstreams())));
    case 'config':
      return answer(exchange, 200, json, indented(configOf(exchange, source.config())));
  }
}

/** Health is asked often and needs nothing: it is answered without waiting. */
export function healthAnswer(exchange: Exchange): LocalAnswer {
  return answer(exchange, 200, json, `{"status":"healthy","timestamp":"${now()}"}`);
}

function answer(exchange: Exchange, status: number, type: string, body: string): LocalAnswer {
  const headers = [
    'Content-Type',
    type,
    'Cache-Control',
    'no-cache, no-store, must-revalidate',
    'X-Request-Id',
    exchange.correlationId,
  ];
  return { status, headers, body };
}

function indented(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function now(): string {
  return new Date().toISOString();
}

function statusOf(source: BuiltinSource): unknown {
  const uptimeSeconds = Math.floor((performance.now() - source.startedMs) / 1000);
  return {
    status: 'ok',
    version: source.version,
    uptime: uptimeText(uptimeSeconds),
    uptime_secs: uptimeSeconds,
    instance_id: source.instanceId,
    timestamp: now(),
  };
}

/** A duration as `1d 2h 3m 4s`, beginning with the largest unit that is not zero. */
export function uptimeText(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return (first < 0 ? parts.slice(3) : parts.slice(first)).map(([amount, unit]) => `${amount}${unit}`).join(' ');
}

function notFound(exchange: Exchange): unknown {
  return {
    error: 'Not Found',
    status: 404,
    message: 'The requested resource could not be found.',
    request_id: exchange.correlationId,
    timestamp: now(),
  };
}

function configOf(exchange: Exchange, config: GatewayConfig): unknown {
  return { timestamp: now(), request_id: exchange.correlationId, config: configView(config) };
}

function upstreamsOf(exchange: Exchange, upstreams: readonly UpstreamSnapshot[]): unknown {
  const targets = upstreams.flatMap((upstream) => upstream.targets);
  const count = (status: string): number => targets.filter((target) => target.status === status).length;
  return {
    timestamp: now(),
    request_id: exchange.correlationId,
    summary: {
      total_upstreams: upstreams.length,
      total_targets: targets.length,
      healthy: count('healthy'),
      unhealthy: count('unhealthy'),
      unknown: count('unknown'),
    },
    upstreams: upstreams.map(({ id, loadBalancing, targets }) => ({
      id,
      load_balancing: loadBalancing,
      targets: targets.map(({ address, weight, status, failureRate, lastError }) => ({
        address,
        weight,
        status,
        failure_rate: failureRate,
        last_error: lastError,
      })),
    })),
    ...(upstreams.length === 0 ? { message: 'No upstreams are configured.' } : {}),
  };
}
