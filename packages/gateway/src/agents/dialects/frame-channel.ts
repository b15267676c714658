import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { asAgentError } from '../errors.ts';
import { connectTimeoutMs, maxUnreadBytes } from '../settings.ts';
import { FrameReader, encodeFrame } from './framing.ts';
import type { Framing } from './framing.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** Who is told what happens on a channel. */
export interface ChannelOwner {
  /** What it throws ends the channel. */
  onFrame(type: number, payload: Buffer): void;
  /** The channel is gone. Called once. */
  onClosed(error: AgentError): void;
}

/** Frames over a Unix socket. The owner can change, so that a handshake can be read by another than the calls. */
export class FrameChannel {
  readonly #socket: Socket;
  readonly #framing: Framing;
  readonly #reader: FrameReader;
  #owner: ChannelOwner;
  #closed = false;
  #received = false;

  constructor(socket: Socket, framing: Framing, owner: ChannelOwner) {
    this.#socket = socket;
    this.#framing = framing;
    this.#owner = owner;
    this.#reader = new FrameReader(framing, (type, payload) => {
      if (!this.#closed) this.#owner.onFrame(type, payload);
    });
    socket.on('data', (piece) => this.#onData(piece));
    socket.on('error', (error) => this.#end(lost(error.message, error)));
    socket.on('end', () => this.#end(lost(this.#endingText())));
    socket.on('close', () => this.#end(lost('it was closed')));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether any byte has come. */
  get received(): boolean {
    return this.#received;
  }

  /** Hands the channel over. */
  set owner(owner: ChannelOwner) {
    this.#owner = owner;
  }

  /** Sends a frame. Fails with `connection_lost`, `body_too_large`, or with `queue_full` when the agent does not read. */
  send(type: number, payload: string): void {
    if (this.#closed) throw lost('it is closed');
    const unread = this.#socket.writableLength;
    if (unread > maxUnreadBytes) {
      const message = `the agent has not read ${unread} bytes sent to it; at most ${maxUnreadBytes} are kept`;
      throw new GatewayError('queue_full', message);
    }
    this.#socket.write(encodeFrame(this.#framing, type, payload));
  }

  /** Sends a frame nobody waits for; what keeps it from being sent ends the channel. */
  sendOrFail(type: number, payload: string): void {
    try {
      this.send(type, payload);
    } catch (caught) {
      this.fail(asAgentError(caught, 'protocol', 'cannot send to the agent'));
    }
  }

  /** Ends the channel for the given reason. Idempotent. */
  fail(error: AgentError): void {
    this.#end(error);
  }

  /** Ends the channel. Idempotent. */
  close(): void {
    this.#end(new GatewayError('closed', 'the connection to the agent was closed by the gateway'));
  }

  #onData(piece: Buffer): void {
    this.#received = true;
    if (this.#closed) return;
    try {
      this.#reader.push(piece);
    } catch (caught) {
      this.#end(asAgentError(caught, 'protocol', 'cannot handle what the agent sent'));
    }
  }

  #endingText(): string {
    const { pendingBytes } = this.#reader;
    return pendingBytes === 0 ? 'the agent closed it' : `the agent closed it ${pendingBytes} bytes into a frame`;
  }

  #end(error: AgentError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#owner.onClosed(error);
  }
}

function lost(why: string, cause?: unknown): AgentError {
  return new GatewayError('connection_lost', `the connection to the agent was lost: ${why}`, { cause });
}

/** Connects to a Unix socket. Fails with `connect`. */
export function connectSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const giveUp = (why: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new GatewayError('connect', `cannot connect to ${path}: ${why}`, { cause }));
    };
    const timer = setTimeout(() => giveUp(`no answer within ${connectTimeoutMs} ms`), connectTimeoutMs);
    const onError = (error: Error): void => giveUp(error.message, error);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}
