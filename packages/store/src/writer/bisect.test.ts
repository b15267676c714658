import { describe, expect, it } from 'vitest';
import { StoreError } from '../errors.ts';
import { bisect } from './bisect.ts';
import type { CountedPart } from './bisect.ts';
import { failsForGood } from './insert-errors.ts';

/** Names `record:row` of everything in parts. */
function names(parts: readonly CountedPart[]): string[] {
  return parts.flatMap(({ offset, rows, recordRows }) =>
    [...(rows ?? Array(recordRows).keys())].map((row) => `${offset}:${row}`),
  );
}

async function run(sizes: readonly number[], bad: readonly string[], error: () => Error) {
  const stored: string[] = [];
  const aside: string[] = [];
  let attempts = 0;
  const failure = await bisect(
    sizes.map((recordRows, offset) => ({ offset, recordRows })),
    {
      store: async (parts) => {
        attempts++;
        const some = names(parts);
        if (some.some((name) => bad.includes(name) || bad.includes('*'))) throw error();
        stored.push(...some);
      },
      setAside: async (part) => {
        aside.push(...names([part]));
      },
    },
  ).catch((caught: unknown) => caught);
  return { stored, aside, attempts, failure };
}

const refused = (): Error => new StoreError('sql_error', 'no', { details: { engineCode: 6 } });

describe('bisecting a segment', () => {
  it('stores all but the refused spans in few attempts', async () => {
    const { stored, aside, attempts, failure } = await run([1000, 1, 500], ['0:0', '2:499'], refused);
    expect(failure).toBeUndefined();
    expect(aside).toEqual(['0:0', '2:499']);
    expect(stored).toHaveLength(1499);
    expect(attempts).toBeLessThan(60);
  });

  it('gives up without setting anything aside when everything is refused', async () => {
    const { aside, attempts, failure } = await run([1000, 1000], ['*'], refused);
    expect(failure).toMatchObject({ code: 'sql_error' });
    expect(aside).toEqual([]);
    expect(attempts).toBeLessThanOrEqual(40);
  });

  it('stores in pieces what is too large for the memory of the engine, and sets nothing aside', async () => {
    const stored: number[] = [];
    await bisect(
      [100, 30, 200].map((recordRows, offset) => ({ offset, recordRows })),
      {
        store: async (parts) => {
          const size = names(parts).length;
          if (size > 60) throw new StoreError('memory_limit', 'too large');
          stored.push(size);
        },
        setAside: () => Promise.reject(new Error('nothing may be set aside')),
      },
    );
    expect(stored.reduce((sum, size) => sum + size, 0)).toBe(330);
    const alwaysTooLarge = run([1], ['*'], () => new StoreError('memory_limit', 'too large'));
    expect(await alwaysTooLarge).toMatchObject({ aside: [], failure: { code: 'memory_limit' } });
  });

  it('stops at a failure that is not about the data', async () => {
    const down = (): Error => new StoreError('engine_unavailable', 'down');
    const { aside, attempts, failure } = await run([10], ['0:3'], down);
    expect(failure).toMatchObject({ code: 'engine_unavailable' });
    expect(attempts).toBe(1);
    expect(aside).toEqual([]);
  });
});

describe('what fails for good', () => {
  const sql = (engineCode: number, message = 'x'): Error =>
    new StoreError('sql_error', message, { details: { engineCode } });
  it.each<[string, Error, boolean]>([
    ['a value that cannot be parsed', sql(6), true],
    ['a block of too many partitions', sql(252, 'Too many partitions for single INSERT block (more than 100)'), true],
    ['a table of too many parts', sql(252, 'Too many parts (3000)'), false],
    ['a missing table', sql(60), false],
    ['a read-only table', sql(242), false],
    ['an error without a number', sql(0), false],
    ['an engine that is gone', new StoreError('engine_unavailable', 'x'), false],
    ['a full disk', new StoreError('disk_full', 'x'), false],
    ['a deadline', new StoreError('timeout', 'x'), false],
    ['a system error', Object.assign(new Error('ENOSPC'), { syscall: 'write', code: 'ENOSPC' }), false],
    ['an exception while building', new RangeError('offset is out of bounds'), true],
  ])('%s', (_, error, expected) => {
    expect(failsForGood(error)).toBe(expected);
  });
});
