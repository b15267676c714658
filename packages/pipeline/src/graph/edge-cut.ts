import type { GraphPlan, PlannedNode } from './plan.ts';

/** Which part of a plan can run in any number of threads at once, and where it feeds the rest. */
export interface EdgeCut {
  /** Keys of the nodes of that part: receivers, and the stateless processors behind them. */
  readonly nodes: ReadonlySet<string>;
  /** Those of them that feed a node outside, in the order of the plan. */
  readonly exits: readonly string[];
}

/**
 * Cuts a plan at the first component of each path that is not stateless. A processor that is also fed from behind the cut, as by
 * a connector, stays there. Extensions are no part of either side.
 */
export function cutPlan({ nodes, edges }: GraphPlan): EdgeCut {
  const inside = new Set<string>();
  const runsAnywhere = ({ key, kind, placement }: PlannedNode): boolean => {
    if (placement !== 'stateless') return false;
    if (kind === 'receiver') return true;
    const feeders = edges.filter(({ to }) => to === key);
    return kind === 'processor' && feeders.length > 0 && feeders.every(({ from }) => inside.has(from));
  };
  // A plan lists consumers first; here producers are needed first.
  for (const node of nodes.toReversed()) if (runsAnywhere(node)) inside.add(node.key);
  const feedsOutside = (key: string): boolean =>
    edges.some(({ from, to, signal }) => from === key && signal === 'traces' && !inside.has(to));
  return {
    nodes: inside,
    exits: nodes.filter(({ key }) => inside.has(key) && feedsOutside(key)).map(({ key }) => key),
  };
}
