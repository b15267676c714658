import type { MetricFamily } from '@clew/base/node';
import { mergeFamilies } from '@clew/base/node';
import { lastingDetails, mergeDetails } from './merge-details.ts';
import type { Details, WorkerReport } from './protocol.ts';

/** What the workers last said of themselves, and what outlives those that ended: totals never go down. */
export class WorkerFigures {
  readonly #reports = new Map<number, WorkerReport>();
  readonly #lasting = new Map<string, Details>();
  #lastingFamilies: readonly MetricFamily[] = [];

  /** A worker told of itself. */
  set(index: number, report: WorkerReport): void {
    this.#reports.set(index, report);
  }

  /** A worker ended: its totals are kept, what it held is gone. */
  retire(index: number): void {
    const report = this.#reports.get(index);
    if (report === undefined) return;
    this.#reports.delete(index);
    for (const { place, key, details } of report.details) {
      const name = `${place}/${key}`;
      this.#lasting.set(name, mergeDetails([lastingDetails(details), this.#lasting.get(name) ?? {}]));
    }
    const totals = report.families.filter(({ kind }) => kind !== 'gauge');
    this.#lastingFamilies = mergeFamilies([this.#lastingFamilies, totals]);
  }

  /** A place is gone, and with it the totals of its components, as when they run in the main thread. */
  forget(place: number): void {
    for (const name of this.#lasting.keys()) if (name.startsWith(`${place}/`)) this.#lasting.delete(name);
  }

  /** Bytes all workers hold. */
  get heldBytes(): number {
    return [...this.#reports.values()].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Metrics of each worker, and of those that ended. */
  get families(): readonly (readonly MetricFamily[])[] {
    return [...this.#byIndex().map(({ families }) => families), this.#lastingFamilies];
  }

  /** The snapshot of a node over all workers. */
  details(place: number, key: string): Details {
    const live = this.#byIndex().flatMap(({ details }) =>
      details.filter((entry) => entry.place === place && entry.key === key).map((entry) => entry.details),
    );
    return mergeDetails([...live, this.#lasting.get(`${place}/${key}`) ?? {}]);
  }

  /** The first worker first: it knows the addresses that only one can listen on. */
  #byIndex(): WorkerReport[] {
    return [...this.#reports].toSorted(([a], [b]) => a - b).map(([, report]) => report);
  }
}
