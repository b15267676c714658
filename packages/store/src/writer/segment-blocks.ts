import type { Segment } from '../journal/segment.ts';

/** A block written to a file, ready to be inserted. */
export interface BlockFile {
  readonly table: string;
  readonly columns: readonly string[];
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Some spans of a record, named by where the record begins in its segment's file; all of them when `rows` is absent. */
export interface RecordPart {
  readonly offset: number;
  readonly rows?: Uint32Array | undefined;
}

/** Makes blocks of segments, wherever that happens. One segment at a time. */
export interface SegmentBlocks {
  /** Readies the place for block files and removes what an earlier run left there. */
  prepare(): Promise<void>;
  /**
   * Reads a sealed segment from disk and writes the blocks of it, or of some parts, to files, in the order in which they must be inserted. What
   * it rejects with is about the data, except for a StoreError and a system error.
   */
  build(segment: Segment, parts?: readonly RecordPart[]): Promise<BlockFile[]>;
  /** Deletes the files of the last build; `stored` says that every one of them was inserted. */
  finish(files: readonly BlockFile[], stored: boolean): Promise<void>;
  /** Partitions of these days (since 1970) were dropped. */
  forgetDays(days: readonly number[]): Promise<void>;
  close(): Promise<void>;
}
