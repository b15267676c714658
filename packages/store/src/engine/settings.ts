/** Settings every statement starts from, on every kind of engine. */
export const commonSettings: Readonly<Record<string, string>> = Object.freeze({
  // 64-bit values never pass through a JavaScript number.
  output_format_json_quote_64bit_integers: '1',
  // The journal batches already; an asynchronous insert would acknowledge before anything is stored.
  async_insert: '0',
  result_overflow_mode: 'throw',
  timeout_overflow_mode: 'throw',
  // Long lists of ids arrive as parameters, whose text counts.
  max_query_size: '16777216',
  // A failing statement must not leave half a JSON document: the exception is framed after the data.
  http_write_exception_in_output_format: '0',
});

/** Settings every statement of the embedded engine starts from. */
export const embeddedSettings: Readonly<Record<string, string>> = Object.freeze({
  ...commonSettings,
  // At its default of 1 GiB this makes every query single-threaded as soon as the memory limit is below some 3 GB.
  max_threads_min_free_memory_per_thread: '0',
  // Memory-mapped block files cost some 200 MB of resident memory at peak.
  storage_file_read_method: 'pread',
  // The library accepts bare expressions as statements; a server does not.
  implicit_select: '0',
  log_queries: '0',
});

/**
 * Settings of an insert of one prepared block: one thread, and thresholds beyond any block, so that it stays one block
 * and becomes one part per partition. That is the shape the exactly-once rules rest on.
 */
export const insertSettings: Readonly<Record<string, string>> = Object.freeze({
  max_threads: '1',
  max_insert_threads: '1',
  max_block_size: '1048576',
  max_insert_block_size: '16777216',
  min_insert_block_size_rows: '16777216',
  min_insert_block_size_bytes: '1073741824',
});

/** Sizes of the embedded engine; all in bytes. */
export interface EngineMemory {
  /** What the engine may allocate in all; its process takes some 250 MB of library and runtime on top. */
  readonly maxMemoryBytes: number;
}

/** The embedded engine's configuration file. Caches are a small share of the memory limit instead of gigabytes. */
export function engineConfigXml({ maxMemoryBytes }: EngineMemory): string {
  const share = (divisor: number): number => Math.floor(maxMemoryBytes / divisor);
  const entries: Readonly<Record<string, number>> = {
    max_server_memory_usage: maxMemoryBytes,
    mark_cache_size: share(32),
    primary_index_cache_size: share(32),
    index_mark_cache_size: share(64),
    index_uncompressed_cache_size: 0,
    uncompressed_cache_size: 0,
    query_condition_cache_size: share(128),
    mmap_cache_size: 100,
    compiled_expression_cache_size: share(64),
    background_pool_size: 2,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
    background_common_pool_size: 2,
    background_schedule_pool_size: 2,
    background_message_broker_schedule_pool_size: 1,
    background_distributed_schedule_pool_size: 1,
    max_concurrent_queries: 0,
  };
  const lines = Object.entries(entries).map(([name, value]) => `  <${name}>${value}</${name}>`);
  return `<clickhouse>\n${lines.join('\n')}\n</clickhouse>\n`;
}
