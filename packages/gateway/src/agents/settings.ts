import { Limit } from '@clew/base';
import type { AgentConfig } from '../config/model/agent.ts';

/** What an agent's client needs to know: the `agent` block, without what only people and error reports read. */
export type AgentSettings = Omit<AgentConfig, 'position' | 'type'>;

/** Bounds that hold for every agent of a gateway; the `limits` block. */
export interface AgentLimitSettings {
  /** One answer, apart from a body it replaces. Default 10,240. */
  readonly maxAnswerBytes?: number;
  /** Calls of one agent that wait for their turn. Default 100. */
  readonly maxQueuedCalls?: number;
}

/** The limits of one agent, each with its setting's name. */
export interface AgentLimits {
  readonly answerBytes: Limit;
  readonly queuedCalls: Limit;
  readonly requestBodyBytes: Limit;
  readonly responseBodyBytes: Limit;
}

/** The limits of one agent. */
export function agentLimits(settings: AgentSettings, shared: AgentLimitSettings): AgentLimits {
  const own = `agents.agent ${JSON.stringify(settings.id)}`;
  return {
    answerBytes: new Limit(
      {
        name: 'agent_response_bytes',
        setting: 'limits.max-agent-response-bytes',
        subject: `an answer of agent ${settings.id}`,
        unit: 'bytes',
        defaultValue: 10_240,
      },
      shared.maxAnswerBytes,
    ),
    queuedCalls: new Limit(
      {
        name: 'agent_queue_depth',
        setting: 'limits.max-agent-queue-depth',
        subject: `the queue of calls to agent ${settings.id}`,
        unit: 'items',
        defaultValue: 100,
      },
      shared.maxQueuedCalls,
    ),
    requestBodyBytes: bodyLimit(`${own}.max-request-body-bytes`, 'request', settings.id, settings.maxRequestBodyBytes),
    responseBodyBytes: bodyLimit(
      `${own}.max-response-body-bytes`,
      'response',
      settings.id,
      settings.maxResponseBodyBytes,
    ),
  };
}

function bodyLimit(setting: string, direction: 'request' | 'response', id: string, bytes: number): Limit {
  const subject = `the ${direction} body for agent ${id}`;
  return new Limit(
    { name: `agent_${direction}_body_bytes`, setting, subject, unit: 'bytes', defaultValue: 1_048_576 },
    bytes,
  );
}

// What follows is fixed by the protocol or by how agents behave, and is no setting.

/** Connecting and shaking hands. */
export const connectTimeoutMs = 5_000;
/** How long a Unix socket's agent may take to answer the first handshake before it is taken for one that knows none. */
export const probeTimeoutMs = 400;
/** Between two attempts to reach an agent that is away. */
export const reconnectIntervalMs = 5_000;
/** Failed attempts in a row before an agent is reported as down. */
export const attemptsBeforeDown = 3;
/** Silence on a connection after which the agent is pinged. */
export const pingIntervalMs = 10_000;
/** How long a ping may stay unanswered. */
export const pingTimeoutMs = 5_000;
/** Calls in flight on one connection of a dialect that tells answers apart. */
export const maxCallsPerConnection = 100;
/** How long calls wait when an agent asked for silence. */
export const pauseLimitMs = 100;
/** For the verdict on one WebSocket frame. */
export const websocketTimeoutMs = 100;
/** Bytes written to a connection that the agent has not read yet. */
export const maxUnreadBytes = 32 * 1024 * 1024;
/** The largest piece of a body in one event, unless the agent prefers another size. */
export const defaultChunkBytes = 1024 * 1024;
