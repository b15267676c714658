import { spanFlags } from '@clew/api';
import type {
  AttributeTerm,
  SearchFilter,
  SearchOrder,
  SpanDetails,
  SpanDetailsAnswer,
  TraceSkeleton,
  TraceSummary,
} from '@clew/api';
import { createRandom } from './random.ts';
import { shopTrace } from './shop.ts';
import { brokenTrace, deepTrace, largeTrace, specialTraces } from './special.ts';
import { text, valueText } from './spans.ts';
import type { FakeSpan, FakeTrace } from './spans.ts';

/** Traces in memory, searched the plain way: for development and tests of the page only. */
export class FakeStore {
  readonly traces = new Map<string, FakeTrace>();

  add(trace: FakeTrace): void {
    trace.spans.sort((a, b) => a.startNano - b.startNano || b.durationNano - a.durationNano);
    this.traces.set(trace.traceId, trace);
  }

  /** Fills the store with traces of the last `hours` and the special ones. */
  static filled(options: {
    readonly nowUnixMs: number;
    readonly traces: number;
    readonly largeSpans: number;
  }): FakeStore {
    const store = new FakeStore();
    const random = createRandom(7);
    const nowNano = BigInt(options.nowUnixMs) * 1_000_000n;
    for (let i = 0; i < options.traces; i++) {
      const agoMs = Math.floor(random.next() ** 1.3 * 3_500_000) + 5000;
      store.add(shopTrace(random, nowNano - BigInt(agoMs) * 1_000_000n - BigInt(random.int(999_999))));
    }
    const past = nowNano - 600_000_000_000n;
    if (options.largeSpans > 0) store.add(largeTrace(random, past, options.largeSpans, specialTraces.large));
    store.add(deepTrace(random, past - 60_000_000_000n, 3000));
    store.add(brokenTrace(random, past - 120_000_000_000n));
    return store;
  }

  /** Spans of a trace that have arrived by now. */
  arrived(trace: FakeTrace, nowUnixMs: number): FakeSpan[] {
    if (trace.growsUntilUnixMs === undefined || nowUnixMs >= trace.growsUntilUnixMs) return trace.spans;
    const untilNano = Number(BigInt(nowUnixMs) * 1_000_000n - trace.startUnixNano);
    return trace.spans.filter((span) => span.startNano + span.durationNano <= untilNano);
  }

  *matching(filter: SearchFilter, fromUnixNano: bigint, toUnixNano: bigint): Generator<[FakeTrace, FakeSpan[]]> {
    for (const trace of this.traces.values()) {
      const matched = trace.spans.filter((span) => {
        const start = trace.startUnixNano + BigInt(span.startNano);
        return start >= fromUnixNano && start < toUnixNano && matches(span, filter);
      });
      if (matched.length > 0) yield [trace, matched];
    }
  }
}

/** Whether a span satisfies every condition. */
export function matches(span: FakeSpan, filter: SearchFilter): boolean {
  if (filter.service !== undefined && span.service !== filter.service) return false;
  if (filter.operation !== undefined && span.name !== filter.operation) return false;
  if (filter.status !== undefined && ['unset', 'ok', 'error'][span.status.code] !== filter.status) return false;
  if (filter.minDurationNano !== undefined && BigInt(span.durationNano) < filter.minDurationNano) return false;
  if (filter.maxDurationNano !== undefined && BigInt(span.durationNano) > filter.maxDurationNano) return false;
  if (filter.rootOnly && span.parentSpanId !== undefined) return false;
  return filter.terms.every((term) => matchesTerm(span, term));
}

