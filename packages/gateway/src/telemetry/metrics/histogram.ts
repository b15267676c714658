import type { MetricFamily } from '@clew/base/node';
import type { Labels } from '@clew/base';

/** Distributions that are fed with each request. Hot path, guarded by `bench/gateway-telemetry`: recording looks at numbers alone. */

/** Seconds; the boundaries dashboards of the reference expect. */
export const durationBuckets: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Bytes. */
export const sizeBuckets: readonly number[] = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

type Sample = MetricFamily['samples'][number];

/** How many values fell below each boundary, their number and sum. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  record(value: number): void {
    const bounds = this.#bounds;
    for (let i = 0; i < bounds.length; i++) {
      if (value > bounds[i]!) continue;
      this.#counts[i]!++;
      break;
    }
    this.#count++;
    this.#sum += value;
  }

  /** The samples of the Prometheus text format. */
  addSamples(name: string, labels: Labels, samples: Sample[]): void {
    let below = 0;
    for (const [index, bound] of this.#bounds.entries()) {
      below += this.#counts[index]!;
      samples.push({ name: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: below });
    }
    samples.push({ name: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: this.#count });
    samples.push({ name: `${name}_sum`, labels, value: this.#sum });
    samples.push({ name: `${name}_count`, labels, value: this.#count });
  }
}
