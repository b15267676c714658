import type { SpanBatch } from '@clew/model';
import type { StoreReader } from '@clew/store';
import type { SearchParams } from './search-params.ts';
import type { JaegerSource } from './source.ts';

/** Answers the Jaeger API from the store, for one tenant. */
export function storeSource(reader: StoreReader, tenant: string): JaegerSource {
  return {
    services: (signal) => reader.services(tenant, { signal }),
    operations: (service, signal) => reader.operations(tenant, service, { signal }),
    search: (params, signal) => searchTraces(reader, tenant, params, signal),
    traces: (traceIds, signal) => reader.readTraces(tenant, traceIds, { signal }),
    async dependencies(startUnixNano, endUnixNano, signal) {
      const edges = await reader.edges(tenant, { startUnixNano, endUnixNano }, { signal });
      return edges.map(({ client, server, calls }) => ({ parent: client, child: server, callCount: calls }));
    },
  };
}

async function searchTraces(
  reader: StoreReader,
  tenant: string,
  params: SearchParams,
  signal: AbortSignal,
): Promise<SpanBatch[]> {
  const { service, operation, minDurationNano, maxDurationNano } = params;
  const found = await reader.findTraces(
    tenant,
    {
      ...(service === '' ? {} : { service }),
      ...(operation === '' ? {} : { operation }),
      ...(minDurationNano === undefined ? {} : { minDurationNano }),
      ...(maxDurationNano === undefined ? {} : { maxDurationNano }),
      tags: params.tags.map(([key, value]) => ({ key, value })),
      range: { startUnixNano: clampTime(params.startUnixNano), endUnixNano: clampTime(params.endUnixNano) },
      limit: params.limit,
      order: 'latest_match',
    },
    { signal },
  );
  const ids = found.traces.map(({ traceId }) => traceId);
  const traces = await reader.readTraces(tenant, ids, { signal });
  return ids.flatMap((id) => traces.get(id) ?? []);
}

const maxTime = 0xffff_ffff_ffff_ffffn;

/** Times are unsigned 64-bit nanoseconds; a bound outside them is the nearest one inside. */
function clampTime(nanos: bigint): bigint {
  return nanos < 0n ? 0n : nanos > maxTime ? maxTime : nanos;
}
