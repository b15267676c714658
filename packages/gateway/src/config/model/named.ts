import type { SourcePosition } from '../../kdl/position.ts';

/** What everything with a name of its own has: that name, unique per kind, and where it was written. */
export interface Named {
  readonly id: string;
  readonly position: SourcePosition;
}
