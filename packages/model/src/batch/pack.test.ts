import { arbitraryBatch, arbitrarySpans } from '@clew/testkit/arbitraries';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../errors.ts';
import { readHex, spanIdOf, traceIdOf } from '../ids.ts';
import { BatchEditor } from './batch-editor.ts';
import { compactBatch } from './compact.ts';
import { AttributeLevel } from './edit-log.ts';
import { concatInto } from './select.ts';
import { PACK_VERSION } from './pack-format.ts';
import { unixNano } from '../times.ts';
import { fromPlain, plainResource, plainSpan, toPlain } from '../plain.ts';
import { BatchPacker, packBatch } from './pack.ts';
import { SpanBatch } from './span-batch.ts';
import { unpackBatch } from './unpack.ts';

const sample = fromPlain([
  plainSpan({
    traceId: '1',
    spanId: '1',
    service: 'shop',
    name: 'GET /',
    startUnixNano: 5n,
    endUnixNano: 9n,
    attributes: { a: 'x', n: 5n },
  }),
  plainSpan({
    traceId: '1',
    spanId: '2',
    service: 'shop',
    name: 'GET /',
    attributes: { a: 'x', ratio: 0.5, on: true, list: ['a', 1n] },
  }),
]);

describe('packing', () => {
  it('refuses a target that is too small, saying how many bytes it takes', () => {
    const packer = new BatchPacker();
    const bytes = packer.prepare(sample);
    expect(() => packer.write(new Uint8Array(bytes), 1)).toThrow(`it takes ${bytes} bytes and ${bytes - 1} are free`);
  });

  it('refuses rows the batch does not have', () => {
    for (const row of [2, -1, 0.5, Number.NaN]) {
      expect(() => packBatch(sample, { rows: [row] }), String(row)).toThrow(
        expect.objectContaining({ code: 'invalid_row' }),
      );
    }
  });

  it('gives any batch back', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const packed = packBatch(fromPlain(spans));
        expect(toPlain(unpackBatch(packed))).toEqual(spans);
      }),
    );
  });

  it('gives chosen rows back in the order asked for', () => {
    fc.assert(
      fc.property(arbitrarySpans(), fc.array(fc.nat(), { maxLength: 8 }), (spans, picks) => {
        const rows = spans.length === 0 ? [] : picks.map((pick) => pick % spans.length);
        const packed = packBatch(fromPlain(spans), { rows: Uint32Array.from(rows) });
        expect(toPlain(unpackBatch(packed))).toEqual(rows.map((row) => spans[row]));
      }),
    );
  });

  it('gives the same bytes whether fresh, packed before, or written into the middle of a buffer', () => {
    const packer = new BatchPacker();
    fc.assert(
      fc.property(arbitraryBatch(), fc.nat(9), (batch, offset) => {
        const packed = packBatch(batch);
        expect(packBatch(unpackBatch(packed))).toEqual(packed);
        const target = new Uint8Array(packer.prepare(batch) + offset + 3).fill(0xaa);
        expect(packer.write(target, offset)).toBe(packed.length);
        expect(target.subarray(offset, offset + packed.length)).toEqual(packed);
        expect(
          [...target.subarray(0, offset), ...target.subarray(offset + packed.length)].every((byte) => byte === 0xaa),
        ).toBe(true);
      }),
    );
  });

  it('keeps only bytes that are referred to, and repeated values once', () => {
    const batch = new SpanBatch();
    batch.adoptHeap(new Uint8Array(100_000));
    const spans = Array.from({ length: 50 }, (_, i) =>
      plainSpan({
        traceId: '1',
        spanId: String(i + 1),
        attributes: { 'user.agent': 'Mozilla/5.0 (X11; Linux x86_64)' },
      }),
    );
    fromPlain(spans, batch);
    expect(unpackBatch(packBatch(batch)).heapLength).toBe(31);
  });

  it('drops names, scopes and resources of rows left out', () => {
    const batch = fromPlain([
      plainSpan({ traceId: '1', spanId: '1', service: 'kept', name: 'kept' }),
      plainSpan({ traceId: '1', spanId: '2', resource: plainResource({ big: 'x'.repeat(1000) }), name: 'left-out' }),
    ]);
    const kept = unpackBatch(packBatch(batch, { rows: [0] }));
    expect([kept.resourceTable.count, kept.scopeTable.count, kept.strings.find('left-out')]).toEqual([1, 1, -1]);
    expect(kept.heapLength).toBe('kept'.length);
  });
});

