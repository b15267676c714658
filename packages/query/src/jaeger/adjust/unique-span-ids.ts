import type { AdjustableSpan } from './span.ts';

const KIND_SERVER = 2;
const KIND_CLIENT = 3;
const largestId = 0xffff_ffff_ffff_ffffn;

/**
 * Gives server spans that share their id with a client span (Zipkin's way) an id of their own and makes them children of that
 * client span; spans that pointed at the shared id now point at the server.
 */
export function makeSpanIdsUnique(spans: AdjustableSpan[]): AdjustableSpan[] {
  const clientIds = new Set(spans.filter((span) => span.kind === KIND_CLIENT).map((span) => span.spanId));
  const shared = spans.filter((span) => span.kind === KIND_SERVER && clientIds.has(span.spanId));
  if (shared.length === 0) return spans;
  const used = new Set(spans.map((span) => span.spanId));
  const newIdOf = new Map<string, string>();
  const moved = new Set(shared);
  let candidate = 0n;
  for (const server of shared) {
    const next = nextUnused(used, candidate);
    if (next === undefined) {
      server.warnings.push('cannot assign unique span ID, too many spans in the trace');
      continue;
    }
    candidate = next;
    const id = hexId(next);
    used.add(id);
    newIdOf.set(server.spanId, id);
    server.parentSpanId = server.spanId;
    server.spanId = id;
  }
  for (const span of spans) {
    const replaced = newIdOf.get(span.parentSpanId);
    if (replaced !== undefined && !moved.has(span)) span.parentSpanId = replaced;
  }
  return spans;
}

function nextUnused(used: ReadonlySet<string>, after: bigint): bigint | undefined {
  for (let id = after + 1n; id <= largestId; id++) if (!used.has(hexId(id))) return id;
  return undefined;
}

function hexId(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}
