import { accessSync, closeSync, constants, mkdirSync, openSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage } from '@clew/base';
import type { Logger } from '@clew/base';
import type { LogSink } from '../../config/model/observability.ts';
import { LineBuffer } from './line-buffer.ts';

/**
 * A full buffer waits this long for more, unless so many bytes have come together: to have the system write costs as much as writing
 * dozens of lines, however few there are.
 */
const GATHER_MS = 25;
const MAX_GATHERED_BYTES = 256 * 1024;
/** Buffers kept for the next lines. */
const MAX_SPARE_BYTES = 1024 * 1024;
const FLUSH_INTERVAL_MS = 1000;
const standardFds = { stdout: 1, stderr: 2 } as const;
const standardNames = { stdout: 'standard output', stderr: 'standard error' } as const;

/** Where a sink writes. */
export type SinkPlace =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' } | { readonly kind: 'stderr' };

/** Where a log goes that has no file. */
export type StandardPlace = Exclude<SinkPlace, { readonly kind: 'file' }>;

/** What has been opened for appending. */
export interface OpenPlace {
  readonly place: SinkPlace;
  readonly fd: number;
}

/** What a sink tells about itself. */
export interface SinkTelemetry {
  readonly logger: Logger;
  /** Lines were lost: no room, or the file could not be written. */
  lost(lines: number): void;
}

/** How much is gathered, and how much may wait. */
export type SinkSizes = Pick<LogSink, 'bufferBytes' | 'maxWaitingBytes'>;

/** Where the lines of a log go. */
export interface LineSink {
  /** Write a line here, then call {@link lineWritten}. */
  readonly line: LineBuffer;
  /** So many lines, with their line breaks, have been written to {@link line}. `start` is where they begin. */
  lineWritten(start: number, lines?: number): void;
  /** Opens the file anew, for it may have been renamed. */
  reopen(): void;
  /** Writes everything and closes. Idempotent; lines that come later are lost and counted. */
  close(): Promise<void>;
}

/**
 * Appends lines to a file, or to standard output. Lines are gathered in memory and written in order, one write at a time, soon
 * after `bufferBytes` have come together or when a second has passed; closing writes what is left, so that none is lost when the process ends in
 * order.
 *
 * The file is opened for appending, so that a tool which copies and truncates it does no harm; reopening follows a tool which renames it.
 */
