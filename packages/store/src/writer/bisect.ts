import { failsForGood, needsLess } from './insert-errors.ts';
import type { RecordPart } from './segment-blocks.ts';

/** Spans of a record, and how many spans the record has. */
export interface CountedPart extends RecordPart {
  readonly recordRows: number;
}

/** What bisecting does with the parts it finds. */
export interface BisectActions {
  /** Stores the parts as one block. */
  readonly store: (parts: readonly CountedPart[]) => Promise<void>;
  /** Sets one span (or one record that cannot even be read) aside. */
  readonly setAside: (part: CountedPart, error: unknown) => Promise<void>;
}

/**
 * Refusals in a row, without one success, after which it is not the data: a single bad span among 200,000 is refused at most 18 times before its
 * neighbour is stored.
 */
const MAX_REFUSALS_WITHOUT_SUCCESS = 40;

/**
 * Stores everything that can be stored of `parts`, which failed as a whole, and sets the rest aside, span by span. What only needs too much memory is
 * stored in smaller pieces and never set aside. Rethrows a failure that is not about
 * the data, also when everything is refused: then nothing may be set aside, and the caller tries again later.
 */
export async function bisect(parts: readonly CountedPart[], actions: BisectActions): Promise<void> {
  const suspects: { readonly part: CountedPart; readonly error: unknown }[] = [];
  let refusals = 0;
  let successes = 0;

  const visit = async (some: readonly CountedPart[]): Promise<void> => {
    try {
      await actions.store(some);
      successes++;
      return;
    } catch (error) {
      if (!failsForGood(error) && !needsLess(error)) throw error;
      refusals++;
      if (successes === 0 && refusals >= MAX_REFUSALS_WITHOUT_SUCCESS) throw error;
      const halves = split(some);
      if (halves === undefined) {
        if (!failsForGood(error)) throw error;
        suspects.push({ part: some[0]!, error });
        return;
      }
      await visit(halves[0]);
      await visit(halves[1]);
    }
  };

  await visit(parts);
  for (const { part, error } of suspects) await actions.setAside(part, error);
}

/** Two halves: of the records, then of the spans of one; undefined for a single span. */
function split(parts: readonly CountedPart[]): readonly [readonly CountedPart[], readonly CountedPart[]] | undefined {
  if (parts.length > 1) {
    const middle = parts.length >>> 1;
    return [parts.slice(0, middle), parts.slice(middle)];
  }
  const part = parts[0]!;
  const rows = part.rows ?? Uint32Array.from({ length: part.recordRows }, (_, row) => row);
  if (rows.length < 2) return undefined;
  const middle = rows.length >>> 1;
  return [[{ ...part, rows: rows.subarray(0, middle) }], [{ ...part, rows: rows.subarray(middle) }]];
}
