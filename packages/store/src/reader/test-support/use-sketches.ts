import type { TimeRange } from '../time-range.ts';
import type { TraceSearch } from '../trace-search.ts';
import { batchOf, NOON, type SpanSketch } from './spans.ts';
import { useStore, type UsedStore } from './use-store.ts';

export const HOUR = 3_600_000_000_000n;

/** A range in which sketched spans are unless their sketch says when they start. */
export const range: TimeRange = { startUnixNano: NOON - 12n * HOUR, endUnixNano: NOON + HOUR };

/** A store of one test file, with what tests do that sketch their spans. */
export interface SketchStore {
  readonly data: UsedStore;
  /** Stores the spans for a tenant of their own, which it returns. */
  stored(...sketches: readonly SpanSketch[]): Promise<string>;
  /** Numbers of the traces a search finds in {@link range}, in its order. */
  find(tenant: string, search: Partial<TraceSearch>): Promise<number[]>;
}

/** Opens a store before the tests of the file and closes it behind them. */
export function useSketches(): SketchStore {
  const data = useStore();
  return {
    data,
    stored: (...sketches) => data.stored(batchOf(...sketches), NOON + 60_000_000_000n),
    async find(tenant, search) {
      const found = await data.reader.findTraces(tenant, { range, limit: 20, ...search });
      return found.traces.map((trace) => Number.parseInt(trace.traceId, 16));
    },
  };
}
