import type { FaultStep } from '../../journal/faults.ts';

/** Who is ended with SIGKILL. */
export type Victim = 'main' | 'engine' | 'both';

/** When a victim is ended. */
export type Moment =
  /** The `nth` time a named step is passed. */
  | { readonly kind: 'step'; readonly step: FaultStep; readonly nth: number }
  /** That long after requests began to be taken. */
  | { readonly kind: 'time'; readonly afterMs: number };

/** What the process under test is told, as JSON in `CLEW_DURABILITY`. */
export interface LifePlan {
  readonly directory: string;
  /** Requests that were sent before and not seen acknowledged: they are sent again, byte for byte the same. */
  readonly repeat: readonly number[];
  /** Number of the first new request. */
  readonly next: number;
  readonly senders: number;
  readonly kill?: { readonly victim: Victim; readonly moment: Moment };
  /** New requests to send before it stops by itself; a life that is to be ended has no end of its own. */
  readonly requests?: number;
  /** Ask the tables at the end. */
  readonly verify: boolean;
}

/** What the process under test reports. */
export type LifeReport =
  | { readonly kind: 'acknowledged'; readonly request: number }
  /** The engine was ended; the process goes on for a while and then stops by itself. */
  | { readonly kind: 'engine_killed' }
  | { readonly kind: 'verified'; readonly rows: number; readonly wrong: readonly string[] };

/** How many spans request number `request` has. */
export function spansOf(request: number): number {
  return 1 + ((request * 7) % 40);
}
