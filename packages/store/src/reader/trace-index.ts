import type { TraceId } from '@clew/model';

import type { SqlClient } from '../engine/client.ts';
import { Sql } from './sql.ts';

/** Where the spans of some traces lie: what makes reading them a lookup by primary key. */
export interface TraceBounds {
  readonly days: readonly number[];
  /** Names as bytes: they need not be UTF-8. */
  readonly services: readonly Uint8Array[];
  readonly slots: readonly number[];
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
}

/** One trace in the index. */
export interface IndexedTrace {
  readonly traceId: string;
  /** Earliest start and latest end of its spans, nanoseconds since 1970. */
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  /** Names in hexadecimal: they need not be UTF-8. */
  readonly servicesHex: readonly string[];
  readonly days: readonly number[];
  readonly slots: readonly number[];
}

interface IndexRow {
  readonly id: string;
  readonly days: number[];
  readonly t_min: string;
  readonly t_max: string;
  readonly services: string[];
  readonly slots: number[];
}

/** Looks traces up; those that are not stored are missing in the answer. */
export async function lookUpTraces(
  client: SqlClient,
  tenant: string,
  traceIds: readonly (TraceId | string)[],
  signal?: AbortSignal,
): Promise<IndexedTrace[]> {
  if (traceIds.length === 0) return [];
  const sql = new Sql();
  const ids = sql.value(
    'Array(FixedString(16))',
    traceIds.map((id) => Buffer.from(id, 'hex')),
  );
  const rows = await client.rows<IndexRow>(
    'SELECT lower(hex(trace_id)) AS id, groupUniqArray(day) AS days, min(t_min) AS t_min, max(t_max) AS t_max, ' +
      'arrayMap(x -> hex(x), groupUniqArrayArray(services)) AS services, groupUniqArrayArray(slots) AS slots ' +
      `FROM (SELECT trace_id, day, t_min, t_max, services, slots FROM trace_index WHERE tenant = ${sql.text(tenant)} AND trace_id IN ${ids}) ` +
      'GROUP BY trace_id',
    {
      class: 'point',
      comment: 'look up traces',
      params: sql.params,
      settings: { max_threads: 1 },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  return rows.map((row) => ({
    traceId: row.id,
    startUnixNano: BigInt(row.t_min),
    endUnixNano: BigInt(row.t_max),
    servicesHex: row.services,
    days: row.days,
    slots: row.slots,
  }));
}

/** Bounds that cover all of the traces, or undefined when there are none. */
export function boundsOf(traces: readonly IndexedTrace[]): TraceBounds | undefined {
  const [first] = traces;
  if (first === undefined) return undefined;
  let minStartUnixNano = first.startUnixNano;
  let maxStartUnixNano = first.endUnixNano;
  for (const trace of traces) {
    if (trace.startUnixNano < minStartUnixNano) minStartUnixNano = trace.startUnixNano;
    if (trace.endUnixNano > maxStartUnixNano) maxStartUnixNano = trace.endUnixNano;
  }
  return {
    days: [...new Set(traces.flatMap((trace) => trace.days))],
    services: [...new Set(traces.flatMap((trace) => trace.servicesHex))].map((hex) => Buffer.from(hex, 'hex')),
    slots: [...new Set(traces.flatMap((trace) => trace.slots))],
    minStartUnixNano,
    maxStartUnixNano,
  };
}

/** Conditions on `spans` that let the engine read only granules where the traces can be. */
export function boundConditions(sql: Sql, tenant: string, bounds: TraceBounds): string[] {
  return [
    `tenant = ${sql.text(tenant)}`,
    `service IN ${sql.value('Array(String)', bounds.services)}`,
    `slot IN ${sql.value('Array(UInt32)', bounds.slots)}`,
    `day IN ${sql.value('Array(UInt16)', bounds.days)}`,
    `start_ns BETWEEN ${sql.value('UInt64', bounds.minStartUnixNano)} AND ${sql.value('UInt64', bounds.maxStartUnixNano)}`,
  ];
}
