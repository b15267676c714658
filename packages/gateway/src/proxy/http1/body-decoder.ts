// Hot path: finds where every HTTP/1.1 body ends. Guarded by bench/gateway.
import { ReadEnd, problemOf, readFields } from './fields.ts';

/** How the end of a body is told. */
export const Framing = Object.freeze({ NONE: 0, LENGTH: 1, CHUNKED: 2, UNTIL_CLOSE: 3 } as const);
export type Framing = (typeof Framing)[keyof typeof Framing];

/** Takes what a body consists of. */
export interface BodyPieces {
  onBodyPiece(piece: Buffer): void;
}

/** Data of chunks up to this size is joined with what came before it. */
const joinBytes = 4096;

/** A chunk's size and its extensions. */
const maxSizeLineBytes = 4096;
/** Extensions of a whole body; nobody needs them, and they cost more to read than they bring. */
const maxExtensionBytes = 16 * 1024;
const maxTrailerBytes = 16 * 1024;

const SIZE = 0;
const DATA = 1;
const DATA_END = 2;
const TRAILERS = 3;

/** RFC 9112 section 7.1; at most 2^52. Extensions are read and dropped. */
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const sizeLine = new RegExp(
  `^([0-9a-fA-F]{1,13})((?:;${token}(?:=(?:${token}|"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"))?)*)$`,
);
/** What a size line that is not finished may consist of. */
const sizeLinePart = /^[0-9a-fA-F]+(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

const noTrailers: readonly string[] = [];

/** Reads one body after the other: {@link begin}, then {@link read} until {@link ended}. */
export class BodyDecoder {
  /** The body is over. */
  ended = true;
  /** What is wrong with it; '' as long as nothing is. */
  problem = '';
  /** name, value, name, value, … */
  trailers: readonly string[] = noTrailers;
  #framing: Framing = Framing.NONE;
  #left = 0;
  #state = SIZE;
  /** A line, or trailers, of which only a part has come. */
  #part = '';
  #extensionBytes = 0;

  /** @param length of a body whose length is known */
  begin(framing: Framing, length = 0): void {
    this.#framing = framing;
    this.#left = framing === Framing.LENGTH ? length : 0;
    this.#state = SIZE;
    this.#part = '';
    this.#extensionBytes = 0;
    this.problem = '';
    this.trailers = noTrailers;
    this.ended = framing === Framing.NONE || (framing === Framing.LENGTH && length === 0);
  }

  /** Bytes of a body of known length that have not come yet. */
  get leftBytes(): number {
    return this.#left;
  }

  /**
   * Reads from `piece`, beginning at `from`; returns the position after what belongs to the body. Look at `problem` then. The data of
   * small chunks is moved together within `piece`, as each piece that is passed on costs the same, however small it is.
   */
  read(piece: Buffer, from: number, pieces: BodyPieces): number {
    switch (this.#framing) {
      case Framing.LENGTH:
        return this.#readLength(piece, from, pieces);
      case Framing.CHUNKED:
        return this.#readChunks(piece, from, pieces);
      case Framing.UNTIL_CLOSE:
        if (from < piece.length) pieces.onBodyPiece(from === 0 ? piece : piece.subarray(from));
        return piece.length;
      default:
        return from;
    }
  }

  /** The sender has closed its side. Returns whether the body may end so. */
  close(): boolean {
    if (this.ended) return true;
    this.ended = this.#framing === Framing.UNTIL_CLOSE;
    return this.ended;
  }

  #readLength(piece: Buffer, from: number, pieces: BodyPieces): number {
    const end = Math.min(from + this.#left, piece.length);
    this.#left -= end - from;
    this.ended = this.#left === 0;
    if (end > from) pieces.onBodyPiece(from === 0 && end === piece.length ? piece : piece.subarray(from, end));
    return end;
  }

  #readChunks(piece: Buffer, from: number, pieces: BodyPieces): number {
    let at = from;
    let dataAt = 0;
    let dataEnd = 0;
    while (at < piece.length && !this.ended && this.problem === '') {
      switch (this.#state) {
        case SIZE:
          at = this.#readSize(piece, at);
          break;
        case DATA: {
          const end = Math.min(at + this.#left, piece.length);
          this.#left -= end - at;
          if (this.#left === 0) this.#state = DATA_END;
          if (dataEnd > dataAt && end - at <= joinBytes) {
            piece.copyWithin(dataEnd, at, end);
            dataEnd += end - at;
          } else {
            if (dataEnd > dataAt) pieces.onBodyPiece(piece.subarray(dataAt, dataEnd));
            dataAt = at;
            dataEnd = end;
          }
          at = end;
          break;
        }
        case DATA_END:
          at = this.#readDataEnd(piece, at);
          break;
        default:
          at = this.#readTrailers(piece, at);
      }
    }
    if (dataEnd > dataAt) pieces.onBodyPiece(piece.subarray(dataAt, dataEnd));
    return at;
  }

  /** Takes a line up to and including its LF; undefined while it has not come as a whole. */
  #line(piece: Buffer, at: number): string | undefined {
    const end = piece.indexOf(0x0a, at);
    const text = piece.toString('latin1', at, Math.min(end < 0 ? piece.length : end + 1, at + maxSizeLineBytes + 1));
    const line = this.#part === '' ? text : this.#part + text;
    this.#part = end < 0 ? line : '';
    if (line.length > maxSizeLineBytes)
      this.#fail(`the size of a chunk and its extensions exceed ${maxSizeLineBytes} bytes`);
    else if (end >= 0) return line;
    else if (!sizeLinePart.test(line.endsWith('\r') ? line.slice(0, -1) : line))
      this.#fail('the size of a chunk is no number');
    return undefined;
  }

  #readSize(piece: Buffer, at: number): number {
    const before = this.#part.length;
    const line = this.#line(piece, at);
    if (line === undefined) return piece.length;
    const parts = line.endsWith('\r\n') ? sizeLine.exec(line.slice(0, -2)) : null;
    if (parts === null) {
      this.#fail('the size of a chunk is no number, or its line is not ended by CR LF');
      return piece.length;
    }
    this.#extensionBytes += parts[2]!.length;
    if (this.#extensionBytes > maxExtensionBytes)
      this.#fail(`the extensions of chunks exceed ${maxExtensionBytes} bytes`);
    this.#left = Number.parseInt(parts[1]!, 16);
    this.#state = this.#left === 0 ? TRAILERS : DATA;
    return at + line.length - before;
  }

  #readDataEnd(piece: Buffer, from: number): number {
    let at = from;
    if (this.#part === '') {
      if (piece[at] !== 0x0d) return this.#fail('a chunk is longer than its size');
      this.#part = '\r';
      at++;
    }
    if (at === piece.length) return at;
    if (piece[at] !== 0x0a) return this.#fail('a chunk is longer than its size');
    this.#part = '';
    this.#state = SIZE;
    return at + 1;
  }

  #readTrailers(piece: Buffer, at: number): number {
    const before = this.#part.length;
    const text = this.#part + piece.toString('latin1', at, Math.min(piece.length, at + maxTrailerBytes + 1));
    const fields: string[] = [];
    const end = readFields(text, 0, fields);
    if (end === ReadEnd.BROKEN) return this.#fail(`the fields after the last chunk are none: ${problemOf()}`);
    if (end < 0 ? text.length > maxTrailerBytes : end > maxTrailerBytes) {
      return this.#fail(`the fields after the last chunk exceed ${maxTrailerBytes} bytes`);
    }
    if (end < 0) {
      this.#part = text;
      return piece.length;
    }
    this.trailers = fields;
    this.ended = true;
    this.#part = '';
    return at + end - before;
  }

  #fail(problem: string): number {
    this.problem = problem;
    return 0;
  }
}
