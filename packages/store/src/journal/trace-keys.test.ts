import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceFilter, TraceKeys } from './trace-keys.ts';

const traceId = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Few ids, so that they repeat within and between records. */
const fewIds = fc.nat(5).map((n) => new Uint8Array(16).fill(n));

describe('the trace keys of a segment', () => {
  it('name exactly the records that hold a trace', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.oneof(fewIds, traceId), { minLength: 1, maxLength: 12 }), { maxLength: 8 }),
        (records) => {
          const keys = new TraceKeys();
          records.forEach((ids, i) => keys.add(Uint8Array.from(ids.flatMap((id) => [...id])), ids.length, i * 80));
          for (const wanted of records.flat()) {
            const expected = records.flatMap((ids, i) =>
              ids.some((id) => Buffer.compare(id.subarray(8), wanted.subarray(8)) === 0) ? [i * 80] : [],
            );
            expect(keys.find(wanted)).toEqual(expected);
          }
          const filter = keys.toFilter();
          for (const id of records.flat()) expect(filter.mayHave(id)).toBe(true);
        },
      ),
    );
  });

  it('forget what came after a mark', () => {
    const keys = new TraceKeys();
    const first = new Uint8Array(16).fill(1);
    const second = new Uint8Array(16).fill(2);
    keys.add(first, 1, 0);
    const mark = keys.count;
    keys.add(second, 1, 80);
    keys.rollback(mark);
    expect(keys.find(first)).toEqual([0]);
    expect(keys.find(second)).toEqual([]);
  });

  it('become a filter that is wrong for few of the traces that are not there', () => {
    const filter = new TraceFilter(10_000);
    const idOf = (n: number): Uint8Array => {
      const id = new Uint8Array(16);
      new DataView(id.buffer).setUint32(8, n, true);
      return id;
    };
    for (let n = 0; n < 10_000; n++) filter.add(n, 0);
    let wrong = 0;
    for (let n = 10_000; n < 30_000; n++) if (filter.mayHave(idOf(n))) wrong++;
    expect(wrong).toBeLessThan(600);
    expect(filter.byteLength).toBeLessThanOrEqual(32 * 1024);
  });
});
