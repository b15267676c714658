import type { Telemetry } from '@clew/base';
import type { FilterConfig } from './config.ts';

/** What a filter reports. */
export interface FilterEvents {
  configured(config: FilterConfig): void;
  /** Spans dropped as the settings intend. */
  filtered(spans: number): void;
}

/** The reference collector's metric and log line of filtering. */
export function filterEvents({ logger, meter }: Telemetry, filter: string): FilterEvents {
  const filtered = meter.counter({
    name: 'otelcol_processor_filter_spans_filtered',
    help: 'Number of spans dropped by the filter processor.',
    labels: ['filter'],
    otelUnit: '{spans}',
  });
  return {
    configured: ({ spans }) =>
      logger.info('Span filter configured', { include: spans?.include, exclude: spans?.exclude }),
    filtered: (spans) => filtered.add(spans, { filter }),
  };
}
