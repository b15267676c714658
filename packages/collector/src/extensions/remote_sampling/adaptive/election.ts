import type { LeaseClaim, LeaseState, SamplingStore } from '@clew/pipeline';

/** What an election needs. */
export interface ElectionOptions {
  readonly store: SamplingStore;
  /** Names this process among all that use the store; never used twice. */
  readonly holder: string;
  /** How long a claim holds without being prolonged. */
  readonly leaseMs: number;
  /** How often the leader prolongs its claim. */
  readonly renewMs: number;
  /**
   * How long a claim is looked at before it counts, so that all who claimed in the same moment see each other's. A database that
   * many write to has no "insert unless there is one".
   */
  readonly settleMs: number;
}

/** What came of one step. */
export interface ElectionStep {
  readonly leader: boolean;
  /** When to take the next step, in milliseconds from now. */
  readonly nextMs: number;
}

/** How much later than a claim's end it is looked at again. */
const afterEndMs = 10;

/**
 * Finds one leader among the processes that share a store. Terms are numbered; of the claims to the newest term the one stored first wins, and
 * of equally old ones the one of the smaller name, so that all agree whatever order they look in. A term ends when its winner does not prolong its
 * claim or gives it up; then the next term is open. All times are the store's.
 *
 * Two leaders for a moment (a claim that took longer than `settleMs` to become visible) do no harm: they calculate the same from the same.
 */
export class Election {
  readonly #options: ElectionOptions;
  #term: number | undefined;
  #leader = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  get leader(): boolean {
    return this.#leader;
  }

  /** Looks at the claims, claims or prolongs. Rejects with the store's error; until the next step nobody is sure to lead. */
  async step(signal: AbortSignal): Promise<ElectionStep> {
    try {
      const step = await this.#step(signal);
      this.#leader = step.leader;
      return step;
    } catch (caught) {
      // Whoever cannot reach the store cannot know that its claim still holds.
      this.#leader = false;
      throw caught;
    }
  }

  /** Gives up what is held, so that others need not wait for its end. */
  async resign(signal: AbortSignal): Promise<void> {
    const term = this.#term;
    this.#term = undefined;
    this.#leader = false;
    if (term !== undefined) {
      const { store, holder } = this.#options;
      await store.claimLease({ term, holder, durationMs: 0, released: true }, signal);
    }
  }

  async #step(signal: AbortSignal): Promise<ElectionStep> {
    const { store, holder, leaseMs, renewMs, settleMs } = this.#options;
    const state = await store.leaseState(signal);
    const winner = winnerOf(state);
    if (winner === undefined) {
      this.#term = newestTerm(state.claims) + 1;
      await store.claimLease({ term: this.#term, holder, durationMs: leaseMs }, signal);
      return { leader: false, nextMs: settleMs };
    }
    const remainingMs = winner.untilUnixMs - state.nowUnixMs;
    if (winner.holder !== holder) {
      this.#term = undefined;
      return { leader: false, nextMs: Math.min(leaseMs, remainingMs + afterEndMs) };
    }
    this.#term = winner.term;
    const ageMs = state.nowUnixMs - winner.claimedUnixMs;
    if (ageMs < settleMs) return { leader: false, nextMs: settleMs - ageMs };
    await store.claimLease({ term: winner.term, holder, durationMs: leaseMs }, signal);
    return { leader: true, nextMs: renewMs };
  }
}

/** Who holds the newest term now; undefined when it is over. */
export function winnerOf({ nowUnixMs, claims }: LeaseState): LeaseClaim | undefined {
  const term = newestTerm(claims);
  const [first] = claims
    .filter((claim) => claim.term === term)
    .toSorted((a, b) => a.claimedUnixMs - b.claimedUnixMs || (a.holder < b.holder ? -1 : 1));
  return first === undefined || first.released || first.untilUnixMs <= nowUnixMs ? undefined : first;
}

function newestTerm(claims: readonly LeaseClaim[]): number {
  return Math.max(0, ...claims.map(({ term }) => term));
}
