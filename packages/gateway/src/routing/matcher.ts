// Hot path: chooses the route of every request. Guarded by bench/gateway-routing.
//
// Routes are ranked once: by priority, then by how exactly they say what they want, then by their order in the file. The
// path conditions are kept by form (exact in a map, prefixes in a tree, the rest in a list), each list in rank order, so
// that of each only the candidates ahead of the best one so far are looked at.
import type { Pattern } from '@clew/base';
import type { PathCondition, RouteConfig } from '../config/model/route.ts';
import { OtherConditions, mustCompile } from './conditions.ts';
import { PrefixTree } from './prefix-tree.ts';
import { normalizeHost } from './request.ts';
import type { RoutableRequest } from './request.ts';
import { RouteCache } from './route-cache.ts';
import { pathSpecificity, specificity } from './specificity.ts';

/** The route of a request and the path condition that led to it. The same object for every request that took the same way. */
export interface RouteMatch {
  readonly route: RouteConfig;
  /** Absent for routes without path conditions and for a listener's default route. */
  readonly path?: PathCondition;
}

/** One path condition of a route, or a route without any. */
interface Candidate {
  /** Position among all candidates; the smallest that holds wins. */
  readonly rank: number;
  readonly match: RouteMatch;
  readonly others: OtherConditions;
  /** The path condition of the form `regex`. */
  readonly pattern: Pattern | undefined;
}

/** Lists at most this long are looked through faster than a cache is asked. */
const shortList = 8;

/** How decisions are remembered. */
export interface MatcherOptions {
  /** Decisions remembered; default 1000. */
  readonly cacheSize?: number;
}

/** What no route was found for, in the cache. */
const nothing = Symbol('no route');

/** Finds routes. Safe to share between listeners; a new configuration needs a new one. */
export class RouteMatcher {
  /** Routes in the order they are tried. */
  readonly ranked: readonly RouteConfig[];
  readonly #exact = new Map<string, Candidate[]>();
  readonly #prefixes = new PrefixTree<Candidate>();
  /** Patterns, and routes without a path condition. */
  readonly #others: Candidate[] = [];
  readonly #byId = new Map<string, RouteMatch>();
  readonly #cache: RouteCache<RouteMatch | typeof nothing> | undefined;
  readonly #needsHost: boolean;
  // What is being looked for, and the best found so far; kept here so that nothing is allocated for a request.
  #request: RoutableRequest | undefined;
  #host = '';
  #best: Candidate | undefined;
  #bestRank = Infinity;
  #cacheable = true;
  readonly #consider = (candidates: readonly Candidate[]): void => this.#lookThrough(candidates);

  constructor(routes: readonly RouteConfig[], options: MatcherOptions = {}) {
    this.ranked = rankRoutes(routes);
    const candidates = this.ranked.flatMap(toCandidates).map((candidate, rank) => ({ ...candidate, rank }));
    for (const candidate of candidates) this.#file(candidate);
    for (const route of routes) this.#byId.set(route.id, { route });
    this.#needsHost = candidates.some(({ others }) => others.needsHost);
    if (this.#isCostly(candidates)) this.#cache = new RouteCache(options.cacheSize ?? 1000);
  }

  /**
   * The route of a request; undefined when there is none.
   *
   * @param defaultRoute the id of the listener's route for requests that match none
   */
  match(request: RoutableRequest, defaultRoute?: string): RouteMatch | undefined {
    const found = this.#cache === undefined ? this.#find(request) : this.#findCached(request, this.#cache);
    return found ?? (defaultRoute === undefined ? undefined : this.#byId.get(defaultRoute));
  }

  #findCached(request: RoutableRequest, cache: RouteCache<RouteMatch | typeof nothing>): RouteMatch | undefined {
    const key = this.#needsHost
      ? `${request.method} ${request.authority} ${request.path}`
      : `${request.method} ${request.path}`;
    const known = cache.get(key);
    if (known !== undefined) return known === nothing ? undefined : known;
    const found = this.#find(request);
    if (this.#cacheable) cache.set(key, found ?? nothing);
    return found;
  }

  #find(request: RoutableRequest): RouteMatch | undefined {
    const { path } = request;
    this.#request = request;
    this.#host = this.#needsHost ? normalizeHost(request.authority) : '';
    this.#best = undefined;
    this.#bestRank = Infinity;
    this.#cacheable = true;
    const exact = this.#exact.get(path);
    if (exact !== undefined) this.#lookThrough(exact);
    this.#prefixes.visitMatches(path, this.#consider);
    this.#lookThrough(this.#others);
    this.#request = undefined;
    // The compiler does not see that the calls above set it.
    return (this.#best as Candidate | undefined)?.match;
  }

  /** Takes the first candidate that holds, if it is ahead of the best so far. */
  #lookThrough(candidates: readonly Candidate[]): void {
    const request = this.#request!;
    for (const candidate of candidates) {
      if (candidate.rank >= this.#bestRank) return;
      const { others, pattern } = candidate;
      if (!others.holdForTarget(request.method, this.#host)) continue;
      if (pattern !== undefined && !pattern.test(request.path)) continue;
      if (others.readsMore) {
        // Another request for the same target may have other headers.
        this.#cacheable = false;
        if (!others.holdForRest(request)) continue;
      }
      this.#best = candidate;
      this.#bestRank = candidate.rank;
      return;
    }
  }

  #file(candidate: Candidate): void {
    const { path } = candidate.match;
    if (path?.kind === 'exact') {
      const known = this.#exact.get(path.value);
      if (known === undefined) this.#exact.set(path.value, [candidate]);
      else known.push(candidate);
    } else if (path?.kind === 'prefix') this.#prefixes.insert(path.value, candidate);
    else this.#others.push(candidate);
  }

  /** Patterns, and long lists of routes for the same paths, are worth remembering. */
  #isCostly(candidates: readonly Candidate[]): boolean {
    const uses = new Map<string, number>();
    for (const { match, pattern } of candidates) {
      const key = match.path === undefined || match.path.kind === 'regex' ? '' : match.path.value;
      const count = (uses.get(key) ?? 0) + 1;
      if (count > shortList || pattern?.strategy === 're2') return true;
      uses.set(key, count);
    }
    return false;
  }
}

/** Routes in the order they are tried. */
export function rankRoutes(routes: readonly RouteConfig[]): readonly RouteConfig[] {
  // toSorted is stable: what is left is the order in the file.
  return routes.toSorted((a, b) => b.priority - a.priority || specificity(b.conditions) - specificity(a.conditions));
}

function toCandidates(route: RouteConfig): Omit<Candidate, 'rank'>[] {
  const { conditions } = route;
  const others = new OtherConditions(conditions);
  if (conditions.paths.length === 0) {
    // Conditions of no kind at all hold for everything: only catch-all routes have none.
    return [{ match: { route }, others, pattern: undefined }];
  }
  return conditions.paths
    .toSorted((a, b) => pathSpecificity(b) - pathSpecificity(a))
    .map((path) => ({
      match: { route, path },
      others,
      pattern: path.kind === 'regex' ? mustCompile(path.value) : undefined,
    }));
}
