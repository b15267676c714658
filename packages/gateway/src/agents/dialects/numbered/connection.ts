import type { AgentMessage, CancelReason } from '../../message.ts';
import type { AgentConnection, CallContext, ConnectOptions, ReceivedAnswer } from '../connection.ts';
import { readHealth } from '../framed/describe.ts';
import type { Greeting } from '../handshake.ts';
import { parseObject } from '../json-fields.ts';
import type { JsonObject } from '../json-fields.ts';
import { abandonedError } from '../pending-calls.ts';
import { TypedConnection } from '../typed-connection.ts';
import { describeAgent, readNumberedAnswer } from './decode.ts';
import { FrameType, encodeEvent } from './encode.ts';
import { GatewayError } from '../../../errors.ts';

/** A connection of the dialect `numbered`: answers name the number of their request. */
export class NumberedConnection extends TypedConnection<number> implements AgentConnection {
  readonly dialect = 'numbered';

  /** Takes over a connection whose handshake was answered. This dialect has no way to hand over a configuration. */
  static open(greeting: Greeting, reply: JsonObject, options: ConnectOptions): NumberedConnection {
    const connection = new NumberedConnection(greeting, describeAgent(reply), options.listener);
    greeting.handOver(connection);
    return connection;
  }

  call(message: AgentMessage, context: CallContext): Promise<ReceivedAnswer> {
    const event = encodeEvent(message, context);
    if (event === undefined) {
      const text = `the agent's dialect has no message for ${message.kind}; take it out of the agent's events`;
      return Promise.reject(new GatewayError('protocol', text));
    }
    return this.calls.add(context.requestNumber, () => this.channel.send(event.type, event.payload));
  }

  abandon({ requestNumber }: CallContext, reason: CancelReason): void {
    if (this.calls.fail(requestNumber, abandonedError())) this.#cancel(requestNumber, reason);
  }

  /** Cancelling is the only message that makes such an agent forget a request. */
  async finish({ requestNumber }: CallContext): Promise<void> {
    this.#cancel(requestNumber, 'request complete');
  }

  /** Numbers are never used twice. */
  async forgotten(): Promise<void> {}

  ping(): Promise<void> {
    return this.pongs.wait(() => this.channel.send(FrameType.ping, JSON.stringify({ timestamp: Date.now() })));
  }

  override close(): void {
    if (!this.closed) this.channel.sendOrFail(FrameType.cancelAll, '{"reason":"the gateway closes the connection"}');
    super.close();
  }

  override onFrame(type: number, payload: Buffer): void {
    switch (type) {
      case FrameType.decision:
        return this.#onDecision(payload);
      case FrameType.pong:
        return this.pongs.answer();
      case FrameType.healthResponse:
        return this.listener.onHealth(readHealth(parseObject(payload, 'a health report')));
      case FrameType.metricsResponse:
        return;
      default:
        return this.refuseFrame(type);
    }
  }

  #onDecision(payload: Buffer): void {
    const { requestNumber, answer } = readNumberedAnswer(parseObject(payload, 'an answer'));
    this.prove();
    // A number nobody waits for is a late answer, or the agent's reply to something it did not understand.
    this.calls.answer(requestNumber, { answer, answerBytes: payload.length });
  }

  #cancel(requestNumber: number, reason: string): void {
    if (this.closed) return;
    this.channel.sendOrFail(FrameType.cancel, JSON.stringify({ request_id: requestNumber, reason }));
  }
}
