import type { AgentAnswer } from '../answer.ts';
import type { AgentSession } from '../client/agent-session.ts';
import { errorTypeOf } from '../errors.ts';
import type { AgentErrorType } from '../errors.ts';
import type { AgentEvent, AgentMessage } from '../message.ts';
import type { AgentTransport } from '../../config/model/agent.ts';
import type { FailureMode } from '../../config/model/route.ts';
import type { ChainMember } from './members.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** A call that begins: what a span is made of. */
export interface AgentCallStart {
  readonly agentId: string;
  readonly event: AgentEvent;
  readonly transport: AgentTransport['kind'];
  readonly failureMode: FailureMode;
}

/** How a call ended. */
export interface AgentCallEnd {
  readonly durationMs: number;
  /** `allow`, `block`, `redirect` or `challenge`; absent when the call failed. */
  readonly decision?: AgentAnswer['decision']['kind'];
  /** Absent when the agent answered. */
  readonly errorType?: AgentErrorType;
  readonly error?: AgentError;
}

/** A call that has begun. */
export interface AgentCallSpan {
  /** W3C trace context of the call, which the agent continues. */
  readonly traceparent?: string;
  /** Called once. */
  end(end: AgentCallEnd): void;
}

/** Told of each call when it begins; what it returns is told of the end. */
export type StartAgentCall = (start: AgentCallStart) => AgentCallSpan | undefined;

/** What became of asking an agent. */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: AgentAnswer }
  /** It failed and the request goes on without it. */
  | { readonly kind: 'left_out' }
  /** It failed and the request must not go on. */
  | { readonly kind: 'failed'; readonly error: AgentError };

/** One agent in one exchange. */
export class Participant {
  readonly member: ChainMember;
  readonly session: AgentSession;
  readonly #startCall: StartAgentCall | undefined;
  #leftOut = false;

  constructor(member: ChainMember, session: AgentSession, startCall: StartAgentCall | undefined) {
    this.member = member;
    this.session = session;
    this.#startCall = startCall;
  }

  get agentId(): string {
    return this.member.client.settings.id;
  }

  /** Whether the agent is asked about such an event. After a failure it is asked nothing more about the request. */
  takes(event: AgentEvent): boolean {
    return !this.#leftOut && this.member.takes(event);
  }

  /** Asks the agent; never rejects. */
  async ask(message: AgentMessage, timeoutMs: number): Promise<Outcome> {
    const { client, failureMode } = this.member;
    const transport = client.settings.transport.kind;
    const span = this.#startCall?.({ agentId: this.agentId, event: message.kind, transport, failureMode });
    const startedMs = performance.now();
    const context = span?.traceparent === undefined ? {} : { traceparent: span.traceparent };
    try {
      const answer = await this.session.call(message, { timeoutMs, ...context });
      const durationMs = performance.now() - startedMs;
      client.telemetry.answered(message.kind, answer.decision.kind, durationMs);
      span?.end({ durationMs, decision: answer.decision.kind });
      return { kind: 'answered', answer };
    } catch (caught) {
      if (!(caught instanceof GatewayError)) throw caught;
      const durationMs = performance.now() - startedMs;
      client.telemetry.failed(message.kind, caught, durationMs);
      span?.end({ durationMs, errorType: errorTypeOf(caught), error: caught });
      return this.#failed(caught);
    }
  }

  /** The body is larger than the agent may be shown. */
  refuseBody(direction: 'request' | 'response', bytes: number): Outcome {
    const { client } = this.member;
    const { requestBodyBytes, responseBodyBytes } = client.limits;
    if (bytes > client.maxBodyBytes) {
      const text = `the ${direction} body is ${bytes} bytes long; the agent takes no more than ${client.maxBodyBytes}`;
      return this.fail(`${direction}_body`, new GatewayError('body_too_large', text));
    }
    const { filterMaxBodyBytes } = this.member;
    if (filterMaxBodyBytes !== undefined) {
      const text = `the ${direction} body is ${bytes} bytes long; the filter allows ${filterMaxBodyBytes}, raise its max-body-bytes to allow more`;
      return this.fail(`${direction}_body`, new GatewayError('body_too_large', text));
    }
    const cause = (direction === 'request' ? requestBodyBytes : responseBodyBytes).exceeded(bytes);
    return this.fail(`${direction}_body`, new GatewayError('body_too_large', cause.message, { cause }));
  }

  /** What the agent answered cannot be used, or it cannot even be asked. */
  fail(event: AgentEvent, error: AgentError): Outcome {
    this.member.client.telemetry.failed(event, error, 0);
    return this.#failed(error);
  }

  #failed(error: AgentError): Outcome {
    this.#leftOut = true;
    // A caller that gave up wants no substitute for the answer.
    if (this.member.failureMode === 'open' && error.code !== 'aborted') return { kind: 'left_out' };
    return { kind: 'failed', error };
  }
}
