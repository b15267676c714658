import type { Telemetry } from '@clew/base';

/** Steps of adaptive sampling that a storage may fail at. */
export type AdaptiveStep = 'note' | 'refresh' | 'calculate' | 'elect' | 'resign';

/** What adaptive sampling reports. */
export interface AdaptiveEvents {
  /** A round was calculated and stored. */
  calculated(operations: number): void;
  /** How many operations have a probability of their own now. */
  serving(operations: number, leader: boolean): void;
  /** This process became, or is no longer, the one that calculates. */
  leads(leader: boolean): void;
  failed(step: AdaptiveStep, reason: string): void;
  succeeded(step: AdaptiveStep): void;
  /** The configuration names a storage that is not there; there is only one. */
  otherStorage(named: string): void;
}

/** Makes the events of one extension. */
export function adaptiveEvents({ logger, meter }: Telemetry, extension: string): AdaptiveEvents {
  const labels = ['extension'];
  const rounds = meter.counter({
    name: 'clew_sampling_rounds_total',
    help: 'Rounds of adaptive sampling this process calculated.',
    labels,
  });
  const operations = meter.gauge({
    name: 'clew_sampling_adaptive_operations',
    help: 'Operations with a sampling probability of their own.',
    labels,
  });
  const leader = meter.gauge({
    name: 'clew_sampling_leader',
    help: 'Whether this process is the one that calculates sampling probabilities.',
    labels,
  });
  const failures = meter.counter({
    name: 'clew_sampling_failures_total',
    help: 'Steps of adaptive sampling that the storage failed at, by step; each is tried again.',
    labels: ['extension', 'step'],
  });
  const failing = new Set<AdaptiveStep>();
  const own = { extension };
  return {
    calculated(count) {
      rounds.add(1, own);
      operations.set(count, own);
    },
    serving(count, leads) {
      operations.set(count, own);
      leader.set(leads ? 1 : 0, own);
    },
    leads(leads) {
      leader.set(leads ? 1 : 0, own);
      const message = leads
        ? 'This process now calculates sampling probabilities.'
        : 'Another process now calculates sampling probabilities.';
      logger.info(message, own);
    },
    failed(step, reason) {
      failures.add(1, { ...own, step });
      const level = failing.has(step) ? 'debug' : 'warn';
      failing.add(step);
      logger[level]('A step of adaptive sampling failed and is tried again; probabilities stay as they are.', {
        ...own,
        step,
        reason,
      });
    },
    succeeded(step) {
      failing.delete(step);
    },
    otherStorage(named) {
      logger.warn(`There is no storage ${JSON.stringify(named)} (sampling_store); the one there is is used.`, own);
    },
  };
}
