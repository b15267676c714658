import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from 'prom-client';
import { BaseError } from '../errors.ts';
import type {
  Counter,
  Gauge,
  Histogram,
  Labels,
  Meter,
  MetricLevel,
  MetricOptions,
  Observation,
  ObserveOptions,
} from '../telemetry.ts';
import { exposeText } from './exposition.ts';
import type { ExpositionOptions, MetricFamily } from './exposition.ts';

interface Entry {
  readonly kind: string;
  readonly otelUnit: string | undefined;
  readonly level: MetricLevel;
  readonly handle: unknown;
}

/**
 * The {@link Meter} on top of prom-client, with the Prometheus text on the other end. Each worker has one; families taken
 * with {@link collect} can be sent between threads and merged with {@link mergeFamilies}.
 */
export class PrometheusMeter implements Meter {
  readonly #registry = new Registry();
  readonly #entries = new Map<string, Entry>();
  readonly #readers = new Map<string, Set<() => Iterable<Observation>>>();

  counter(options: MetricOptions): Counter {
    return this.#once('counter', options, () => {
      const metric = new PromCounter(this.#configuration(options));
      return {
        add: (value: number, labels?: Labels) => (labels === undefined ? metric.inc(value) : metric.inc(labels, value)),
      };
    });
  }

  gauge(options: MetricOptions): Gauge {
    return this.#once('gauge', options, () => {
      const metric = new PromGauge(this.#configuration(options));
      return {
        set: (value: number, labels?: Labels) => (labels === undefined ? metric.set(value) : metric.set(labels, value)),
      };
    });
  }

  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): Histogram {
    return this.#once('histogram', options, () => {
      const metric = new PromHistogram({ ...this.#configuration(options), buckets: [...options.buckets] });
      return {
        record: (value: number, labels?: Labels) =>
          labels === undefined ? metric.observe(value) : metric.observe(labels, value),
      };
    });
  }

  observe(options: ObserveOptions, read: () => Iterable<Observation>): () => void {
    const readers = this.#once(`observed ${options.kind ?? 'gauge'}`, options, () => {
      const set = new Set<() => Iterable<Observation>>();
      this.#readers.set(options.name, set);
      // prom-client calls `collect` with the metric as `this` before each scrape.
      new PromGauge({
        ...this.#configuration(options),
        collect(): void {
          this.reset();
          for (const reader of set) for (const { value, labels } of reader()) this.set(labels ?? {}, value);
        },
      });
      return set;
    });
    readers.add(read);
    return () => void readers.delete(read);
  }

  /** All metrics as plain data, sorted by name. */
  async collect(): Promise<MetricFamily[]> {
    const families: MetricFamily[] = [];
    for (const metric of await this.#registry.getMetricsAsJSON()) {
      const entry = this.#entries.get(metric.name)!;
      families.push({
        name: metric.name,
        help: metric.help,
        kind: entry.kind.replace('observed ', '') as MetricFamily['kind'],
        level: entry.level,
        ...(entry.otelUnit === undefined ? {} : { otelUnit: entry.otelUnit }),
        samples: metric.values.map((sample) => ({
          name: ('metricName' in sample ? (sample.metricName as string | undefined) : undefined) ?? metric.name,
          labels: Object.fromEntries(Object.entries(sample.labels).map(([key, value]) => [key, String(value)])),
          value: sample.value,
        })),
      });
    }
    return families.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The Prometheus text format of all metrics. */
  async expose(options: ExpositionOptions): Promise<string> {
    return exposeText(await this.collect(), options);
  }

  #configuration(options: MetricOptions): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    return {
      name: options.name,
      help: options.help,
      labelNames: [...(options.labels ?? [])],
      registers: [this.#registry],
    };
  }

  #once<T>(kind: string, options: MetricOptions, make: () => T): T {
    const known = this.#entries.get(options.name);
    if (known === undefined) {
      const handle = make();
      // The prefix alone says whose naming a metric follows; a unit that nobody stated has no spelling.
      const otelUnit = options.otelUnit ?? (options.name.startsWith('otelcol_') ? '' : undefined);
      const level = options.level ?? (kind === 'histogram' ? 'normal' : 'basic');
      this.#entries.set(options.name, { kind, otelUnit, level, handle });
      return handle;
    }
    if (known.kind !== kind) {
      const message = `metric ${options.name} is asked for as ${kind}, but exists as ${known.kind}; give one of them another name`;
      throw new BaseError('invalid_state', message);
    }
    return known.handle as T;
  }
}

/**
 * Metrics of several workers as one: counters and histograms of equal labels add up, gauges too (sizes and queue lengths
 * of workers add up to those of the process).
 */
export function mergeFamilies(parts: readonly (readonly MetricFamily[])[]): MetricFamily[] {
  const merged = new Map<string, MetricFamily & { index: Map<string, number> }>();
  for (const family of parts.flat()) {
    let target = merged.get(family.name);
    if (target === undefined) merged.set(family.name, (target = { ...family, samples: [], index: new Map() }));
    for (const sample of family.samples) {
      const key = `${sample.name} ${labelKey(sample.labels)}`;
      const at = target.index.get(key);
      if (at === undefined) target.index.set(key, target.samples.push({ ...sample }) - 1);
      else target.samples[at]!.value += sample.value;
    }
  }
  return [...merged.values()].map(({ index: _index, ...family }) => family);
}

/** The same text for the same labels, whatever their order. */
function labelKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
