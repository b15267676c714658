import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { crc32c } from './crc32c.ts';
import type { JournalFile, JournalFs } from './journal-fs.ts';
import { REQUEST_WINDOW_MS } from './recent-requests.ts';
import type { RecentRequests } from './recent-requests.ts';
import type { Segment } from './segment.ts';

interface OpenLog {
  readonly file: JournalFile;
  readonly startedUnixMs: number;
  length: number;
}

/**
 * Request keys on disk beyond the life of their segment: a segment's file is removed only after its keys were appended here, so that a request
 * repeated after a crash is recognised for ten minutes.
 *
 * A log file is a run of frames: magic `CREQ`, number of keys, accepted (milliseconds since 1970, 8 bytes), CRC-32C of all other bytes of the
 * frame, zero; then the keys, 16 bytes each. A file takes frames for five minutes and is removed ten minutes after its last one.
 */
export class RequestLog {
  readonly #fs: JournalFs;
  readonly #directory: string;
  readonly #files: { readonly path: string; lastUnixMs: number }[] = [];
  #current: OpenLog | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(fs: JournalFs, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** Opens the log in `directory` and adds what it remembers to `recent`. */
  static async open(fs: JournalFs, directory: string, recent: RecentRequests, nowUnixMs: number): Promise<RequestLog> {
    const log = new RequestLog(fs, directory);
    await fs.makeDirectory(directory);
    for (const name of (await fs.list(directory)).filter((entry) => entry.endsWith(FILE_EXTENSION)).sort()) {
      await log.#load(join(directory, name), recent, nowUnixMs);
    }
    await log.#removeOld(nowUnixMs);
    return log;
  }

  /** Makes the keys of a segment durable here. */
  append(segment: Segment, nowUnixMs: number): Promise<void> {
    if (segment.requests === 0 || segment.lastAppendUnixMs <= nowUnixMs - REQUEST_WINDOW_MS) return Promise.resolve();
    return this.#inTurn(() => this.#write(segment, nowUnixMs));
  }

  /** Closes the file behind what is being written. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#closeFile());
  }

  /** One operation after another: they share the file and its length. */
  #inTurn(operation: () => Promise<void>): Promise<void> {
    const done = this.#last.then(operation);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #write(segment: Segment, nowUnixMs: number): Promise<void> {
    const frame = encodeFrame(segment);
    const current = await this.#openFile(nowUnixMs);
    await current.file.write([frame], current.length);
    await current.file.sync();
    current.length += frame.length;
    const entry = this.#files.at(-1)!;
    entry.lastUnixMs = Math.max(entry.lastUnixMs, segment.lastAppendUnixMs);
  }

  async #closeFile(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.file.close();
  }

  async #openFile(nowUnixMs: number): Promise<OpenLog> {
    if (this.#current !== undefined && nowUnixMs - this.#current.startedUnixMs < FILE_SPAN_MS) return this.#current;
    await this.#closeFile();
    const path = join(this.#directory, `${String(nowUnixMs).padStart(15, '0')}-${randomUUID()}${FILE_EXTENSION}`);
    const file = await this.#fs.create(path);
    await this.#fs.syncDirectory(this.#directory);
    this.#files.push({ path, lastUnixMs: nowUnixMs });
    this.#current = { file, startedUnixMs: nowUnixMs, length: 0 };
    await this.#removeOld(nowUnixMs);
    return this.#current;
  }

  async #load(path: string, recent: RecentRequests, nowUnixMs: number): Promise<void> {
    const file = await this.#fs.open(path);
    const bytes = await readAndClose(file);
    let lastUnixMs = 0;
    // A frame that is cut off or damaged ends the file: its segment is still in the journal, or its keys are lost to the rare double failure.
    for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length;) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_HEADER_BYTES);
      const count = view.getUint32(4, true);
      const end = at + FRAME_HEADER_BYTES + count * 16;
      if (
        view.getUint32(0, true) !== FRAME_MAGIC ||
        end > bytes.length ||
        frameCrc(bytes, at, end) !== view.getUint32(16, true)
      )
        break;
      const acceptedUnixMs = Number(view.getBigUint64(8, true));
      lastUnixMs = Math.max(lastUnixMs, acceptedUnixMs);
      for (let key = at + FRAME_HEADER_BYTES; key < end; key += 16) recent.add(bytes, key, acceptedUnixMs, nowUnixMs);
      at = end;
    }
    this.#files.push({ path, lastUnixMs });
  }

  async #removeOld(nowUnixMs: number): Promise<void> {
    for (let oldest = this.#files[0]; oldest !== undefined; oldest = this.#files[0]) {
      if (oldest.lastUnixMs > nowUnixMs - REQUEST_WINDOW_MS) return;
      await this.#fs.remove(oldest.path);
      this.#files.shift();
    }
  }
}

const FILE_EXTENSION = '.requests';
const FILE_SPAN_MS = REQUEST_WINDOW_MS / 2;
const FRAME_MAGIC = 0x51455243;
const FRAME_HEADER_BYTES = 24;

function encodeFrame(segment: Segment): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + segment.requests * 16);
  const view = new DataView(frame.buffer);
  view.setUint32(0, FRAME_MAGIC, true);
  view.setUint32(4, segment.requests, true);
  view.setBigUint64(8, BigInt(Math.floor(segment.lastAppendUnixMs)), true);
  frame.set(segment.requestKeys.subarray(0, segment.requests * 16), FRAME_HEADER_BYTES);
  view.setUint32(16, frameCrc(frame, 0, frame.length), true);
  return frame;
}

/** Over everything but the CRC itself and the padding behind it. */
function frameCrc(bytes: Uint8Array, start: number, end: number): number {
  return (crc32c(bytes, start, start + 16) ^ crc32c(bytes, start + FRAME_HEADER_BYTES, end)) >>> 0;
}

async function readAndClose(file: JournalFile): Promise<Uint8Array> {
  try {
    return await file.readAll();
  } finally {
    await file.close();
  }
}
