import type { TraceState } from '@clew/api';
import { useEffect, useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import { buildTrace } from '../../trace/model.ts';
import { ApiFailure } from '../../net/failure.ts';
import { Button, ButtonLink } from '../../ui/controls.tsx';
import { EmptyState, ErrorState, ProgressLine, SkeletonRows } from '../../ui/states.tsx';
import { TraceScreen } from './TraceScreen.tsx';
import { useTrace } from './use-trace.ts';

/** How long the page waits for a trace that is announced but not there. */
const waitMs = 60_000;

/** `/trace/:traceId`. */
export function TracePage({ state }: { readonly state: TraceState }): ReactElement {
  const { traceId } = state;
  useEffect(() => {
    if (traceId === undefined) document.title = 'Trace · Clew';
  }, [traceId]);
  if (traceId === undefined) {
    return (
      <EmptyState
        wholePage
        title="That is not a trace id"
        actions={<ButtonLink to="/explore">Go to Explore</ButtonLink>}
      >
        <p>A trace id is 32 hex digits, or 16 for traces of older clients.</p>
      </EmptyState>
    );
  }
  return <LoadedTrace traceId={traceId} state={state} />;
}

function LoadedTrace({ traceId, state }: { readonly traceId: string; readonly state: TraceState }): ReactElement {
  const [waiting, setWaiting] = useState(false);
  const trace = useTrace(traceId, state.hint, waiting);
  const model = useMemo(() => (trace.data === undefined ? undefined : buildTrace(trace.data)), [trace.data]);
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setTimeout(() => setWaiting(false), waitMs);
    return () => clearTimeout(timer);
  }, [waiting]);
  if (model !== undefined) {
    return <TraceScreen model={model} state={state} refreshError={trace.isRefetchError ? trace.error : undefined} />;
  }
  if (trace.error instanceof ApiFailure && trace.error.code === 'not_found') {
    return <NotFound traceId={traceId} error={trace.error} waiting={waiting} onWait={() => setWaiting(true)} />;
  }
  if (trace.isError) {
    return (
      <ErrorState
        wholePage
        title="The trace could not be loaded"
        error={trace.error}
        onRetry={() => void trace.refetch()}
      />
    );
  }
  return (
    <>
      <ProgressLine active />
      <SkeletonRows rows={12} />
    </>
  );
}

function NotFound({
  traceId,
  error,
  waiting,
  onWait,
}: {
  readonly traceId: string;
  readonly error: ApiFailure;
  readonly waiting: boolean;
  readonly onWait: () => void;
}): ReactElement {
  return (
    <EmptyState
      wholePage
      title="No spans of this trace are stored"
      actions={
        <>
          <Button look="primary" disabled={waiting} onClick={onWait}>
            {waiting ? 'Waiting for its spans…' : 'Wait a minute for it'}
          </Button>
          <ButtonLink to="/explore">Go to Explore</ButtonLink>
        </>
      }
    >
      <p>
        Looked everywhere for <code>{traceId}</code>, newest spans included.
      </p>
      <p>{error.hint ?? error.message}</p>
    </EmptyState>
  );
}
