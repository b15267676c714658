import type { FilterConfig } from '../../config/model/filter.ts';
import type { FailureMode, RouteConfig } from '../../config/model/route.ts';
import type { AgentClient } from '../client/agent-client.ts';
import type { AgentEvent } from '../message.ts';

/** An agent's place in a chain, with what holds there instead of the agent's own settings. */
export interface MemberSettings {
  readonly agentId: string;
  readonly timeoutMs?: number;
  readonly failureMode?: FailureMode;
  /** Which half of the exchange it takes part in; absent = both. */
  readonly phase?: 'request' | 'response' | 'both';
  /** Whether bodies are shown to it; absent = as far as it takes them. */
  readonly inspectBody?: boolean;
  readonly maxBodyBytes?: number;
}

/** The agents of a route in the order they decide: those it names, then those of its filters. */
export function membersOfRoute(
  route: Pick<RouteConfig, 'agents' | 'filters' | 'policies'>,
  filters: ReadonlyMap<string, FilterConfig>,
): MemberSettings[] {
  const members: MemberSettings[] = route.agents.map((agentId) => ({ agentId }));
  for (const id of route.filters) {
    const settings = filters.get(id)?.settings;
    if (settings?.type !== 'agent') continue;
    const { agent, timeoutMs, failureMode = route.policies.failureMode, phase, inspectBody, maxBodyBytes } = settings;
    members.push({
      agentId: agent,
      failureMode,
      inspectBody,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(phase === undefined ? {} : { phase }),
      ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
    });
  }
  return members;
}

/** An agent in a chain. */
export class ChainMember {
  readonly client: AgentClient;
  readonly timeoutMs: number;
  readonly failureMode: FailureMode;
  readonly #settings: MemberSettings;

  constructor(client: AgentClient, settings: MemberSettings) {
    this.client = client;
    this.timeoutMs = settings.timeoutMs ?? client.settings.timeoutMs;
    this.failureMode = settings.failureMode ?? client.settings.failureMode;
    this.#settings = settings;
  }

  /** Whether it is told of the event: here, by its configuration, and by what the agent takes. */
  takes(event: AgentEvent): boolean {
    const { phase = 'both', inspectBody = true } = this.#settings;
    if (phase === 'request' && (event === 'response_headers' || event === 'response_body')) return false;
    if (phase === 'response' && (event === 'request_headers' || event === 'request_body')) return false;
    if (!inspectBody && (event === 'request_body' || event === 'response_body')) return false;
    return this.client.takes(event);
  }

  /** The largest body its filter has it shown; undefined when the filter says nothing of that. */
  get filterMaxBodyBytes(): number | undefined {
    return this.#settings.maxBodyBytes;
  }

  /** The largest body it is shown: as is configured, and no more than it takes. */
  maxBodyBytes(direction: 'request' | 'response'): number {
    const { requestBodyBytes, responseBodyBytes } = this.client.limits;
    const limit = direction === 'request' ? requestBodyBytes : responseBodyBytes;
    return Math.min(this.#settings.maxBodyBytes ?? limit.value, this.client.maxBodyBytes);
  }
}
