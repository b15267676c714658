/**
 * What a component needs to be seen: log lines and metrics, as narrow interfaces without a library behind them.
 * `@clew/base/node` has the implementations (pino, prom-client); tests use {@link silentTelemetry}.
 *
 * Every event worth a metric is a function of its own in the component's `telemetry.ts` that emits the log line and
 * bumps the counter together.
 */

/** Values a log line may carry beside its message. Never secrets, never whole payloads. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log lines go. Levels say what the operator must do: error = act now, warn = look soon, info = nothing. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Label values of one metric; the label names are fixed when the metric is made, and values must be bounded. */
export type Labels = Readonly<Record<string, string>>;

/** What makes a metric. `name` is complete (unit and `_total` included); `labels` lists every label it may carry. */
export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** A number that only grows. `value` must not be negative. */
export interface Counter {
  add(value: number, labels?: Labels): void;
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
}

/** A distribution. */
export interface Histogram {
  record(value: number, labels?: Labels): void;
}

/** Makes metrics. Asking twice for one name returns the same metric. */
export interface Meter {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  /** A gauge read when metrics are scraped. Several owners of one name are told apart by their labels. */
  observe(options: MetricOptions, read: () => Iterable<{ readonly value: number; readonly labels?: Labels }>): void;
  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): Histogram;
}

/** Everything a component is given to make itself visible. */
export interface Telemetry {
  readonly logger: Logger;
  readonly meter: Meter;
}

const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** Telemetry that goes nowhere: for tests and tools. */
export const silentTelemetry: Telemetry = {
  logger: silentLogger,
  meter: {
    counter: () => ({ add() {} }),
    gauge: () => ({ set() {} }),
    observe() {},
    histogram: () => ({ record() {} }),
  },
};
