import { SpanBatch, fromPlain, toPlain } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeZipkin } from './decode.ts';
import { decodeZipkinV1Json, decodeZipkinV2Json } from './json-decode.ts';
import { encodeZipkinV2Json } from './json-encode.ts';
import { decodeZipkinV2Protobuf } from './protobuf-decode.ts';
import { encodeZipkinV2Protobuf } from './protobuf-encode.ts';
import { decodeZipkinV1Thrift } from './thrift-decode.ts';
import { encodeZipkinV1Thrift } from './thrift-encode.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';
import { v1Span, v2Span } from './test/arbitraries.ts';
import { batchOf, inOrder, jsonBytes, parsedJson, spansOf } from './test/spans.ts';
import type { Decode } from './test/spans.ts';
import { encodeZipkinV1Json } from './v1-json-encode.ts';

type Encode = (batch: SpanBatch, options?: ZipkinEncodeOptions) => Uint8Array;

const formats: readonly (readonly [name: string, decode: Decode, encode: Encode])[] = [
  ['v2 JSON', decodeZipkinV2Json, encodeZipkinV2Json],
  ['v2 protobuf', decodeZipkinV2Protobuf, encodeZipkinV2Protobuf],
  ['v1 JSON', decodeZipkinV1Json, encodeZipkinV1Json],
  ['v1 Thrift', decodeZipkinV1Thrift, encodeZipkinV1Thrift],
];

const RUNS = { numRuns: 120 };
const EXACT = { keepCase: true };

describe.each(formats)('%s', (name, decode, encode) => {
  it('is decoded the same after having been encoded from any spans, decoded and encoded again', () => {
    fc.assert(
      fc.property(arbitrarySpans({ zeroIds: false, maxSpans: 4 }), (spans) => {
        const first = encode(fromPlain(spans), EXACT);
        const decoded = batchOf(decode, first);
        expect(inOrder(spansOf(decode, encode(decoded, EXACT)))).toEqual(inOrder(toPlain(decoded)));
      }),
      RUNS,
    );
  });

  it('is recognised by its bytes', () => {
    fc.assert(
      fc.property(arbitrarySpans({ zeroIds: false, maxSpans: 4 }), (spans) => {
        const bytes = encode(fromPlain(spans));
        const { format } = decodeZipkin(bytes, new SpanBatch());
        const isEmpty = spans.length === 0;
        // A list without spans has nothing that could tell.
        const expected = isEmpty && name !== 'v1 Thrift' ? 'v2_json' : name.toLowerCase().replace(' ', '_');
        expect(format).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe('v2 spans as clients send them', () => {
  it.each(formats.slice(0, 2))('read back the same through %s', (_, decode, encode) => {
    fc.assert(
      fc.property(fc.array(v2Span, { maxLength: 4 }), (spans) => {
        const batch = batchOf(decodeZipkinV2Json, jsonBytes(spans));
        expect(inOrder(spansOf(decode, encode(batch, EXACT)))).toEqual(inOrder(toPlain(batch)));
      }),
      { numRuns: 250 },
    );
  });

  it('are written as they were sent, but for what says nothing', () => {
    fc.assert(
      fc.property(fc.array(v2Span, { maxLength: 4 }), (spans) => {
        const batch = batchOf(decodeZipkinV2Json, jsonBytes(spans));
        const written = parsedJson(encodeZipkinV2Json(batch, EXACT)) as { tags?: Record<string, string> }[];
        for (const [at, { tags = {} }] of spans.entries() as Iterable<[number, { tags?: Record<string, string> }]>) {
          for (const [key, value] of Object.entries(tags))
            expect([key, tagOf(written[at]!, key, value)]).toEqual([key, value]);
        }
      }),
      { numRuns: 250 },
    );
  });

  it('keep what they say through v1, as far as v1 can say it', () => {
    fc.assert(
      fc.property(fc.array(v2Span, { maxLength: 4 }), (spans) => {
        for (const [, decode, encode] of formats.slice(2)) {
          const first = batchOf(decode, encode(batchOf(decodeZipkinV2Json, jsonBytes(spans)), EXACT));
          expect(inOrder(spansOf(decode, encode(first, EXACT)))).toEqual(inOrder(toPlain(first)));
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** A tag's text, or that of the field it became. */
function tagOf(span: { tags?: Record<string, string> }, key: string, value: string): unknown {
  const { tags = {}, ...fields } = span;
  if (key in tags) return tags[key];
  return JSON.stringify(fields).includes(JSON.stringify(value)) ? value : undefined;
}

describe('v1 spans as clients send them', () => {
  it.each(formats.slice(2))('read back the same through %s', (_, decode, encode) => {
    fc.assert(
      fc.property(fc.array(v1Span, { maxLength: 3 }), (spans) => {
        const first = batchOf(decode, encode(batchOf(decodeZipkinV1Json, jsonBytes(spans)), EXACT));
        expect(inOrder(spansOf(decode, encode(first, EXACT)))).toEqual(inOrder(toPlain(first)));
      }),
      { numRuns: 250 },
    );
  });

  it('read the same whatever stands before them in the list', () => {
    fc.assert(
      fc.property(v1Span, v2Span, v1Span, (a, b, c) => {
        const b2 = { ...b, tags: {} };
        const separate = [
          ...spansOf(decodeZipkinV1Json, jsonBytes([a])),
          ...spansOf(decodeZipkinV2Json, jsonBytes([b2])),
          ...spansOf(decodeZipkinV1Json, jsonBytes([c])),
        ];
        expect(spansOf(decodeZipkin, jsonBytes([a, b2, c]))).toEqual(separate);
      }),
      RUNS,
    );
  });
});
