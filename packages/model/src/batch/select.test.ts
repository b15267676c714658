import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyScope, fromPlain, plainResource, plainSpan, toPlain } from '../plain.ts';
import { dropEqualSpans } from './equal-spans.ts';
import { packBatch } from './pack.ts';
import { concatInto, rowsOfMask, selectSpans } from './select.ts';
import { SpanBatch } from './span-batch.ts';
import { splitByTrace } from './split-by-trace.ts';
import { unpackBatch } from './unpack.ts';

describe('selecting spans', () => {
  it('refuses to append a batch to itself', () => {
    const batch = fromPlain([plainSpan({ traceId: '1', spanId: '1' })]);
    expect(() => concatInto(batch, batch)).toThrow(expect.objectContaining({ code: 'invalid_row' }));
    expect(() => selectSpans(batch, [1])).toThrow('cannot take row 1 of a batch of 1 spans');
  });

  it('gives the spans a mask names, as a filter on plain spans does', () => {
    fc.assert(
      fc.property(arbitrarySpans(), fc.func(fc.boolean()), (spans, keeps) => {
        const mask = Uint8Array.from(spans, (_, row) => (keeps(row) ? 1 : 0));
        const batch = fromPlain(spans);
        expect(toPlain(selectSpans(batch, mask))).toEqual(spans.filter((_, row) => keeps(row)));
        expect(toPlain(selectSpans(batch, rowsOfMask(mask)))).toEqual(spans.filter((_, row) => keeps(row)));
        expect(toPlain(batch)).toEqual(spans);
      }),
    );
  });

  it('concatenates batches as plain lists are concatenated, whatever the target held', () => {
    fc.assert(
      fc.property(arbitrarySpans(), arbitrarySpans(), fc.boolean(), (first, second, packed) => {
        const target = packed ? unpackBatch(packBatch(fromPlain(first))) : fromPlain(first);
        concatInto(target, fromPlain(second));
        expect(toPlain(target)).toEqual([...first, ...second]);
        concatInto(target, fromPlain(first), []);
        expect(target.count).toBe(first.length + second.length);
      }),
    );
  });

  it('does not let one kept span pin the values, names and resources of a thousand others', () => {
    const spans = Array.from({ length: 1000 }, (_, i) =>
      plainSpan({
        traceId: '1',
        spanId: (i + 1).toString(16),
        name: `name ${i}`,
        resource: plainResource({ pod: `pod ${i}` }),
        attributes: { [`key ${i}`]: 'v'.repeat(1000) },
      }),
    );
    const one = selectSpans(fromPlain(spans), [500]);
    expect([one.resourceTable.count, one.strings.count, one.heapLength]).toEqual([1, 4, 1000 + 'pod 500'.length]);
    expect(one.heap.buffer.byteLength).toBeLessThan(4096);
    expect(toPlain(one)).toEqual([spans[500]]);
  });

  it('keeps one row for a resource and scope that come with every batch', () => {
    const target = new SpanBatch();
    const spanOf = (service: string) =>
      plainSpan({ traceId: '1', spanId: '1', service, resource: plainResource({ 'service.name': service, pid: 7n }) });
    for (let i = 0; i < 10; i++) concatInto(target, fromPlain([spanOf('a'), spanOf('b'), spanOf('a')]));
    expect([target.resourceTable.count, target.scopeTable.count, target.resourceAttrs.count]).toEqual([2, 2, 4]);
    expect(target.heapLength).toBe(2);
    expect(toPlain(target)).toEqual(Array.from({ length: 10 }, () => [spanOf('a'), spanOf('b'), spanOf('a')]).flat());
  });

  it('keeps resources and scopes apart that differ in one thing', () => {
    const resources = [
      plainResource({ a: 1n }),
      plainResource({ a: 1 }),
      plainResource({ b: 1n }),
      plainResource({ a: 2n }),
      plainResource({ a: 'x' }),
      plainResource({ a: 'y' }),
      { ...plainResource({ a: 'y' }), droppedAttributes: 1 },
      { ...plainResource({ a: 'y' }), schemaUrl: 'u' },
      { ...plainResource({ a: 'y' }), entityRefs: Uint8Array.of(0x1a, 0) },
    ];
    const scopes = ['name', 'version', 'schemaUrl'].map((field) => ({ ...emptyScope, [field]: 'x' }));
    const spans = resources.flatMap((resource) =>
      scopes.map((scope) => plainSpan({ traceId: '1', spanId: '1', resource, scope })),
    );
    const selected = selectSpans(
      fromPlain(spans),
      spans.map((_, row) => row),
    );
    expect([selected.resourceTable.count, selected.scopeTable.count]).toEqual([resources.length, spans.length]);
    expect(toPlain(selected)).toEqual(spans);
  });

  it('stores a value once that many spans share', () => {
    const spans = Array.from({ length: 100 }, (_, i) =>
      plainSpan({ traceId: '1', spanId: (i + 1).toString(16), attributes: { k: 'shared' } }),
    );
    expect(selectSpans(fromPlain(spans), rowsOfMask(new Uint8Array(100).fill(1))).heapLength).toBe('shared'.length);
  });
});

describe('splitting by trace', () => {
  it('gives each row once, in order, with the others of its trace', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const expected = new Map<string, number[]>();
        spans.forEach((span, row) => expected.set(span.traceId, [...(expected.get(span.traceId) ?? []), row]));
        const split = splitByTrace(fromPlain(spans));
        expect(split.map(({ rows }) => [...rows])).toEqual([...expected.values()]);
        expect(split.map(({ first }) => first)).toEqual([...expected.values()].map((rows) => rows[0]));
      }),
    );
  });

  it('tells thousands of traces apart', () => {
    const spans = Array.from({ length: 5000 }, (_, i) =>
      plainSpan({ traceId: ((i % 2500) + 1).toString(16), spanId: '1' }),
    );
    const split = splitByTrace(fromPlain(spans));
    expect([split.length, split.every(({ rows }) => rows.length === 2)]).toEqual([2500, true]);
  });
});

describe('dropping equal spans', () => {
  it('keeps spans that differ in anything at all', () => {
    const span = plainSpan({ traceId: '1', spanId: '1', service: 'a', attributes: { k: 1n } });
    const variants = [
      span,
      { ...span, kind: 2 },
      { ...span, attributes: [{ key: 'k', value: 1 }] },
      { ...span, events: [{ timeUnixNano: 0n as never, name: '', attributes: [], droppedAttributes: 0 }] },
      { ...span, resource: plainResource({ 'service.name': 'b' }) },
    ];
    const batch = fromPlain(variants);
    expect(dropEqualSpans(batch)).toBe(batch);
  });

  it('leaves each distinct span once when everything was sent twice', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const twice = fromPlain(spans);
        concatInto(twice, fromPlain(spans));
        const once = toPlain(dropEqualSpans(twice));
        expect(once).toEqual(toPlain(dropEqualSpans(fromPlain(spans))));
        expect(toPlain(dropEqualSpans(fromPlain(once, new SpanBatch())))).toEqual(once);
      }),
    );
  });
});
