import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childCoverage, selfTimeByService, selfTimeNano } from './coverage.ts';
import { addFoundRows, countMarked, findInSkeleton, nextNode, parseFind } from './find.ts';
import { squeezeTrace } from './lanes.ts';
import { buildTrace, isPlaceholder, nodeOfSpanId, pathTo, siblingPlace, spanIdOf } from './model.ts';
import { openNodes, revealNode, stepExpansion, toggleNode, visibleRows } from './rows.ts';
import { skeletonOf } from './test-skeleton.ts';
import type { SampleSpan } from './test-skeleton.ts';

const all = { preset: 'all', opened: [], closed: [] } as const;
const rowsOf = (spans: readonly SampleSpan[]): number[] => [...buildTrace(skeletonOf(spans)).order];

/** Spans in start order whose parents are anything at all: earlier, later, themselves, missing. */
const anySpans = fc.array(
  fc.record({
    gap: fc.integer({ min: 0, max: 50 }),
    duration: fc.integer({ min: 0, max: 200 }),
    parent: fc.option(
      fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom('dead00000000beef', 'dead00000000cafe')),
      {
        nil: undefined,
      },
    ),
    status: fc.constantFrom(0, 2),
    service: fc.constantFrom('a', 'b', 'c'),
  }),
  { maxLength: 40 },
);

function spansOf(
  drawn: readonly {
    gap: number;
    duration: number;
    parent: number | string | undefined;
    status: number;
    service: string;
  }[],
): SampleSpan[] {
  let start = 0;
  return drawn.map(({ gap, parent, ...rest }) => {
    start += gap;
    return { ...rest, start, ...(parent === undefined ? {} : { parent }) };
  });
}

describe('the tree of a trace', () => {
  it('cuts a circle of two at the earlier span and says so', () => {
    const model = buildTrace(
      skeletonOf([
        { parent: 1, start: 0, duration: 10 },
        { parent: 0, start: 2, duration: 5 },
      ]),
    );
    expect([...model.parent]).toEqual([-1, 0]);
    expect(model.warnings).toMatchObject([{ code: 'parent_cycle', count: 1 }]);
  });

  it('takes a span that is its own parent for a root', () => {
    expect([...buildTrace(skeletonOf([{ parent: 0, start: 0, duration: 1 }])).parent]).toEqual([-1]);
  });

  it('keeps orphans together under a placeholder that lasts as long as they do', () => {
    const model = buildTrace(
      skeletonOf([
        { start: 0, duration: 100 },
        { parent: 'dead00000000beef', start: 10, duration: 5 },
        { parent: 'dead00000000beef', start: 30, duration: 20 },
      ]),
    );
    expect(model.nodeCount).toBe(4);
    expect(isPlaceholder(model, 3)).toBe(true);
    expect([model.startNano[3], model.durationNano[3]]).toEqual([10, 40]);
    expect([...model.order]).toEqual([0, 3, 1, 2]);
    expect(spanIdOf(model, 3)).toBe('dead00000000beef');
  });

  it('shows the longest root first and the others by start', () => {
    expect(
      rowsOf([
        { start: 0, duration: 5 },
        { start: 1, duration: 50 },
        { start: 2, duration: 1 },
      ]),
    ).toEqual([1, 0, 2]);
  });

  it('survives a chain of a hundred thousand spans and as many children of one span', () => {
    const count = 100_000;
    const chain = buildTrace(
      skeletonOf(
        Array.from({ length: count }, (_, i) => ({
          ...(i === 0 ? {} : { parent: i - 1 }),
          start: i,
          duration: count - i,
          name: 'n',
        })),
      ),
    );
    expect([chain.maxDepth, chain.subtreeSize[0]]).toEqual([count - 1, count]);
    const wide = buildTrace(
      skeletonOf(
        Array.from({ length: count }, (_, i) => ({
          ...(i === 0 ? {} : { parent: 0 }),
          start: i,
          duration: 1,
          name: 'n',
        })),
      ),
    );
    expect([wide.maxDepth, (wide.childStart[1] ?? 0) - (wide.childStart[0] ?? 0)]).toEqual([1, count - 1]);
  });

  it('has no rows for an empty trace', () => {
    const model = buildTrace(skeletonOf([]));
    expect([model.nodeCount, model.mainRoot, visibleRows(model, { open: openNodes(model, all) }).nodes.length]).toEqual(
      [0, -1, 0],
    );
  });

  it('holds every node exactly once, parents before children, whatever the parents say', () => {
    fc.assert(
      fc.property(anySpans, (drawn) => {
        const model = buildTrace(skeletonOf(spansOf(drawn)));
        expect([...model.order].sort((a, b) => a - b)).toEqual(Array.from({ length: model.nodeCount }, (_, i) => i));
        for (let node = 0; node < model.nodeCount; node++) {
          const parent = model.parent[node] ?? -1;
          if (parent >= 0) expect(model.position[parent]).toBeLessThan(model.position[node] ?? -1);
          expect(model.depth[node]).toBe(pathTo(model, node).length - 1);
        }
        const errors = drawn.filter((span) => span.status === 2).length;
        expect(model.errorCount).toBe(errors);
      }),
    );
  });

  it('finds a span by its id, and only on id boundaries', () => {
    const model = buildTrace(
      skeletonOf([
        { start: 0, duration: 1 },
        { start: 1, duration: 1 },
      ]),
    );
    expect(nodeOfSpanId(model, '0000000000000002')).toBe(1);
    expect(nodeOfSpanId(model, '0000000100000000')).toBe(-1);
  });
});

