import { SpanBatch, fromPlain, plainResource, plainSpan, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { protocols, writeStruct } from '../thrift/test/any-value.ts';
import { decodeModelBatch, decodePostSpans } from './model-decode.ts';
import { encodeModelBatches, encodePostSpans } from './model-encode.ts';
import { arbitraryBatchStruct } from './test/arbitrary-batch.ts';
import { encodeAgentMessages, encodeThriftBatches } from './thrift-batches.ts';
import { decodeAgentMessage, decodeThriftBatch } from './thrift.ts';

const encodings = [
  {
    name: 'Thrift binary',
    isThrift: true,
    encode: (batch: SpanBatch) => encodeThriftBatches(batch),
    decode: decodeThriftBatch,
  },
  {
    name: 'Thrift compact',
    isThrift: true,
    encode: (batch: SpanBatch) => encodeThriftBatches(batch, undefined, { protocol: 'compact' }),
    decode: decodeThriftBatch,
  },
  {
    name: 'compact datagrams',
    isThrift: true,
    encode: (batch: SpanBatch) => encodeAgentMessages(batch).datagrams,
    decode: decodeAgentMessage,
  },
  {
    name: 'binary datagrams',
    isThrift: true,
    encode: (batch: SpanBatch) => encodeAgentMessages(batch, undefined, { protocol: 'binary' }).datagrams,
    decode: decodeAgentMessage,
  },
  {
    name: 'PostSpansRequest',
    isThrift: false,
    encode: (batch: SpanBatch) => encodePostSpans(batch),
    decode: decodePostSpans,
  },
  {
    name: 'Batch of api_v2',
    isThrift: false,
    encode: (batch: SpanBatch) => encodeModelBatches(batch),
    decode: decodeModelBatch,
  },
] as const;

type Encoding = (typeof encodings)[number];

/** What is left of spans after they went through `encoding`: one batch, as a queue might gather them. */
function through(encoding: Encoding, spans: readonly PlainSpan[]): PlainSpan[] {
  const batch = new SpanBatch();
  for (const bytes of encoding.encode(fromPlain(spans))) encoding.decode(bytes, batch);
  return toPlain(batch);
}

/** Whole microseconds, which is all that Thrift tells of a time. */
function inMicroseconds(spans: readonly PlainSpan[]): PlainSpan[] {
  const [binary] = encodings;
  return through(binary, spans);
}

describe.each(encodings)('$name', (encoding) => {
  it('gives decoded spans back as they were', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const once = through(encoding, spans);
        expect(once.length).toBe(spans.length);
        expect(through(encoding, once)).toEqual(once);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps ids, names and the attributes whose types it has, of whatever origin', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const again = through(encoding, spans);
        for (const [i, span] of spans.entries()) {
          expect([again[i]!.traceId, again[i]!.spanId, again[i]!.name]).toEqual([span.traceId, span.spanId, span.name]);
          const kept = span.attributes.filter(({ key, value }) => isPlain(value) && !isMapped(key));
          for (const attribute of kept) expect(again[i]!.attributes).toContainEqual(attribute);
          expect(again[i]!.events).toHaveLength(span.events.length);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('whatever a client sends', () => {
  it('is read alike in both protocols, and again after it was written in any encoding', () => {
    fc.assert(
      fc.property(arbitraryBatchStruct(), (fields) => {
        const [sent, ...others] = protocols.map(({ writer }) => {
          const out = writer();
          writeStruct(out, fields);
          const batch = new SpanBatch();
          decodeThriftBatch(out.finish(), batch);
          return toPlain(batch);
        });
        for (const other of others) expect(other).toEqual(sent);
        for (const encoding of encodings) expect(through(encoding, sent!)).toEqual(sent);
      }),
      { numRuns: 400 },
    );
  });
});

describe('across encodings', () => {
  it.each(encodings.flatMap((from) => encodings.map((to) => [from.name, to.name, from, to] as const)))(
    '%s → %s gives the same spans, to the microsecond',
    (_, __, from, to) => {
      fc.assert(
        fc.property(arbitrarySpans({ maxSpans: 8 }), (spans) => {
          const sent = through(from, inMicroseconds(spans));
          expect(through(to, sent)).toEqual(sent);
        }),
        { numRuns: 25 },
      );
    },
  );
});

describe('datagrams', () => {
  const [first, second] = ['first', 'second'].map((name) => plainResource({ 'service.name': name }));
  const spans = Array.from({ length: 50 }, (_, i) =>
    plainSpan({
      traceId: '1f',
      spanId: (i + 1).toString(16),
      resource: i < 30 ? first! : second!,
      name: `span ${i}`,
      attributes: { text: 'x'.repeat(i * 10) },
    }),
  );

  it.each(['compact', 'binary'] as const)(
    'are no larger than they may be and hold every span once (%s)',
    (protocol) => {
      for (const maxBytes of [700, 1_000, 5_000, 65_000]) {
        const { datagrams, tooLarge } = encodeAgentMessages(fromPlain(spans), undefined, { protocol, maxBytes });
        const batch = new SpanBatch();
        for (const datagram of datagrams) {
          expect(datagram.length).toBeLessThanOrEqual(maxBytes);
          decodeAgentMessage(datagram, batch);
        }
        expect(tooLarge).toEqual([]);
        expect(toPlain(batch).map(({ name }) => name)).toEqual(spans.map(({ name }) => name));
      }
    },
  );

  it('leave out spans that fit into none, and say which', () => {
    const { datagrams, tooLarge } = encodeAgentMessages(fromPlain(spans), undefined, { maxBytes: 300 });
    const batch = new SpanBatch();
    for (const datagram of datagrams) decodeAgentMessage(datagram, batch);
    expect(batch.count + tooLarge.length).toBe(spans.length);
    expect(tooLarge.length).toBeGreaterThan(10);
    expect(Math.min(...tooLarge)).toBeGreaterThan(10);
  });

  it('are few: spans share them as far as they fit', () => {
    expect(encodeAgentMessages(fromPlain(spans)).datagrams).toHaveLength(2);
  });
});

describe('chosen rows', () => {
  it('are written and no others, one batch for each resource in the order these appear', () => {
    const [a, b] = ['a', 'b'].map((name) => plainResource({ 'service.name': name }));
    const spans = ['a1', 'b1', 'a2', 'b2', 'a3'].map((name, i) =>
      plainSpan({ traceId: '1', spanId: String(i + 1), resource: name.startsWith('a') ? a! : b!, name }),
    );
    const batch = fromPlain(spans);
    const namesOf = (bytes: Uint8Array, decode: (bytes: Uint8Array, batch: SpanBatch) => unknown): string[] => {
      const one = new SpanBatch();
      decode(bytes, one);
      return toPlain(one).map(({ name }) => name);
    };
    expect(encodeThriftBatches(batch, [1, 2, 4]).map((bytes) => namesOf(bytes, decodeThriftBatch))).toEqual([
      ['b1'],
      ['a2', 'a3'],
    ]);
    expect(encodePostSpans(batch, [0, 3]).map((bytes) => namesOf(bytes, decodePostSpans))).toEqual([['a1'], ['b2']]);
    expect(encodePostSpans(batch, [])).toEqual([]);
  });
});

function isPlain(value: unknown): boolean {
  return (
    typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'number'
  );
}

/** Keys that mean something to Jaeger, or to nobody but this program. */
function isMapped(key: string): boolean {
  return /^(span\.kind|error|otel\.|w3c\.tracestate|clew\.carrier\.)/.test(key);
}
