/** Values a demo span may carry. */
export type DemoValue = string | number | boolean;

/** One span to be, with what it calls. Times are milliseconds relative to the parent's start. */
export interface Call {
  readonly service: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Pause after the previous sibling's end (or the parent's start) before this begins. */
  readonly afterMs?: number;
  /** Own time, spent before, between and after the children. */
  readonly ownMs: number;
  readonly attributes?: Readonly<Record<string, DemoValue>>;
  readonly events?: readonly DemoEvent[];
  /** Sets the status to error with this message. */
  readonly error?: string;
  readonly children?: readonly Call[];
  /** Begins beside its next sibling instead of before it. */
  readonly parallel?: boolean;
  /** Begins after the parent ended: a message taken from a queue. */
  readonly detached?: boolean;
}

/** Something that happened within a span, `atShare` of its duration after its start. */
export interface DemoEvent {
  readonly name: string;
  readonly atShare: number;
  readonly attributes?: Readonly<Record<string, DemoValue>>;
}
