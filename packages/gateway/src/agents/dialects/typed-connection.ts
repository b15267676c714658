import { maxCallsPerConnection } from '../settings.ts';
import type { AgentDescription, ConnectionListener } from './connection.ts';
import type { ChannelOwner, FrameChannel } from './frame-channel.ts';
import type { Greeting } from './handshake.ts';
import { hex } from './handshake.ts';
import { PendingCalls } from './pending-calls.ts';
import { PongWaiters } from './pong.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** What the dialects with typed frames have in common: a connection that was greeted, its calls and its pings. */
export abstract class TypedConnection<Key> implements ChannelOwner {
  readonly description: AgentDescription;
  readonly maxCalls: number;
  protected readonly channel: FrameChannel;
  protected readonly listener: ConnectionListener;
  protected readonly calls = new PendingCalls<Key>();
  protected readonly pongs = new PongWaiters();
  #proven = false;

  protected constructor(greeting: Greeting, description: AgentDescription, listener: ConnectionListener) {
    this.description = description;
    this.maxCalls = Math.min(maxCallsPerConnection, description.maxConcurrentCalls ?? maxCallsPerConnection);
    this.channel = greeting.channel;
    this.listener = listener;
  }

  get closed(): boolean {
    return this.channel.closed;
  }

  get proven(): boolean {
    return this.#proven;
  }

  close(): void {
    this.channel.close();
  }

  abstract onFrame(type: number, payload: Buffer): void;

  onClosed(error: AgentError): void {
    this.calls.failAll(error);
    this.pongs.fail(error);
    this.listener.onClosed(error);
  }

  /** An event was answered in this dialect. */
  protected prove(): void {
    this.#proven = true;
  }

  /** Fails with `protocol`: agents do not send frames of this type. */
  protected refuseFrame(type: number): never {
    throw new GatewayError('protocol', `the agent sent a frame of type ${hex(type)}, which is none of an agent's`);
  }
}
