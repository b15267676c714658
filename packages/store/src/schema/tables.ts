import { samplingTables } from './sampling-tables.ts';
import type { ColumnSpec, SchemaSpec, TableSpec, ViewSpec } from './table-types.ts';

/**
 * The tables of the store, described once. `docs/decisions/0001-table-design.md` has the measurements behind the choices.
 *
 * Rules every table follows
 * - `tenant` leads every key.
 * - `day` (days since 1970 of the bucket time) is the partition of every data table. The bucket time is
 *   `clamp(start, received - 24 h, received + 1 h)`: a span from 1970 or 2262 is kept as sent, but lives and ages with its arrival.
 * - What a view derives is a set, a minimum or a maximum, so that inserting a segment again changes nothing.
 */

/** Nanoseconds of one slot, the coarse time in the key of `spans`. */
export const SLOT_NANOS = 300_000_000_000n;
/** Slots of one day. */
export const SLOTS_PER_DAY = 288;
/**
 * Set in `slot` of spans whose bucket time is not their start time. A search by start time reads the slots of
 * its range, and of the odd ones those whose `start_ns` fits.
 */
export const ODD_SLOT = 0x8000_0000;
/** How far before its arrival a span may start without being odd. */
export const MAX_PAST_NANOS = 86_400_000_000_000n;
/** How far after its arrival a span may start without being odd. */
export const MAX_FUTURE_NANOS = 3_600_000_000_000n;

/**
 * Values of `tag_keys.scope`: levels on which an attribute was seen, and below them the levels on which a path into maps and nested arrays was
 * seen (`block/leaf-writer.ts`); scopes count as resources there, events and links are one.
 */
export const TagScope = Object.freeze({
  span: 1,
  resource: 2,
  scope: 3,
  event: 4,
  link: 5,
  spanLeaf: 6,
  resourceLeaf: 7,
  childLeaf: 8,
} as const);
/** On which level of a span an attribute key was seen. */
export type TagScope = (typeof TagScope)[keyof typeof TagScope];

const key = 'LowCardinality(String)';
const zstd = 'ZSTD(1)';

function column(name: string, type: string, codec?: string): ColumnSpec {
  return codec === undefined ? { name, type } : { name, type, codec };
}

/** Six maps hold the attributes of a level. `*_arr` and `*_other` hold tagged values (see `block/tagged-value.ts`). */
function attributeMaps(prefix: string): ColumnSpec[] {
  return [
    column(`${prefix}_str`, `Map(${key}, String)`, zstd),
    column(`${prefix}_int`, `Map(${key}, Int64)`, zstd),
    column(`${prefix}_dbl`, `Map(${key}, Float64)`, zstd),
    column(`${prefix}_bool`, `Map(${key}, UInt8)`, zstd),
    column(`${prefix}_arr`, `Map(${key}, Array(String))`, zstd),
    column(`${prefix}_other`, `Map(${key}, String)`, zstd),
  ];
}

/** What the indexes `i_kv` and `i_kv_int` are over: a condition must repeat it letter for letter to profit. */
export function pairHashes(map: 'a_str' | 'a_int'): string {
  return `arrayMap((k, v) -> cityHash64(k, v), mapKeys(${map}), mapValues(${map}))`;
}