function matchesTerm(span: FakeSpan, term: AttributeTerm): boolean {
  const attributes =
    term.scope === 'resource'
      ? resourceOf(span.service)
      : term.scope === 'any'
        ? [...span.attributes, ...resourceOf(span.service)]
        : span.attributes;
  const actual = valueText(attributes, term.key);
  if (term.operator === 'exists') return actual !== undefined;
  if (term.operator === 'missing') return actual === undefined;
  if (actual === undefined || term.value === undefined) return false;
  const wanted = term.value.type === 'boolean' ? String(term.value.value) : term.value.text;
  switch (term.operator) {
    case '=':
      return actual === wanted;
    case '!=':
      return actual !== wanted;
    case '=~':
      return new RegExp(`^(?:${wanted})$`).test(actual);
    case '!~':
      return !new RegExp(`^(?:${wanted})$`).test(actual);
    case '>':
      return Number(actual) > Number(wanted);
    case '>=':
      return Number(actual) >= Number(wanted);
    case '<':
      return Number(actual) < Number(wanted);
    case '<=':
      return Number(actual) <= Number(wanted);
  }
}

/** The resource every span of a service carries. */
export function resourceOf(service: string) {
  return [
    text('service.name', service),
    text('service.namespace', 'shop'),
    text('service.version', '2.14.0'),
    text('service.instance.id', `${service}-7d9f6c5b8-x2x9q`),
    text('deployment.environment.name', 'production'),
    text('host.name', `node-${(service.length % 3) + 1}.shop.internal`),
    text('telemetry.sdk.language', 'nodejs'),
    text('telemetry.sdk.name', 'opentelemetry'),
    text('telemetry.sdk.version', '2.2.0'),
  ];
}

/** What a result list shows of a trace. */
export function summarize(trace: FakeTrace, matched: number): TraceSummary {
  const counts = new Map<string, { spans: number; errors: number }>();
  let endNano = 0;
  for (const span of trace.spans) {
    const share = counts.get(span.service) ?? { spans: 0, errors: 0 };
    share.spans++;
    if (span.status.code === 2) share.errors++;
    counts.set(span.service, share);
    endNano = Math.max(endNano, span.startNano + span.durationNano);
  }
  const root = trace.spans.find((span) => span.parentSpanId === undefined);
  const first = root ?? trace.spans[0];
  const services = [...counts].map(([name, share]) => ({ name, ...share })).sort((a, b) => b.spans - a.spans);
  return {
    traceId: trace.traceId,
    ...(root === undefined ? {} : { rootService: root.service }),
    rootName: first?.name ?? '',
    hasRoot: root !== undefined,
    startUnixNano: String(trace.startUnixNano + BigInt(first?.startNano ?? 0)),
    durationNano: String(endNano - (trace.spans[0]?.startNano ?? 0)),
    spanCount: trace.spans.length,
    errorCount: services.reduce((sum, share) => sum + share.errors, 0),
    matchedSpans: matched,
    services: services.slice(0, 12),
    serviceCount: services.length,
  };
}

/** The value a search order sorts by, descending; ties are broken by trace id. */
export function orderKey(summary: TraceSummary, order: SearchOrder): bigint {
  switch (order) {
    case 'newest':
      return BigInt(summary.startUnixNano);
    case 'oldest':
      return -BigInt(summary.startUnixNano);
    case 'longest':
      return BigInt(summary.durationNano);
    case 'most_spans':
      return BigInt(summary.spanCount);
    case 'most_errors':
      return BigInt(summary.errorCount);
  }
}