describe('a place among siblings', () => {
  it('is found for every child, however many there are', () => {
    const spans = Array.from({ length: 50 }, (_, i) => ({
      ...(i === 0 ? {} : { parent: i % 7 === 0 ? 1 : 0 }),
      start: i,
      duration: 1,
    }));
    const model = buildTrace(skeletonOf(spans));
    const children = Array.from(model.children.slice(model.childStart[0], model.childStart[1]));
    expect(children.map((child) => siblingPlace(model, child))).toEqual(
      children.map((_, index) => ({ position: index + 1, size: children.length })),
    );
    expect(siblingPlace(model, 0)).toEqual({ position: 1, size: 1 });
  });
});

describe('time a span spent itself', () => {
  it('is what its children leave, overlaps counted once and overhangs cut', () => {
    const model = buildTrace(
      skeletonOf([
        { start: 0, duration: 100, service: 'a' },
        { parent: 0, start: 10, duration: 30, service: 'b' },
        { parent: 0, start: 20, duration: 30, service: 'b' },
        { parent: 0, start: 90, duration: 50, service: 'b' },
      ]),
    );
    expect([...childCoverage(model, 0)]).toEqual([10, 50, 90, 100]);
    expect(selfTimeNano(model, 0)).toBe(50);
    expect([...selfTimeByService(model)]).toEqual([50, 110]);
  });

  it('is never negative and never more than the duration', () => {
    fc.assert(
      fc.property(anySpans, (drawn) => {
        const model = buildTrace(skeletonOf(spansOf(drawn)));
        for (let node = 0; node < model.spanCount; node++) {
          const self = selfTimeNano(model, node);
          expect(self).toBeGreaterThanOrEqual(0);
          expect(self).toBeLessThanOrEqual(model.durationNano[node] ?? 0);
        }
      }),
    );
  });
});

