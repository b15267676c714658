import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SpanBatch, toPlain } from '@clew/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafely } from '../test/decode-safely.ts';
import { decodeZipkin } from './decode.ts';
import { decodeZipkinV1Json, decodeZipkinV2Json } from './json-decode.ts';
import { encodeZipkinV2Json } from './json-encode.ts';
import { encodeZipkinV2Protobuf } from './protobuf-encode.ts';
import { v1Span, v2Span } from './test/arbitraries.ts';
import { batchOf, jsonBytes, wireErrorOf } from './test/spans.ts';
import { encodeZipkinV1Thrift } from './thrift-encode.ts';
import { encodeZipkinV1Json } from './v1-json-encode.ts';

const limits = { maxSpans: 100, maxChildren: 1000 };

/** What was decoded can be written in every format. */
function decodeAnyhow(bytes: Uint8Array): void {
  const batch = decodeSafely(bytes, (input, into) => {
    expect(decodeZipkin(input, into, { limits }).spans).toBe(into.count - 1);
  });
  if (batch === undefined) return;
  for (const encode of [encodeZipkinV2Json, encodeZipkinV2Protobuf, encodeZipkinV1Json, encodeZipkinV1Thrift]) {
    encode(batch);
  }
}

const folder = fileURLToPath(new URL('testdata/', import.meta.url));
const captures = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .map((name): readonly [string, Uint8Array] => [name, readFileSync(`${folder}${name}`)]);
const protobuf = encodeZipkinV2Protobuf(batchOf(decodeZipkin, captures.at(-1)![1]));
const inputs = [...captures, ['protobuf', protobuf] as const];

describe.each(inputs)('%s, damaged', (_, bytes) => {
  it('is refused or decoded when cut at any byte', () => {
    for (let end = 0; end < bytes.length; end++) decodeAnyhow(bytes.slice(0, end));
  });

  it('is refused or decoded when bits are flipped', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length * 8 - 1), { minLength: 1, maxLength: 6 }), (flips) => {
        const damaged = bytes.slice();
        for (const flip of flips) damaged[flip >> 3]! ^= 1 << (flip & 7);
        decodeAnyhow(damaged);
      }),
      { numRuns: 150 },
    );
  });
});

describe('any bytes', () => {
  it('are refused or decoded, whatever format they seem to begin', () => {
    const beginning = fc.constantFrom([], [0x5b], [0x5b, 0x7b], [0x0a], [0x0c, 0, 0, 0], [0x0a, 0x0a], [0x0a, 0x5b]);
    fc.assert(
      fc.property(beginning, fc.uint8Array({ maxLength: 120 }), (first, rest) => {
        decodeAnyhow(Uint8Array.from([...first, ...rest]));
      }),
      { numRuns: 1000 },
    );
  });

  it('are refused or decoded when parts of spans are replaced, inserted or removed', () => {
    const edit = fc.tuple(fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 6 }));
    const encoders = fc.constantFrom(
      encodeZipkinV2Json,
      encodeZipkinV2Protobuf,
      encodeZipkinV1Json,
      encodeZipkinV1Thrift,
    );
    fc.assert(
      fc.property(v2Span, v1Span, edit, encoders, (two, one, [at, removed, inserted], encode) => {
        const bytes = encode(batchOf(decodeZipkin, jsonBytes([two, one])));
        const from = at % bytes.length;
        decodeAnyhow(Uint8Array.from([...bytes.subarray(0, from), ...inserted, ...bytes.subarray(from + removed)]));
      }),
      { numRuns: 300 },
    );
  });
});

