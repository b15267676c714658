import { SpanBatch, concatInto, selectSpans } from '@clew/model';
import {
  decodePostSpans,
  decodeThriftBatch,
  encodeAgentMessages,
  encodePostSpans,
  encodeThriftBatches,
} from '@clew/wire/jaeger';
import { decodeTraces } from '@clew/wire/otlp';
import { each, size } from './method.ts';
import type { Method } from './method.ts';

const SPANS_PER_BATCH = 100;

/** The spans of these OTLP requests as Jaeger's clients would send them: batches of one process each. */
export function jaegerMethods(requests: readonly Uint8Array[]): Method[] {
  const batches = batchesOfProcesses(requests);
  const binary = batches.flatMap((batch) => encodeThriftBatches(batch));
  const compact = batches.flatMap((batch) => encodeThriftBatches(batch, undefined, { protocol: 'compact' }));
  const api = batches.flatMap((batch) => encodePostSpans(batch));
  const batch = new SpanBatch();
  const decode = (name: string, list: readonly Uint8Array[], run: (bytes: Uint8Array) => unknown): Method => ({
    name: `Jaeger ${name} decode`,
    bytes: size(list),
    pass: each(list, (bytes) => (batch.reset(), run(bytes))),
  });
  const encode = (name: string, list: readonly Uint8Array[], run: (batch: SpanBatch) => unknown): Method => ({
    name: `Jaeger ${name} encode`,
    bytes: size(list),
    pass: each(batches, run),
  });
  return [
    decode('binary', binary, (bytes) => decodeThriftBatch(bytes, batch)),
    decode('compact', compact, (bytes) => decodeThriftBatch(bytes, batch)),
    decode('api_v2', api, (bytes) => decodePostSpans(bytes, batch)),
    encode('binary', binary, (filled) => encodeThriftBatches(filled)),
    encode('compact', compact, (filled) => encodeAgentMessages(filled).datagrams),
    encode('api_v2', api, (filled) => encodePostSpans(filled)),
  ];
}

/** All spans gathered by process and cut into batches; equal resources of different requests count as one process. */
function batchesOfProcesses(requests: readonly Uint8Array[]): SpanBatch[] {
  const sent = new SpanBatch();
  for (const bytes of requests) decodeTraces(bytes, sent);
  const all = new SpanBatch();
  concatInto(all, sent);
  const rows = new Map<number, number[]>();
  for (let row = 0; row < all.count; row++) {
    const resource = all.scopeTable.resources[all.scopes[row]!]!;
    const known = rows.get(resource);
    if (known === undefined) rows.set(resource, [row]);
    else known.push(row);
  }
  return [...rows.values()].flatMap((ofProcess) => {
    const batches: SpanBatch[] = [];
    for (let at = 0; at < ofProcess.length; at += SPANS_PER_BATCH) {
      batches.push(selectSpans(all, ofProcess.slice(at, at + SPANS_PER_BATCH)));
    }
    return batches;
  });
}
