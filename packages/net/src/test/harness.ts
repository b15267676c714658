// What the socket tests share: listeners that are always released, raw connections, and waiting for conditions.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach } from 'vitest';
import { Client, credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions, Metadata, ServiceError, StatusObject } from '@grpc/grpc-js';
import type { RejectReason } from '../exchange.ts';
import { acquireListener } from '../listener/acquire.ts';
import { parseListenEndpoint } from '../listener/endpoint.ts';
import type { ListenerLease, ListenerOptions } from '../listener/types.ts';

/** A listener of one test. */
export interface TestListener {
  readonly lease: ListenerLease;
  readonly port: number;
  readonly rejected: RejectReason[];
  readonly notices: string[];
}

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((clean) => clean()));
});

/** Has something undone after the test. */
export function cleanUp(clean: () => unknown): void {
  cleanups.push(clean);
}

/** Listens on a free port of 127.0.0.1 unless told otherwise. */
export async function listen(options: Partial<ListenerOptions> = {}): Promise<TestListener> {
  const rejected: RejectReason[] = [];
  const notices: string[] = [];
  const lease = await acquireListener({
    endpoint: parseListenEndpoint('127.0.0.1:0'),
    owner: 'test',
    onRejected: (reason) => rejected.push(reason),
    onNotice: (text) => notices.push(text),
    ...options,
  });
  cleanUp(() => lease.release({ graceMs: 50 }));
  return { lease, port: lease.address.transport === 'tcp' ? lease.address.port : 0, rejected, notices };
}

/** A raw connection that remembers what it received. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #received = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (piece) => (this.#received += piece.toString('latin1')));
    // Being reset is what some tests provoke; they look at `closed` and `received`.
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => resolve());
    });
    cleanUp(() => this.socket.destroy());
  }

  get received(): string {
    return this.#received;
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Waits until something has been received. */
  async until(text: string): Promise<string> {
    await eventually(() => this.#received.includes(text), `the text ${JSON.stringify(text)}`);
    return this.#received;
  }
}

/** Waits for a condition; generous, because machines are slow. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`waited 10 s in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** An unmodified grpc-js client; gone after the test. */
export function grpcJs(
  port: number,
  options: ChannelOptions = {},
  channel: ChannelCredentials = credentials.createInsecure(),
): Client {
  const client = new Client(`127.0.0.1:${port}`, channel, options);
  cleanUp(() => client.close());
  return client;
}

/** How a grpc-js call ended. */
export interface GrpcJsOutcome {
  readonly reply?: Buffer | undefined;
  readonly error?: ServiceError;
  readonly status: StatusObject;
}

/** Makes a unary call with bytes. */
export function unary(
  client: Client,
  path: string,
  message: Uint8Array,
  options: { readonly deadlineMs?: number; readonly metadata?: Metadata } = {},
): Promise<GrpcJsOutcome> {
  const bytes = (value: Buffer): Buffer => value;
  return new Promise((resolve) => {
    let outcome: { reply?: Buffer | undefined; error?: ServiceError } = {};
    const callOptions = options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs };
    const done = (error: ServiceError | null, reply?: Buffer): void => {
      outcome = error ? { error } : { reply };
    };
    const call = options.metadata
      ? client.makeUnaryRequest(path, bytes, bytes, Buffer.from(message), options.metadata, callOptions, done)
      : client.makeUnaryRequest(path, bytes, bytes, Buffer.from(message), callOptions, done);
    call.on('status', (status) => {
      setImmediate(() => resolve({ ...outcome, status }));
    });
  });
}
