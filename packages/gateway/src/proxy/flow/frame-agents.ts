import type { Limit } from '@clew/base';
import type { AgentExchange, ChainVerdict } from '../../agents/index.ts';
import type { Exchange } from '../exchange.ts';
import { closeCodes } from '../websocket/frames.ts';
import type { Frame, Violation } from '../websocket/frames.ts';
import type { FrameJudge, FrameRuling } from '../websocket/inspected-pipe.ts';
import { failureOfAgent } from './agent-phase.ts';
import type { GatewayContext } from './gateway-context.ts';

/** Lets the agents of a route decide about the frames of a WebSocket. */
export class FrameAgents implements FrameJudge {
  readonly limit: Limit;
  readonly #agents: AgentExchange;
  readonly #exchange: Exchange;
  readonly #context: GatewayContext;

  constructor(agents: AgentExchange, exchange: Exchange, context: GatewayContext, limit: Limit) {
    this.#agents = agents;
    this.#exchange = exchange;
    this.#context = context;
    this.limit = limit;
  }

  get interested(): boolean {
    return this.#agents.takes('websocket_frame');
  }

  async judge({ type, payload, isFinal }: Frame, clientToServer: boolean, frameIndex: number): Promise<FrameRuling> {
    const verdict = await this.#agents.run({
      kind: 'websocket_frame',
      opcode: type,
      data: payload,
      clientToServer,
      frameIndex,
      isFinal,
    });
    return this.#ruling(verdict);
  }

  onViolation({ message }: Violation, clientToServer: boolean): void {
    const exchange = this.#exchange;
    const reason = clientToServer ? 'websocket_client_violation' : 'websocket_upstream_violation';
    exchange.failure ??= { status: 101, type: clientToServer ? 'RequestValidation' : 'Upstream', reason, message };
  }

  #ruling(verdict: ChainVerdict): FrameRuling {
    const exchange = this.#exchange;
    const { audit, routingMetadata: routing } = verdict;
    if (verdict.kind === 'allow') {
      this.#context.observer.agentsDecided(exchange, { event: 'websocket_frame', audit, routing });
      const { websocket } = verdict;
      return websocket.kind === 'allow' ? pass : websocket;
    }
    const { refusal } = verdict;
    this.#context.observer.agentsDecided(exchange, { event: 'websocket_frame', audit, routing, refusal });
    exchange.blockedByAgent = refusal.agentId;
    exchange.blocked = 'agent_blocked';
    if (refusal.reason !== 'failure') {
      return { kind: 'close', code: closeCodes.policyViolation, reason: refusal.response.body };
    }
    exchange.failure = failureOfAgent(refusal);
    return { kind: 'close', code: closeCodes.internal, reason: 'an agent could not be asked' };
  }
}

const pass: FrameRuling = Object.freeze({ kind: 'pass' });
