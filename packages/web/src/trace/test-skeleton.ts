import type { TraceSkeleton } from '@clew/api';

/** A span of a test trace: parent by position, or an id that is missing. */
export interface SampleSpan {
  readonly parent?: number | string;
  readonly start: number;
  readonly duration: number;
  readonly service?: string;
  readonly name?: string;
  readonly status?: number;
  readonly flags?: number;
}

/** Builds a skeleton from spans given in start order. For tests. */
export function skeletonOf(spans: readonly SampleSpan[]): TraceSkeleton {
  const services: string[] = [];
  const names: string[] = [];
  const missing: string[] = [];
  const index = (list: string[], value: string): number => {
    if (!list.includes(value)) list.push(value);
    return list.indexOf(value);
  };
  const first = spans[0]?.start ?? 0;
  const end = spans.reduce((latest, span) => Math.max(latest, span.start + span.duration), first);
  const parents = spans.map((span) => {
    if (span.parent === undefined) return -1;
    return typeof span.parent === 'number' ? span.parent : -2 - index(missing, span.parent);
  });
  const zeros = spans.map(() => 0);
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    etag: String(spans.length),
    spanCount: spans.length,
    startUnixNano: '1767312000000000000',
    durationNano: String(end - first),
    services,
    names,
    scopes: [],
    missingParents: missing,
    labels: [],
    columns: {
      ids: spans.map((_, row) => (row + 1).toString(16).padStart(16, '0')).join(''),
      parents,
      startDeltaNano: spans.map((span, row) => span.start - (spans[row - 1]?.start ?? first)),
      durationNano: spans.map((span) => span.duration),
      services: spans.map((span) => (span.service === undefined ? -1 : index(services, span.service))),
      names: spans.map((span, row) => index(names, span.name ?? `span ${row}`)),
      scopes: spans.map(() => -1),
      labels: spans.map(() => -1),
      kinds: zeros,
      statuses: spans.map((span) => span.status ?? 0),
      flags: spans.map((span) => span.flags ?? 0),
      events: zeros,
      links: zeros,
      attributes: zeros,
    },
    completeness: { growing: false, missingParentCount: missing.length },
    warnings: [],
    facts: { limit: 1_000_000, returned: spans.length, more: false, stopReason: 'complete', warnings: [] },
  };
}
