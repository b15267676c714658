import { Duplex } from 'node:stream';

/** A connection without a network: what is pushed comes from the other side, and what is written is thrown away. */
export class Wire extends Duplex {
  constructor() {
    super({ read() {}, write: (_chunk, _encoding, done) => done(), allowHalfOpen: true });
    this.on('error', () => {});
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
