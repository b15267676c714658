import type { ProbedHealth } from './target.ts';
import type { TargetSnapshot, UpstreamSnapshot } from './upstream.ts';

/**
 * The upstreams of several threads as those of one program: the first says which there are, requests and connections add up, and a target
 * that one thread leaves out is unhealthy.
 */
export function mergeUpstreams(
  first: readonly UpstreamSnapshot[],
  others: readonly (readonly UpstreamSnapshot[])[],
): UpstreamSnapshot[] {
  return first.map((upstream): UpstreamSnapshot => {
    const same = others.flatMap((snapshots) => snapshots.filter(({ id }) => id === upstream.id));
    const targets = upstream.targets.map((target, index) => {
      const elsewhere = same.flatMap(({ targets: own }) => own[index] ?? []);
      return mergeTarget(
        target,
        elsewhere.filter(({ address }) => address === target.address),
      );
    });
    return { ...upstream, targets };
  });
}

function mergeTarget(first: TargetSnapshot, others: readonly TargetSnapshot[]): TargetSnapshot {
  const all = [first, ...others];
  const sum = (read: (target: TargetSnapshot) => number): number =>
    all.reduce((total, target) => total + read(target), 0);
  const unhealthy: ProbedHealth | undefined = all.find(({ status }) => status === 'unhealthy')?.status;
  const results = sum((target) => target.results);
  return {
    ...first,
    status: unhealthy ?? first.status,
    results,
    failureRate: results === 0 ? 0 : sum((target) => target.failureRate * target.results) / results,
    lastError: all.find(({ lastError }) => lastError !== null)?.lastError ?? null,
    activeRequests: sum((target) => target.activeRequests),
    connections: sum((target) => target.connections),
    idleConnections: sum((target) => target.idleConnections),
  };
}
