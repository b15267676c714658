import { SpanBatch, fromPlain, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTracesJson } from './json-decode.ts';
import { encodeTracesJson } from './json-encode.ts';
import { decodeTraces } from './protobuf-decode.ts';
import { encodeTraces } from './protobuf-encode.ts';
import { decoded } from './test/message.ts';

const RUNS = { numRuns: 200 };

function viaProtobuf(spans: readonly PlainSpan[]): PlainSpan[] {
  return decoded(encodeTraces(fromPlain(spans)));
}

function viaJson(spans: readonly PlainSpan[]): PlainSpan[] {
  const batch = new SpanBatch();
  decodeTracesJson(encodeTracesJson(fromPlain(spans)), batch);
  return toPlain(batch);
}

describe('decode after encode', () => {
  it('gives back any spans through protobuf', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        expect(viaProtobuf(spans)).toEqual(spans);
      }),
      RUNS,
    );
  });

  it('gives back any spans whose texts are valid UTF-8 through JSON', () => {
    fc.assert(
      fc.property(arbitrarySpans({ invalidUtf8: false }), (spans) => {
        expect(viaJson(spans)).toEqual(spans);
      }),
      RUNS,
    );
  });

  it('gives the same bytes after protobuf → JSON → protobuf', () => {
    fc.assert(
      fc.property(arbitrarySpans({ invalidUtf8: false }), (spans) => {
        const first = new SpanBatch();
        const bytes = encodeTraces(fromPlain(spans));
        decodeTraces(bytes, first);
        const second = new SpanBatch();
        decodeTracesJson(encodeTracesJson(first), second);
        expect(encodeTraces(second)).toEqual(bytes);
      }),
      RUNS,
    );
  });

  it('writes JSON that is valid for any bytes whatever, and the same again after a round trip', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const json = encodeTracesJson(fromPlain(spans));
        JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
        const again = new SpanBatch();
        decodeTracesJson(json, again);
        expect(encodeTracesJson(again)).toEqual(json);
      }),
      RUNS,
    );
  });

  it('is the same whether each request has its own batch or all share one', () => {
    fc.assert(
      fc.property(fc.array(arbitrarySpans(), { maxLength: 4 }), (requests) => {
        const shared = new SpanBatch();
        for (const spans of requests) decodeTraces(encodeTraces(fromPlain(spans)), shared);
        expect(toPlain(shared)).toEqual(requests.flat());
      }),
      { numRuns: 60 },
    );
  });
});

describe('encoding chosen rows', () => {
  it('writes these rows and no others, in groups of one scope each', () => {
    const a = { ...template.resource, schemaUrl: 'a' };
    const b = { ...template.resource, schemaUrl: 'b' };
    const span = (name: string): PlainSpan => ({ ...template, name, resource: name.startsWith('a') ? a : b });
    const batch = fromPlain(['a1', 'b1', 'a2', 'b2', 'a3'].map(span));
    expect(decoded(encodeTraces(batch, [0, 1, 3, 4])).map(({ name }) => name)).toEqual(['a1', 'a3', 'b1', 'b2']);
    expect(decoded(encodeTraces(batch, [])).length).toBe(0);
    const json = JSON.parse(new TextDecoder().decode(encodeTracesJson(batch, [1, 2]))) as { resourceSpans: unknown[] };
    expect(json.resourceSpans).toMatchObject([
      { schemaUrl: 'b', scopeSpans: [{ spans: [{ name: 'b1' }] }] },
      { schemaUrl: 'a', scopeSpans: [{ spans: [{ name: 'a2' }] }] },
    ]);
  });
});

const [template] = decoded(Uint8Array.of(0x0a, 4, 0x12, 2, 0x12, 0)) as [PlainSpan];