export class FileSink implements LineSink {
  readonly line: LineBuffer = new LineBuffer();
  readonly place: SinkPlace;
  readonly #bufferBytes: number;
  readonly #maxWaitingBytes: number;
  readonly #telemetry: SinkTelemetry;
  readonly #timer: NodeJS.Timeout;
  #fd: number;
  #lines = 0;
  #writing: Writing | undefined;
  #spare: Buffer<ArrayBuffer> | undefined;
  #reopenWanted = false;
  #closed = false;
  #failed = false;
  #gathering: NodeJS.Timeout | undefined;
  readonly #flushGathered = (): void => {
    this.#gathering = undefined;
    this.flush();
  };

  constructor({ place, fd }: OpenPlace, { bufferBytes, maxWaitingBytes }: SinkSizes, telemetry: SinkTelemetry) {
    this.place = place;
    this.#fd = fd;
    this.#bufferBytes = bufferBytes;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#telemetry = telemetry;
    this.#timer = setInterval(() => this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  lineWritten(start: number, lines = 1): void {
    if (this.#closed || (this.#writing !== undefined && this.line.length > this.#maxWaitingBytes)) {
      this.line.length = start;
      this.#telemetry.lost(lines);
      return;
    }
    this.#lines += lines;
    if (this.line.length >= this.#bufferBytes) this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.line.length >= MAX_GATHERED_BYTES) this.flush();
    else this.#gathering ??= setTimeout(this.#flushGathered, GATHER_MS).unref();
  }

  /** Begins to write what has gathered, unless a write is under way; its end continues. */
  flush(): void {
    if (this.#writing !== undefined || this.#lines === 0) return;
    this.#writing = { bytes: this.line.take(this.#spare), lines: this.#lines, at: 0 };
    this.#spare = undefined;
    this.#lines = 0;
    this.#continue(this.#writing);
  }

  reopen(): void {
    if (this.#closed || this.place.kind !== 'file') return;
    if (this.#writing === undefined) this.#openAgain();
    else this.#reopenWanted = true;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#gathering);
    while (this.#writing !== undefined) await this.#waitForEnd(this.#writing);
    this.#writeAllNow();
    if (this.place.kind === 'file') closeSync(this.#fd);
  }

  #waitForEnd(writing: Writing): Promise<void> {
    writing.ended ??= Promise.withResolvers<void>();
    return writing.ended.promise;
  }

  #continue(writing: Writing): void {
    const { bytes, at } = writing;
    write(this.#fd, bytes, at, bytes.length - at, null, (error, written) => {
      if (error !== null && error.code === 'EAGAIN') return void setTimeout(() => this.#continue(writing), 10);
      if (error !== null) this.#fail(error, writing.lines);
      else {
        this.#failed = false;
        writing.at += written;
        if (writing.at < bytes.length) return this.#continue(writing);
      }
      this.#ended(writing);
    });
  }

  #ended({ bytes, ended }: Writing): void {
    this.#writing = undefined;
    if (bytes.buffer.byteLength <= MAX_SPARE_BYTES) this.#spare = Buffer.from(bytes.buffer);
    if (this.#reopenWanted) this.#openAgain();
    if (this.line.length >= this.#bufferBytes) this.#flushSoon();
    ended?.resolve();
  }

  #openAgain(): void {
    this.#reopenWanted = false;
    if (this.place.kind !== 'file') return;
    try {
      const fd = openFile(this.place.path);
      closeSync(this.#fd);
      this.#fd = fd;
    } catch (error) {
      this.#telemetry.logger.error('A log cannot be opened anew; lines go on to the file opened before.', {
        file: this.place.path,
        reason: errorMessage(error),
      });
    }
  }

  /** What has gathered, written while everything else waits: at the end. */
  #writeAllNow(): void {
    const bytes = this.line.take();
    const lines = this.#lines;
    this.#lines = 0;
    let at = 0;
    for (let waits = 0; at < bytes.length;) {
      try {
        at += writeSync(this.#fd, bytes, at, bytes.length - at, null);
      } catch (error) {
        // A pipe that is full for longer than a second has nobody at its other end.
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN' && waits++ < 100) {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
          continue;
        }
        this.#fail(error, lines);
        return;
      }
    }
  }

  #fail(error: unknown, lines: number): void {
    this.#telemetry.lost(lines);
    if (this.#failed) return;
    this.#failed = true;
    this.#telemetry.logger.error('A log cannot be written.', {
      place: this.place.kind === 'file' ? this.place.path : standardNames[this.place.kind],
      reason: errorMessage(error),
    });
  }
}

/** A write that the system has not finished. */
interface Writing {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly lines: number;
  at: number;
  ended?: PromiseWithResolvers<void>;
}

/**
 * The named file, whose folders are made; without a name the usual one if its folder can be written to; else `fallback`, which a named
 * file that cannot be opened falls back to as well. `name` is for people, such as `access log`.
 */
export function openPlace(
  name: string,
  { file, defaultFile }: LogSink,
  logger: Logger,
  fallback: StandardPlace = { kind: 'stdout' },
): OpenPlace {
  const path = file ?? defaultFile;
  try {
    if (file === undefined) accessSync(dirname(path), constants.W_OK);
    else mkdirSync(dirname(path), { recursive: true });
    const fd = openFile(path);
    logger.info(`The ${name} is written to ${path}.`);
    return { place: { kind: 'file', path }, fd };
  } catch (error) {
    const instead = standardNames[fallback.kind];
    if (file === undefined) logger.info(`The ${name} is written to ${instead}.`);
    else {
      const reason = errorMessage(error);
      logger.warn(`The ${name} cannot be written to its file; ${instead} is used.`, { file: path, reason });
    }
    return { place: fallback, fd: standardFds[fallback.kind] };
  }
}

function openFile(path: string): number {
  return openSync(path, 'a', 0o640);
}