/** The columnar form of some spans of a trace. */
export function skeletonOf(trace: FakeTrace, spans: readonly FakeSpan[], growing: boolean): TraceSkeleton {
  const indexes = {
    services: new Map<string, number>(),
    names: new Map<string, number>(),
    labels: new Map<string, number>(),
  };
  const indexOf = (map: Map<string, number>, value: string): number => {
    const known = map.get(value);
    if (known !== undefined) return known;
    map.set(value, map.size);
    return map.size - 1;
  };
  const rowOf = new Map(spans.map((span, row) => [span.spanId, row]));
  const missing = new Map<string, number>();
  const first = spans[0]?.startNano ?? 0;
  const end = spans.reduce((latest, span) => Math.max(latest, span.startNano + Math.max(0, span.durationNano)), first);
  const label = (span: FakeSpan): string | undefined =>
    valueText(span.attributes, 'http.response.status_code') ?? valueText(span.attributes, 'messaging.destination.name');
  return {
    traceId: trace.traceId,
    etag: `${spans.length}${growing ? 'g' : ''}`,
    spanCount: spans.length,
    startUnixNano: String(trace.startUnixNano + BigInt(first)),
    durationNano: String(end - first),
    columns: {
      ids: spans.map((span) => span.spanId).join(''),
      parents: spans.map((span) => {
        if (span.parentSpanId === undefined) return -1;
        return rowOf.get(span.parentSpanId) ?? -2 - indexOf(missing, span.parentSpanId);
      }),
      startDeltaNano: spans.map((span, row) => span.startNano - (spans[row - 1]?.startNano ?? first)),
      durationNano: spans.map((span) => Math.max(0, span.durationNano)),
      services: spans.map((span) => indexOf(indexes.services, span.service)),
      names: spans.map((span) => indexOf(indexes.names, span.name)),
      scopes: spans.map(() => 0),
      labels: spans.map((span) => {
        const shown = label(span);
        return shown === undefined ? -1 : indexOf(indexes.labels, shown);
      }),
      kinds: spans.map((span) => span.kind),
      statuses: spans.map((span) => span.status.code),
      flags: spans.map(
        (span) =>
          (span.durationNano < 0 ? spanFlags.negativeDuration : 0) |
          (span.events.some((event) => event.name === 'exception') ? spanFlags.exception : 0),
      ),
      events: spans.map((span) => span.events.length),
      links: spans.map((span) => span.links.length),
      attributes: spans.map((span) => span.attributes.length),
    },
    services: [...indexes.services.keys()],
    names: [...indexes.names.keys()],
    scopes: ['@opentelemetry/instrumentation-http@0.223.0'],
    missingParents: [...missing.keys()],
    labels: [...indexes.labels.keys()],
    completeness: {
      growing,
      missingParentCount: missing.size,
      lastReceivedUnixMs: Number(trace.startUnixNano / 1_000_000n),
    },
    warnings: spans.some((span) => span.durationNano < 0)
      ? [{ code: 'negative_duration', message: 'A span ends before it starts; its duration is shown as 0.', count: 1 }]
      : [],
    facts: { limit: 1_000_000, returned: spans.length, more: false, stopReason: 'complete', warnings: [] },
  };
}

/** Everything known of some spans. */
export function detailsOf(trace: FakeTrace, ids: readonly string[]): SpanDetailsAnswer {
  const wanted = trace.spans.filter((span) => ids.includes(span.spanId));
  const services = [...new Set(wanted.map((span) => span.service))];
  const absolute = (nano: number): string => String(trace.startUnixNano + BigInt(nano));
  return {
    spans: wanted.map((span): SpanDetails => ({
      id: span.spanId,
      spanId: span.spanId,
      ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
      name: span.name,
      kind: span.kind,
      startUnixNano: absolute(span.startNano),
      endUnixNano: absolute(span.startNano + span.durationNano),
      status: span.status,
      flags: 1,
      attributes: span.attributes,
      droppedAttributes: 0,
      events: span.events.map((event) => ({ ...event, timeUnixNano: absolute(Number(event.timeUnixNano)) })),
      droppedEvents: 0,
      links: span.links,
      droppedLinks: 0,
      resource: services.indexOf(span.service),
      scope: 0,
    })),
    resources: services.map((service) => ({ service, attributes: resourceOf(service), droppedAttributes: 0 })),
    scopes: [{ name: '@opentelemetry/instrumentation-http', version: '0.223.0', attributes: [], droppedAttributes: 0 }],
    notFound: ids.filter((id) => !wanted.some((span) => span.spanId === id)),
    warnings: [],
  };
}
