import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { UseQueryResult } from '@tanstack/react-query';
import type { TraceSkeleton, TraceState } from '@clew/api';
import { api } from '../../net/client.ts';
import { ApiFailure } from '../../net/failure.ts';

/** How often a trace that still grows is asked for again; unchanged, the server answers 304. */
const growingPollMs = 2000;
/** How often and how long a trace that is not there is waited for, once the person asked to. */
const missingPollMs = 2000;

/** A trace's skeleton, kept current while spans arrive, and awaited when `waitForIt`. */
export function useTrace(traceId: string, hint: TraceState['hint'], waitForIt: boolean): UseQueryResult<TraceSkeleton> {
  const client = useQueryClient();
  const queryKey = ['trace', traceId];
  return useQuery({
    queryKey,
    queryFn: ({ signal }) => api.trace(traceId, hint, client.getQueryData<TraceSkeleton>(queryKey), { signal }),
    // The same object while nothing changed, so that nothing is built or drawn again.
    structuralSharing: false,
    staleTime: Infinity,
    gcTime: 60_000,
    refetchInterval: (query) => {
      if (query.state.data?.completeness.growing === true) return growingPollMs;
      const isMissing = query.state.error instanceof ApiFailure && query.state.error.code === 'not_found';
      return isMissing && waitForIt ? missingPollMs : false;
    },
  });
}
