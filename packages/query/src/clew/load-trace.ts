import { ShownTrace, traceViewOf } from '@clew/model';
import type { ClewDeps } from './deps.ts';

/** A trace in memory. */
export interface LoadedTrace {
  readonly shown: ShownTrace;
  readonly lastReceivedUnixMs: number | undefined;
}

/** Reads a trace, stored or only acknowledged. */
export async function loadTrace(
  deps: ClewDeps,
  traceId: string,
  signal: AbortSignal,
): Promise<LoadedTrace | undefined> {
  const [batches, lastReceivedUnixMs] = await Promise.all([
    deps.reader.readTraces(deps.tenant, [traceId], { signal }),
    deps.reader.lastReceived(deps.tenant, traceId, signal),
  ]);
  const batch = batches.get(traceId);
  return batch === undefined ? undefined : { shown: new ShownTrace(traceViewOf(batch)), lastReceivedUnixMs };
}