describe('input made to cost much', () => {
  it('is refused when it claims more than it holds', () => {
    const spans = Uint8Array.of(0x0c, 0x7f, 0xff, 0xff, 0xff, 0);
    expect(wireErrorOf(() => decodeZipkin(spans, new SpanBatch())).code).toBe('truncated');
    expect(wireErrorOf(() => decodeZipkin(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0x7f), new SpanBatch())).code).toBe(
      'truncated',
    );
  });

  it.each(['[', '{"a":'])('is refused when %s is nested too deep', (opening) => {
    const bytes = jsonBytes(`[{"unknown":${opening.repeat(50_000)}`);
    expect(wireErrorOf(() => decodeZipkin(bytes, new SpanBatch())).code).toBe('too_deep');
    expect(wireErrorOf(() => decodeZipkinV1Json(bytes, new SpanBatch())).code).toBe('too_deep');
  });

  it('keeps an annotation as it is when its attributes are nested too deep', () => {
    const value = `e|{"a":${'['.repeat(5000)}${']'.repeat(5000)}}|1`;
    const [span] = toPlain(
      batchOf(decodeZipkin, jsonBytes([{ traceId: '1', id: '2', annotations: [{ timestamp: 1, value }] }])),
    );
    expect(span!.events[0]).toMatchObject({ name: value, attributes: [] });
  });

  it('is refused when it has more spans, or more of their parts, than allowed', () => {
    const span = { traceId: '1', id: '2', annotations: [{ timestamp: 1, value: 'a' }] };
    const bytes = jsonBytes([span, span]);
    // One resource, one scope and two annotations.
    expect(decodeZipkinV2Json(bytes, new SpanBatch(), { limits: { maxSpans: 2, maxChildren: 4 } })).toBe(2);
    expect(wireErrorOf(() => decodeZipkinV2Json(bytes, new SpanBatch(), { limits: { maxSpans: 1 } }))).toMatchObject({
      code: 'too_many_spans',
      details: { limit: 'maxSpans', value: 1 },
    });
    expect(wireErrorOf(() => decodeZipkinV2Json(bytes, new SpanBatch(), { limits: { maxChildren: 3 } })).code).toBe(
      'too_many_children',
    );
  });

  it('is counted once by the limit on parts, also where versions alternate and spans are read twice', () => {
    const v2 = { traceId: '1', id: '2', annotations: [{ timestamp: 1, value: 'a' }], tags: {} };
    const v1 = { ...v2, tags: undefined, binaryAnnotations: [] };
    const bytes = jsonBytes(Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? v2 : v1)));
    // One resource, one scope and an annotation of each span.
    expect(decodeZipkin(bytes, new SpanBatch(), { limits: { maxChildren: 22 } }).spans).toBe(20);
    const error = wireErrorOf(() => decodeZipkin(bytes, new SpanBatch(), { limits: { maxChildren: 21 } }));
    expect(error.code).toBe('too_many_children');
  });

  it('of one v1 span that names ever new services is refused by the limit on spans, and soon', () => {
    const annotations = Array.from({ length: 20_000 }, (_, at) => ({
      timestamp: 1,
      value: 'x',
      endpoint: { serviceName: `s${at}` },
    }));
    const bytes = jsonBytes([{ traceId: '1', id: '2', annotations }]);
    expect(decodeZipkin(bytes, new SpanBatch()).spans).toBe(20_000);
    const error = wireErrorOf(() => decodeZipkin(bytes, new SpanBatch(), { limits: { maxSpans: 1000 } }));
    expect(error.code).toBe('too_many_spans');
    const few = wireErrorOf(() => decodeZipkin(bytes, new SpanBatch(), { limits: { maxChildren: 1000 } }));
    expect(few.code).toBe('too_many_children');
  });

  it('of very many spans with tags that are almost links is read in time that grows with its length', () => {
    const spans = Array.from({ length: 30_000 }, () => ({ traceId: '1', id: '2', tags: { 'otlp.link.0': 'x' } }));
    expect(decodeZipkin(jsonBytes(spans), new SpanBatch()).spans).toBe(30_000);
  });

  it('that alternates between versions is read in time that grows with its length', () => {
    const one = { traceId: '1', id: '2', binaryAnnotations: [] };
    const two = { traceId: '1', id: '2', tags: {} };
    const spans = Array.from({ length: 20_000 }, (_, at) => (at % 2 === 0 ? one : two));
    expect(decodeZipkin(jsonBytes(spans), new SpanBatch())).toEqual({ spans: 20_000, format: 'v1_json' });
  });
});
