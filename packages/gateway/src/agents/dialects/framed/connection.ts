import { cancelReasons } from '../../message.ts';
import type { AgentMessage, CancelReason, RequestSummary } from '../../message.ts';
import { connectTimeoutMs, pauseLimitMs } from '../../settings.ts';
import { configurationUnanswered, requireConsent } from '../configuration.ts';
import type { AgentConnection, CallContext, ConnectOptions, ReceivedAnswer } from '../connection.ts';
import { FlowGate } from '../flow-gate.ts';
import type { Greeting } from '../handshake.ts';
import { readAnswer } from '../json-answer.ts';
import { summaryObject } from '../json-events.ts';
import { numberAt, parseObject, textAt } from '../json-fields.ts';
import type { JsonObject } from '../json-fields.ts';
import { LateAnswers } from '../late-answers.ts';
import { abandonedError } from '../pending-calls.ts';
import { TypedConnection } from '../typed-connection.ts';
import { describeAgent, readHealth } from './describe.ts';
import { FrameType, encodeEvent } from './encode.ts';
import { GatewayError } from '../../../errors.ts';
import type { AgentError } from '../../errors.ts';

/**
 * A connection of the dialect `framed`: answers name the request they belong to in `audit.custom.correlation_id`, so that
 * many calls share it.
 */
export class FramedConnection extends TypedConnection<string> implements AgentConnection {
  readonly dialect = 'framed';
  readonly #gate = new FlowGate(pauseLimitMs);
  readonly #late = new LateAnswers();
  #pings = 0;

  /** Takes over a connection whose handshake was answered, and hands the agent its configuration. Fails with `refused`. */
  static async open(greeting: Greeting, reply: JsonObject, options: ConnectOptions): Promise<FramedConnection> {
    const connection = new FramedConnection(greeting, describeAgent(reply), options.listener);
    greeting.handOver(connection);
    if (options.configJson !== undefined) await connection.#configure(options.configJson);
    return connection;
  }

  call(message: AgentMessage, context: CallContext): Promise<ReceivedAnswer> {
    const key = context.metadata.correlationId;
    const send = (): void => {
      const { type, payload } = encodeEvent(message, context);
      this.channel.send(type, payload);
    };
    return this.calls.add(key, () => this.#gate.whenOpen(key, send, (error) => this.calls.fail(key, error)));
  }

  abandon({ metadata: { correlationId } }: CallContext, reason: CancelReason): void {
    this.#gate.forget(correlationId);
    if (!this.calls.fail(correlationId, abandonedError()) || this.closed) return;
    this.#late.expect(correlationId);
    const cancel = { correlation_id: correlationId, reason: cancelReasons[reason], timestamp_ms: Date.now() };
    this.channel.sendOrFail(FrameType.cancel, JSON.stringify(cancel));
  }

  async finish(context: CallContext, summary: RequestSummary): Promise<void> {
    if (this.closed || this.description.events?.has('request_complete') === false) return;
    this.#late.expect(context.metadata.correlationId);
    this.channel.sendOrFail(FrameType.requestComplete, JSON.stringify(summaryObject(summary, context)));
  }

  forgotten({ metadata: { correlationId } }: CallContext): Promise<void> {
    return this.#late.settled(correlationId);
  }

  ping(): Promise<void> {
    const ping = { sequence: ++this.#pings, timestamp_ms: Date.now() };
    return this.pongs.wait(() => this.channel.send(FrameType.ping, JSON.stringify(ping)));
  }

  override onFrame(type: number, payload: Buffer): void {
    switch (type) {
      case FrameType.answer:
        return this.#onAnswer(payload);
      case FrameType.pong:
        return this.pongs.answer();
      case FrameType.health:
        return this.listener.onHealth(readHealth(parseObject(payload, 'a health report')));
      case FrameType.flowControl:
        return this.#onFlowControl(parseObject(payload, 'a flow control signal'));
      case FrameType.configUpdate:
        return this.listener.onNotice('An agent asks for a change of its configuration, which is not supported.');
      case FrameType.metrics:
        // Agents that want their metrics collected expose them; what they push here has nowhere to go.
        return;
      default:
        return this.refuseFrame(type);
    }
  }

  override onClosed(error: AgentError): void {
    this.#gate.clear();
    this.#late.clear();
    super.onClosed(error);
  }

  #onAnswer(payload: Buffer): void {
    const { answer, correlationId, bodyTextBytes } = readAnswer(parseObject(payload, 'an answer'));
    if (correlationId === undefined) {
      throw new GatewayError('protocol', 'an answer does not name its request in audit.custom.correlation_id');
    }
    this.prove();
    const answered = this.calls.answer(correlationId, { answer, answerBytes: payload.length - bodyTextBytes });
    if (!answered) this.#late.came(correlationId);
  }

  #onFlowControl(signal: JsonObject): void {
    const action = numberAt(signal, 'action');
    const key = textAt(signal, 'correlation_id');
    if (action === 1) this.#gate.shut(key);
    else if (action === 2) this.#gate.open(key);
  }

  async #configure(configJson: string): Promise<void> {
    const key = 'configure';
    const payload = `{"correlation_id":"${key}","config":${configJson},"config_version":null}`;
    const timer = setTimeout(() => this.calls.fail(key, abandonedError()), connectTimeoutMs);
    try {
      const { answer } = await this.calls.add(key, () => this.channel.send(FrameType.configure, payload));
      requireConsent(answer);
    } catch (error) {
      this.close();
      throw error instanceof GatewayError && error.code === 'aborted' ? configurationUnanswered() : error;
    } finally {
      clearTimeout(timer);
    }
  }
}
