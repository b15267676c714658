import type { RootCount, RootCountRequest, RootSampler } from '@clew/pipeline';
import type { SqlClient } from '../engine/client.ts';

/** Services of one statement: with names of ordinary length far below what a request may carry. */
const SERVICES_AT_ONCE = 1000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Attributes by which clients say how a root came to be sampled: Jaeger's, and OpenTelemetry's Jaeger samplers'. */
const TYPE_KEYS = ['sampler.type', 'jaeger.sampler.type'] as const;
const PARAM_KEYS = ['sampler.param', 'jaeger.sampler.param'] as const;

interface CountRow {
  readonly interval: string;
  readonly service: string;
  readonly operation: string;
  readonly sampler: RootSampler;
  readonly param: number;
  readonly traces: string;
}

/**
 * Counts traces by their root spans, by interval of arrival. Reads the blocks of the services asked about whose spans arrived then, which the key and the
 * index on arrival find. `uniq` counts a span once that was sent twice.
 */
export async function countRoots(
  client: SqlClient,
  request: RootCountRequest,
  signal: AbortSignal,
): Promise<RootCount[]> {
  const counts: RootCount[] = [];
  for (let start = 0; start < request.services.length; start += SERVICES_AT_ONCE) {
    const services = request.services.slice(start, start + SERVICES_AT_ONCE);
    const rows = await client.rows<CountRow>(STATEMENT, {
      class: 'scan',
      comment: 'count root spans for adaptive sampling',
      params: paramsOf({ ...request, services }),
      signal,
    });
    counts.push(...rows.map((row) => ({ ...row, interval: Number(row.interval), traces: Number(row.traces) })));
  }
  return counts;
}

const firstText = (keys: readonly string[]): string =>
  `coalesce(${keys.map((key) => `nullIf(a_str['${key}'], '')`).join(', ')}, '')`;
const firstNumber = (keys: readonly string[]): string =>
  `multiIf(${keys
    .flatMap((key) => [
      `mapContains(a_dbl, '${key}'), a_dbl['${key}']`,
      `mapContains(a_int, '${key}'), toFloat64(a_int['${key}'])`,
      `mapContains(a_str, '${key}'), toFloat64OrZero(a_str['${key}'])`,
    ])
    .join(', ')}, toFloat64(0))`;

const STATEMENT =
  'SELECT intDiv(received_ms, {interval:UInt64}) AS interval, service, name AS operation, ' +
  `${firstText(TYPE_KEYS)} AS type, if(type = '', 'untagged', type) AS sampler, ` +
  `if(type = '', 0, round(${firstNumber(PARAM_KEYS)}, 6)) AS param, uniq(trace_id) AS traces ` +
  'FROM spans WHERE tenant = {tenant:String} AND service IN {services:Array(String)} ' +
  'AND received_ms >= {from:UInt64} AND received_ms < {to:UInt64} AND day >= {first_day:UInt16} AND day <= {last_day:UInt16} ' +
  "AND parent_id = toFixedString('', 8) AND service != '' AND name != '' AND type IN ('', 'probabilistic', 'lowerbound') " +
  'GROUP BY interval, service, operation, type, sampler, param ORDER BY traces DESC LIMIT {most:UInt64} BY interval, service';

function paramsOf({ tenant, services, intervalMs, firstInterval, lastInterval, maxRowsPerService }: RootCountRequest) {
  const from = firstInterval * intervalMs;
  const to = (lastInterval + 1) * intervalMs;
  return {
    tenant,
    services,
    interval: Math.round(intervalMs),
    from: Math.round(from),
    to: Math.round(to),
    // A span is filed at most a day before its arrival, and an hour after it.
    first_day: Math.max(0, Math.floor(from / DAY_MS) - 1),
    last_day: Math.floor((to + 60 * MINUTE_MS) / DAY_MS),
    most: maxRowsPerService,
  };
}
