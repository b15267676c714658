import type { Telemetry } from '@clew/base';
import { PrometheusMeter, createLogger, mergeFamilies } from '@clew/base/node';
import type { MetricFamily, RootLogger } from '@clew/base/node';
import { observeProcess } from '@clew/pipeline';
import type { TelemetryConfig } from '@clew/pipeline';

/** The program's own logger and metrics. */
export interface OwnTelemetry extends Telemetry {
  readonly logger: RootLogger;
  readonly meter: PrometheusMeter;
  /** All metrics of the program, those of its other threads added. */
  collect(): Promise<readonly MetricFamily[]>;
  /** Adds the metrics of other threads. */
  addThreads(families: () => Promise<readonly (readonly MetricFamily[])[]>): void;
  /** Stops sampling the process. */
  close(): void;
}

/** Telemetry as `service::telemetry` says it. */
export function createTelemetry({ logs }: TelemetryConfig): OwnTelemetry {
  const logger = createLogger({
    level: logs.level,
    encoding: logs.encoding,
    outputPaths: logs.output_paths,
    fields: logs.initial_fields,
    disableStacktrace: logs.disable_stacktrace,
    sampling: {
      enabled: logs.sampling.enabled,
      tickMs: logs.sampling.tick,
      initial: logs.sampling.initial,
      thereafter: logs.sampling.thereafter,
    },
  });
  const meter = new PrometheusMeter();
  let threads: () => Promise<readonly (readonly MetricFamily[])[]> = () => Promise.resolve([]);
  return {
    logger,
    meter,
    async collect() {
      const others = await threads();
      const merged = mergeFamilies([await meter.collect(), ...others]);
      return merged.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    addThreads: (families) => void (threads = families),
    close: observeProcess(meter),
  };
}
