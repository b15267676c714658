import type { Telemetry } from '@clew/base';
import { PrometheusMeter, createLogger } from '@clew/base/node';
import type { RootLogger } from '@clew/base/node';
import { observeProcess } from '@clew/pipeline';
import type { TelemetryConfig } from '@clew/pipeline';

/** The program's own logger and metrics. */
export interface OwnTelemetry extends Telemetry {
  readonly logger: RootLogger;
  readonly meter: PrometheusMeter;
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
  return { logger, meter, close: observeProcess(meter) };
}
