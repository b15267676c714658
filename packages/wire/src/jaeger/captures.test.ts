import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SpanBatch, toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { BinaryReader } from '../thrift/binary-reader.ts';
import { CompactReader } from '../thrift/compact-reader.ts';
import { readStruct } from '../thrift/test/any-value.ts';
import type { ThriftProtocol } from '../thrift/types.ts';
import { decodePostSpans } from './model-decode.ts';
import { encodePostSpans } from './model-encode.ts';
import { describedBatch } from './test/described.ts';
import type { DescribedBatch, DescribedSpan, DescribedTag } from './test/described.ts';
import { encodeAgentMessages, encodeThriftBatches } from './thrift-batches.ts';
import { decodeAgentMessage, decodeThriftBatch } from './thrift.ts';

/**
 * Requests and datagrams captured from Jaeger's clients and from OpenTelemetry's exporters for Jaeger, each with its content as another
 * implementation decoded it (`NAME.json`).
 */

const folder = fileURLToPath(new URL('testdata/', import.meta.url));
const captures = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -'.bin'.length));

interface Capture {
  readonly bytes: Uint8Array;
  readonly encoding: 'compact' | 'binary-strict' | 'binary-struct';
  readonly sent: DescribedBatch;
}

function readCapture(name: string): Capture {
  const described = JSON.parse(readFileSync(`${folder}${name}.json`).toString()) as {
    decoded: { encoding: Capture['encoding']; batch: DescribedBatch };
  };
  return {
    bytes: readFileSync(`${folder}${name}.bin`),
    encoding: described.decoded.encoding,
    sent: described.decoded.batch,
  };
}

/** Everything a capture's span says, as texts that do not depend on order. */
function facts(span: DescribedSpan): string[] {
  const { tags, references, ...rest } = span;
  return [
    JSON.stringify(rest),
    ...tags.map((tag) => JSON.stringify(tag)),
    ...references
      // A reference to the parent says no more than the parent's id does.
      .filter((reference) => reference.refType !== 'CHILD_OF' || reference.spanId !== span.parentSpanId)
      .map((reference) => JSON.stringify(reference)),
  ];
}

/** Tags that fields become, whether they were sent or not. */
function isDerived({ key }: DescribedTag): boolean {
  return ['otel.status_code', 'otel.status_description', 'error'].includes(key);
}

function describedBytes(bytes: Uint8Array, protocol: ThriftProtocol): DescribedBatch {
  const reader = protocol === 'compact' ? new CompactReader() : new BinaryReader();
  reader.bind(bytes, 0, 64);
  return describedBatch(readStruct(reader));
}

it('there are captures', () => {
  expect(captures.length).toBeGreaterThan(10);
});

describe.each(captures)('%s', (name) => {
  const { bytes, encoding, sent } = readCapture(name);
  const batch = new SpanBatch();
  const message = encoding === 'binary-struct' ? undefined : decodeAgentMessage(bytes, batch);
  const result = message ?? decodeThriftBatch(bytes, batch);
  const spans = toPlain(batch);

  it('is told by its bytes and has as many spans as were sent', () => {
    expect(result.spans).toBe(sent.spans.length);
    expect(batch.count).toBe(sent.spans.length);
    if (message === undefined) return;
    expect(`${message.protocol} ${message.method}`).toBe(`${encoding.replace('-strict', '')} emitBatch`);
  });

  it('keeps every value that was sent, as writing it to Jaeger again shows', () => {
    const [again] = encodeThriftBatches(batch);
    const written = describedBytes(again!, 'binary');
    expect(written.process.serviceName).toBe(sent.process.serviceName);
    expect(written.process.tags).toEqual(sent.process.tags);
    for (const [i, span] of sent.spans.entries()) {
      const shown = facts(written.spans[i]!);
      for (const fact of facts(span)) expect(shown).toContain(fact);
      const added = written.spans[i]!.tags.filter((tag) => !span.tags.some((other) => other.key === tag.key));
      expect(added.filter((tag) => !isDerived(tag))).toEqual([]);
    }
  });

  it('has kind, status and parent as the tags and references say', () => {
    for (const [i, span] of sent.spans.entries()) {
      const tag = (key: string) => span.tags.findLast((one) => one.key === key)?.value;
      const kinds = ['internal', 'server', 'client', 'producer', 'consumer'];
      expect(spans[i]!.kind).toBe(kinds.indexOf(String(tag('span.kind'))) + 1);
      const isHttpError = tag('error') === undefined && Number(tag('http.status_code')) >= 500;
      const isError = tag('error') === true || tag('otel.status_code') === 'ERROR' || isHttpError;
      if (isError) expect(spans[i]!.statusCode).toBe(2);
      else expect(spans[i]!.statusCode).not.toBe(2);
      expect(spans[i]!.parentSpanId).toBe(/^0*$/.test(span.parentSpanId) ? '' : span.parentSpanId);
    }
  });

  it.each(['binary', 'compact'] as const)(
    'gives equal spans after encoding to %s, bare and in datagrams',
    (protocol) => {
      const bare = new SpanBatch();
      for (const one of encodeThriftBatches(batch, undefined, { protocol })) decodeThriftBatch(one, bare);
      expect(toPlain(bare)).toEqual(spans);
      const fromDatagrams = new SpanBatch();
      const { datagrams, tooLarge } = encodeAgentMessages(batch, undefined, { protocol });
      for (const datagram of datagrams) decodeAgentMessage(datagram, fromDatagrams);
      expect(tooLarge).toEqual([]);
      expect(toPlain(fromDatagrams)).toEqual(spans);
    },
  );

  it('gives equal spans through api_v2, and from there through both protocols of Thrift', () => {
    const posted = new SpanBatch();
    for (const request of encodePostSpans(batch)) decodePostSpans(request, posted);
    expect(toPlain(posted)).toEqual(spans);
    for (const protocol of ['binary', 'compact'] as const) {
      const again = new SpanBatch();
      for (const one of encodeThriftBatches(posted, undefined, { protocol })) decodeThriftBatch(one, again);
      expect(toPlain(again)).toEqual(spans);
    }
  });
});
