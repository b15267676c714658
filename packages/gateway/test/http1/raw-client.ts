import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { eventually, onEnd } from '../proxy/harness.ts';

/** A client that writes bytes as they are and keeps what comes back. It ends with the test. */
export class RawClient {
  readonly socket: Socket;
  #text = '';
  #ended = false;
  #closed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => (this.#text += text));
    this.socket.on('end', () => (this.#ended = true));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.#closed = true));
    onEnd(() => this.socket.destroy());
  }

  /** Everything that has come, one byte a character. */
  get text(): string {
    return this.#text;
  }

  /** Whether the other side said that nothing more comes, or the connection is gone. */
  get over(): boolean {
    return this.#ended || this.#closed;
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Writes and waits until the system has it, so that what follows goes out by itself. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, 'latin1', (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Waits for text; returns everything up to and including it, which is then forgotten. */
  async until(what: string): Promise<string> {
    await eventually(() => this.#text.includes(what) || this.over, JSON.stringify(what));
    const at = this.#text.indexOf(what);
    if (at < 0)
      throw new Error(`the connection ended before ${JSON.stringify(what)} came: ${JSON.stringify(this.#text)}`);
    const head = this.#text.slice(0, at + what.length);
    this.#text = this.#text.slice(at + what.length);
    return head;
  }

  /** Waits until the other side closes; returns what is left. */
  async rest(): Promise<string> {
    await eventually(() => this.over, 'the end of the connection');
    return this.#text;
  }
}
