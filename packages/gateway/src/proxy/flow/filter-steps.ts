import type { FilterConfig, RedirectFilter } from '../../config/model/filter.ts';
import type { RouteConfig } from '../../config/model/route.ts';
import type { CorsPolicy } from '../filters/cors.ts';
import { plainRate } from '../filters/rate-limit.ts';
import type { RateLimiter } from '../filters/rate-limit.ts';
import type { PlanSources } from './route-plan.ts';

/** Something that may answer a request before it reaches its destination. */
export type FilterStep =
  | { readonly kind: 'rates'; readonly limiters: readonly RateLimiter[] }
  | { readonly kind: 'preflight'; readonly cors: CorsPolicy }
  | { readonly kind: 'redirect'; readonly redirect: RedirectFilter }
  /** All agents of the route, as far as they see requests. */
  | { readonly kind: 'agents' };

type FilterType = FilterConfig['settings']['type'];
type SettingsOf<T extends FilterType> = Extract<FilterConfig['settings'], { readonly type: T }>;

/** The settings of those filters that are of one type. */
export function settingsOf<T extends FilterType>(filters: readonly FilterConfig[], type: T): SettingsOf<T>[] {
  return filters.flatMap(({ settings }) => (settings.type === type ? [settings as SettingsOf<T>] : []));
}

/**
 * The steps of a route in the order they are taken: the rates that no filter has, then filters as they are listed. Agents are asked
 * together, where the first filter with an agent stands, and last when no filter has one.
 */
export function filterSteps(
  route: RouteConfig,
  filters: readonly FilterConfig[],
  cors: CorsPolicy | undefined,
  sources: PlanSources,
): readonly FilterStep[] {
  const steps: FilterStep[] = [];
  const general = generalLimiters(route, filters, sources);
  if (general.length > 0) steps.push({ kind: 'rates', limiters: general });
  for (const { id, settings } of filters) {
    if (settings.type === 'rate-limit') {
      const { type: _type, ...limit } = settings;
      steps.push({ kind: 'rates', limiters: [sources.rateLimiters.limiter(`filter ${id}`, limit)] });
    } else if (settings.type === 'cors') addOnce(steps, { kind: 'preflight', cors: cors! });
    else if (settings.type === 'redirect') addOnce(steps, { kind: 'redirect', redirect: settings });
    else if (settings.type === 'agent') addOnce(steps, { kind: 'agents' });
  }
  if (route.agents.length > 0) addOnce(steps, { kind: 'agents' });
  return steps;
}

/** Of filters that can only be one, the first counts. */
function addOnce(steps: FilterStep[], step: FilterStep): void {
  if (!steps.some(({ kind }) => kind === step.kind)) steps.push(step);
}

/** The rate of all requests, undefined without one. */
export function globalLimiter({ config, rateLimiters }: PlanSources): RateLimiter | undefined {
  const { global } = config.rateLimits;
  return global && rateLimiters.limiter('rate-limits.global', plainRate(global));
}

/** That of all requests, and the route's own or the one of routes that have none. */
function generalLimiters(route: RouteConfig, filters: readonly FilterConfig[], sources: PlanSources): RateLimiter[] {
  const { config, rateLimiters } = sources;
  const global = globalLimiter(sources);
  const limiters = global === undefined ? [] : [global];
  const hasOwn = filters.some(({ settings }) => settings.type === 'rate-limit');
  const rate = route.policies.rateLimit ?? (hasOwn ? undefined : config.rateLimits.perRoute);
  if (rate !== undefined) limiters.push(rateLimiters.limiter(`route ${route.id}`, plainRate(rate)));
  return limiters;
}
