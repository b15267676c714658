/** One thing to be measured. */
export interface Method {
  readonly name: string;
  readonly bytes: number;
  /** Handles all requests once. */
  readonly pass: () => void;
}

/** Keeps results reachable, so that no work can be optimised away. */
let sink: unknown;

/** Whether anything was run. */
export function hasResults(): boolean {
  return sink !== undefined;
}

/** A pass over all items. */
export function each<T>(items: readonly T[], run: (item: T) => unknown): () => void {
  return () => {
    for (const item of items) sink = run(item);
  };
}

/** Bytes of all together. */
export function size(list: readonly Uint8Array[]): number {
  return list.reduce((sum, bytes) => sum + bytes.length, 0);
}
