import { fromPlain } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { decodeSafely } from '../test/decode-safely.ts';
import { countSpans } from './count.ts';
import { decodeTracesJson } from './json-decode.ts';
import { encodeTracesJson } from './json-encode.ts';
import { decodeTraces } from './protobuf-decode.ts';
import { encodeTraces } from './protobuf-encode.ts';

type Decode = (bytes: Uint8Array, batch: SpanBatch) => number;

/** Whatever is decoded is counted and can be written again. */
function decodeAndEncode(decode: Decode, bytes: Uint8Array): void {
  const batch = decodeSafely(bytes, (input, filled) => {
    const before = filled.count;
    expect(decode(input, filled)).toBe(filled.count - before);
  });
  if (batch === undefined) return;
  encodeTraces(batch);
  encodeTracesJson(batch);
}

const sample = fc.sample(arbitrarySpans({ maxSpans: 4 }), { numRuns: 12, seed: 7 });

describe.each([
  ['protobuf', decodeTraces as Decode, encodeTraces],
  ['JSON', decodeTracesJson as Decode, encodeTracesJson],
])('damaged %s', (_, decode, encode) => {
  it('is refused or decoded when cut at any byte', () => {
    for (const spans of sample) {
      const bytes = encode(fromPlain(spans));
      for (let end = 0; end < bytes.length; end += bytes.length > 3_000 ? 7 : 1)
        decodeAndEncode(decode, bytes.slice(0, end));
    }
  });

  it('is refused or decoded when bits are flipped', () => {
    fc.assert(
      fc.property(
        arbitrarySpans({ maxSpans: 4 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
        (spans, flips) => {
          const bytes = encode(fromPlain(spans)).slice();
          for (const flip of flips) if (bytes.length > 0) bytes[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
          decodeAndEncode(decode, bytes);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is refused or decoded when bytes are replaced, inserted or removed', () => {
    const edit = fc.tuple(fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 6 }));
    fc.assert(
      fc.property(arbitrarySpans({ maxSpans: 4 }), edit, (spans, [at, removed, inserted]) => {
        const bytes = encode(fromPlain(spans));
        const from = bytes.length === 0 ? 0 : at % bytes.length;
        decodeAndEncode(
          decode,
          Uint8Array.from([...bytes.subarray(0, from), ...inserted, ...bytes.subarray(from + removed)]),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('is refused or decoded when it is noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeAndEncode(decode, bytes)),
      { numRuns: 400 },
    );
  });
});

describe('counting', () => {
  it('finds as many spans as decoding does, in either encoding', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const batch = fromPlain(spans);
        expect(countSpans(encodeTraces(batch), 'protobuf')).toBe(spans.length);
        expect(countSpans(encodeTracesJson(batch), 'json')).toBe(spans.length);
      }),
      { numRuns: 60 },
    );
  });

  it('of damaged input fails with a WireError or gives a number', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom('protobuf' as const, 'json' as const),
        (bytes, encoding) => {
          try {
            expect(countSpans(bytes, encoding)).toBeGreaterThanOrEqual(0);
          } catch (caught) {
            expect(caught).toBeInstanceOf(WireError);
          }
        },
      ),
    );
  });
});
