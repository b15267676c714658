import { fileURLToPath } from 'node:url';
import { SpanBatch, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { decodeTraces, encodeTraces } from '@clew/wire/otlp';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../proxy/exchange.ts';
import { arbitraryExchange } from '../test/arbitrary-exchange.ts';
import { expectedAttempt, expectedRequest } from '../test/expected-spans.ts';
import type { ExpectedSpan } from '../test/expected-spans.ts';
import { gatewayOrigin } from './resource.ts';
import type { SpanNaming } from './route-bytes.ts';
import { SpanBytes } from './span-bytes.ts';
import { SpanWriter } from './span-writer.ts';
import { RatioTraceStarter } from './trace-starter.ts';
import { WallClock } from './wall-clock.ts';

/** Whatever an exchange says, its spans say, for our own decoder and for another implementation of protobuf. */

const otlp = fileURLToPath(new URL('../../../../wire/src/otlp/testdata/otlp.proto', import.meta.url));
const TraceRequest = protobuf.loadSync(otlp).lookupType('otlp.TraceRequest');

const origin = gatewayOrigin('shop', { version: '1.2.3', instanceId: 'i', hostName: 'h', pid: 1 });
const exchanges = fc.array(arbitraryExchange(new RatioTraceStarter(1)), { minLength: 1, maxLength: 12 });
const named = (spanName: SpanNaming['spanName']): SpanNaming => ({ serviceName: 'shop', spanName });
const writers = {
  path: new SpanWriter(new WallClock(), named('path')),
  route: new SpanWriter(new WallClock(), named('route')),
};

/** The request with all spans of these exchanges. */
function written(all: readonly Exchange[], spanName: SpanNaming['spanName'] = 'path'): Uint8Array {
  const writer = writers[spanName];
  const out = new SpanBytes(origin);
  for (const exchange of all) {
    for (const attempt of exchange.attempts) writer.attempt(out, exchange, attempt);
    writer.request(out, exchange);
  }
  return out.finish();
}

function expected(all: readonly Exchange[], spanName: SpanNaming['spanName'] = 'path'): ExpectedSpan[] {
  return all.flatMap((exchange) => [
    ...exchange.attempts.map((attempt) => expectedAttempt(exchange, attempt)),
    expectedRequest(exchange, named(spanName)),
  ]);
}

function decoded(bytes: Uint8Array): SpanBatch {
  const batch = new SpanBatch();
  decodeTraces(bytes, batch);
  return batch;
}

function asExpected(span: PlainSpan): ExpectedSpan {
  const { name, kind, traceId, spanId, parentSpanId, traceState, flags, statusCode, statusMessage } = span;
  return {
    name,
    kind,
    traceId,
    spanId,
    parentSpanId,
    traceState,
    flags,
    statusCode,
    statusMessage,
    attributes: span.attributes.map(({ key, value }) => [key, value as string | bigint]),
    events: span.events.map((event) => [event.name, String(event.attributes[0]?.value ?? '')]),
  };
}

describe('spans of any exchange', () => {
  it.each(['path', 'route'] as const)('say what the exchange said, attribute by attribute, named by %s', (spanName) => {
    fc.assert(
      fc.property(exchanges, (all) => {
        expect(toPlain(decoded(written(all, spanName))).map(asExpected)).toEqual(expected(all, spanName));
      }),
      { numRuns: 150 },
    );
  });

  it('are the bytes that the encoder for columns writes', () => {
    fc.assert(
      fc.property(exchanges, (all) => {
        const bytes = written(all);
        expect(Buffer.compare(encodeTraces(decoded(bytes)), bytes)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('are read alike by protobufjs', () => {
    fc.assert(
      fc.property(exchanges, (all) => {
        const bytes = written(all);
        const theirs = TraceRequest.decode(bytes);
        expect(Buffer.compare(TraceRequest.encode(theirs).finish(), bytes)).toBe(0);
        const { resourceSpans } = TraceRequest.toObject(theirs, { longs: String }) as {
          resourceSpans: { scopeSpans: { spans: { name?: string; attributes: { key: string }[] }[] }[] }[];
        };
        const spans = resourceSpans[0]!.scopeSpans[0]!.spans;
        expect(spans.map(({ name, attributes }) => [name ?? '', attributes.map(({ key }) => key)])).toEqual(
          expected(all).map(({ name, attributes }) => [name, attributes.map(([key]) => key)]),
        );
      }),
      { numRuns: 60 },
    );
  });
});
