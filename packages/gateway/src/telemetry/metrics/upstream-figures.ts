import type { Meter, Observation } from '@clew/base';
import type { UpstreamSnapshot } from '../../proxy/upstream/upstream.ts';

/** Metrics of upstreams as they are when they are read; the returned function ends them. */
export function observeUpstreams(meter: Meter, read: () => readonly UpstreamSnapshot[]): () => void {
  const perUpstream = (name: string, help: string, value: (upstream: UpstreamSnapshot) => number): (() => void) =>
    meter.observe({ name, help, labels: ['upstream'] }, () =>
      read().map((upstream) => ({ value: value(upstream), labels: { upstream: upstream.id } })),
    );
  const ends = [
    meter.observe(
      {
        name: 'zentinel_upstream_health',
        help: '0 while a target is left out for its health, else 1.',
        labels: ['upstream', 'target'],
      },
      () => targetHealth(read()),
    ),
    perUpstream('zentinel_upstream_healthy_backends', 'Targets that get requests.', ({ targets }) => {
      return targets.filter(({ status }) => status !== 'unhealthy').length;
    }),
    perUpstream('zentinel_connection_pool_size', 'Open connections to targets.', ({ targets }) => {
      return targets.reduce((sum, { connections }) => sum + connections, 0);
    }),
    perUpstream('zentinel_connection_pool_idle', 'Open connections to targets without a request.', ({ targets }) => {
      return targets.reduce((sum, { idleConnections }) => sum + idleConnections, 0);
    }),
    meter.observe(
      {
        name: 'zentinel_circuit_breaker_state',
        help: '1 while the circuit of an upstream is open, else 0.',
        labels: ['component', 'route'],
      },
      () => circuits(read()),
    ),
  ];
  return () => ends.forEach((end) => end());
}

function targetHealth(upstreams: readonly UpstreamSnapshot[]): Observation[] {
  return upstreams.flatMap(({ id, targets }) =>
    targets.map(({ address, status }) => ({
      value: status === 'unhealthy' ? 0 : 1,
      labels: { upstream: id, target: address },
    })),
  );
}

/** Circuits are those of upstreams, which all their routes share. */
function circuits(upstreams: readonly UpstreamSnapshot[]): Observation[] {
  return upstreams
    .filter(({ circuit }) => circuit !== undefined)
    .map(({ id, circuit }) => ({ value: circuit === 'open' ? 1 : 0, labels: { component: id, route: 'all' } }));
}
