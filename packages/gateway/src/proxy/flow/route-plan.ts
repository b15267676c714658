import type { AgentChain, AgentDirectory } from '../../agents/index.ts';
import { membersOfRoute } from '../../agents/index.ts';
import type { GatewayConfig } from '../../config/model.ts';
import type { UrlRewriteFilter } from '../../config/model/filter.ts';
import type { BuiltinHandler, HeaderEdits, RouteConfig } from '../../config/model/route.ts';
import { Limit } from '@clew/base';
import { CorsPolicy } from '../filters/cors.ts';
import type { RateLimiters } from '../filters/rate-limit.ts';
import { allEditors, headerEditor } from '../headers/edits.ts';
import type { HeaderEditor } from '../headers/edits.ts';
import { StaticFiles } from '../local/static-files.ts';
import type { GatewayLimits } from '../server/limits.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { UpstreamDirectory } from '../upstream/upstream-directory.ts';
import { filterSteps, settingsOf } from './filter-steps.ts';
import type { FilterStep } from './filter-steps.ts';

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
  /** What may answer before the destination does, in this order. */
  readonly steps: readonly FilterStep[];
  /** What browsers are told with every response. */
  readonly cors: CorsPolicy | undefined;
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
  const [corsSettings] = settingsOf(filters, 'cors');
  const cors = corsSettings && new CorsPolicy(corsSettings);
  const headers = settingsOf(filters, 'headers');
  const members = membersOfRoute(route, sources.config.filters);
  const { policies } = route;
  return {
    route,
    destination: destinationOf(route, sources.upstreams),
    chain: members.length === 0 ? undefined : sources.agents.chain(members),
    steps: filterSteps(route, filters, cors, sources),
    cors,
    rewrite: settingsOf(filters, 'url-rewrite')[0],
    editRequest: allEditors([
      headerEditor(policies.requestHeaders),
      ...headers.filter(({ phase }) => phase !== 'response').map(({ edits }) => headerEditor(edits)),
      route.websocketInspection ? headerEditor(noExtensions) : undefined,
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

/** What frames hold can only be shown to agents as long as the two sides agree on nothing more, such as compression. */
const noExtensions: HeaderEdits = { rename: [], set: [], add: [], remove: ['Sec-WebSocket-Extensions'] };

function routeBodyLimit(route: RouteConfig, bytes: number): Limit {
  const setting = `routes.route ${JSON.stringify(route.id)}.policies.max-body-size`;
  const definition = { name: 'gateway_route_body_bytes', setting, subject: 'the request body', unit: 'bytes' } as const;
  return new Limit({ ...definition, defaultValue: bytes }, bytes);
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