describe('rows of the waterfall', () => {
  // 0 ─ 1 ─ 2(error)
  //   └ 3
  const model = buildTrace(
    skeletonOf([
      { start: 0, duration: 100, service: 'a' },
      { parent: 0, start: 1, duration: 50, service: 'b' },
      { parent: 1, start: 2, duration: 10, service: 'c', status: 2 },
      { parent: 0, start: 60, duration: 10, service: 'b' },
    ]),
  );
  const rows = (expansion: Parameters<typeof openNodes>[1]): number[] => [
    ...visibleRows(model, { open: openNodes(model, expansion) }).nodes,
  ];

  it('follow the expansion', () => {
    expect(rows(all)).toEqual([0, 1, 2, 3]);
    expect(rows({ preset: 1, opened: [], closed: [] })).toEqual([0, 1, 3]);
    expect(rows({ preset: 0, opened: [], closed: [] })).toEqual([0]);
    expect(rows({ preset: 'err', opened: [], closed: [] })).toEqual([0, 1, 2, 3]);
    expect(rows({ preset: 'all', opened: [], closed: ['0000000000000002'] })).toEqual([0, 1, 3]);
  });

  it('come back when a node is closed and opened again, leaving no trace in the link', () => {
    const closed = toggleNode(model, all, 1, false);
    expect(rows(closed)).toEqual([0, 1, 3]);
    expect(toggleNode(model, closed, 1, true)).toEqual(all);
  });

  it('step a level at a time between nothing and everything', () => {
    const one = stepExpansion(model, all, -1);
    expect(one.preset).toBe(1);
    expect(stepExpansion(model, one, -1).preset).toBe(0);
    expect(stepExpansion(model, stepExpansion(model, one, -1), -1).preset).toBe(0);
    expect(stepExpansion(model, one, 1)).toEqual(all);
  });

  it('keep the ancestors of what a filter keeps', () => {
    const keep = Uint8Array.from([0, 0, 1, 0]);
    expect([...visibleRows(model, { open: openNodes(model, all), keep }).nodes]).toEqual([0, 1, 2]);
  });

  it('leave out hidden services with everything below them', () => {
    const hiddenServices = new Set([model.skeleton.services.indexOf('b')]);
    const visible = visibleRows(model, { open: openNodes(model, all), hiddenServices });
    expect([...visible.nodes]).toEqual([0]);
    expect([...visible.rowOf]).toEqual([0, -1, -1, -1]);
  });

  it('can start at any span', () => {
    expect([...visibleRows(model, { open: openNodes(model, all), root: 1 }).nodes]).toEqual([1, 2]);
  });

  it('open up to a span that is looked for', () => {
    const expansion = { preset: 0, opened: [], closed: [] } as const;
    const revealed = revealNode(model, expansion, openNodes(model, expansion), 2);
    expect(rows(revealed)).toEqual([0, 1, 2, 3]);
  });
});

describe('finding in a trace', () => {
  const model = buildTrace(
    skeletonOf([
      { start: 0, duration: 100, service: 'Checkout', name: 'POST /pay' },
      { parent: 0, start: 1, duration: 50, service: 'db', name: 'SELECT' },
      { parent: 0, start: 60, duration: 1, service: 'db', name: 'INSERT', status: 2 },
    ]),
  );
  const found = (text: string): number[] => [...findInSkeleton(model, parseFind(text))];

  it.each([
    ['', [0, 0, 0]],
    ['nothing', [0, 0, 0]],
    ['checkout', [1, 0, 0]],
    ['SELECT', [0, 1, 0]],
    ['db', [0, 1, 1]],
    ['>50%', [1, 1, 0]],
    ['> 0.5 %', [1, 1, 1]],
    ['0000000000000003', [0, 0, 1]],
  ])('%j finds %j', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it('adds what the server found in attributes', () => {
    const marks = addFoundRows(findInSkeleton(model, parseFind('select')), [2, 99]);
    expect([...marks, countMarked(marks)]).toEqual([0, 1, 1, 2]);
  });

  it('steps through matches in tree order and wraps around', () => {
    const passes = (node: number): boolean => model.skeleton.services[model.service[node] ?? -1] === 'db';
    expect([nextNode(model, -1, 1, passes), nextNode(model, 1, 1, passes), nextNode(model, 2, 1, passes)]).toEqual([
      1, 2, 1,
    ]);
    expect([nextNode(model, -1, -1, passes), nextNode(model, 1, -1, passes)]).toEqual([2, 2]);
    expect(nextNode(model, 0, 1, () => false)).toBe(-1);
  });
});

describe('the squeezed picture of a trace', () => {
  it('shows in each cell the colour that covers it most, and where failed spans ended', () => {
    const model = buildTrace(
      skeletonOf([
        { start: 0, duration: 100, service: 'a' },
        { parent: 0, start: 50, duration: 50, service: 'b', status: 2 },
      ]),
    );
    const lanes = squeezeTrace(model, Uint8Array.from([3, 7]), 10, 10, 4);
    expect(lanes.lanes).toBe(2);
    expect([...lanes.cells]).toEqual([4, 4, 4, 4, 0, 0, 8, 8]);
    expect([...lanes.errors]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('draws at least one column for the shortest span', () => {
    const model = buildTrace(
      skeletonOf([
        { start: 0, duration: 1_000_000, service: 'a' },
        { parent: 0, start: 999_999, duration: 0, service: 'a' },
      ]),
    );
    const lanes = squeezeTrace(model, Uint8Array.from([0]), 10, 10, 4);
    expect([...lanes.cells]).toEqual([1, 1, 1, 1, 0, 0, 0, 1]);
  });
});
