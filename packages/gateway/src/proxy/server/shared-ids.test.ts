import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedIds, forgetIds, sharedIdMemory } from './shared-ids.ts';

const threads = () => {
  const memory = sharedIdMemory(3);
  return { memory, ids: [0, 1, 2].map((index) => new SharedIds(memory, index)) as [SharedIds, SharedIds, SharedIds] };
};

describe('ids that threads share', () => {
  it('are one thread’s at a time', () => {
    const { ids } = threads();
    const [a, b] = ids;
    expect([a.take('x'), b.take('x'), b.take('y'), a.take('y')]).toEqual([true, false, true, false]);
    a.release('x');
    expect([b.take('x'), a.take('x')]).toEqual([true, false]);
  });

  it('are free again when their thread is gone', () => {
    const { memory, ids } = threads();
    const [a, b, c] = ids;
    expect([a.take('x'), b.take('y')]).toEqual([true, true]);
    forgetIds(memory, 0);
    expect([c.take('x'), c.take('y')]).toEqual([true, false]);
  });

  it('are refused when there is no room to remember them, and found again when there is', () => {
    const { ids } = threads();
    const [a] = ids;
    const many = Array.from({ length: 40_000 }, (_, index) => `id-${index}`);
    const taken = many.filter((id) => a.take(id));
    expect(taken.length).toBeGreaterThan(10_000);
    expect(taken.length).toBeLessThanOrEqual(16_384);
    for (const id of taken) a.release(id);
    expect(a.take(taken[0]!)).toBe(true);
  });

  it('never have two owners, in whichever order they come and go', () => {
    const step = fc.record({ thread: fc.nat(2), id: fc.nat(5), take: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { ids } = threads();
        const owner = new Map<number, number>();
        for (const { thread, id, take } of steps) {
          if (take && owner.get(id) !== thread) {
            const got = ids[thread]!.take(`id ${id}`);
            expect(got).toBe(!owner.has(id));
            if (got) owner.set(id, thread);
          } else if (!take && owner.get(id) === thread) {
            ids[thread]!.release(`id ${id}`);
            owner.delete(id);
          }
        }
      }),
    );
  });
});
