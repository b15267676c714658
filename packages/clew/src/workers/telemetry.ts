import type { Telemetry } from '@clew/base';

/** What happens to edge workers. */
export interface WorkerEvents {
  /** A thread ended unasked; it is started again after a pause. */
  lost(index: number, reason: string, batchesInFlight: number, pauseMs: number): void;
  /** A thread that was lost works again. */
  recovered(index: number): void;
  /** A new thread did not come to work; it is tried again. */
  recoveryFailed(index: number, reason: string): void;
  /** Publishes how many threads run. */
  observe(running: () => number): () => void;
}

/** Counts and logs what happens to edge workers. */
export function workerEvents({ logger, meter }: Telemetry): WorkerEvents {
  const lost = meter.counter({ name: 'clew_workers_lost_total', help: 'Edge workers that ended unasked.' });
  const requests = meter.counter({
    name: 'clew_workers_lost_requests_total',
    help: 'Requests handed over by a worker that ended before it could answer them; their clients send again.',
  });
  return {
    lost(index, reason, batchesInFlight, pauseMs) {
      lost.add(1);
      requests.add(batchesInFlight);
      logger.error('An edge worker ended; its clients send again, and it is started again.', {
        worker: index,
        reason,
        requestsInFlight: batchesInFlight,
        pauseMs,
      });
    },
    recovered: (index) => logger.info('An edge worker was started again.', { worker: index }),
    recoveryFailed: (index, reason) =>
      logger.error('An edge worker could not be started again; it is tried once more.', { worker: index, reason }),
    observe: (running) =>
      meter.observe({ name: 'clew_workers_running', help: 'Edge workers that receive.' }, () => [{ value: running() }]),
  };
}
