import type { ColumnSpec, TableSpec } from './table-types.ts';

/**
 * What adaptive sampling remembers (`../sampling/`). The tables are small and hold no spans: they are neither partitioned nor
 * touched by retention; whoever computes drops what is old.
 */

const text = 'LowCardinality(String)';

function column(name: string, type: string): ColumnSpec {
  return { name, type };
}

/**
 * One row per operation of a round of calculation. The row without service is written last and makes the round visible.
 */
const samplingRounds: TableSpec = {
  name: 'sampling_rounds',
  role: 'meta',
  engine: 'replacing',
  columns: [
    column('tenant', text),
    column('round', 'UInt64'),
    column('service', text),
    column('operation', 'String'),
    column('probability', 'Float64'),
    column('traces_per_second', 'Float64'),
    column('followed', 'UInt8'),
    column('changed_round', 'UInt64'),
  ],
  orderBy: ['tenant', 'round', 'service', 'operation'],
  shardBy: 'cityHash64(tenant)',
};

/** From when to when a version of its strategy was told to a service, by whatever process. */
const samplingServed: TableSpec = {
  name: 'sampling_served',
  role: 'meta',
  engine: 'aggregating',
  columns: [
    column('tenant', text),
    column('service', 'String'),
    column('version', 'UInt64'),
    column('first_ms', 'SimpleAggregateFunction(min, UInt64)'),
    column('last_ms', 'SimpleAggregateFunction(max, UInt64)'),
  ],
  orderBy: ['tenant', 'service', 'version'],
  shardBy: 'cityHash64(tenant)',
};

/** Who wants to be the one process that computes, for which term: of a term's claims the earliest counts. */
const samplingLeases: TableSpec = {
  name: 'sampling_leases',
  role: 'meta',
  engine: 'aggregating',
  columns: [
    column('term', 'UInt64'),
    column('holder', 'String'),
    column('claimed_ms', 'SimpleAggregateFunction(min, UInt64)'),
    column('until_ms', 'SimpleAggregateFunction(max, UInt64)'),
    column('released', 'SimpleAggregateFunction(max, UInt8)'),
  ],
  orderBy: ['term', 'holder'],
  shardBy: '0',
};

/** All of them. */
export const samplingTables: readonly TableSpec[] = [samplingRounds, samplingServed, samplingLeases];
