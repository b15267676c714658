import { isDeepStrictEqual } from 'node:util';
import type { GatewayConfig } from './model.ts';
import type { ListenerConfig } from './model/listener.ts';

/** What a new configuration changes of one that is running. Places in files do not count. */
export interface ConfigChanges {
  /** Whether nothing at all differs. */
  readonly unchanged: boolean;
  /** Blocks that differ and stay as they were until the process is started anew. */
  readonly needRestart: readonly string[];
  readonly upstreams: ItemChanges;
  readonly agents: ItemChanges;
}

/** Named things by what happens to them; what stays keeps its connections, health and breaker. */
export interface ItemChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly kept: readonly string[];
}

/** Compares the running configuration with a new one. */
export function compareConfigs(running: GatewayConfig, next: GatewayConfig): ConfigChanges {
  const [before, after] = [withoutPlaces(running), withoutPlaces(next)] as [GatewayConfig, GatewayConfig];
  const cold = {
    system: (config: GatewayConfig) => config.system,
    listeners: (config: GatewayConfig) => config.listeners.map(forConnections),
    'observability metrics address': (config: GatewayConfig) =>
      servesMetrics(before) && servesMetrics(after) ? config.observability.metrics.address : undefined,
  };
  const needRestart = Object.entries(cold).filter(([, pick]) => !isDeepStrictEqual(pick(before), pick(after)));
  return {
    unchanged: isDeepStrictEqual({ ...before, files: [] }, { ...after, files: [] }),
    needRestart: needRestart.map(([name]) => name),
    upstreams: compareItems(before.upstreams, after.upstreams),
    agents: compareItems(before.agents, after.agents),
  };
}

/**
 * The configuration that holds after a reload: the new one, with what cannot change while running as it was. Listeners stay; what they
 * say about requests is new.
 */
export function effectiveConfig(running: GatewayConfig, next: GatewayConfig): GatewayConfig {
  const both = servesMetrics(running) && servesMetrics(next);
  const { address } = (both ? running : next).observability.metrics;
  const metrics = { ...next.observability.metrics, address };
  return {
    ...next,
    system: running.system,
    listeners: running.listeners.map((listener) => listenerAfter(listener, next)),
    observability: { ...next.observability, metrics },
  };
}

/** The address of metrics can be taken when there was none, and left. */
function servesMetrics({ observability }: GatewayConfig): boolean {
  return observability.metrics.enabled;
}

/** What a listener says about connections, which have begun under it. */
function forConnections(listener: ListenerConfig): Omit<ListenerConfig, keyof ReturnType<typeof forRequests>> {
  const { defaultRoute: _route, requestTimeoutMs: _timeout, keepaliveMaxRequests: _most, ...rest } = listener;
  return rest;
}

/** What a listener says about requests, each of which keeps to what held when it began. */
function forRequests({ defaultRoute, requestTimeoutMs, keepaliveMaxRequests }: ListenerConfig) {
  return {
    requestTimeoutMs,
    ...(defaultRoute === undefined ? {} : { defaultRoute }),
    ...(keepaliveMaxRequests === undefined ? {} : { keepaliveMaxRequests }),
  };
}

function listenerAfter(running: ListenerConfig, next: GatewayConfig): ListenerConfig {
  const wanted = next.listeners.find(({ id }) => id === running.id);
  if (wanted !== undefined) return { ...forConnections(running), ...forRequests(wanted) };
  // It listens until a restart although nobody wants it any more; its route may be gone already.
  const { defaultRoute, ...rest } = running;
  const known = next.routes.some(({ id }) => id === defaultRoute);
  return defaultRoute !== undefined && known ? running : rest;
}

function compareItems(before: ReadonlyMap<string, object>, after: ReadonlyMap<string, object>): ItemChanges {
  const both = [...after.keys()].filter((id) => before.has(id));
  const same = (id: string) => isDeepStrictEqual(before.get(id), after.get(id));
  return {
    added: [...after.keys()].filter((id) => !before.has(id)),
    removed: [...before.keys()].filter((id) => !after.has(id)),
    changed: both.filter((id) => !same(id)),
    kept: both.filter(same),
  };
}

/** A copy without any `position`, whose lines move with every edit. */
function withoutPlaces(value: unknown): unknown {
  if (value instanceof Map) return new Map([...value].map(([key, held]) => [key as unknown, withoutPlaces(held)]));
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, held]) => !(key === 'position' && isPlace(held)));
  return Object.fromEntries(kept.map(([key, held]) => [key, withoutPlaces(held)]));
}

function isPlace(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'line' in value && 'column' in value;
}
