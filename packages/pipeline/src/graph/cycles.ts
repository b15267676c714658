import type { Problem } from '../config/problem.ts';
import type { PlannedEdge, PlannedNode } from './plan.ts';

/** One problem for a cycle through connectors, told as the reference collector tells it. */
export function findCycles(nodes: readonly PlannedNode[], edges: readonly PlannedEdge[]): Problem[] {
  const outgoing = new Map<string, PlannedEdge[]>();
  for (const edge of edges) outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge]);
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const finished = new Set<string>();
  const path: PlannedEdge[] = [];

  const visit = (key: string): PlannedEdge[] | undefined => {
    const start = path.findIndex((edge) => edge.from === key);
    if (start >= 0) return path.slice(start);
    if (finished.has(key)) return undefined;
    for (const edge of outgoing.get(key) ?? []) {
      path.push(edge);
      const cycle = visit(edge.to);
      if (cycle !== undefined) return cycle;
      path.pop();
    }
    finished.add(key);
    return undefined;
  };

  for (const { key } of nodes) {
    const cycle = visit(key);
    if (cycle !== undefined) return [describe(cycle, byKey)];
  }
  return [];
}

function describe(cycle: readonly PlannedEdge[], byKey: ReadonlyMap<string, PlannedNode>): Problem {
  const first = cycle.findIndex(({ from }) => byKey.get(from)?.kind === 'connector');
  const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
  const names = [...turned, turned[0]!].map((edge) => nameOf(byKey.get(edge.from)!, edge));
  const position = byKey.get(turned[0]!.from)!.component.position;
  return { phase: 'build', severity: 'error', message: `cycle detected: ${names.join(' -> ')}`, path: [], position };
}

function nameOf(node: PlannedNode, outgoing: PlannedEdge): string {
  if (node.kind === 'connector') return `connector "${node.id}" (${node.signal} to ${outgoing.signal})`;
  return `${node.kind} "${node.id}" in pipeline "${outgoing.pipeline}"`;
}
