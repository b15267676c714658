// The load generator, in a process of its own. Raw HTTP/1.1 over kept connections, one request at a time on each.
//
// At a fixed rate, requests are due at times that do not depend on how the server does, and latency counts from when a request was due,
// not from when a connection was free to send it: a server that stalls is charged for all requests that had to wait meanwhile
// (coordinated omission).
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** One measurement. `ratePerSecond` 0 is as fast as answers come. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly ratePerSecond: number;
}

/** What came of it. Latencies in milliseconds. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
}

const request = Buffer.from(
  'GET /api/users/42?verbose=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n' +
    'Accept-Language: en\r\nReferer: http://shop.example/\r\nCookie: session=0123456789abcdef\r\n\r\n',
);
const HEAD_END = Buffer.from('\r\n\r\n');

class Connection {
  readonly #socket: Socket;
  readonly #onDone: (connection: Connection, dueMs: number, ok: boolean) => void;
  #waiting: Buffer = Buffer.alloc(0);
  #dueMs = 0;

  constructor(port: number, onDone: (connection: Connection, dueMs: number, ok: boolean) => void) {
    this.#onDone = onDone;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (piece) => this.#take(piece));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#onDone(this, this.#dueMs, false));
  }

  send(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? piece : Buffer.concat([this.#waiting, piece]);
    const headEnd = this.#waiting.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#waiting.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    const complete =
      length === undefined
        ? this.#waiting.subarray(-5).toString('latin1') === '0\r\n\r\n'
        : this.#waiting.length >= headEnd + 4 + Number(length);
    if (!complete) return;
    this.#waiting = Buffer.alloc(0);
    this.#onDone(this, this.#dueMs, head.startsWith('HTTP/1.1 200'));
  }
}

function run({ port, connections, seconds, warmUpSeconds, ratePerSecond }: Load): Promise<LoadResult> {
  return new Promise((resolve) => {
    const startMs = performance.now();
    const measuredMs = startMs + warmUpSeconds * 1000;
    const endMs = measuredMs + seconds * 1000;
    const latencies: number[] = [];
    const idle: Connection[] = [];
    let done = 0;
    let errors = 0;
    let sent = 0;
    const onDone = (connection: Connection, dueMs: number, ok: boolean): void => {
      const nowMs = performance.now();
      if (nowMs >= measuredMs && nowMs < endMs) {
        done++;
        if (!ok) errors++;
        latencies.push(nowMs - dueMs);
      }
      if (nowMs >= endMs) return;
      if (ratePerSecond === 0) connection.send(nowMs);
      else {
        idle.push(connection);
        pump();
      }
    };
    /** Sends what is due, as far as connections are free; what is not sent now stays due. */
    const pump = (): void => {
      const nowMs = performance.now();
      while (idle.length > 0) {
        const dueMs = startMs + (sent / ratePerSecond) * 1000;
        if (dueMs > nowMs) return;
        sent++;
        idle.pop()!.send(dueMs);
      }
    };
    const all = Array.from({ length: connections }, () => new Connection(port, onDone));
    if (ratePerSecond === 0) for (const connection of all) connection.send(performance.now());
    else idle.push(...all);
    // Timers are too coarse for requests that are due within a millisecond; the loop is kept turning instead.
    const turn = (): void => {
      if (performance.now() >= endMs) {
        for (const connection of all) connection.close();
        latencies.sort((a, b) => a - b);
        const at = (share: number): number =>
          latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? NaN;
        resolve({ requestsPerSecond: done / seconds, p50: at(0.5), p99: at(0.99), errors });
        return;
      }
      if (ratePerSecond > 0) pump();
      setTimeout(turn, 1);
    };
    turn();
  });
}

process.on('message', (load: Load) => {
  void run(load).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
