import type { ConfigProblem } from '../../kdl/problem.ts';
import type { GatewayConfig } from '../model.ts';
import type { HeaderEdits, RouteConfig } from '../model/route.ts';
import type { UpstreamConfig } from '../model/upstream.ts';
import { finding } from './finding.ts';
import { lintRouteOrder } from './route-order.ts';

/** Finds what is allowed and probably not meant, or not wise. All of it warnings, in no particular order. */
export function lintGatewayConfig(config: GatewayConfig): readonly ConfigProblem[] {
  return [
    ...lintUnused(config),
    ...lintRouteOrder(config.routes),
    ...config.routes.flatMap(lintRoute),
    ...[...config.upstreams.values()].flatMap(lintUpstream),
    ...lintListeners(config),
    ...lintObservability(config),
  ];
}

function lintUnused({ routes, upstreams, agents, filters }: GatewayConfig): ConfigProblem[] {
  const usedFilters = new Set(routes.flatMap((route) => route.filters));
  const usedUpstreams = new Set(
    routes.map(({ destination }) => (destination.kind === 'upstream' ? destination.upstream : '')),
  );
  const usedAgents = new Set(routes.flatMap((route) => route.agents));
  for (const { settings } of filters.values()) if (settings.type === 'agent') usedAgents.add(settings.agent);
  const unused = (kind: string, used: ReadonlySet<string>, items: GatewayConfig['upstreams' | 'agents' | 'filters']) =>
    [...items.values()]
      .filter(({ id }) => !used.has(id))
      .map(({ id, position }) => finding('unused', `${kind} ${JSON.stringify(id)} is used by no route`, position));
  return [
    ...unused('upstream', usedUpstreams, upstreams),
    ...unused('agent', usedAgents, agents),
    ...unused('filter', usedFilters, filters),
  ];
}

function lintRoute(route: RouteConfig): ConfigProblem[] {
  if (route.destination.kind !== 'upstream') return [];
  const name = `route ${JSON.stringify(route.id)}`;
  const found: ConfigProblem[] = [];
  if (route.retryPolicy === undefined) {
    found.push(
      finding('no_retry_policy', `${name} has no retry-policy: a failed target fails the request`, route.position),
    );
  }
  if (route.policies.timeoutMs === undefined) {
    found.push(
      finding('no_timeout', `${name} has no timeout-secs in its policies: that of the listener holds`, route.position),
    );
  }
  return found;
}

function lintUpstream({ id, position, targets, healthCheck, tls }: UpstreamConfig): ConfigProblem[] {
  const name = `upstream ${JSON.stringify(id)}`;
  const found: ConfigProblem[] = [];
  if (healthCheck === undefined) {
    found.push(
      finding('no_health_check', `${name} has no health-check: requests find out which targets are down`, position),
    );
  }
  if (targets.length === 1) {
    found.push(finding('single_target', `${name} has a single target: there is no other when it is down`, position));
  }
  const suspect = targets.find(({ port }) => port === 443);
  if (tls === undefined && suspect !== undefined) {
    const message = `${name} speaks to ${suspect.host}:443 without a tls block: servers there expect TLS`;
    found.push(finding('tls_suspected', message, position));
  }
  return found;
}

function lintListeners({ listeners, routes, filters }: GatewayConfig): ConfigProblem[] {
  const found = listeners
    .filter(({ address, tls }) => address.port === 80 && tls === undefined)
    .map(({ id, position }) => {
      const message = `listener ${JSON.stringify(id)} serves port 80 without TLS: anyone on the way can read along`;
      return finding('plain_http', message, position);
    });
  const secure = listeners.find(({ tls }) => tls !== undefined);
  const edits = [
    ...routes.map(({ policies }) => policies.responseHeaders),
    ...[...filters.values()].flatMap(({ settings }) =>
      settings.type === 'headers' && settings.phase !== 'request' ? [settings.edits] : [],
    ),
  ];
  if (secure !== undefined && !edits.some(setsStrictTransport)) {
    const message = `listener ${JSON.stringify(secure.id)} serves TLS and no route sets Strict-Transport-Security`;
    found.push(finding('no_hsts', message, secure.position));
  }
  return found;
}

function setsStrictTransport({ set, add }: HeaderEdits): boolean {
  return [...set, ...add].some(({ name }) => name.toLowerCase() === 'strict-transport-security');
}

function lintObservability({ observability: { metrics, logging } }: GatewayConfig): ConfigProblem[] {
  const found: ConfigProblem[] = [];
  if (!metrics.enabled) found.push(finding('metrics_off', 'metrics are off: nobody sees how the gateway does'));
  if (logging.accessLog?.enabled !== true) {
    found.push(finding('access_log_off', 'the access log is off: add access-log to logging to see each request'));
  }
  return found;
}
