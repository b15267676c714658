import { saidOncePerMinute } from '../telemetry/exporter/telemetry.ts';
import type { ForwardedLine } from './forwarding-logger.ts';

/** Lines of different threads within this time are about the same thing. */
const WINDOW_MS = 5000;
const MAX_REMEMBERED = 1000;

/** Lines that a thread says at most once a minute are said once a minute by all together. */
const OWN_PACE_MS = 60_000;

/** Tells lines that say something new from those that another thread has just said. */
export class EchoFilter {
  readonly #nowMs: () => number;
  readonly #seen = new Map<string, { readonly thread: number; readonly atMs: number }>();

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** What a thread repeats itself is no echo. Numbers do not count: each thread has its own. */
  isEcho(thread: number, { level, message, fields }: ForwardedLine): boolean {
    const key = JSON.stringify([level, message, fields], (_name, value: unknown) =>
      typeof value === 'bigint' || typeof value === 'number' ? undefined : value,
    );
    const nowMs = this.#nowMs();
    const seen = this.#seen.get(key);
    const windowMs = saidOncePerMinute.has(message) ? OWN_PACE_MS : WINDOW_MS;
    if (seen !== undefined && seen.thread !== thread && nowMs - seen.atMs < windowMs) return true;
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.set(key, { thread, atMs: nowMs });
    return false;
  }
}
