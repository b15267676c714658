/** Where something was written. Line and column count from 1; columns in UTF-16 units. */
export interface SourcePosition {
  /** The file as named by the user or by the `include` that led to it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What everything with a name of its own has: that name, unique per kind, and where it was written. */
export interface Named {
  readonly id: string;
  readonly position: SourcePosition;
}
