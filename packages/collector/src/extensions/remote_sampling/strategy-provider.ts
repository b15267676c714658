import type { Host } from '@clew/pipeline';
import type { SamplingStrategy } from '@clew/wire/jaeger';

/** Knows which strategy each service is to follow: from a file, from another server, or computed from stored traffic. */
export interface StrategyProvider {
  /** Rejects when it cannot serve anything, in one sentence that says what to do. Idempotent. */
  start(host: Host): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
  /** The strategy for a service, known to it or not. What it throws is told to whoever asks. */
  strategyFor(service: string, signal: AbortSignal): SamplingStrategy | Promise<SamplingStrategy>;
  /** Plain data: where the strategies come from and how many there are. */
  snapshot(): Readonly<Record<string, unknown>>;
}
