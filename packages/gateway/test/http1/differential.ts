import type { Allowance, Refusal } from './differences.ts';
import { compare } from './reading.ts';
import type { MessageReading, StreamReading } from './reading.ts';

/** A case read by both sides. */
export interface DoubleReading {
  readonly seed: number;
  readonly text: string;
  readonly ours: StreamReading;
  readonly reference: StreamReading;
}

/** How a run went: how often each difference came up, and what has no name. */
export interface Tally {
  readonly counts: Map<string, number>;
  /** Each with the bytes, at most ten. */
  readonly unexplained: string[];
  /** Complete messages that both read alike. */
  taken: number;
}

/** What may differ. */
export interface KnownDifferences {
  readonly refused: readonly Refusal[];
  readonly allowed: readonly Allowance[];
  /** Whether we may use a connection again that the reference does not. */
  keeps(message: MessageReading, reading: DoubleReading): boolean;
}

export function newTally(): Tally {
  return { counts: new Map(), unexplained: [], taken: 0 };
}

/** Compares two readings and counts what came of it. */
export function judge(reading: DoubleReading, known: KnownDifferences, tally: Tally): void {
  const name = nameOf(reading, known);
  tally.taken += reading.ours.messages.filter(({ complete }) => complete).length;
  if (name !== undefined) tally.counts.set(name, (tally.counts.get(name) ?? 0) + 1);
  else if (tally.unexplained.length < 10) {
    const { seed, text, ours, reference } = reading;
    const verdict = JSON.stringify(compare(ours, reference));
    tally.unexplained.push(
      `seed ${seed}: ${verdict}\n${JSON.stringify(text)}\nours ${JSON.stringify(ours)}\nllhttp ${JSON.stringify(reference)}`,
    );
  }
}

function nameOf(reading: DoubleReading, { refused, allowed, keeps }: KnownDifferences): string | undefined {
  const comparison = compare(reading.ours, reading.reference);
  switch (comparison.kind) {
    case 'same':
    case 'earlier':
    case 'closes':
      return comparison.kind;
    case 'stricter': {
      const { problem } = comparison;
      return refused.find((refusal) => refusal.problem.test(problem))?.name;
    }
    case 'keeps':
      return keeps(comparison.message, reading) ? 'keeps' : undefined;
    case 'different':
      return allowed.find((allowance) => allowance.applies(reading))?.name;
  }
}

/** Until what both were given has been read. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** How many cases a run has: enough for a few seconds; with CLEW_LONG=1, for minutes. */
export function caseCount(usual: number): number {
  return process.env['CLEW_LONG'] === '1' ? usual * 50 : usual;
}
