/** One thing `clew doctor` looked at. */
export interface Finding {
  readonly area: string;
  readonly level: 'ok' | 'warning' | 'problem';
  /** What was seen. */
  readonly text: string;
  /** What to do about it; absent when all is well. */
  readonly advice?: string;
}

/** Looks at one area and reports what it saw. Must not throw: a failed look is a finding. */
export type Check = () => Promise<readonly Finding[]>;
