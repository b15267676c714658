import { setTimeout as sleep } from 'node:timers/promises';

/** Work that is done again and again. */
export interface RepeatOptions {
  /** One turn; returns how long to pause before the next, in milliseconds. What it throws is its own to handle. */
  readonly turn: () => Promise<number>;
  readonly firstPauseMs: number;
  /** Ends it behind the turn under way. */
  readonly signal: AbortSignal;
}

/** Repeats work until the signal aborts. The process does not live on for the pauses. */
export async function repeat({ turn, firstPauseMs, signal }: RepeatOptions): Promise<void> {
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    await sleep(Math.max(0, pauseMs), undefined, { signal, ref: false }).catch(() => undefined);
    if (!signal.aborted) pauseMs = await turn();
  }
}
