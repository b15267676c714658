import { ValueType, type AttributeValue, type KeyValue, type SpanBatch } from '@clew/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readNativeBlocks, type DictionaryData, type RunData, type StringData } from '../reader/native-reader.ts';
import { batchOf, NOON } from '../reader/test-support/spans.ts';
import { BlockBuilder } from './block-builder.ts';
import { LeafLimit } from './leaf-writer.ts';
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

/** The leaves of each row of a map column, as `path=tagged value`, and what stands there beside them. */
function entriesOf(
  blocks: readonly TableBlock[],
  table: string,
  column: string,
): { leaves: string[]; others: string[] }[] {
  const block = blocks.find((each) => each.table === table)!;
  const outer = readNativeBlocks(Buffer.concat(block.chunks))[0]!.columns.get(column) as RunData;
  const map = outer.inner.length === 1 ? (outer.inner[0] as RunData) : outer;
  const [keys, values] = map.inner as [DictionaryData, StringData];
  const text = (data: StringData, i: number): string =>
    Buffer.from(data.bytes.subarray(data.starts[i], data.ends[i])).toString('utf8');
  return Array.from(map.ends, (end, row) => {
    const start = row === 0 ? 0 : map.ends[row - 1]!;
    const entries = Array.from({ length: end - start }, (_, i) => [
      text(keys.keys as StringData, keys.indexes[start + i]!),
      text(values, start + i),
    ]);
    const [leaves, others] = [true, false].map((wanted) =>
      entries
        .filter(([, value]) => value!.startsWith('L') === wanted)
        .map(([key, value]) => `${key}=${value!.replace(/^L/, '')}`),
    );
    return { leaves: leaves!, others: others! };
  });
}

const spanLeaves = (value: AttributeValue): string[] =>
  entriesOf(blocksOf(batchOf({ trace: 1, tags: [['k', value]] })), 'spans', 'a_other')[0]!.leaves;

describe('leaves', () => {
  it('are none where nothing is nested', () => {
    const tags = [
      ['a', 'b'],
      ['n', 1n],
      ['list', ['x', 1n]],
      ['y', Uint8Array.of(1)],
    ] as const;
    const blocks = blocksOf(batchOf({ trace: 1, tags, eventTags: [['e', 'f']] }));
    expect(entriesOf(blocks, 'spans', 'a_other')).toEqual([{ leaves: [], others: ['y=y\u0001'] }]);
    expect(entriesOf(blocks, 'spans', 'ev_other')).toEqual([{ leaves: [], others: [] }]);
  });

  it('are every value below a map, by its path', () => {
    const value = map({
      user: map({ id: -7n, name: 'Ann', vip: true }),
      ratio: 0.5,
      raw: Uint8Array.of(0x41),
      none: null,
      big: 2n ** 62n,
      empty: map({}),
    });
    expect(spanLeaves(value)).toEqual([
      'k.user.id=i-7',
      'k.user.name=sAnn',
      'k.user.vip=btrue',
      'k.ratio=d0.5',
      'k.raw=yA',
      'k.none=e',
      'k.big=i4611686018427387904',
    ]);
  });

  it('are elements of nested arrays by the path of their array, and of outer arrays only what is nested', () => {
    expect(spanLeaves(['plain', map({ id: 1n }), map({ id: 2n }), [3n, ['x']]])).toEqual([
      'k.id=i1',
      'k.id=i2',
      'k=i3',
      'k=sx',
    ]);
    expect(spanLeaves(map({ list: ['a', 1n] }))).toEqual(['k.list=sa', 'k.list=i1']);
  });

  it('stand behind the attributes of their level; those of events and links have the elements of arrays too', () => {
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
          linkTags: [
            ['l', map({ a: 4n })],
            ['t', 'x'],
          ],
        },
      ),
    );
    const leaves = (table: string, column: string): string[][] =>
      entriesOf(blocks, table, column).map((row) => row.leaves);
    expect(leaves('spans', 'a_other')).toEqual([[], ['s.a=i1']]);
    expect(leaves('resources', 'r_other')).toEqual([[], ['r.a=i2']]);
    expect(leaves('resources', 's_other')).toEqual([[], []]);
    expect(leaves('spans', 'ev_other')).toEqual([['e.a=i3', 'list=sx']]);
    expect(leaves('spans', 'lk_attrs')).toEqual([['l.a=i4']]);
    expect(entriesOf(blocks, 'spans', 'lk_attrs')[0]!.others.at(-1)).toBe('t=sx');
  });

  it('have their paths listed among the keys, by their own levels', () => {
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

  it('end at their limits and go on with the next attribute', () => {
    const wide = map(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${i}`, BigInt(i)])));
    expect(spanLeaves(wide)).toHaveLength(LeafLimit.VALUES);
    let deep: AttributeValue = 1n;
    for (let i = 0; i < LeafLimit.DEPTH; i++) deep = map({ a: deep });
    expect(spanLeaves(deep)).toHaveLength(1);
    expect(spanLeaves(map({ a: deep }))).toEqual([]);
    const long = map({ ['x'.repeat(LeafLimit.PATH_BYTES)]: 1n, long: 'x'.repeat(LeafLimit.VALUE_BYTES + 1), ok: 1n });
    expect(spanLeaves(long)).toEqual(['k.ok=i1']);
    const blocks = blocksOf(
      batchOf({
        trace: 1,
        tags: [
          ['wide', wide],
          ['k', map({ a: 1n })],
        ],
      }),
    );
    expect(entriesOf(blocks, 'spans', 'a_other')[0]!.leaves.at(-1)).toBe('k.a=i1');
  });

  it('never fail, whatever bytes a map or an array is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, isMap) => {
        const batch = batchOf({ trace: 1, tags: [['k', 'placeholder']] });
        const offset = batch.appendHeap(bytes, 0, bytes.length);
        batch.spanAttrs.types[0] = isMap ? ValueType.KVLIST : ValueType.ARRAY;
        batch.spanAttrs.lo[0] = offset;
        batch.spanAttrs.hi[0] = bytes.length;
        const { leaves } = entriesOf(blocksOf(batch), 'spans', 'a_other')[0]!;
        expect(leaves.length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
