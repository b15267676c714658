import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ODD_SLOT } from '../schema/tables.ts';
import { readNativeBlocks, type FixedData, type StringData } from '../reader/native-reader.ts';
import { batchOf, NOON } from '../reader/test-support/spans.ts';
import { BlockBuilder } from './block-builder.ts';
import { Announcements } from './announcements.ts';
import { writeArrayElements } from './array-elements.ts';
import { ByteSink } from './byte-sink.ts';
import { ContentTable } from './content-table.ts';
import { dayOfSlot, SlotClock, slotOfNanos, slotOfWords } from './slot.ts';
import { blockByteLength, type TableBlock } from './table-block.ts';

const SEGMENT = '0123456789abcdef0123456789abcdef';
const meta = { tenant: 't', receivedUnixNano: NOON };

function rowsOf(blocks: readonly TableBlock[]): Record<string, number> {
  return Object.fromEntries(blocks.map((block) => [block.table, block.rowCount]));
}

describe('a block builder', () => {
  it('refuses a segment id that is not 32 hexadecimal digits', () => {
    const builder = new BlockBuilder();
    builder.append(batchOf({ trace: 1 }), meta);
    expect(() => builder.build('1234')).toThrow('segment id "1234" must be 32 hexadecimal digits');
  });

  it('gives no block when it was given no span', () => {
    expect(new BlockBuilder().build(SEGMENT)).toEqual([]);
  });

  it('puts what spans refer to, and the names they add to lists, before the spans', () => {
    const builder = new BlockBuilder();
    builder.append(batchOf({ trace: 1, tags: [['a', 'b']] }), meta);
    expect(builder.build(SEGMENT).map((block) => block.table)).toEqual([
      'resources',
      'tag_keys',
      'services',
      'operations',
      'spans',
    ]);
  });

  it('announces a resource once a day, but again until it is confirmed', () => {
    const builder = new BlockBuilder();
    const batch = batchOf({ trace: 1, tags: [['a', 'b']] }, { trace: 2, tags: [['a', 'b']] });
    builder.append(batch, meta);
    expect(rowsOf(builder.build(SEGMENT))).toEqual({ resources: 1, tag_keys: 2, services: 1, operations: 1, spans: 2 });
    builder.reset();
    builder.append(batch, meta);
    expect(rowsOf(builder.build(SEGMENT))).toEqual({ resources: 1, tag_keys: 2, services: 1, operations: 1, spans: 2 });
    builder.confirm();
    builder.reset();
    builder.append(batch, meta);
    expect(rowsOf(builder.build(SEGMENT))).toEqual({ spans: 2 });
    builder.reset();
    builder.append(batch, { ...meta, tenant: 'another' });
    expect(rowsOf(builder.build(SEGMENT))).toEqual({ resources: 1, tag_keys: 2, services: 1, operations: 1, spans: 2 });
    builder.reset();
    const nextDay = NOON + 2n * 86_400_000_000_000n;
    builder.append(batchOf({ trace: 1, startUnixNano: nextDay, tags: [['a', 'b']] }), {
      ...meta,
      receivedUnixNano: nextDay,
    });
    expect(rowsOf(builder.build(SEGMENT))).toEqual({ resources: 1, tag_keys: 2, services: 1, operations: 1, spans: 1 });
  });

  it('announces again what was dropped with its day', () => {
    const builder = new BlockBuilder();
    builder.append(batchOf({ trace: 1 }), meta);
    builder.build(SEGMENT);
    builder.confirm();
    builder.forgetDays([dayOfSlot(slotOfNanos(NOON))]);
    builder.reset();
    builder.append(batchOf({ trace: 1 }), meta);
    expect(rowsOf(builder.build(SEGMENT))).toEqual({ resources: 1, tag_keys: 1, services: 1, operations: 1, spans: 1 });
  });

  it('writes chosen rows only, and lets the batch be reused afterwards', () => {
    const builder = new BlockBuilder();
    const batch = batchOf({ trace: 1, span: 7 }, { trace: 1, span: 8 }, { trace: 1, span: 9 });
    builder.append(batch, meta, Uint32Array.of(2, 0));
    batch.reset();
    const block = builder.build(SEGMENT).at(-1)!;
    const [read] = readNativeBlocks(Buffer.concat(block.chunks));
    const ids = (read!.columns.get('span_id') as FixedData).bytes;
    expect([ids[7], ids[15]]).toEqual([9, 7]);
    expect(read!.rows).toBe(2);
  });

  it('estimates the size of the block from above', () => {
    const builder = new BlockBuilder();
    builder.append(batchOf({ trace: 1, tags: [['a', 'x'.repeat(1000)]] }, { trace: 2 }), meta);
    const estimate = builder.byteLength;
    const overhead = 6000; // Headers and dictionaries, which do not grow with the spans.
    expect(blockByteLength(builder.build(SEGMENT).at(-1)!)).toBeLessThan(estimate + overhead);
    expect(estimate).toBeGreaterThan(1000);
  });
});

