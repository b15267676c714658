import type { FilterConfig } from './model/filter.ts';
import type { RouteConfig } from './model/route.ts';
import type { Reader } from './table/reader.ts';

/** Filters of which a route can only have one. */
const single: ReadonlySet<string> = new Set(['cors', 'redirect', 'url-rewrite', 'timeout']);

/** Says which settings of a route can never have an effect, each in its own warning. `filters` are those of the route, in order. */
export function warnOfNoEffect(route: RouteConfig, filters: readonly FilterConfig[], reader: Reader): void {
  warnOfRepeatedFilters(route, filters, reader);
  if (route.websocketInspection && !route.websocket) {
    reader.warn('no_effect', 'websocket-inspection has no effect: websocket is off', route.position);
  }
  if (route.destination.kind !== 'upstream') warnOfNoUpstream(route, filters, reader);
}

function warnOfRepeatedFilters({ position }: RouteConfig, filters: readonly FilterConfig[], reader: Reader): void {
  const first = new Map<string, string>();
  for (const { id, settings } of filters) {
    const { type } = settings;
    const before = first.get(type);
    if (before === undefined) first.set(type, id);
    else if (single.has(type)) {
      const message = `filter ${quote(id)} has no effect: a route has one filter of type ${type}, and ${quote(before)} stands before it`;
      reader.warn('no_effect', message, position);
    }
  }
}

function warnOfNoUpstream(route: RouteConfig, filters: readonly FilterConfig[], reader: Reader): void {
  const { policies, position } = route;
  const { rename, set, add, remove } = policies.requestHeaders;
  const idle = [
    rename.length + set.length + add.length + remove.length > 0 && 'policies request-headers',
    policies.bufferRequests && 'policies buffer-requests',
    policies.bufferResponses && 'policies buffer-responses',
    route.retryPolicy !== undefined && 'retry-policy',
    route.websocket && 'websocket',
    ...filters.map((filter) => isForUpstreams(filter) && `filter ${quote(filter.id)}`),
  ].filter((name) => name !== false);
  for (const name of idle) reader.warn('no_effect', `${name} has no effect: the route leads to no upstream`, position);
}

function isForUpstreams({ settings }: FilterConfig): boolean {
  switch (settings.type) {
    case 'url-rewrite':
      return true;
    case 'headers':
      return settings.phase === 'request';
    case 'timeout':
      return settings.requestTimeoutMs === undefined;
    default:
      return false;
  }
}

function quote(id: string): string {
  return JSON.stringify(id);
}
