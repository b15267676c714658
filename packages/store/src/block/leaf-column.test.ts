import { ValueType, type AttributeValue, type KeyValue, type SpanBatch } from '@clew/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readNativeBlocks, type DictionaryData, type RunData, type StringData } from '../reader/native-reader.ts';
import { batchOf, NOON } from '../reader/test-support/spans.ts';
import { BlockBuilder } from './block-builder.ts';
import { LeafLimit } from './leaf-column.ts';
import type { TableBlock } from './table-block.ts';

const SEGMENT = '0123456789abcdef0123456789abcdef';
const meta = { tenant: 't', receivedUnixNano: NOON };

const map = (entries: Readonly<Record<string, AttributeValue>>): AttributeValue => ({
  entries: Object.entries(entries).map(([key, value]): KeyValue => ({ key, value })),
});

function blocksOf(...batches: readonly SpanBatch[]): TableBlock[] {
  const builder = new BlockBuilder();
  for (const batch of batches) builder.append(batch, meta);
  return builder.build(SEGMENT);
}

/** Entries of the column `leaf` of each row, as `path=tagged value`; undefined when the block has no such column. */
function leavesOf(blocks: readonly TableBlock[], table: string): string[][] | undefined {
  const block = blocks.find((each) => each.table === table)!;
  const leaf = readNativeBlocks(Buffer.concat(block.chunks))[0]!.columns.get('leaf') as RunData | undefined;
  if (leaf === undefined) return undefined;
  const [keys, values] = leaf.inner as [DictionaryData, StringData];
  const names = keys.keys as StringData;
  const text = (data: StringData, i: number): string =>
    Buffer.from(data.bytes.subarray(data.starts[i], data.ends[i])).toString('utf8');
  return Array.from(leaf.ends, (end, row) =>
    Array.from({ length: end - (row === 0 ? 0 : leaf.ends[row - 1]!) }, (_, i) => {
      const at = end - (end - (row === 0 ? 0 : leaf.ends[row - 1]!)) + i;
      return `${text(names, keys.indexes[at]!)}=${text(values, at)}`;
    }),
  );
}

const spanLeaves = (value: AttributeValue): string[] =>
  leavesOf(blocksOf(batchOf({ trace: 1, tags: [['k', value]] })), 'spans')?.[0] ?? [];

