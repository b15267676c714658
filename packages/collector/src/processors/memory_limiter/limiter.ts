import { totalmem } from 'node:os';
import type { MemoryLimiterConfig } from './config.ts';
import type { LimiterEvents } from './telemetry.ts';

/** What a limiter looks at; replaced in tests. */
export interface MemoryProbe {
  /** Bytes in use, array buffers included. */
  usedBytes(): number;
  /** Collects garbage when the runtime lets it be asked for; returns whether it did. */
  collect(): boolean;
  /** Bytes the process may have: its control group's limit, else the machine's memory. */
  availableBytes(): number;
  /** A clock in milliseconds. */
  nowMs(): number;
}

/** The probe of this process. */
export const processMemory: MemoryProbe = {
  usedBytes() {
    // `external` includes array buffers.
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  collect() {
    const { gc } = globalThis as { gc?: () => void };
    gc?.();
    return gc !== undefined;
  },
  availableBytes() {
    const constrained = process.constrainedMemory();
    return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  },
  nowMs: () => performance.now(),
};

const mebibyte = 2 ** 20;
/** A collection that frees less than this part of the use did not help. */
const effectiveShare = 0.05;

/** Bytes at which a limiter refuses, and at which it is worse. */
export interface MemoryLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
}

/** The limits that settings mean on a machine with this much memory. */
export function memoryLimits(config: MemoryLimiterConfig, availableBytes: number): MemoryLimits {
  const share = (percentage: number): number => (percentage / 100) * availableBytes;
  const hardBytes = config.limit_mib > 0 ? config.limit_mib * mebibyte : share(config.limit_percentage);
  const spike = config.limit_mib > 0 ? config.spike_limit_mib * mebibyte : share(config.spike_limit_percentage);
  return { hardBytes, softBytes: hardBytes - (spike > 0 ? spike : hardBytes / 5) };
}

/** How often garbage may be collected on demand: seldom when that does not help. */
class CollectionPace {
  readonly #minMs: number;
  readonly #maxMs: number;
  #intervalMs: number;
  #lastMs = -Infinity;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#intervalMs = minMs;
  }

  due(nowMs: number): boolean {
    return nowMs - this.#lastMs >= this.#intervalMs;
  }

  collected(nowMs: number, effective: boolean): void {
    this.#lastMs = nowMs;
    if (effective || this.#maxMs === 0) this.#intervalMs = this.#minMs;
    else this.#intervalMs = Math.min(this.#maxMs, Math.max(this.#intervalMs * 2, 1000));
  }
}

/**
 * Watches memory and says whether data may come in. Use is measured every `check_interval`; in between, the bytes that were
 * admitted since are added, so that a burst cannot outrun the measurement.
 */
export class MemoryLimiter {
  readonly limits: MemoryLimits;
  readonly #config: MemoryLimiterConfig;
  readonly #probe: MemoryProbe;
  readonly #events: LimiterEvents;
  readonly #softPace: CollectionPace;
  readonly #hardPace: CollectionPace;
  /** Bytes held where the probe cannot see them. */
  #heldElsewhere: () => number = () => 0;
  #users = 0;
  #timer: NodeJS.Timeout | undefined;
  #measuredBytes = 0;
  #admittedBytes = 0;
  #refusing = false;

  constructor(config: MemoryLimiterConfig, events: LimiterEvents, probe: MemoryProbe) {
    this.#config = config;
    this.#probe = probe;
    this.#events = events;
    this.limits = memoryLimits(config, probe.availableBytes());
    this.#softPace = new CollectionPace(
      config.min_gc_interval_when_soft_limited,
      config.max_gc_interval_when_soft_limited,
    );
    this.#hardPace = new CollectionPace(
      config.min_gc_interval_when_hard_limited,
      config.max_gc_interval_when_hard_limited,
    );
  }

  /** Whether data is refused now. */
  get refusing(): boolean {
    return this.#refusing;
  }

  /** Bytes in use as far as known: the last measurement and what was admitted since. */
  get usedBytes(): number {
    return this.#measuredBytes + this.#admittedBytes;
  }

  /** Starts watching with its first user; several pipelines share one limiter. */
  acquire(heldElsewhere: () => number): void {
    if (this.#users++ > 0) return;
    this.#heldElsewhere = heldElsewhere;
    this.check();
    this.#timer = setInterval(() => this.check(), this.#config.check_interval);
    this.#timer.unref();
  }

  /** Stops watching with its last user. */
  release(): void {
    if (this.#users === 0 || --this.#users > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Whether a request of so many bytes may come in; what may is counted until the next measurement. */
  admits(requestBytes: number): boolean {
    if (this.#refusing || this.usedBytes + requestBytes >= this.limits.hardBytes) return false;
    this.#admittedBytes += requestBytes;
    return true;
  }

  /** Measures, collects garbage when that is due and might help, and decides. */
  check(): void {
    const { softBytes, hardBytes } = this.limits;
    let used = this.#measure();
    if (used >= softBytes) used = this.#collect(used, this.#softPace);
    if (used >= hardBytes) used = this.#collect(used, this.#hardPace);
    this.#measuredBytes = used;
    this.#admittedBytes = 0;
    const refuse = used >= softBytes;
    if (refuse !== this.#refusing) {
      this.#refusing = refuse;
      if (refuse) this.#events.refusing(used);
      else this.#events.resumed(used);
    }
  }

  #measure(): number {
    return this.#probe.usedBytes() + this.#heldElsewhere();
  }

  #collect(used: number, pace: CollectionPace): number {
    const nowMs = this.#probe.nowMs();
    if (!pace.due(nowMs) || !this.#probe.collect()) return used;
    const after = this.#measure();
    pace.collected(nowMs, used - after >= used * effectiveShare);
    return after;
  }
}
