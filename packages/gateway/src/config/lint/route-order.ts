import type { ConfigProblem } from '../../kdl/problem.ts';
import { rankRoutes } from '../../routing/matcher.ts';
import { specificity } from '../../routing/specificity.ts';
import { finding } from './finding.ts';
import type { HostCondition, PathCondition, RouteConditions, RouteConfig, ValueCondition } from '../model/route.ts';

/** Tables longer than this are not compared route by route. */
const maxCompared = 2000;

/** Routes that an earlier one leaves nothing, and routes whose order only the file decides. */
export function lintRouteOrder(routes: readonly RouteConfig[]): ConfigProblem[] {
  if (routes.length > maxCompared) return [];
  const ranked = rankRoutes(routes);
  const found: ConfigProblem[] = [];
  for (const [index, route] of ranked.entries()) {
    const before = ranked.slice(0, index);
    const cover = before.find((other) => covers(other.conditions, route.conditions));
    if (cover !== undefined) {
      const message = `route ${quote(route)} is never taken: ${quote(cover)} takes every request it matches and comes first`;
      found.push(finding('shadowed_route', message, route.position));
      continue;
    }
    const tied = before.find((other) => isTied(other, route));
    if (tied !== undefined) {
      const message = `routes ${quote(tied)} and ${quote(route)} can match the same request with the same priority; the order in the file decides`;
      found.push(finding('tied_routes', message, route.position));
    }
  }
  return found;
}

function quote({ id }: RouteConfig): string {
  return JSON.stringify(id);
}

/** Same priority, equally exact, and a path condition in common. */
function isTied(a: RouteConfig, b: RouteConfig): boolean {
  if (a.priority !== b.priority || specificity(a.conditions) !== specificity(b.conditions)) return false;
  const methods = [a.conditions.methods, b.conditions.methods];
  if (methods.every(({ length }) => length > 0) && !methods[0]!.some((one) => methods[1]!.includes(one))) return false;
  if (!hostsOverlap(a.conditions.hosts, b.conditions.hosts)) return false;
  const [mine, others] = [a.conditions.paths, b.conditions.paths];
  return mine.length === 0 || others.length === 0 || mine.some((one) => others.some((other) => pathCovers(one, other)));
}

function hostsOverlap(a: readonly HostCondition[], b: readonly HostCondition[]): boolean {
  if (a.length === 0 || b.length === 0) return true;
  return a.some((one) => b.some((other) => hostCovers(one, other) || hostCovers(other, one)));
}

/**
 * Whether every request that `narrow` matches is matched by `wide` too. Says no in doubt: patterns cover only themselves.
 */
export function covers(wide: RouteConditions, narrow: RouteConditions): boolean {
  return (
    coversKind(wide.paths, narrow.paths, pathCovers) &&
    coversKind(wide.hosts, narrow.hosts, hostCovers) &&
    coversKind(wide.methods, narrow.methods, (a, b) => a === b) &&
    valuesCover(wide.headers, narrow.headers) &&
    valuesCover(wide.query, narrow.query)
  );
}

/** Any of a kind will do, so each of the narrow ones needs one that covers it. */
function coversKind<T>(wide: readonly T[], narrow: readonly T[], covering: (wide: T, narrow: T) => boolean): boolean {
  if (wide.length === 0) return true;
  return narrow.length > 0 && narrow.every((one) => wide.some((other) => covering(other, one)));
}

function pathCovers(wide: PathCondition, narrow: PathCondition): boolean {
  if (wide.kind === narrow.kind && wide.value === narrow.value) return true;
  if (wide.kind !== 'prefix' || narrow.kind === 'regex') return false;
  const { value } = wide;
  return value.endsWith('/')
    ? narrow.value.startsWith(value)
    : narrow.value === value || narrow.value.startsWith(`${value}/`);
}

function hostCovers(wide: HostCondition, narrow: HostCondition): boolean {
  if (wide.kind === narrow.kind && wide.value === narrow.value) return true;
  if (wide.kind !== 'wildcard' || narrow.kind === 'regex') return false;
  const host = narrow.kind === 'wildcard' ? narrow.value.slice(1) : narrow.value;
  return host.endsWith(wide.value.slice(1)) && host.length > wide.value.length - 1;
}

/** Every name wanted by `wide` must be wanted by `narrow`, with no value that `wide` would refuse. */
function valuesCover(wide: readonly ValueCondition[], narrow: readonly ValueCondition[]): boolean {
  return wide.every(({ name }) => {
    const mine = wide.filter((condition) => condition.name === name).map(({ value }) => value);
    const theirs = narrow.filter((condition) => condition.name === name).map(({ value }) => value);
    return theirs.length > 0 && (mine.includes(undefined) || theirs.every((value) => mine.includes(value)));
  });
}
