import { fromPlain, toPlain } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { decodeDaemonPacket } from './daemon-packet.ts';
import { decodeSegment } from './decode-segment.ts';
import { encodeSegments } from './encode-segments.ts';
import { decodedSpans, documentBytes, minimal } from './test/documents.ts';

const survivor = decodedSpans(minimal());
const sample = documentBytes(
  minimal({
    http: { request: { method: 'GET', url: 'http://é/\u{1f600}' }, response: { status: 500 } },
    cause: { exceptions: [{ id: '1', stack: [{ path: 'p', line: 1, label: 'l' }] }] },
    annotations: { a: 1.5, b: '\n' },
    metadata: { default: { a: [1, { b: null }] } },
    links: [{ trace_id: '1-581cf771-a006649127e371903a2de979', id: '70de5b6f19ff9a0a' }],
    subsegments: [{ name: 's', id: '1111111111111111', start_time: 1, sql: { url: 'a://b/c' } }],
  }),
);

/** Decodes behind a span that must survive; whatever happens is a valid batch or a `WireError` with an offset within the input. */
function decodeSafely(bytes: Uint8Array, decode: typeof decodeSegment = decodeSegment): void {
  const batch = fromPlain(survivor);
  let failed = false;
  try {
    expect(decode(bytes, batch)).toBe(batch.count - 1);
  } catch (caught) {
    if (!(caught instanceof WireError)) throw caught;
    failed = true;
    expect(caught.details['offset']).toBeGreaterThanOrEqual(0);
    expect(caught.details['offset']).toBeLessThanOrEqual(bytes.length);
  }
  const spans = toPlain(batch);
  expect(spans[0]).toEqual(survivor[0]);
  if (failed) expect(spans).toHaveLength(1);
  for (const document of encodeSegments(batch)) decodeSegment(document, batch);
}

describe('a damaged document', () => {
  it('is refused or decoded when cut at any byte', () => {
    for (let end = 0; end < sample.length; end++) decodeSafely(sample.slice(0, end));
  });

  it('is refused or decoded when bytes are replaced, inserted or removed', () => {
    const edit = fc.tuple(fc.nat(sample.length), fc.nat(4), fc.uint8Array({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let bytes = sample;
        for (const [at, removed, inserted] of edits)
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + removed)]);
        decodeSafely(bytes);
      }),
      { numRuns: 400 },
    );
  });

  it('is refused or decoded when it is noise, or any JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        decodeSafely(bytes);
        decodeSafely(bytes, decodeDaemonPacket);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) =>
        decodeSafely(
          documentBytes(minimal({ aws: value, cause: value, links: value, annotations: value, http: value })),
        ),
      ),
    );
  });

  it('is refused when it nests without end, and stays small when it does so within limits', () => {
    decodeSafely(documentBytes('['.repeat(60_000)));
    decodeSafely(documentBytes('{"subsegments":['.repeat(4_000)));
    decodeSafely(documentBytes(`${'{"a":'.repeat(10_000)}1`));
  });
});

describe('any spans of other formats', () => {
  it('are written as documents that can be read, none larger than allowed, and none silently missing', () => {
    fc.assert(
      fc.property(arbitrarySpans({ maxSpans: 4 }), fc.boolean(), (spans, indexAllAttributes) => {
        const lost: number[] = [];
        const documents = encodeSegments(fromPlain(spans), undefined, {
          indexAllAttributes,
          maxDocumentBytes: 1_500,
          onLoss: ({ what, row }) => void (what === 'span' && lost.push(row)),
        });
        for (const document of documents) expect(document.length).toBeLessThanOrEqual(1_500);
        expect(documents.length + lost.length).toBeGreaterThanOrEqual(spans.length);
        expect(decodedSpans(...documents)).toHaveLength(documents.length);
      }),
      { numRuns: 150 },
    );
  });
});