const spans: TableSpec = {
  name: 'spans',
  role: 'data',
  engine: 'merge',
  columns: [
    column('tenant', key),
    column('day', 'UInt16', zstd),
    column('slot', 'UInt32', zstd),
    column('trace_id', 'FixedString(16)', zstd),
    column('span_id', 'FixedString(8)', 'NONE'),
    column('parent_id', 'FixedString(8)', zstd),
    column('start_ns', 'UInt64', `Delta, ${zstd}`),
    // max(end - start, 0); an end before the start is kept in `extra`.
    column('duration_ns', 'UInt64', zstd),
    column('received_ms', 'UInt64', `Delta, ${zstd}`),
    // 255 stands for a number outside 0..254, which `extra` holds.
    column('kind', 'UInt8', zstd),
    column('status', 'UInt8', zstd),
    column('service', key),
    column('name', key),
    column('status_message', 'String', zstd),
    column('trace_state', 'String', zstd),
    column('flags', 'UInt32', zstd),
    column('res_id', 'UInt64', zstd),
    ...attributeMaps('a'),
    // What people filter by all day, under either spelling; `hot` says which one it was (see `block/hot-attributes.ts`).
    column('http_method', key),
    column('http_route', key),
    column('http_status', 'UInt16', zstd),
    column('db_system', key),
    column('rpc_service', key),
    column('msg_system', key),
    column('hot', 'UInt32', zstd),
    column('ev_time', 'Array(UInt64)', zstd),
    column('ev_name', `Array(${key})`),
    column('ev_str', `Array(Map(${key}, String))`, zstd),
    column('ev_other', `Array(Map(${key}, String))`, zstd),
    column('lk_trace', 'Array(FixedString(16))', zstd),
    column('lk_span', 'Array(FixedString(8))', zstd),
    column('lk_attrs', `Array(Map(${key}, String))`, zstd),
    // What is rare and never searched (see `block/extra.ts`).
    column('extra', 'String', zstd),
    column('seg', 'LowCardinality(FixedString(16))'),
  ],
  orderBy: ['tenant', 'service', 'slot', 'name', 'start_ns'],
  // Odd slots (`ODD_SLOT`) lie apart, which keeps the bounds of `slot` that each part has narrow: a read by time opens few parts.
  partitionBy: '(day, slot >= 2147483648)',
  granularity: 2048,
  indexes: [
    { name: 'i_start', expression: 'start_ns', type: 'minmax', granularity: 1 },
    { name: 'i_duration', expression: 'duration_ns', type: 'minmax', granularity: 1 },
    { name: 'i_received', expression: 'received_ms', type: 'minmax', granularity: 1 },
    { name: 'i_kv', expression: pairHashes('a_str'), type: 'bloom_filter(0.01)', granularity: 4 },
    { name: 'i_kv_int', expression: pairHashes('a_int'), type: 'bloom_filter(0.02)', granularity: 4 },
  ],
  shardBy: 'cityHash64(trace_id)',
};

const resources: TableSpec = {
  name: 'resources',
  role: 'data',
  engine: 'replacing',
  columns: [
    column('tenant', key),
    column('day', 'UInt16', zstd),
    // 64-bit hash over the resource and the scope together, as they were sent.
    column('res_id', 'UInt64', zstd),
    column('service', key),
    ...attributeMaps('r'),
    column('scope_name', key),
    column('scope_version', key),
    ...attributeMaps('s'),
    // Dropped counts, schema URLs and entity references (see `block/extra.ts`).
    column('extra', 'String', zstd),
  ],
  orderBy: ['tenant', 'res_id'],
  shardBy: 'res_id',
};

const traceIndex: TableSpec = {
  name: 'trace_index',
  role: 'data',
  engine: 'aggregating',
  columns: [
    column('tenant', key),
    column('day', 'UInt16', zstd),
    column('trace_id', 'FixedString(16)', zstd),
    column('t_min', 'SimpleAggregateFunction(min, UInt64)', zstd),
    column('t_max', 'SimpleAggregateFunction(max, UInt64)', zstd),
    column('services', 'SimpleAggregateFunction(groupUniqArrayArray, Array(String))', zstd),
    column('slots', 'SimpleAggregateFunction(groupUniqArrayArray, Array(UInt32))', zstd),
  ],
  orderBy: ['tenant', 'trace_id'],
  granularity: 1024,
  shardBy: 'cityHash64(trace_id)',
};

const services: TableSpec = {
  name: 'services',
  role: 'data',
  engine: 'replacing',
  columns: [column('tenant', key), column('day', 'UInt16', zstd), column('service', key)],
  orderBy: ['tenant', 'service'],
};

const operations: TableSpec = {
  name: 'operations',
  role: 'data',
  engine: 'replacing',
  columns: [
    column('tenant', key),
    column('day', 'UInt16', zstd),
    column('service', key),
    column('name', 'String', zstd),
    column('kind', 'UInt8', zstd),
  ],
  orderBy: ['tenant', 'service', 'name', 'kind'],
};

