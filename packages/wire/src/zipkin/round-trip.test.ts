import { fromPlain } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeZipkinV2Json } from './json-decode.ts';
import { encodeZipkinV2Json } from './json-encode.ts';
import { batchOf, inOrder, parsedJson, spansOf } from './test/spans.ts';

const RUNS = { numRuns: 200 };
const spansWithIds = arbitrarySpans({ zeroIds: false, maxSpans: 4 });

describe('v2 JSON', () => {
  it('reads back what it wrote of any spans, and writes that the same again', () => {
    fc.assert(
      fc.property(spansWithIds, (spans) => {
        const first = encodeZipkinV2Json(fromPlain(spans), { keepCase: true });
        parsedJson(first);
        const decoded = batchOf(decodeZipkinV2Json, first);
        const second = encodeZipkinV2Json(decoded, { keepCase: true });
        expect(inOrder(spansOf(decodeZipkinV2Json, second))).toEqual(inOrder(spansOf(decodeZipkinV2Json, first)));
      }),
      RUNS,
    );
  });
});
