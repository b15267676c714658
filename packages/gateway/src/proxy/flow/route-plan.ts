import type { AgentChain, AgentDirectory } from '../../agents/index.ts';
import { membersOfRoute } from '../../agents/index.ts';
import type { GatewayConfig } from '../../config/model.ts';
import type { CorsFilter, FilterConfig, RedirectFilter, UrlRewriteFilter } from '../../config/model/filter.ts';
import type { BuiltinHandler, RouteConfig } from '../../config/model/route.ts';
import { Limit } from '@clew/base';
import { CorsPolicy } from '../filters/cors.ts';
import { plainRate } from '../filters/rate-limit.ts';
import type { RateLimiter, RateLimiters } from '../filters/rate-limit.ts';
import { allEditors, headerEditor } from '../headers/edits.ts';
import type { HeaderEditor } from '../headers/edits.ts';
import { StaticFiles } from '../local/static-files.ts';
import type { GatewayLimits } from '../server/limits.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { UpstreamDirectory } from '../upstream/upstream-directory.ts';

/** Where a route leads, resolved. */
export type PlannedDestination =
  | { readonly kind: 'upstream'; readonly upstream: Upstream | undefined; readonly id: string }
  | { readonly kind: 'static'; readonly files: StaticFiles }
  | { readonly kind: 'builtin'; readonly handler: BuiltinHandler };

/** Everything a request of a route needs, worked out once per configuration. */
export interface RoutePlan {
  readonly route: RouteConfig;
  readonly destination: PlannedDestination;
  /** Undefined when there are no agents. */
  readonly chain: AgentChain | undefined;
  readonly limiters: readonly RateLimiter[];
  readonly cors: CorsPolicy | undefined;
  readonly redirect: RedirectFilter | undefined;
  readonly rewrite: UrlRewriteFilter | undefined;
  readonly editRequest: HeaderEditor | undefined;
  readonly editResponse: HeaderEditor | undefined;
  /** Absent = the listener's. */
  readonly requestTimeoutMs: number | undefined;
  /** Absent = the upstream's. */
  readonly upstreamTimeoutMs: number | undefined;
  /** Absent = the upstream's. */
  readonly connectTimeoutMs: number | undefined;
  readonly maxBody: Limit;
}

/** What plans are made from. */
export interface PlanSources {
  readonly config: GatewayConfig;
  readonly limits: GatewayLimits;
  readonly upstreams: UpstreamDirectory;
  readonly agents: AgentDirectory;
  readonly rateLimiters: RateLimiters;
}

/** The plan of a route. */
export function planRoute(route: RouteConfig, sources: PlanSources): RoutePlan {
  const filters = route.filters.flatMap((id) => sources.config.filters.get(id) ?? []);
  const timeouts = settingsOf(filters, 'timeout')[0];
  const cors: CorsFilter | undefined = settingsOf(filters, 'cors')[0];
  const headers = settingsOf(filters, 'headers');
  const members = membersOfRoute(route, sources.config.filters);
  const { policies } = route;
  return {
    route,
    destination: destinationOf(route, sources.upstreams),
    chain: members.length === 0 ? undefined : sources.agents.chain(members),
    limiters: limitersOf(route, filters, sources),
    cors: cors && new CorsPolicy(cors),
    redirect: settingsOf(filters, 'redirect')[0],
    rewrite: settingsOf(filters, 'url-rewrite')[0],
    editRequest: allEditors([
      headerEditor(policies.requestHeaders),
      ...headers.filter(({ phase }) => phase !== 'response').map(({ edits }) => headerEditor(edits)),
    ]),
    editResponse: allEditors([
      headerEditor(policies.responseHeaders),
      ...headers.filter(({ phase }) => phase !== 'request').map(({ edits }) => headerEditor(edits)),
    ]),
    requestTimeoutMs: timeouts?.requestTimeoutMs ?? policies.timeoutMs,
    upstreamTimeoutMs: timeouts?.upstreamTimeoutMs,
    connectTimeoutMs: timeouts?.connectTimeoutMs,
    maxBody:
      policies.maxBodyBytes === undefined ? sources.limits.bodyBytes : routeBodyLimit(route, policies.maxBodyBytes),
  };
}

function routeBodyLimit(route: RouteConfig, bytes: number): Limit {
  const setting = `routes.route ${JSON.stringify(route.id)}.policies.max-body-size`;
  const definition = { name: 'gateway_route_body_bytes', setting, subject: 'the request body', unit: 'bytes' } as const;
  return new Limit({ ...definition, defaultValue: bytes }, bytes);
}

type FilterType = FilterConfig['settings']['type'];
type SettingsOf<T extends FilterType> = Extract<FilterConfig['settings'], { readonly type: T }>;

function settingsOf<T extends FilterType>(filters: readonly FilterConfig[], type: T): SettingsOf<T>[] {
  return filters.flatMap(({ settings }) => (settings.type === type ? [settings as SettingsOf<T>] : []));
}

function destinationOf({ destination }: RouteConfig, upstreams: UpstreamDirectory): PlannedDestination {
  switch (destination.kind) {
    case 'upstream':
      return { kind: 'upstream', upstream: upstreams.get(destination.upstream), id: destination.upstream };
    case 'static':
      return { kind: 'static', files: new StaticFiles(destination.files) };
    case 'builtin':
      return { kind: 'builtin', handler: destination.handler };
  }
}

/** The rates of a route in the order they are asked: all requests, the route's own or the general one, its filters. */
function limitersOf(route: RouteConfig, filters: readonly FilterConfig[], sources: PlanSources): RateLimiter[] {
  const { config, rateLimiters } = sources;
  const limiters: RateLimiter[] = [];
  const { global, perRoute } = config.rateLimits;
  const own = settingsOfNamed(filters);
  if (global !== undefined) limiters.push(rateLimiters.limiter('rate-limits.global', plainRate(global)));
  const rate = route.policies.rateLimit ?? (own.length === 0 ? perRoute : undefined);
  if (rate !== undefined) limiters.push(rateLimiters.limiter(`route ${route.id}`, plainRate(rate)));
  for (const { id, settings } of own) {
    const { type: _type, ...limit } = settings;
    limiters.push(rateLimiters.limiter(`filter ${id}`, limit));
  }
  return limiters;
}

function settingsOfNamed(
  filters: readonly FilterConfig[],
): { readonly id: string; readonly settings: SettingsOf<'rate-limit'> }[] {
  return filters.flatMap(({ id, settings }) => (settings.type === 'rate-limit' ? [{ id, settings }] : []));
}
