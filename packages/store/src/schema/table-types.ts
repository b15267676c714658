/** One column of a table. The description is data: `ddl.ts` turns it into statements for each kind of engine. */
export interface ColumnSpec {
  readonly name: string;
  /** ClickHouse type as written in DDL. */
  readonly type: string;
  /** Compression codec, without the word CODEC; the engine's default when left out. */
  readonly codec?: string;
}

/** How the rows of a table are combined when parts merge. */
export type TableEngine =
  /** Every row stays. */
  | 'merge'
  /** Of rows with one key the last inserted stays: sets, and results that are computed again. */
  | 'replacing'
  /** Rows with one key are combined by the aggregate functions of the other columns. */
  | 'aggregating';

/** A data skipping index. */
export interface IndexSpec {
  readonly name: string;
  readonly expression: string;
  /** Type with its parameters, such as `minmax` or `bloom_filter(0.005)`. */
  readonly type: string;
  /** Granules of the table behind one entry of the index. */
  readonly granularity: number;
}

/** A table. Every table but `meta` ones is partitioned by `day`, so that retention drops whole partitions. */
export interface TableSpec {
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  readonly engine: TableEngine;
  readonly orderBy: readonly string[];
  /** Partition expression of a data table, beginning with `day`; `day` alone when left out. Its columns get bounds per part. */
  readonly partitionBy?: string;
  readonly indexes?: readonly IndexSpec[];
  /** Rows per granule. */
  readonly granularity?: number;
  /** Engine settings of this table beside those every table has. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /**
   * `data` tables hold spans or what is derived from them, by day; `meta` tables are small, hold the store's own state, and
   * are neither partitioned nor touched by retention.
   */
  readonly role: 'data' | 'meta';
  /** Expression that spreads rows over the shards of a cluster; left out, a row goes to any shard. */
  readonly shardBy?: string;
}

/** A materialised view: every block inserted into `from` is also selected from, and the result inserted into `to`. */
export interface ViewSpec {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Columns of `to` that the view fills, in the order of the SELECT. */
  readonly columns: readonly string[];
  /** The SELECT list and whatever follows the table name; `ddl.ts` puts the FROM between them. */
  readonly select: string;
  readonly tail: string;
}

/** Everything the store keeps, at one version. */
export interface SchemaSpec {
  readonly version: number;
  readonly tables: readonly TableSpec[];
  readonly views: readonly ViewSpec[];
}
