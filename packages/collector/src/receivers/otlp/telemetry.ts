import type { Telemetry } from '@clew/base';

/** Told of records of a signal nobody here consumes. */
export type OnUnconsumed = (signal: 'logs' | 'metrics', items: number) => void;

/** Counts them, and says once per signal that they are not kept. */
export function countUnconsumed({ logger, meter }: Telemetry, receiver: string): OnUnconsumed {
  const unconsumed = meter.counter({
    name: 'clew_receiver_unconsumed_items_total',
    help: 'Log records and metric data points answered with partial success because no pipeline takes them.',
    labels: ['receiver', 'signal'],
  });
  const told = new Set<string>();
  return (signal, items) => {
    unconsumed.add(items, { receiver, signal });
    if (told.has(signal)) return;
    told.add(signal);
    logger.info(`A client sends ${signal}, which no pipeline takes; it is answered with partial success.`, {
      receiver,
      items,
    });
  };
}
