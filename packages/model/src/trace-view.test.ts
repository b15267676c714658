import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectSpans } from './batch/select.ts';
import { fromPlain, plainSpan, type PlainSpan } from './plain.ts';
import { shownForm } from './values/json.ts';
import { TraceView, traceViewOf } from './trace-view.ts';

function span(spanId: string, parentSpanId: string, start: bigint, end: bigint): PlainSpan {
  return plainSpan({
    traceId: 'a',
    spanId,
    parentSpanId,
    name: spanId,
    service: 'shop',
    startUnixNano: start,
    endUnixNano: end,
  });
}

describe('a trace view', () => {
  it('of nothing is empty', () => {
    const view = traceViewOf();
    expect([view.count, view.traceId, view.startUnixNano, view.endUnixNano, view.children(-1).length]).toEqual([
      0,
      '',
      0n,
      0n,
      0,
    ]);
  });

  it('cuts circles and self-parents, so that walking up always ends', () => {
    const view = traceViewOf(
      fromPlain([span('1', '2', 5n, 6n), span('2', '1', 3n, 4n), span('3', '3', 1n, 2n), span('4', '1', 7n, 8n)]),
    );
    expect([...view.parents]).toEqual([1, -1, -1, 0]);
    expect([...view.children(-1)]).toEqual([1, 2]);
  });

  it('gives a span whose parent is missing no parent, but still tells its id', () => {
    const view = traceViewOf(fromPlain([span('1', '9', 1n, 2n)]));
    expect([view.parents[0], view.parentId(0)]).toEqual([-1, '0000000000000009']);
  });

  it('finds parents, children and times over several batches', () => {
    const first = fromPlain([span('2', '1', 110n, 150n), span('3', '1', 120n, 115n)]);
    const second = fromPlain([span('f', 'f', 1n, 999n), span('1', '', 100n, 200n)]);
    const view = new TraceView([{ batch: first }, { batch: second, rows: [1] }]);
    expect(view.traceId).toBe('a'.padStart(32, '0'));
    expect([...view.parents]).toEqual([2, 2, -1]);
    expect([[...view.children(2)], [...view.children(0)], [...view.children(-1)]]).toEqual([[0, 1], [], [2]]);
    expect([view.startUnixNano, view.endUnixNano]).toEqual([100n, 200n]);
    expect([[...view.startOffsetsNs], [...view.durationsNs]]).toEqual([
      [10, 20, 0],
      [40, -5, 100],
    ]);
    expect([view.duration(1), view.services[2], view.names[2], view.rowInBatch(2)]).toEqual([-5n, 'shop', '1', 1]);
  });

  it('decodes what the spans carry, whatever that is', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const view = traceViewOf(fromPlain(spans));
        expect(spans.map((_, row) => view.span(row))).toEqual(spans);
        spans.forEach((plain, row) => {
          expect(view.attributes(row)).toEqual(plain.attributes);
          expect(view.attribute(row, 'k')).toEqual(plain.attributes.find(({ key }) => key === 'k')?.value);
          const service = plain.resource.attributes.find(({ key }) => key === 'service.name')?.value;
          expect(view.resourceAttribute(row, 'service.name')).toEqual(service);
          expect(view.services[row]).toBe(typeof service === 'string' ? shownForm(service) : '');
          expect([view.spanIds[row], view.parentId(row)]).toEqual([plain.spanId, plain.parentSpanId]);
          expect([view.startsUnixNano[row], view.endsUnixNano[row]]).toEqual([plain.startUnixNano, plain.endUnixNano]);
          expect([view.kinds[row], view.statusCodes[row]]).toEqual([plain.kind, plain.statusCode]);
        });
      }),
    );
  });

  it('always is a forest that holds every span once', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        const view = new TraceView([
          {
            batch: selectSpans(
              fromPlain(spans),
              spans.map((_, row) => row),
            ),
          },
        ]);
        const seen: number[] = [];
        const open = [...view.children(-1)];
        while (open.length > 0) {
          const row = open.pop()!;
          seen.push(row);
          open.push(...view.children(row));
        }
        expect(seen.toSorted((a, b) => a - b)).toEqual(spans.map((_, row) => row));
      }),
    );
  });
});