/** One span with something in every field, as version 1 packed it. */
const kept = plainSpan({
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: '1',
  traceState: 'a=1',
  flags: 0xffff_ffff,
  name: 'GET /',
  kind: -1,
  startUnixNano: 1_763_692_200_000_000_001n,
  endUnixNano: 1_763_692_200_000_000_000n,
  statusCode: 2,
  statusMessage: 'broken',
  droppedAttributes: 1,
  droppedEvents: 70_000,
  droppedLinks: 300,
  attributes: {
    text: 'x',
    no: null,
    yes: true,
    int: -5n,
    small: 7n,
    double: 0.5,
    bytes: Uint8Array.of(1, 2),
    list: ['a', 1n],
    map: { entries: [{ key: 'k', value: '\udcff' }] },
  },
  events: [{ timeUnixNano: unixNano(5n), name: 'e', attributes: [{ key: 'k', value: 1n }], droppedAttributes: 2 }],
  links: [
    {
      traceId: traceIdOf('1'),
      spanId: spanIdOf('2'),
      traceState: 's',
      flags: 1,
      attributes: [{ key: 'k', value: 2n }],
      droppedAttributes: 3,
    },
  ],
  scope: {
    name: 'scope',
    version: '1',
    attributes: [{ key: 'k', value: 3n }],
    droppedAttributes: 4,
    schemaUrl: 'https://s',
  },
  resource: {
    attributes: [{ key: 'service.name', value: 'shop' }],
    droppedAttributes: 5,
    schemaUrl: 'https://r',
    entityRefs: Uint8Array.of(0x1a, 0),
  },
});

describe('unpacking', () => {
  // Journals on disk hold this. When the layout changes, raise PACK_VERSION, keep reading version 1, and add a file for the new one.
  it('reads what version 1 wrote', () => {
    const hex = readFileSync(new URL('testdata/packed-v1.hex', import.meta.url), 'utf8').replaceAll('\n', '');
    const bytes = new Uint8Array(hex.length / 2);
    expect(readHex(hex, bytes, 0, bytes.length)).toBe(true);
    expect(toPlain(unpackBatch(bytes))).toEqual([kept]);
    expect(PACK_VERSION).toBe(1);
  });

  it('refuses an unknown version and says so', () => {
    const packed = packBatch(sample);
    packed[4] = 9;
    expect(() => unpackBatch(packed)).toThrow(
      expect.objectContaining({ code: 'unsupported_pack', details: { version: 9 } }),
    );
  });

  it('refuses every truncation with the offset of what is wrong', () => {
    const packed = packBatch(sample);
    for (let length = 0; length < packed.length; length++) {
      expect(() => unpackBatch(packed.subarray(0, length)), `${length} bytes`).toThrow(
        expect.objectContaining({ code: 'invalid_pack', details: { offset: expect.any(Number) } }),
      );
    }
    expect(() => unpackBatch(new Uint8Array([...packed, 0]))).toThrow(
      expect.objectContaining({ code: 'invalid_pack' }),
    );
  });

  it('survives every single flipped bit: an error or a batch that can be read', () => {
    const packed = packBatch(sample);
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const damaged = packed.slice();
      damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
      readAll(damaged);
    }
  });

  it('survives random damage of any batch', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(arbitraryBatch(), damage, (batch, changes) => {
        const packed = packBatch(batch);
        for (const [at, byte] of changes) packed[at % packed.length] = byte;
        readAll(packed);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves the packed bytes alone when the batch is added to, and loses nothing', () => {
    fc.assert(
      fc.property(arbitrarySpans(), arbitrarySpans(), (spans, more) => {
        const packed = packBatch(fromPlain(spans));
        const before = packed.slice();
        const batch = unpackBatch(packed);
        fromPlain(more, batch);
        expect(toPlain(batch)).toEqual([...spans, ...more]);
        expect(packed).toEqual(before);
        batch.reset();
        expect(toPlain(fromPlain(more, batch))).toEqual(more);
        expect(packed).toEqual(before);
      }),
    );
  });

  it('gives a batch that can be emptied and used again', () => {
    const batch = unpackBatch(packBatch(sample));
    batch.reset();
    expect(batch.strings.find('GET /')).toBe(-1);
    const span = plainSpan({ traceId: '2', spanId: '3', name: 'again', attributes: { k: 'v' } });
    expect(toPlain(fromPlain([span], batch))).toEqual([span]);
  });

  it('gives ids that can be written in place once the columns are owned', () => {
    const packed = packBatch(sample);
    const before = packed.slice();
    const batch = unpackBatch(packed);
    batch.ownColumns();
    batch.spanIds[0] = 0xff;
    expect(packed).toEqual(before);
  });
});

/** Reads all of a possibly damaged batch; only `ModelError` may come out. */
function readAll(bytes: Uint8Array): void {
  try {
    toPlain(unpackBatch(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
  }
}

describe('a packed batch in a Buffer', () => {
  const value = 123_456_789_012n;
  const spans = [
    plainSpan({ traceId: 'ab', spanId: '1', name: 'x', service: 's', attributes: { wide: value, d: 1.25, t: 'text' } }),
  ];

  it('is not changed by reading it, so that it can be read again', () => {
    const packed = packBatch(fromPlain(spans));
    const buffer = Buffer.from(packed);
    expect(toPlain(unpackBatch(buffer))).toEqual(spans);
    expect(Buffer.compare(buffer, packed)).toBe(0);
    expect(toPlain(unpackBatch(buffer))).toEqual(spans);
  });

  it('is not changed by editing what was read from it', () => {
    const packed = packBatch(fromPlain(spans));
    const buffer = Buffer.from(packed);
    const batch = unpackBatch(buffer);
    concatInto(batch, fromPlain(spans));
    const editor = new BatchEditor(batch);
    editor.setKind(0, 3);
    editor.upsert(AttributeLevel.SPAN, 0, editor.key('wide'), 5n);
    compactBatch(batch);
    expect(Buffer.compare(buffer, packed)).toBe(0);
  });
});
