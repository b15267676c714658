import { didYouMean } from '@clew/base';
import type { SourcePosition } from '../kdl/position.ts';
import { warnOfNoEffect } from './effects.ts';
import type { GatewayConfig } from './model.ts';
import type { FilterConfig } from './model/filter.ts';
import type { ListenerConfig } from './model/listener.ts';
import type { RouteConfig, RouteDestination } from './model/route.ts';
import type { RawDestination } from './schema/route.ts';
import type { Reference } from './schema/reference.ts';
import type { RawConfig } from './schema/root.ts';
import type { Reader } from './table/reader.ts';

type Kind = 'upstream' | 'agent' | 'filter' | 'route';

/**
 * Looks up every name and checks what belongs together. The result is whole only if no error was reported; defaults of a
 * missing `system` are not there.
 */
export function resolveReferences(raw: RawConfig, files: readonly string[], reader: Reader): GatewayConfig | undefined {
  const resolver = new Resolver(raw);
  const listeners = raw.listeners.items.map((item) => resolver.listener(item, reader));
  checkAddresses(listeners, raw, reader);
  const filters = resolver.filters(reader);
  const routes = raw.routes.items.map((item) => resolver.route(item, filters, reader));
  if (raw.system === undefined || reader.problems.some(({ severity }) => severity === 'error')) return undefined;
  for (const route of routes) {
    const listed = route.filters.map((id) => filters.get(id)!);
    warnOfNoEffect(route, listed, reader.within(`route ${quote(route.id)}`));
  }
  return {
    files,
    schemaVersion: raw.schemaVersion,
    system: raw.system,
    listeners,
    routes,
    upstreams: new Map(raw.upstreams.items.map((item) => [item.id, item])),
    agents: new Map(raw.agents.items.map((item) => [item.id, item])),
    filters,
    limits: raw.limits,
    rateLimits: raw.rateLimits ?? {},
    observability: raw.observability,
  };
}

class Resolver {
  readonly #raw: RawConfig;
  readonly #ids: Readonly<Record<Kind, ReadonlyMap<string, SourcePosition>>>;

  constructor(raw: RawConfig) {
    this.#raw = raw;
    this.#ids = { upstream: raw.upstreams.ids, agent: raw.agents.ids, filter: raw.filters.ids, route: raw.routes.ids };
  }

  listener(item: RawConfig['listeners']['items'][number], reader: Reader): ListenerConfig {
    const { defaultRoute, ...rest } = item;
    if (defaultRoute === undefined) return rest;
    return { ...rest, defaultRoute: this.#lookUp('route', defaultRoute, reader.within(`listener ${quote(item.id)}`)) };
  }

  /** Filters that do something in this build; the names of the others stay known. */
  filters(reader: Reader): Map<string, FilterConfig> {
    const filters = new Map<string, FilterConfig>();
    for (const { settings, ...rest } of this.#raw.filters.items) {
      if (settings.type === 'inert') continue;
      if (settings.type !== 'agent') {
        filters.set(rest.id, { ...rest, settings });
        continue;
      }
      const inside = reader.within(`filter ${quote(rest.id)}`);
      const agent = this.#lookUp('agent', settings.agent, inside);
      filters.set(rest.id, { ...rest, settings: { ...settings, agent } });
    }
    return filters;
  }

  route(
    item: RawConfig['routes']['items'][number],
    known: ReadonlyMap<string, FilterConfig>,
    reader: Reader,
  ): RouteConfig {
    const inside = reader.within(`route ${quote(item.id)}`);
    const agents = this.#lookUpAll('agent', item.agents, inside);
    const filters = this.#lookUpAll('filter', item.filters, inside);
    return {
      ...item,
      destination: this.#destination(item.destination, inside),
      agents,
      filters: filters.filter((id) => known.has(id)),
    };
  }

  #destination(destination: RawDestination, reader: Reader): RouteDestination {
    if (destination.kind !== 'upstream') return destination;
    return { kind: 'upstream', upstream: this.#lookUp('upstream', destination.upstream, reader) };
  }

  /** Names in their order, each once: asking twice would only take time. */
  #lookUpAll(kind: Kind, references: readonly Reference[], reader: Reader): readonly string[] {
    const found = new Set<string>();
    for (const reference of references) {
      const id = this.#lookUp(kind, reference, reader);
      if (found.has(id)) reader.warn('repeated', `${kind} ${quote(id)} is named again, ignored`, reference.position);
      found.add(id);
    }
    return [...found];
  }

  #lookUp(kind: Kind, { id, position }: Reference, reader: Reader): string {
    const ids = this.#ids[kind];
    if (ids.has(id)) return id;
    const available = [...ids.keys()].map(quote).join(', ');
    const choice = available === '' ? `there are no ${kind}s` : `available: ${available}`;
    reader.error(
      'unknown_reference',
      `${kind} ${quote(id)} does not exist${didYouMean(id, ids.keys())}; ${choice}`,
      position,
    );
    return id;
  }
}

/** Two listeners on one address, and a metrics listener that one of them is in the way of. */
function checkAddresses(listeners: readonly ListenerConfig[], raw: RawConfig, reader: Reader): void {
  const seen = new Map<string, string>();
  for (const { id, address, position } of listeners) {
    const key = `${address.host} ${address.port}`;
    const other = seen.get(key);
    // Port 0 is a new port each time.
    if (other !== undefined && address.port !== 0) {
      const message = `address ${address.host}:${address.port} is also that of listener ${quote(other)}`;
      reader.within(`listener ${quote(id)}`).error('conflict', message, position);
    }
    seen.set(key, id);
  }
  const { enabled, address } = raw.observability.metrics;
  const taken = enabled ? seen.get(`${address.host} ${address.port}`) : undefined;
  const listener = listeners.find(({ id }) => id === taken);
  if (listener === undefined || address.port === 0) return;
  reader
    .within(`listener ${quote(listener.id)}`)
    .warn(
      'conflict',
      `address ${address.host}:${address.port} is also that of metrics; metrics will not be served`,
      listener.position,
    );
}

function quote(id: string): string {
  return JSON.stringify(id);
}
