import { compactBatch } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { MessageType, ThriftType } from '../thrift/types.ts';
import { rowsByResource } from './rows-by-resource.ts';
import type { ResourceRows } from './rows-by-resource.ts';
import { ThriftSpanWriter } from './thrift-encode.ts';
import type { WrittenProtocol } from './thrift-encode.ts';

/** The output buffer kept between calls is at most this large. */
const KEEP_BYTES = 4 * 1024 * 1024;

/** What a datagram holds at most unless told otherwise: Jaeger's agents drop larger ones. */
export const DEFAULT_MAX_DATAGRAM_BYTES = 65_000;

const emitBatch = new TextEncoder().encode('emitBatch');

const writers: Readonly<Record<WrittenProtocol, ThriftSpanWriter>> = {
  compact: new ThriftSpanWriter('compact'),
  binary: new ThriftSpanWriter('binary'),
};

/** How {@link encodeThriftBatches} writes. */
export interface ThriftEncodeOptions {
  /** Default `binary`, which is what collectors take over HTTP. */
  readonly protocol?: WrittenProtocol;
}

/** How {@link encodeAgentMessages} writes. */
export interface AgentEncodeOptions {
  /** Default `compact`, which agents take on port 6831. */
  readonly protocol?: WrittenProtocol;
  /** The most bytes of one datagram. Default {@link DEFAULT_MAX_DATAGRAM_BYTES}. */
  readonly maxBytes?: number;
}

/** Datagrams, and what did not fit into any. */
export interface AgentMessages {
  readonly datagrams: readonly Uint8Array[];
  /** Rows of spans that are too large for a datagram of their own: they are in none. */
  readonly tooLarge: readonly number[];
}

/**
 * The spans of `batch` (or those of `rows`) as bare `Batch` structs of jaeger.thrift, one for each resource in the order these first
 * appear; within one the order is that of the rows. Works pending edits in first.
 */
export function encodeThriftBatches(
  batch: SpanBatch,
  rows?: ArrayLike<number>,
  options: ThriftEncodeOptions = {},
): Uint8Array[] {
  return withWriter(batch, options.protocol ?? 'binary', (writer) =>
    rowsByResource(batch, rows).map((group) => {
      const { out } = writer;
      const start = out.length;
      beginBatch(writer, group);
      out.list(ThriftType.STRUCT, group.rows.length);
      for (const row of group.rows) writer.span(row);
      out.stop();
      return out.finish(start);
    }),
  );
}

/**
 * The same spans as one-way calls of `emitBatch` of agent.thrift, as many as it takes for each to fit into a datagram. Works pending
 * edits in first.
 */
export function encodeAgentMessages(
  batch: SpanBatch,
  rows?: ArrayLike<number>,
  options: AgentEncodeOptions = {},
): AgentMessages {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_DATAGRAM_BYTES;
  const datagrams: Uint8Array[] = [];
  const tooLarge: number[] = [];
  withWriter(batch, options.protocol ?? 'compact', (writer) => {
    for (const group of rowsByResource(batch, rows)) splitGroup(writer, group, maxBytes, datagrams, tooLarge);
  });
  return { datagrams, tooLarge };
}

function withWriter<T>(batch: SpanBatch, protocol: WrittenProtocol, write: (writer: ThriftSpanWriter) => T): T {
  compactBatch(batch);
  const writer = writers[protocol];
  try {
    writer.bind(batch);
    return write(writer);
  } finally {
    writer.release(KEEP_BYTES);
  }
}

/** Everything of a `Batch` before the list of its spans. */
function beginBatch(writer: ThriftSpanWriter, group: ResourceRows): void {
  writer.out.field(ThriftType.STRUCT, 1, 0);
  writer.process(group.resource);
  writer.out.field(ThriftType.LIST, 2, 1);
}

/**
 * Writes the beginning of a message and each span once, side by side; datagrams are then put together from these pieces, since
 * a struct's bytes do not depend on what is around it.
 */
function splitGroup(
  writer: ThriftSpanWriter,
  group: ResourceRows,
  maxBytes: number,
  datagrams: Uint8Array[],
  tooLarge: number[],
): void {
  const { out } = writer;
  const headStart = out.length;
  out.message(emitBatch, MessageType.ONEWAY, 0);
  out.field(ThriftType.STRUCT, 1, 0);
  beginBatch(writer, group);
  const headEnd = out.length;
  const room = maxBytes - (headEnd - headStart) - LIST_AND_STOPS;
  const spanEnds: number[] = [];
  let first = headEnd;
  const flush = (): void => {
    if (spanEnds.length === 0) return;
    const end = spanEnds.at(-1)!;
    const start = out.length;
    out.raw(out.buf, headStart, headEnd);
    out.list(ThriftType.STRUCT, spanEnds.length);
    out.raw(out.buf, first, end);
    out.stop();
    out.stop();
    datagrams.push(out.finish(start));
    out.length = start;
    spanEnds.length = 0;
  };
  for (const row of group.rows) {
    let start = out.length;
    writer.span(row);
    const length = out.length - start;
    if (length > room) {
      tooLarge.push(row);
      out.length = start;
      continue;
    }
    if (spanEnds.length > 0 && out.length - first > room) {
      const span = out.finish(start);
      out.length = start;
      flush();
      out.length = headEnd;
      start = headEnd;
      out.raw(span, 0, span.length);
    }
    if (spanEnds.length === 0) first = start;
    spanEnds.push(out.length);
  }
  flush();
}

/** The most bytes of a list's header, and the ends of `Batch` and of the arguments. */
const LIST_AND_STOPS = 6 + 2;
