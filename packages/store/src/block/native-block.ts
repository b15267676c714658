import { ByteSink } from './byte-sink.ts';
import type { NativeColumn } from './native-columns.ts';
import type { TableBlock } from './table-block.ts';

/** A column of a block and its name in the table. */
export interface NamedColumn {
  readonly name: string;
  readonly column: NativeColumn;
}

/**
 * Puts columns together to one block in ClickHouse's Native format (https://clickhouse.com/docs/interfaces/formats/Native): numbers of columns and
 * rows, then each column's name, type, prefix and body.
 */
export function nativeBlock(table: string, columns: readonly NamedColumn[], rowCount: number): TableBlock {
  const chunks: Uint8Array[] = [];
  const head = new ByteSink(16);
  head.varint(columns.length);
  head.varint(rowCount);
  chunks.push(head.view());
  for (const { name, column } of columns) {
    const title = new ByteSink(96);
    title.asciiString(name);
    title.asciiString(column.type);
    chunks.push(title.view());
    column.prefix(chunks);
    column.body(chunks, rowCount);
  }
  return {
    table,
    columns: columns.map((named) => named.name),
    chunks: chunks.filter((chunk) => chunk.length > 0),
    rowCount,
  };
}
