import { searchLimits } from '@clew/api';
import type { DemoState, StatusAnswer, StorageStatus } from '@clew/api';
import type { ClewDeps } from './deps.ts';
import { newestSpan } from './newest.ts';
import { receiverStatuses, totals } from './receivers.ts';

/** The demo's state when there is no generator. */
export const noDemo: DemoState = { mode: 'off', tracesSent: 0, traces: [] };

/** What is running, where to send, and whether anything has arrived. Answers while the store is away. */
export async function statusAnswer(deps: ClewDeps, signal: AbortSignal): Promise<StatusAnswer> {
  const receivers = receiverStatuses(deps.program.graph());
  const { accepted } = totals(receivers);
  const { ready } = deps.readiness();
  const newest = ready ? await newestSpan(deps, signal) : undefined;
  return {
    version: deps.program.version,
    startedUnixMs: deps.program.startedUnixMs,
    receivers,
    storage: storageStatus(deps),
    ingest: {
      anySpans: accepted > 0 || newest !== undefined,
      acceptedSpansTotal: accepted,
      ...(newest === undefined
        ? {}
        : { newestSpanUnixNano: String(newest.startUnixNano), newestTraceId: newest.traceId }),
    },
    demo: deps.program.demo?.state() ?? noDemo,
    limits: {
      maxSearchLimit: searchLimits.max,
      maxDetailSpans: deps.limits.maxDetailSpans,
      maxTraceSpans: deps.limits.maxTraceSpans,
    },
  };
}

function storageStatus(deps: ClewDeps): StorageStatus {
  const { ready, reason } = deps.readiness();
  const { rows } = deps.storage.pending.backlog();
  if (!ready) return { state: 'starting', backlogSpans: rows, ...(reason === undefined ? {} : { message: reason }) };
  const { state } = deps.storage.client.snapshot();
  if (state.kind === 'ready') return { state: 'ready', backlogSpans: rows };
  return {
    state: 'degraded',
    backlogSpans: rows,
    message: 'The storage engine is starting again; spans are accepted and kept meanwhile.',
  };
}
