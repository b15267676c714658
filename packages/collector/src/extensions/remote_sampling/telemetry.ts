import type { Telemetry } from '@clew/base';
import type { RejectReason } from '@clew/net';

/** How a service asked for its strategy. */
export type SamplingTransport = 'http' | 'grpc';

/**
 * What became of a request: answered with a strategy; refused because it does not say for which service; failed because no
 * strategy could be had.
 */
export type SamplingOutcome = 'served' | 'refused' | 'failed';

/** What remote sampling reports: each function counts and, where somebody should look, logs. */
export interface SamplingEvents {
  requested(transport: SamplingTransport, outcome: SamplingOutcome, reason?: string): void;
  /** A connection or request was turned away before it could ask. */
  rejected(reason: RejectReason, detail: string): void;
  /** Strategies were read for the first time, or others than before. */
  loaded(source: string, services: number, warnings: readonly string[], warningCount: number): void;
  /** The source says that there are no strategies. */
  noStrategies(source: string): void;
  reloaded(outcome: 'changed' | 'unchanged'): void;
  /** The strategies in force stay; `isNew` tells the first failure for a reason from its repetitions. */
  reloadFailed(reason: string, isNew: boolean): void;
}

/** Makes the events of one extension. */
export function samplingEvents({ logger, meter }: Telemetry, extension: string): SamplingEvents {
  const requests = meter.counter({
    name: 'clew_sampling_requests_total',
    help: 'Requests of services that ask how much to sample, by outcome.',
    labels: ['extension', 'transport', 'outcome'],
  });
  const reloads = meter.counter({
    name: 'clew_sampling_reloads_total',
    help: 'Times the sampling strategies were read again, by outcome.',
    labels: ['extension', 'outcome'],
  });
  const rejections = meter.counter({
    name: 'clew_sampling_rejected_requests_total',
    help: 'Connections and requests turned away before they could ask how much to sample, by reason.',
    labels: ['extension', 'reason'],
  });
  return {
    rejected(reason, detail) {
      rejections.add(1, { extension, reason });
      logger.debug('Turned a request for a sampling strategy away.', { extension, reason, detail });
    },
    requested(transport, outcome, reason) {
      requests.add(1, { extension, transport, outcome });
      if (outcome === 'failed')
        logger.warn('A service asked for its sampling strategy in vain.', { extension, reason });
      else if (reason !== undefined) logger.debug('Refused a request for a sampling strategy.', { extension, reason });
    },
    loaded(source, services, warnings, warningCount) {
      logger.info('Sampling strategies are in force.', { extension, source, services });
      for (const warning of warnings) logger.warn(`Sampling strategies of ${source}: ${warning}`, { extension });
      const untold = warningCount - warnings.length;
      if (untold > 0) logger.warn(`Sampling strategies of ${source}: ${untold} more warnings`, { extension });
    },
    noStrategies(source) {
      logger.info('The source of sampling strategies has none now; the default is served.', { extension, source });
    },
    reloaded(outcome) {
      reloads.add(1, { extension, outcome });
    },
    reloadFailed(reason, isNew) {
      reloads.add(1, { extension, outcome: 'failed' });
      if (isNew)
        logger.error('Sampling strategies stay as they are: reading them again failed.', { extension, reason });
    },
  };
}