const tagKeys: TableSpec = {
  name: 'tag_keys',
  role: 'data',
  engine: 'replacing',
  columns: [
    column('tenant', key),
    column('day', 'UInt16', zstd),
    column('scope', 'UInt8', zstd),
    // A value type of the model: 1 string, 2 bool, 3 int, 4 double, 5 array, 6 map, 7 bytes, 0 empty.
    column('type', 'UInt8', zstd),
    column('key', 'String', zstd),
  ],
  orderBy: ['tenant', 'scope', 'key', 'type'],
};

const tagValues: TableSpec = {
  name: 'tag_values',
  role: 'data',
  engine: 'replacing',
  columns: [column('tenant', key), column('day', 'UInt16', zstd), column('key', key), column('value', 'String', zstd)],
  orderBy: ['tenant', 'key', 'value'],
};

const red: TableSpec = {
  name: 'red',
  role: 'data',
  engine: 'replacing',
  columns: [
    column('tenant', key),
    column('day', 'UInt16', zstd),
    // Minute of arrival: the rows of one minute are computed, and computed again, together.
    column('received_minute', 'UInt32', zstd),
    // Minute of the spans' start.
    column('minute', 'UInt32', `Delta, ${zstd}`),
    column('service', key),
    column('name', key),
    column('kind', 'UInt8', zstd),
    column('status', 'UInt8', zstd),
    column('spans', 'UInt64', zstd),
    column('duration_sum', 'Float64', zstd),
    // Quarter powers of two: bucket b holds durations of [2^(b/4), 2^((b+1)/4)) ns.
    column('histogram', 'Map(UInt8, UInt64)', zstd),
  ],
  orderBy: ['tenant', 'service', 'name', 'kind', 'status', 'minute', 'received_minute'],
};

const edges: TableSpec = {
  name: 'edges',
  role: 'data',
  engine: 'replacing',
  columns: [
    column('tenant', key),
    column('day', 'UInt16', zstd),
    column('minute', 'UInt32', zstd),
    column('client', key),
    column('server', key),
    column('calls', 'UInt64', zstd),
    column('errors', 'UInt64', zstd),
    column('duration_sum', 'Float64', zstd),
  ],
  orderBy: ['tenant', 'minute', 'client', 'server'],
};

const rollups: TableSpec = {
  name: 'rollups',
  role: 'meta',
  engine: 'replacing',
  columns: [
    column('job', key),
    column('minute', 'UInt32'),
    // 0 to be done (again), 1 provisional, 2 final.
    column('state', 'UInt8'),
    column('spans', 'UInt64'),
  ],
  orderBy: ['job', 'minute'],
};

const views: readonly ViewSpec[] = [
  {
    name: 'trace_index_view',
    from: 'spans',
    to: 'trace_index',
    columns: ['tenant', 'day', 'trace_id', 't_min', 't_max', 'services', 'slots'],
    select:
      'tenant, day, trace_id, min(start_ns) AS t_min, max(start_ns + duration_ns) AS t_max, ' +
      'groupUniqArray(toString(service)) AS services, groupUniqArray(slot) AS slots',
    tail: 'GROUP BY tenant, day, trace_id',
  },
  {
    // Every span of a small block, one in sixteen of a large one: all values would cost more than the spans themselves.
    name: 'tag_values_view',
    from: '(SELECT tenant, day, arrayJoin(a_str) AS pair FROM spans WHERE rowNumberInAllBlocks() < 2000 OR cityHash64(span_id) % 16 = 0)',
    to: 'tag_values',
    columns: ['tenant', 'day', 'key', 'value'],
    select: 'tenant, day, pair.1 AS key, pair.2 AS value',
    tail: 'WHERE length(value) <= 256 GROUP BY tenant, day, key, value',
  },
];

/** The schema this version of the program writes and reads. */
export const currentSchema: SchemaSpec = {
  version: 3,
  tables: [
    spans,
    resources,
    traceIndex,
    services,
    operations,
    tagKeys,
    tagValues,
    red,
    edges,
    rollups,
    ...samplingTables,
  ],
  views,
};

/** Tables whose rows carry the segment they came in. */
export const segmentTables = Object.freeze(['spans'] as const);
