import type { AgentMessage, CancelReason, RequestSummary } from '../../message.ts';
import { connectTimeoutMs } from '../../settings.ts';
import { configurationUnanswered, requireConsent } from '../configuration.ts';
import type {
  AgentConnection,
  AgentDescription,
  CallContext,
  ConnectOptions,
  ConnectionListener,
  ReceivedAnswer,
} from '../connection.ts';
import { FrameChannel, connectSocket } from '../frame-channel.ts';
import type { ChannelOwner } from '../frame-channel.ts';
import { plainFraming } from '../framing.ts';
import { parseObject } from '../json-fields.ts';
import { PendingCalls } from '../pending-calls.ts';
import { encodeComplete, encodeEvent, envelope } from './encode.ts';
import { readReply } from './reply.ts';
import type { ReplyKind } from './reply.ts';
import { GatewayError } from '../../../errors.ts';
import type { AgentError } from '../../errors.ts';

/** There is only one call at a time, so it needs no name. */
const theCall = 0;

/**
 * A connection of the dialect `envelope`: answers carry nothing that says what they answer, so that one event is out at a
 * time and an answer that does not come ends the connection.
 */
export class EnvelopeConnection implements AgentConnection, ChannelOwner {
  readonly dialect = 'envelope';
  readonly description: AgentDescription = {};
  readonly maxCalls = 1;
  readonly #channel: FrameChannel;
  readonly #listener: ConnectionListener;
  readonly #calls = new PendingCalls<typeof theCall>();
  #overdue: NodeJS.Timeout | undefined;
  #expected: ReplyKind = 'decision';
  #proven = false;

  private constructor(socket: Awaited<ReturnType<typeof connectSocket>>, listener: ConnectionListener) {
    this.#listener = listener;
    this.#channel = new FrameChannel(socket, plainFraming, this);
  }

  /** Connects and hands the agent its configuration. Fails with `connect` or `refused`. */
  static async open(path: string, options: ConnectOptions): Promise<EnvelopeConnection> {
    const connection = new EnvelopeConnection(await connectSocket(path), options.listener);
    if (options.configJson !== undefined) await connection.#configure(options.agentId, options.configJson);
    return connection;
  }

  get closed(): boolean {
    return this.#channel.closed;
  }

  get proven(): boolean {
    return this.#proven;
  }

  call(message: AgentMessage, context: CallContext): Promise<ReceivedAnswer> {
    return this.#exchange(encodeEvent(message, context), message.kind === 'guardrail' ? 'finding' : 'decision');
  }

  abandon(_context: CallContext, reason: CancelReason): void {
    if (this.#calls.size === 0) return;
    if (reason === 'timeout') return this.#giveUp();
    // The answer is still due and has to be read before the next event; the agent is not to blame so far.
    this.#overdue ??= setTimeout(() => this.#giveUp(), connectTimeoutMs);
  }

  async finish(context: CallContext, summary: RequestSummary): Promise<void> {
    if (this.closed) return;
    this.#overdue ??= setTimeout(() => this.#giveUp(), connectTimeoutMs);
    await this.#exchange(encodeComplete(context, summary), 'success');
  }

  /** Nothing can come late: an answer is waited for before the next event, or the connection ends. */
  async forgotten(): Promise<void> {}

  close(): void {
    this.#channel.close();
  }

  onFrame(_type: number, payload: Buffer): void {
    const received = readReply(parseObject(payload, 'an answer'), payload.length, this.#expected);
    this.#proven = true;
    this.#stopWaiting();
    if (!this.#calls.answer(theCall, received)) {
      throw new GatewayError('protocol', 'the agent sent an answer although nothing was asked');
    }
  }

  onClosed(error: AgentError): void {
    this.#stopWaiting();
    this.#calls.failAll(error);
    this.#listener.onClosed(error);
  }

  /** Whatever came later would be taken for the answer to the next event. */
  #giveUp(): void {
    this.#channel.fail(
      new GatewayError('connection_lost', 'the connection was given up because an answer was overdue'),
    );
  }

  #stopWaiting(): void {
    clearTimeout(this.#overdue);
    this.#overdue = undefined;
  }

  #exchange(text: string, expected: ReplyKind): Promise<ReceivedAnswer> {
    return this.#calls.add(theCall, () => {
      this.#expected = expected;
      this.#channel.send(0, text);
    });
  }

  async #configure(agentId: string, configJson: string): Promise<void> {
    const payload = { agent_id: agentId, config: JSON.parse(configJson) as unknown };
    const timer = setTimeout(() => this.#channel.fail(configurationUnanswered()), connectTimeoutMs);
    try {
      const { answer } = await this.#exchange(envelope('configure', payload), 'success');
      requireConsent(answer);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
