/** One block of rows for one table, in ClickHouse's Native format, ready to be written to a file and inserted. */
export interface TableBlock {
  readonly table: string;
  /** Columns of the block, in its order: what `InsertFile.columns` wants. */
  readonly columns: readonly string[];
  /** The bytes of the file, in order. Views of the builder's buffers: valid until the builder's next `build` or `reset`. */
  readonly chunks: readonly Uint8Array[];
  readonly rowCount: number;
}

/** Bytes of all chunks of a block together. */
export function blockByteLength(block: TableBlock): number {
  let bytes = 0;
  for (const chunk of block.chunks) bytes += chunk.length;
  return bytes;
}

/** What a batch of spans is stored with beside its own content. */
export interface AppendMeta {
  readonly tenant: string;
  /** When the request that carried the spans arrived, in nanoseconds since 1970. */
  readonly receivedUnixNano: bigint;
}
