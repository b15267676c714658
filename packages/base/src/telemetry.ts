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

/**
 * What makes a metric; `labels` lists every label it may carry. `name` is complete (unit and `_total` included), unless
 * `otelUnit` is given or it begins with `otelcol_`.
 */
export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /**
   * Present on metrics that follow the OpenTelemetry Collector's naming: `name` is then bare, and whether unit and `_total`
   * are appended is a setting of whoever exposes it (`without_units`, `without_type_suffix`). Units are UCUM codes such as
   * `s` and `By`; annotations such as `{spans}` are never appended.
   */
  readonly otelUnit?: string;
  /** From which level of detail on it is exposed. Default: `normal` for histograms, `basic` for everything else. */
  readonly level?: MetricLevel;
}

/** How much of the metrics is exposed: each level includes those before it. */
export type MetricLevel = 'basic' | 'normal' | 'detailed';

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

/** What makes a metric that is read on demand; `kind` is `gauge` unless said otherwise. */
export interface ObserveOptions extends MetricOptions {
  readonly kind?: 'gauge' | 'counter';
}

/** One value of a metric that is read on demand. */
export interface Observation {
  readonly value: number;
  readonly labels?: Labels;
}

/** Makes metrics. Asking twice for one name returns the same metric. */
export interface Meter {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  /**
   * A gauge, or a counter kept elsewhere, that is read when metrics are scraped. Several owners of one name are told apart by
   * their labels. The returned function ends the owner's part.
   */
  observe(options: ObserveOptions, read: () => Iterable<Observation>): () => void;
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
    observe: () => () => {},
    histogram: () => ({ record() {} }),
  },
};
