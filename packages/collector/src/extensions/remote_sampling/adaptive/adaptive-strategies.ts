import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { errorMessage } from '@clew/base';
import { isSamplingStorage } from '@clew/pipeline';
import type { Component, Host, SamplingStore } from '@clew/pipeline';
import type { Limit } from '@clew/base';
import type { SamplingStrategy } from '@clew/wire/jaeger';
import { CollectorError } from '../../../errors.ts';
import { repeat } from '../repeat.ts';
import type { StrategyProvider } from '../strategy-provider.ts';
import { AdaptiveController } from './controller.ts';
import type { AdaptiveOptions } from './controller.ts';
import { Election } from './election.ts';
import { ServedNotes } from './served-notes.ts';
import type { AdaptiveEvents } from './telemetry.ts';

/** What adaptive strategies are made with. */
export interface AdaptiveStrategiesOptions extends AdaptiveOptions {
  readonly leaderLeaseRefreshMs: number;
  /** Also how long a lease holds. */
  readonly followerLeaseRefreshMs: number;
  /** Id of the extension that stores; absent: whichever there is. */
  readonly storage?: string;
  readonly maxServices: Limit;
  readonly maxOperations: Limit;
  readonly events: AdaptiveEvents;
}

/** How often those who do not calculate look for a new round, at most. */
const maxRefreshMs = 20_000;
/** How long a claim is looked at before it counts, at most. */
const maxSettleMs = 2000;
/** Where in its interval a round is calculated: a moment after its beginning. */
const roundOffset = 0.05;

/** Time for the last words to the store. */
const farewellMs = 1000;

interface Running {
  readonly controller: AdaptiveController;
  readonly election: Election | undefined;
  readonly loops: Promise<unknown>;
}

/**
 * Serves strategies that are calculated from the stored traffic. Of all processes that share a storage one calculates; all serve
 * what it found out, and note whom they served.
 */
export class AdaptiveStrategies implements StrategyProvider {
  readonly #options: AdaptiveStrategiesOptions;
  readonly #notes: ServedNotes;
  readonly #stopping = new AbortController();
  #running: Running | undefined;

  constructor(options: AdaptiveStrategiesOptions) {
    this.#options = options;
    this.#notes = new ServedNotes(options.maxServices);
  }

  /** Rejects with `sampling_store_missing`. The store need not be reachable yet: until it is, initial values are served. */
  async start(host: Host): Promise<void> {
    if (this.#running !== undefined) return;
    const store = this.#findStore(host);
    const { maxOperations } = this.#options;
    const controller = new AdaptiveController({ options: this.#options, store, notes: this.#notes, maxOperations });
    const election = store.exclusive ? undefined : this.#election(store);
    this.#running = { controller, election, loops: this.#loops(controller, election) };
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#stopping.abort();
    if (running === undefined) return;
    await running.loops;
    if (deadline.aborted) return;
    // Nice to have done: a store that is away must not hold up the end.
    const brief = AbortSignal.any([deadline, AbortSignal.timeout(farewellMs)]);
    await this.#attempt('resign', () => running.election?.resign(brief) ?? Promise.resolve());
    await this.#attempt('note', () => running.controller.flushNotes(brief));
  }

  strategyFor(service: string): SamplingStrategy {
    if (this.#running === undefined) throw new Error('adaptive sampling is not running');
    const { strategy, version } = this.#running.controller.strategies.of(service);
    this.#notes.note(service, version, Date.now());
    return strategy;
  }

  snapshot(): Readonly<Record<string, unknown>> {
    const { controller, election } = this.#running ?? {};
    return {
      kind: 'adaptive',
      leader: this.#running !== undefined && (election?.leader ?? true),
      round: controller?.strategies.round ?? 0,
      services: controller?.strategies.services ?? 0,
      operations: controller?.strategies.operations ?? 0,
    };
  }

  #findStore(host: Host): SamplingStore {
    const { storage, events } = this.#options;
    const named: Component | undefined = storage === undefined ? undefined : host.extension(storage);
    if (named !== undefined && isSamplingStorage(named)) return named.samplingStore;
    const found = host.capability(isSamplingStorage);
    if (found === undefined) {
      throw new CollectorError(
        'sampling_store_missing',
        'adaptive sampling needs a storage, for it is computed from what is stored: add the extension clew_storage to extensions and, before ' +
          'this one, to service::extensions; or serve the strategies of a file (remote_sampling::file)',
      );
    }
    if (storage !== undefined) events.otherStorage(storage);
    return found.samplingStore;
  }

  #election(store: SamplingStore): Election {
    const { leaderLeaseRefreshMs, followerLeaseRefreshMs } = this.#options;
    return new Election({
      store,
      holder: `${hostname()}/${process.pid}/${randomUUID()}`,
      leaseMs: followerLeaseRefreshMs,
      renewMs: Math.min(leaderLeaseRefreshMs, followerLeaseRefreshMs / 2),
      settleMs: Math.min(maxSettleMs, followerLeaseRefreshMs / 4),
    });
  }

  #loops(controller: AdaptiveController, election: Election | undefined): Promise<unknown> {
    const { signal } = this.#stopping;
    const { intervalMs, events } = this.#options;
    const refreshMs = Math.min(maxRefreshMs, intervalMs);
    const isLeader = (): boolean => election?.leader ?? true;
    const refresh = async (): Promise<number> => {
      await this.#attempt('note', () => controller.flushNotes(signal));
      await this.#attempt('refresh', () => controller.refresh(signal));
      events.serving(controller.strategies.operations, isLeader());
      return refreshMs;
    };
    const calculate = async (): Promise<number> => {
      if (isLeader()) {
        await this.#attempt('note', () => controller.flushNotes(signal));
        await this.#attempt('calculate', async () => {
          if (await controller.calculate(Date.now(), signal)) events.calculated(controller.strategies.operations);
        });
      }
      return untilNextRound(intervalMs);
    };
    const loops = [
      repeat({ turn: refresh, firstPauseMs: 0, signal }),
      repeat({ turn: calculate, firstPauseMs: untilNextRound(intervalMs), signal }),
    ];
    if (election !== undefined) loops.push(this.#elect(election));
    return Promise.all(loops);
  }

  #elect(election: Election): Promise<void> {
    const { signal } = this.#stopping;
    const { leaderLeaseRefreshMs, events } = this.#options;
    let led = false;
    const turn = async (): Promise<number> => {
      let nextMs = leaderLeaseRefreshMs;
      await this.#attempt('elect', async () => {
        ({ nextMs } = await election.step(signal));
      });
      if (election.leader !== led) events.leads(election.leader);
      led = election.leader;
      return nextMs;
    };
    return repeat({ turn, firstPauseMs: 0, signal });
  }

  /** Does something the store may fail at; the next turn tries again. */
  async #attempt(what: Parameters<AdaptiveEvents['failed']>[0], work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#options.events.succeeded(what);
    } catch (caught) {
      if (!this.#stopping.signal.aborted) this.#options.events.failed(what, errorMessage(caught));
    }
  }
}

function untilNextRound(intervalMs: number): number {
  const offsetMs = intervalMs * roundOffset;
  return intervalMs - ((Date.now() - offsetMs) % intervalMs);
}
