import { silentTelemetry } from '@clew/base';
import type { Labels, Telemetry } from '@clew/base';

/** Telemetry that keeps what was counted, for tests: values by metric name, followed by its label values if it has any. */
export class RecordingTelemetry implements Telemetry {
  readonly counted = new Map<string, number>();
  readonly logger = silentTelemetry.logger;
  readonly #observed = new Map<string, () => number>();

  readonly meter: Telemetry['meter'] = {
    counter: ({ name }) => ({ add: (value, labels) => this.#add(name, value, labels) }),
    gauge: ({ name }) => ({ set: (value) => this.counted.set(name, value) }),
    observe: ({ name }, read) => {
      this.#observed.set(name, () => [...read()][0]!.value);
      return () => this.#observed.delete(name);
    },
    histogram: ({ name }) => ({ record: (_, labels) => this.#add(`${name}_count`, 1, labels) }),
  };

  /** What a scrape would show of a metric. */
  value(name: string): number | undefined {
    return this.#observed.get(name)?.() ?? this.counted.get(name);
  }

  #add(name: string, value: number, labels: Labels | undefined): void {
    const key = [name, ...Object.values(labels ?? {})].join(' ');
    this.counted.set(key, (this.counted.get(key) ?? 0) + value);
  }
}
