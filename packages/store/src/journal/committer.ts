import { dirname } from 'node:path';
import { fault } from './faults.ts';
import type { JournalFs } from './journal-fs.ts';
import type { Segment } from './segment.ts';

/** What the committer tells its owner. */
export interface CommitEvents {
  /** Records and requests of `segment` from the counts given up to its durable mark are safe now. */
  durable(
    segment: Segment,
    from: { readonly records: number; readonly rows: number; readonly requests: number },
    bytes: number,
    seconds: number,
  ): void;
  /** A write or sync failed; the segments were rolled back by `bytes` to their durable marks and take no more. Returns the error senders get. */
  failed(segments: readonly Segment[], bytes: number, error: unknown): unknown;
  /** The segment takes no more, everything in it is durable, and its file is closed. */
  finished(segment: Segment): void;
}

/**
 * Group commit: writes and syncs what has gathered as soon as the previous sync returned, without a timer. Everybody whose record is in a group
 * shares one promise. A hot path, guarded by `bench/journal`: nothing is allocated per record.
 *
 * A group normally touches one segment; two when one was just sealed. When any write or sync of a group fails, nothing of it that is not yet
 * durable is believed, nor what gathered meanwhile: all of it is rejected, and the segments are closed at their last durable byte, because
 * after a failed fsync the kernel may have dropped the pages.
 */
export class Committer {
  readonly #fs: JournalFs;
  readonly #events: CommitEvents;
  #dirty = new Set<Segment>();
  readonly #finishing = new Set<Segment>();
  #group: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(fs: JournalFs, events: CommitEvents) {
    this.#fs = fs;
    this.#events = events;
  }

  /** Asks for what was appended to `segment` to be made durable; settles with its group. */
  submit(segment: Segment): Promise<void> {
    this.#dirty.add(segment);
    this.#group ??= Promise.withResolvers<void>();
    const { promise } = this.#group;
    this.#kick();
    return promise;
  }

  /** Asks for `segment`, which takes no more, to be closed once it is durable. */
  finish(segment: Segment): void {
    this.#dirty.add(segment);
    this.#finishing.add(segment);
    this.#kick();
  }

  /** Settles when nothing is left to be written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #kick(): void {
    if (this.#running !== undefined) return;
    // Deferred to the end of this turn of the loop, so that requests that arrived together are one group.
    this.#running = new Promise<void>((resolve) => {
      setImmediate(() => resolve(this.#run()));
    });
  }

  async #run(): Promise<void> {
    while (this.#dirty.size > 0) {
      const group = this.#group;
      const segments = [...this.#dirty];
      this.#group = undefined;
      this.#dirty = new Set();
      try {
        for (const segment of segments) await this.#commit(segment);
        group?.resolve();
      } catch (error) {
        this.#fail(segments, group, error);
      }
      for (const segment of segments) await this.#finishIfDone(segment);
    }
    this.#running = undefined;
  }

  async #commit(segment: Segment): Promise<void> {
    const from = segment.durable;
    if (segment.bytes === from.bytes) return;
    const startedMs = performance.now();
    if (segment.file === undefined) await this.#create(segment);
    const mark = segment.mark();
    fault('journal.before_write');
    await segment.file!.write(segment.buffer!.slices(from.bytes, mark.bytes), from.bytes);
    fault('journal.after_write');
    fault('journal.before_sync');
    await segment.file!.sync();
    fault('journal.after_sync');
    segment.durable = mark;
    this.#events.durable(segment, from, mark.bytes - from.bytes, (performance.now() - startedMs) / 1000);
  }

  async #create(segment: Segment): Promise<void> {
    segment.file = await this.#fs.create(segment.path);
    fault('journal.after_create');
    await this.#fs.syncDirectory(dirname(segment.path));
  }

  #fail(segments: readonly Segment[], group: PromiseWithResolvers<void> | undefined, error: unknown): void {
    const touched = new Set([...segments, ...this.#dirty]);
    const gathered = this.#group;
    this.#group = undefined;
    let bytes = 0;
    for (const segment of touched) {
      bytes += segment.rollback();
      this.#finishing.add(segment);
      this.#dirty.add(segment);
    }
    const reason = this.#events.failed([...touched], bytes, error);
    group?.reject(reason);
    gathered?.reject(reason);
  }

  async #finishIfDone(segment: Segment): Promise<void> {
    if (!this.#finishing.has(segment) || segment.bytes !== segment.durable.bytes) return;
    this.#finishing.delete(segment);
    this.#dirty.delete(segment);
    fault('journal.before_seal');
    const file = segment.file;
    segment.file = undefined;
    try {
      await file?.truncate(segment.bytes);
    } catch {
      // What lies behind the durable end was never acknowledged; recovery judges it again.
    }
    try {
      await file?.close();
    } catch {
      // Every byte was synced before; a failed close loses nothing.
    }
    this.#events.finished(segment);
  }
}
