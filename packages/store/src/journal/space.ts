import { StoreError } from '../errors.ts';
import { isErrno } from './journal-fs.ts';
import type { DiskSpace, JournalFs } from './journal-fs.ts';

const GIB = 1024 ** 3;
/** Ceiling of the default of `journal.max_bytes`. */
export const DEFAULT_MAX_BYTES = 10 * GIB;
/** Share of the free disk that bounds the default. */
const DEFAULT_FREE_SHARE = 0.2;
/** Default of `journal.min_free_bytes`: left to the engine, which needs room to merge its way out of a full disk. */
export const DEFAULT_MIN_FREE_BYTES = 256 * 1024 * 1024;
/** How old a look at the disk may be, in milliseconds. */
const LOOK_MS = 1000;

/** The default of `journal.max_bytes` on a disk with this much room: min(10 GiB, 20 % of what is free). */
export function defaultMaxBytes(space: DiskSpace): number {
  return Math.floor(Math.min(DEFAULT_MAX_BYTES, space.freeBytes * DEFAULT_FREE_SHARE));
}

/** Settings of {@link SpaceWatch}. */
export interface SpaceLimits {
  readonly maxBytes: number;
  readonly minFreeBytes: number;
}

/**
 * Says whether there is room for more: bytes the journal holds against `journal.max_bytes`, and free disk against
 * `journal.min_free_bytes`, looked at no more than once a second. After the disk said "full", nothing is tried for a second.
 */
export class SpaceWatch {
  readonly limits: SpaceLimits;
  freeBytes: number;
  readonly #fs: JournalFs;
  readonly #directory: string;
  readonly #now: () => number;
  #lookedMs = -Infinity;
  #looking = false;
  #fullUntilMs = -Infinity;

  constructor(fs: JournalFs, directory: string, limits: SpaceLimits, space: DiskSpace, now: () => number) {
    this.#fs = fs;
    this.#directory = directory;
    this.limits = limits;
    this.freeBytes = space.freeBytes;
    this.#now = now;
  }

  /** Why `bytes` more cannot be taken on top of `heldBytes`, or undefined. */
  refusal(heldBytes: number, bytes: number): StoreError | undefined {
    this.#look();
    const { maxBytes, minFreeBytes } = this.limits;
    if (heldBytes + bytes > maxBytes) {
      return new StoreError(
        'journal_full',
        `the journal holds ${heldBytes} bytes and takes no ${bytes} more: the limit clew_storage.journal.max_bytes is ${maxBytes}; it empties as soon as the engine stores again`,
        { details: { heldBytes, bytes, maxBytes } },
      );
    }
    if (this.#now() < this.#fullUntilMs || this.freeBytes - bytes < minFreeBytes) {
      return new StoreError(
        'disk_full',
        `the disk under the journal ${this.#directory} has ${this.freeBytes} bytes free and clew_storage.journal.min_free_bytes keeps ${minFreeBytes} of them; free some space`,
        { details: { freeBytes: this.freeBytes, minFreeBytes } },
      );
    }
    return undefined;
  }

  /** Learns from a failed write; true when the disk was full. */
  noteFailure(error: unknown): boolean {
    if (!isErrno(error, 'ENOSPC') && !isErrno(error, 'EDQUOT')) return false;
    this.#fullUntilMs = this.#now() + LOOK_MS;
    return true;
  }

  #look(): void {
    const now = this.#now();
    if (this.#looking || now - this.#lookedMs < LOOK_MS) return;
    this.#looking = true;
    this.#lookedMs = now;
    this.#fs.space(this.#directory).then(
      (space) => {
        this.freeBytes = space.freeBytes;
        this.#looking = false;
      },
      () => {
        // The last known value stands; a directory that is really gone fails the next write with its own error.
        this.#looking = false;
      },
    );
  }
}