describe('a slot', () => {
  it('is the number of whole five minutes since 1970, for every time', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), (nanos) => {
        const lo = Number(nanos & 0xffff_ffffn);
        const hi = Number(nanos >> 32n);
        expect(slotOfWords(lo, hi)).toBe(slotOfNanos(nanos));
      }),
    );
  });

  it('is odd, and near the arrival, for spans from long ago or far ahead', () => {
    const clock = new SlotClock();
    clock.arrive(NOON);
    expect(clock.slotOf(0, 0)).toBe(ODD_SLOT + slotOfNanos(NOON - 86_400_000_000_000n));
    expect(clock.slotOf(0xffff_ffff, 0xffff_ffff)).toBe(ODD_SLOT + slotOfNanos(NOON + 3_600_000_000_000n));
    expect(dayOfSlot(ODD_SLOT + 288 * 5)).toBe(5);
  });
});

describe('array elements', () => {
  const elements = (bytes: readonly number[]): readonly [number, string[]] => {
    const sink = new ByteSink();
    const count = writeArrayElements(sink, Uint8Array.from(bytes), 0, bytes.length);
    const data: string[] = [];
    for (let at = 0; at < sink.length;) {
      const length = sink.bytes[at]!;
      data.push(Buffer.from(sink.bytes.subarray(at + 1, at + 1 + length)).toString('latin1'));
      at += length + 1;
    }
    return [count, data];
  };

  it('are taken apart by type when they are encoded as every exporter does', () => {
    const array = [10, 3, 10, 1, 97, 10, 2, 24, 5, 10, 2, 16, 1, 10, 0];
    expect(elements(array)).toEqual([4, ['sa', 'i5', 'btrue', 'e']]);
    expect(elements([])).toEqual([0, []]);
  });

  it('stay together when the encoding could not be restored', () => {
    for (const odd of [
      [10],
      [10, 5, 1],
      [18, 0],
      [10, 0x80, 0],
      [10, 3, 24, 0x85, 0x00],
      [10, 2, 16, 2],
      [10, 4, 10, 1, 97, 97],
    ]) {
      expect(elements(odd)).toEqual([-1, []]);
    }
  });
});

describe('a content table', () => {
  it('gives equal contents one number and different ones different numbers', () => {
    const table = new ContentTable();
    const sink = new ByteSink(4);
    const numbers = new Map<string, number>();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        sink.clear();
        sink.raw(bytes, 0, bytes.length);
        const number = table.intern(sink);
        const key = Buffer.from(bytes).toString('hex');
        expect(number).toBe(numbers.get(key) ?? numbers.size);
        numbers.set(key, number);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('announcements', () => {
  it('forget what was pending, and what was stored for a day', () => {
    const announcements = new Announcements();
    expect(announcements.announce(1, 'a')).toBe(true);
    expect(announcements.announce(1, 'a')).toBe(false);
    announcements.discard();
    expect(announcements.announce(1, 'a')).toBe(true);
    announcements.confirm();
    expect(announcements.announce(1, 'a')).toBe(false);
    expect(announcements.announce(2, 'a')).toBe(true);
    announcements.forgetDay(1);
    expect(announcements.announce(1, 'a')).toBe(true);
  });
});

describe('a Native block', () => {
  it('is read back as it was written, and refused where it is cut off', () => {
    const builder = new BlockBuilder();
    builder.append(
      batchOf({
        trace: 1,
        tags: [
          ['a', 'b'],
          ['n', 5n],
        ],
      }),
      meta,
    );
    for (const block of builder.build(SEGMENT)) {
      const bytes = Buffer.concat(block.chunks);
      const [read] = readNativeBlocks(bytes);
      expect([...read!.columns.keys()]).toEqual(block.columns);
      for (let length = 1; length < bytes.length; length += 7) {
        expect(() => readNativeBlocks(bytes.subarray(0, length))).toThrow('read a result in Native format');
      }
    }
    builder.reset();
    builder.append(batchOf({ trace: 1, tags: [['a', 'b']] }), meta);
    const keys = readNativeBlocks(Buffer.concat(builder.build(SEGMENT)[1]!.chunks))[0]!.columns.get(
      'key',
    ) as StringData;
    expect(Buffer.from(keys.bytes.subarray(keys.starts[0], keys.ends[0])).toString()).toMatch(/^(a|service\.name)$/);
  });
});