describe('the column of leaves', () => {
  it('is not written where nothing is nested', () => {
    const tags = [
      ['a', 'b'],
      ['n', 1n],
      ['list', ['x', 1n]],
      ['y', Uint8Array.of(1)],
    ] as const;
    const blocks = blocksOf(batchOf({ trace: 1, tags, eventTags: [['e', 'f']] }));
    expect(leavesOf(blocks, 'spans')).toBeUndefined();
    expect(leavesOf(blocks, 'resources')).toBeUndefined();
    expect(blocks.at(-1)!.columns).not.toContain('leaf');
  });

  it('has every value below a map by its path', () => {
    const value = map({
      user: map({ id: -7n, name: 'Ann', vip: true }),
      ratio: 0.5,
      raw: Uint8Array.of(0x41),
      none: null,
      big: 2n ** 62n,
      empty: map({}),
    });
    expect(spanLeaves(value)).toEqual([
      '1k.user.id=i-7',
      '1k.user.name=sAnn',
      '1k.user.vip=btrue',
      '1k.ratio=d0.5',
      '1k.raw=yA',
      '1k.none=e',
      '1k.big=i4611686018427387904',
    ]);
  });

  it('has elements of nested arrays by the path of their array, and of outer arrays only what is nested', () => {
    expect(spanLeaves(['plain', map({ id: 1n }), map({ id: 2n }), [3n, ['x']]])).toEqual([
      '1k.id=i1',
      '1k.id=i2',
      '1k=i3',
      '1k=sx',
    ]);
    expect(spanLeaves(map({ list: ['a', 1n] }))).toEqual(['1k.list=sa', '1k.list=i1']);
  });

  it('tells levels apart, and of events and links has the elements of arrays too', () => {
    const blocks = blocksOf(
      batchOf(
        { trace: 1 },
        {
          trace: 2,
          tags: [['s', map({ a: 1n })]],
          resourceTags: [['r', map({ a: 2n })]],
          eventTags: [
            ['e', map({ a: 3n })],
            ['list', ['x']],
          ],
          linkTags: [['l', map({ a: 4n })]],
        },
      ),
    );
    expect(leavesOf(blocks, 'spans')).toEqual([[], ['1s.a=i1', '4e.a=i3', '4list=sx', '5l.a=i4']]);
    expect(leavesOf(blocks, 'resources')).toEqual([[], ['2r.a=i2']]);
  });

  it('lists paths among the keys, by their own levels', () => {
    const blocks = blocksOf(
      batchOf({ trace: 1, tags: [['k', map({ a: 1n })]], resourceTags: [['k', map({ a: 's' })]] }),
    );
    const [read] = readNativeBlocks(Buffer.concat(blocks.find(({ table }) => table === 'tag_keys')!.chunks));
    const keys = read!.columns.get('key') as StringData;
    const scopes = (read!.columns.get('scope') as { bytes: Uint8Array }).bytes;
    const types = (read!.columns.get('type') as { bytes: Uint8Array }).bytes;
    const rows = Array.from(keys.starts, (start, i) => [
      Buffer.from(keys.bytes.subarray(start, keys.ends[i])).toString(),
      scopes[i],
      types[i],
    ]);
    expect(rows).toContainEqual(['k', 1, ValueType.KVLIST]);
    expect(rows).toContainEqual(['k.a', 6, ValueType.INT]);
    expect(rows).toContainEqual(['k.a', 7, ValueType.STRING]);
  });

  it('ends at its limits and goes on with the next attribute', () => {
    const wide = map(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${i}`, BigInt(i)])));
    expect(spanLeaves(wide)).toHaveLength(LeafLimit.VALUES);
    let deep: AttributeValue = 1n;
    for (let i = 0; i < LeafLimit.DEPTH; i++) deep = map({ a: deep });
    expect(spanLeaves(deep)).toHaveLength(1);
    expect(spanLeaves(map({ a: deep }))).toEqual([]);
    const long = map({ ['x'.repeat(LeafLimit.PATH_BYTES)]: 1n, long: 'x'.repeat(LeafLimit.VALUE_BYTES + 1), ok: 1n });
    expect(spanLeaves(long)).toEqual(['1k.ok=i1']);
    const blocks = blocksOf(
      batchOf({
        trace: 1,
        tags: [
          ['wide', wide],
          ['k', map({ a: 1n })],
        ],
      }),
    );
    expect(leavesOf(blocks, 'spans')![0]!.at(-1)).toBe('1k.a=i1');
  });

  it('is empty again in the next segment', () => {
    const builder = new BlockBuilder();
    builder.append(batchOf({ trace: 1, tags: [['k', map({ a: 1n })]] }), meta);
    expect(leavesOf(builder.build(SEGMENT), 'spans')).toEqual([['1k.a=i1']]);
    builder.reset();
    builder.append(batchOf({ trace: 1, tags: [['k', 'plain']] }), meta);
    expect(leavesOf(builder.build(SEGMENT), 'spans')).toBeUndefined();
  });

  it('never fails, whatever bytes a map or an array is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, isMap) => {
        const batch = batchOf({ trace: 1, tags: [['k', 'placeholder']] });
        const offset = batch.appendHeap(bytes, 0, bytes.length);
        batch.spanAttrs.types[0] = isMap ? ValueType.KVLIST : ValueType.ARRAY;
        batch.spanAttrs.lo[0] = offset;
        batch.spanAttrs.hi[0] = bytes.length;
        const entries = leavesOf(blocksOf(batch), 'spans')?.[0] ?? [];
        expect(entries.length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
