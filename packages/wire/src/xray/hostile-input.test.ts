import { fromPlain } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafely } from '../test/decode-safely.ts';
import { decodeDaemonPacket } from './daemon-packet.ts';
import { decodeSegment } from './decode-segment.ts';
import { encodeSegments } from './encode-segments.ts';
import { decodedSpans, documentBytes, minimal } from './test/documents.ts';

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

/** What was decoded can be written and read again. */
function decodeAnyhow(bytes: Uint8Array, decode: typeof decodeSegment = decodeSegment): void {
  const batch = decodeSafely(bytes, (input, into) => expect(decode(input, into)).toBe(into.count - 1));
  if (batch === undefined) return;
  for (const document of encodeSegments(batch)) decodeSegment(document, batch);
}

describe('a damaged document', () => {
  it('is refused or decoded when cut at any byte', () => {
    for (let end = 0; end < sample.length; end++) decodeAnyhow(sample.slice(0, end));
  });

  it('is refused or decoded when bytes are replaced, inserted or removed', () => {
    const edit = fc.tuple(fc.nat(sample.length), fc.nat(4), fc.uint8Array({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let bytes = sample;
        for (const [at, removed, inserted] of edits)
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + removed)]);
        decodeAnyhow(bytes);
      }),
      { numRuns: 400 },
    );
  });

  it('is refused or decoded when it is noise, or any JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        decodeAnyhow(bytes);
        decodeAnyhow(bytes, decodeDaemonPacket);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) =>
        decodeAnyhow(
          documentBytes(minimal({ aws: value, cause: value, links: value, annotations: value, http: value })),
        ),
      ),
    );
  });

  it('is refused when it nests without end, and stays small when it does so within limits', () => {
    decodeAnyhow(documentBytes('['.repeat(60_000)));
    decodeAnyhow(documentBytes('{"subsegments":['.repeat(4_000)));
    decodeAnyhow(documentBytes(`${'{"a":'.repeat(10_000)}1`));
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
