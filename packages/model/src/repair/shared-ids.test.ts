import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Carrier } from '../carrier.ts';
import { SpanKind } from '../otlp-numbers.ts';
import { fromPlain, plainSpan, type PlainSpan } from '../plain.ts';
import { traceViewOf, type TraceView } from '../trace-view.ts';

interface Sketch {
  readonly id: string;
  readonly parent?: string;
  readonly service?: string;
  readonly kind?: number;
  readonly at?: number;
  readonly shared?: boolean;
}

function span({ id, parent = '', service = 'shop', kind = 0, at = 0, shared = false }: Sketch): PlainSpan {
  const start = 1_000n + BigInt(at);
  const attributes = shared ? { [Carrier.ZIPKIN_SHARED]: true } : {};
  return plainSpan({
    traceId: 'a',
    spanId: id,
    parentSpanId: parent,
    service,
    kind,
    startUnixNano: start,
    endUnixNano: start + 10n,
    attributes,
  });
}

const view = (...sketches: readonly Sketch[]): TraceView => traceViewOf(fromPlain(sketches.map(span)));
const client = (more: Partial<Sketch> = {}): Sketch => ({
  id: 'b',
  parent: 'a',
  kind: SpanKind.CLIENT,
  service: 'web',
  at: 1,
  ...more,
});
const server = (more: Partial<Sketch> = {}): Sketch => ({
  id: 'b',
  kind: SpanKind.SERVER,
  service: 'shop',
  at: 2,
  ...more,
});
const uses = (trace: TraceView): string[] => Array.from({ length: trace.count }, (_, row) => trace.idUseOf(row));

describe('spans that share an id', () => {
  it('keep it when nobody else has it, even when the sender marked them shared', () => {
    const trace = view(server({ shared: true, parent: 'a' }), { id: 'a' });
    expect([...trace.parents]).toEqual([1, -1]);
    expect(trace.idOf(0)).toBe('000000000000000b');
    expect(uses(trace)).toEqual(['unique', 'unique']);
  });

  it('are halves of a call when one is a client and one a server: the server half is the child, under an id of its own', () => {
    const trace = view(server(), client(), { id: 'a', service: 'web' });
    expect([...trace.parents]).toEqual([1, 2, -1]);
    expect(uses(trace)).toEqual(['half', 'half', 'unique']);
    expect(trace.idOf(1)).toBe('000000000000000b');
    expect(trace.idOf(0)).toMatch(/^(?!000000000000000b)[0-9a-f]{16}$/);
    expect(trace.spanIds[0]).toBe('000000000000000b');
  });

  it('leave children of the server’s service to the server half and all others to the client half', () => {
    const trace = view(
      client(),
      server(),
      { id: 'c', parent: 'b', service: 'shop', at: 3 },
      { id: 'd', parent: 'b', service: 'web', at: 3 },
      { id: 'e', parent: 'b', service: 'elsewhere', at: 3 },
    );
    expect([...trace.parents]).toEqual([-1, 0, 1, 0, 0]);
  });

  it('may be many server halves, of which a child belongs to the last of its service that had started', () => {
    const trace = view(
      client(),
      server({ at: 2 }),
      server({ at: 20, service: 'shop' }),
      server({ at: 4, service: 'mail' }),
      { id: 'c', parent: 'b', service: 'shop', at: 3 },
      { id: 'd', parent: 'b', service: 'shop', at: 21 },
      { id: 'e', parent: 'b', service: 'mail', at: 1 },
    );
    expect([...trace.parents]).toEqual([-1, 0, 0, 0, 1, 2, 3]);
    expect(new Set([0, 1, 2, 3].map((row) => trace.idOf(row))).size).toBe(4);
  });

  it('are halves when the mark says so, whatever their kinds', () => {
    const trace = view(client({ kind: 0 }), server({ kind: 0, shared: true }), {
      id: 'c',
      parent: 'b',
      service: 'shop',
    });
    expect([...trace.parents]).toEqual([-1, 0, 1]);
    expect(uses(trace)).toEqual(['half', 'half', 'unique']);
  });

  it('may be server halves of several services whose client half is missing', () => {
    const trace = view(
      server({ parent: 'a' }),
      server({ parent: 'a', service: 'mail', at: 5 }),
      { id: 'c', parent: 'b', service: 'mail', at: 6 },
      { id: 'a' },
    );
    expect([...trace.parents]).toEqual([3, 3, 1, -1]);
    expect(uses(trace)).toEqual(['duplicate', 'duplicate', 'unique', 'unique']);
  });

  it('are duplicates when they are no halves of a call: the earliest keeps the id, all keep their parents', () => {
    const trace = view(client({ at: 7 }), client({ at: 5 }), { id: 'a' }, { id: 'c', parent: 'b' });
    expect([...trace.parents]).toEqual([2, 2, -1, 1]);
    expect(uses(trace)).toEqual(['duplicate', 'duplicate', 'unique', 'unique']);
    expect(trace.idOf(1)).toBe('000000000000000b');
  });

  it('may name their own id as parent without becoming their own ancestors', () => {
    const trace = view(client({ parent: 'b' }), server({ parent: 'b' }));
    expect([...trace.parents]).toEqual([-1, 0]);
  });

  it('get the same ids in every order, also when they are equal in what ids are made of', () => {
    const sketches = [client(), server(), server({ at: 9 }), server({ at: 9 })];
    const forward = view(...sketches);
    const backward = view(...sketches.toReversed());
    const ids = (trace: TraceView): string[] => sketches.map((_, row) => trace.idOf(row)).toSorted();
    expect(ids(forward)).toEqual(ids(backward));
    expect(new Set(ids(forward)).size).toBe(4);
  });

  it('always get ids that are unique, and sent ids stay with one of the spans sent with them', () => {
    fc.assert(
      fc.property(arbitrarySpans(), fc.array(fc.nat(3)), (spans, numbers) => {
        const trace = traceViewOf(
          fromPlain(
            spans.map((plain, i) =>
              numbers[i] === undefined
                ? plain
                : { ...plain, spanId: plainSpan({ traceId: '1', spanId: `${numbers[i] + 1}` }).spanId },
            ),
          ),
        );
        const ids = spans.map((_, row) => trace.idOf(row)).filter((id) => id !== '');
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of new Set(trace.spanIds)) if (id !== '') expect(ids).toContain(id);
      }),
    );
  });

  it('take time in proportion to their number, also when a hundred thousand have one id', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => server({ at: i, service: i % 2 === 0 ? 'shop' : 'mail' }));
    const children = Array.from({ length: 20_000 }, (_, i) => ({ id: (i + 100).toString(16), parent: 'b', at: i * 5 }));
    const trace = view(client(), ...many, ...children);
    // Shop’s halves start at even offsets from the first.
    expect(trace.parents[100_001 + 7]).toBe(35);
    expect(trace.parents[50_000]).toBe(0);
  }, 20_000);
});
