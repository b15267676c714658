import type { EngineState, StatementClass } from './client.ts';
import type { StoreErrorCode } from '../errors.ts';

/** A statement has ended: enough for a histogram per class and a counter per outcome. */
export interface StatementEvent {
  readonly class: StatementClass;
  readonly comment: string;
  /** Time in the admission queue, in milliseconds. */
  readonly waitedMs: number;
  /** Time from admission to the last byte, in milliseconds. */
  readonly elapsedMs: number;
  readonly outcome: 'ok' | StoreErrorCode;
}

/** What happens around the engine, for logs and metrics. Handlers must not throw. */
export type EngineEvent =
  | { readonly kind: 'state'; readonly state: EngineState }
  | { readonly kind: 'statement'; readonly statement: StatementEvent }
  /** A line the engine's process printed. */
  | { readonly kind: 'output'; readonly line: string }
  /** Something an operator should look at although the engine works. */
  | { readonly kind: 'warning'; readonly message: string };
