import { AgentError } from '../../errors.ts';
import type { AgentMessage, CancelReason } from '../../message.ts';
import { maxCallsPerConnection } from '../../settings.ts';
import type {
  AgentConnection,
  AgentDescription,
  CallContext,
  ConnectOptions,
  ConnectionListener,
  ReceivedAnswer,
} from '../connection.ts';
import type { ChannelOwner, FrameChannel } from '../frame-channel.ts';
import { readHealth } from '../framed/describe.ts';
import { hex } from '../handshake.ts';
import type { Greeting } from '../handshake.ts';
import { parseObject } from '../json-fields.ts';
import type { JsonObject } from '../json-fields.ts';
import { PendingCalls, abandonedError } from '../pending-calls.ts';
import { PongWaiters } from '../pong.ts';
import { describeAgent, readNumberedAnswer } from './decode.ts';
import { FrameType, encodeEvent } from './encode.ts';

/** A connection of the dialect `numbered`: answers name the number of their request. */
export class NumberedConnection implements AgentConnection, ChannelOwner {
  readonly dialect = 'numbered';
  readonly description: AgentDescription;
  readonly maxCalls: number;
  readonly #channel: FrameChannel;
  readonly #listener: ConnectionListener;
  readonly #calls = new PendingCalls<number>();
  readonly #pongs = new PongWaiters();
  #proven = false;

  private constructor(greeting: Greeting, description: AgentDescription, listener: ConnectionListener) {
    this.description = description;
    this.maxCalls = Math.min(maxCallsPerConnection, description.maxConcurrentCalls ?? maxCallsPerConnection);
    this.#channel = greeting.channel;
    this.#listener = listener;
  }

  /** Takes over a connection whose handshake was answered. This dialect has no way to hand over a configuration. */
  static open(greeting: Greeting, reply: JsonObject, options: ConnectOptions): NumberedConnection {
    const connection = new NumberedConnection(greeting, describeAgent(reply), options.listener);
    greeting.handOver(connection);
    return connection;
  }

  get closed(): boolean {
    return this.#channel.closed;
  }

  get proven(): boolean {
    return this.#proven;
  }

  call(message: AgentMessage, context: CallContext): Promise<ReceivedAnswer> {
    const event = encodeEvent(message, context);
    if (event === undefined) {
      const text = `the agent's dialect has no message for ${message.kind}; take it out of the agent's events`;
      return Promise.reject(new AgentError('protocol', text));
    }
    return this.#calls.add(context.requestNumber, () => this.#channel.send(event.type, event.payload));
  }

  abandon({ requestNumber }: CallContext, reason: CancelReason): void {
    if (this.#calls.fail(requestNumber, abandonedError())) this.#cancel(requestNumber, reason);
  }

  /** Cancelling is the only message that makes such an agent forget a request. */
  async finish({ requestNumber }: CallContext): Promise<void> {
    this.#cancel(requestNumber, 'request complete');
  }

  /** Numbers are never used twice. */
  async forgotten(): Promise<void> {}

  ping(): Promise<void> {
    return this.#pongs.wait(() => this.#channel.send(FrameType.ping, JSON.stringify({ timestamp: Date.now() })));
  }

  close(): void {
    if (!this.closed) this.#channel.sendOrFail(FrameType.cancelAll, '{"reason":"the gateway closes the connection"}');
    this.#channel.close();
  }

  onFrame(type: number, payload: Buffer): void {
    switch (type) {
      case FrameType.decision:
        return this.#onDecision(payload);
      case FrameType.pong:
        return this.#pongs.answer();
      case FrameType.healthResponse:
        return this.#listener.onHealth(readHealth(parseObject(payload, 'a health report')));
      case FrameType.metricsResponse:
        return;
      default:
        throw new AgentError('protocol', `the agent sent a frame of type ${hex(type)}, which is none of an agent's`);
    }
  }

  onClosed(error: AgentError): void {
    this.#calls.failAll(error);
    this.#pongs.fail(error);
    this.#listener.onClosed(error);
  }

  #onDecision(payload: Buffer): void {
    const { requestNumber, answer } = readNumberedAnswer(parseObject(payload, 'an answer'));
    this.#proven = true;
    // A number nobody waits for is a late answer, or the agent's reply to something it did not understand.
    this.#calls.answer(requestNumber, { answer, answerBytes: payload.length });
  }

  #cancel(requestNumber: number, reason: string): void {
    if (this.closed) return;
    this.#channel.sendOrFail(FrameType.cancel, JSON.stringify({ request_id: requestNumber, reason }));
  }
}
