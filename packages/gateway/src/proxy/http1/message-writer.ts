// Hot path: writes every HTTP/1.1 message, on either side. Guarded by bench/gateway.
//
// What belongs together goes out in one write: a head waits for the body that comes with it, and small pieces of a body are
// joined to it as text of one byte a character, which the system takes without a buffer being made.
import type { Socket } from 'node:net';
import { DirectText } from './direct-text.ts';

/** Pieces up to this size are joined with what waits; larger ones are not worth copying. */
const joinBytes = 8 * 1024;

/** Text that waits is written when it is longer than this. */
const maxWaitingBytes = 16 * 1024;

/** Writes one message after the other to a connection. */
export class MessageWriter {
  readonly #socket: Socket;
  readonly #direct: DirectText;
  /** What is written next. */
  #waiting = '';
  #chunked = false;
  #corks = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#direct = new DirectText(socket);
  }

  /** Takes a head, with its empty line; it waits for {@link flush}, or for what follows. */
  head(text: string, chunked: boolean): void {
    this.#waiting += text;
    this.#chunked = chunked;
  }

  /** Whether what is written waits for {@link uncork}. */
  get corked(): boolean {
    return this.#corks > 0;
  }

  /** Takes a piece of a body. Returns false when the other side is slow; the socket then says `drain`. */
  body(piece: Buffer): boolean {
    const bytes = piece.length;
    if (bytes === 0) return this.ready;
    if (bytes <= joinBytes) return this.text(piece.toString('latin1', 0, bytes));
    this.#writeLarge(piece);
    return this.ready;
  }

  /** The same for a small text of one byte a character, which is not empty. */
  text(text: string): boolean {
    this.#waiting += this.#chunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text;
    if (this.#corks === 0 || this.#waiting.length > maxWaitingBytes) this.#write();
    return this.ready;
  }

  /** The message is complete. `trailers` are fields with their line ends; they are written only to chunked bodies. */
  end(trailers = ''): void {
    if (this.#chunked) this.#waiting += `0\r\n${trailers}\r\n`;
    this.#chunked = false;
    this.#write();
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#corks === 0) this.#write();
  }

  /** Until {@link uncork}, small pieces wait for each other. */
  cork(): void {
    this.#corks++;
  }

  uncork(): void {
    if (this.#corks > 0 && --this.#corks === 0) this.#write();
  }

  /** Whether more may be written. */
  get ready(): boolean {
    return !this.#direct.waiting && !this.#socket.writableNeedDrain;
  }

  /** Whether everything was handed to the system. */
  get idle(): boolean {
    return !this.#direct.waiting && this.#socket.writableLength === 0;
  }

  #write(): void {
    const text = this.#waiting;
    if (text === '') return;
    this.#waiting = '';
    if (this.#direct.write(text)) return;
    if (this.#socket.writable) this.#socket.write(text, 'latin1');
  }

  #writeLarge(piece: Buffer): void {
    const socket = this.#socket;
    const size = this.#chunked ? `${piece.length.toString(16)}\r\n` : '';
    const before = this.#waiting + size;
    this.#waiting = '';
    if (!socket.writable) return;
    if (before === '') {
      socket.write(piece);
      return;
    }
    socket.cork();
    socket.write(before, 'latin1');
    socket.write(piece);
    if (size !== '') socket.write('\r\n', 'latin1');
    socket.uncork();
  }
}

/** Fields as lines. They must have been checked. */
export function fieldLines(fields: readonly string[]): string {
  let text = '';
  for (let at = 0; at + 1 < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return text;
}
