import type { Limit } from '@clew/base';
import { SINGLE_TENANT } from '@clew/pipeline';
import type { RootCount, SamplingStore } from '@clew/pipeline';
import { calculateRound, trafficOf } from './calculation.ts';
import type { CalculationOptions, TrafficBucket } from './calculation.ts';
import type { ServedNotes } from './served-notes.ts';
import { StrategySet } from './strategy-set.ts';
import type { StrategySetOptions } from './strategy-set.ts';

/** What adaptive sampling is configured with. */
export interface AdaptiveOptions extends CalculationOptions, StrategySetOptions {
  /** Intervals that are looked at. */
  readonly aggregationBuckets: number;
  /** How long traffic may take to arrive before its interval is counted. */
  readonly calculationDelayMs: number;
}

/** What a controller works with. */
export interface ControllerParts {
  readonly options: AdaptiveOptions;
  readonly store: SamplingStore;
  readonly notes: ServedNotes;
  /** Operations of one service in one interval. */
  readonly maxOperations: Limit;
}

/** Services that asked within this time keep what was found out about them. */
const pollMemoryMs = 86_400_000;
/** How many rounds are kept, and how often the others are dropped. */
const roundsKept = 25;

/**
 * One turn of each kind of work of adaptive sampling: noting who was told what, looking at what the leader found out, calculating a
 * round as the leader. When a turn is taken is somebody else's business.
 */
export class AdaptiveController {
  readonly #parts: ControllerParts;
  readonly #tenant = SINGLE_TENANT;
  readonly #buckets = new Map<number, TrafficBucket>();
  #strategies: StrategySet;
  #forgotAtRound = 0;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#strategies = new StrategySet({ round: 0, operations: [] }, parts.options);
  }

  /** What is served now. */
  get strategies(): StrategySet {
    return this.#strategies;
  }

  /** Stores who was told which version since the last time. */
  async flushNotes(signal: AbortSignal): Promise<void> {
    const { store, notes } = this.#parts;
    const taken = notes.take();
    if (taken.length === 0) return;
    try {
      await store.noteServed(this.#tenant, taken, signal);
    } catch (caught) {
      notes.putBack(taken);
      throw caught;
    }
  }

  /** Serves the newest round of whoever calculates. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { store, options } = this.#parts;
    const latest = await store.latestRound(this.#tenant, signal);
    if (latest.round > this.#strategies.round) this.#strategies = new StrategySet(latest, options);
  }

  /** Calculates the round of `nowUnixMs`; returns false when it has been done, or nobody asks for strategies. */
  async calculate(nowUnixMs: number, signal: AbortSignal): Promise<boolean> {
    const { store, options } = this.#parts;
    const { intervalMs, calculationDelayMs, aggregationBuckets } = options;
    const before = await store.latestRound(this.#tenant, signal);
    const round = nextRound(before.round, Math.floor(nowUnixMs / intervalMs));
    if (round === undefined) return false;
    const newest = Math.floor((nowUnixMs - calculationDelayMs) / intervalMs) - 1;
    const oldestUnixMs = (newest - aggregationBuckets + 1) * intervalMs;
    const rememberedUnixMs = Math.min(oldestUnixMs, nowUnixMs - pollMemoryMs);
    const served = await store.servedSince(this.#tenant, rememberedUnixMs, signal);
    if (served.length === 0) return false;
    await this.#count(newest, [...new Set(served.map(({ service }) => service))], signal);
    const buckets = Array.from({ length: aggregationBuckets }, (_, i) => this.#buckets.get(newest - i)).filter(
      (bucket) => bucket !== undefined,
    );
    const next = calculateRound({ round, buckets, before, served }, options);
    await store.saveRound(this.#tenant, next, signal);
    this.#strategies = new StrategySet(next, options);
    if (round - this.#forgotAtRound >= roundsKept) {
      await store.forgetBefore(this.#tenant, rememberedUnixMs, round - roundsKept, signal);
      this.#forgotAtRound = round;
    }
    return true;
  }

  /** Counts the intervals up to `newest` that are not counted yet, and forgets those that are too old. */
  async #count(newest: number, services: readonly string[], signal: AbortSignal): Promise<void> {
    const { store, options, maxOperations } = this.#parts;
    const oldest = newest - options.aggregationBuckets + 1;
    for (const interval of this.#buckets.keys()) if (interval < oldest) this.#buckets.delete(interval);
    const counted = Math.max(oldest - 1, ...this.#buckets.keys());
    if (counted >= newest) return;
    const counts = await store.countRoots(
      {
        tenant: this.#tenant,
        services,
        intervalMs: options.intervalMs,
        firstInterval: counted + 1,
        lastInterval: newest,
        // Each operation has a row for each probability it was sampled by: usually one, and two around a change.
        maxRowsPerService: Math.max(1, maxOperations.value) * 4,
      },
      signal,
    );
    const byInterval = Map.groupBy(counts, ({ interval }) => interval);
    for (let interval = counted + 1; interval <= newest; interval++) {
      this.#buckets.set(interval, trafficOf(interval, this.#busiest(byInterval.get(interval) ?? [])));
    }
  }

  /** Leaves out the least busy operations of services that have too many. */
  #busiest(counts: readonly RootCount[]): RootCount[] {
    const { maxOperations } = this.#parts;
    return [...Map.groupBy(counts, ({ service }) => service).values()].flatMap((ofService) => {
      const operations = new Map<string, number>();
      for (const { operation, traces } of ofService) {
        operations.set(operation, (operations.get(operation) ?? 0) + traces);
      }
      if (maxOperations.allows(operations.size)) return ofService;
      maxOperations.exceeded();
      const kept = [...operations].toSorted(([, a], [, b]) => b - a).slice(0, maxOperations.value);
      const names = new Set(kept.map(([operation]) => operation));
      return ofService.filter(({ operation }) => names.has(operation));
    });
  }
}

/**
 * The number of the round that is due, undefined when it was done. Somebody whose clock was ahead, or who calculated more often, has used up numbers: then
 * the next one is free.
 */
function nextRound(last: number, due: number): number | undefined {
  if (last > due + 1) return last + 1;
  return last >= due ? undefined : due;
}
