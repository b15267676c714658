import type { RequestMetadata } from '../message.ts';
import type { AgentEvent } from '../message.ts';
import { AgentExchange } from './agent-exchange.ts';
import type { ChainMember } from './members.ts';
import type { StartAgentCall } from './participant.ts';

/** Gives a request a correlation id that no other request in flight has. */
export interface CorrelationIds {
  /** The id wanted, or a new one when that is taken. It must be released. */
  claim(wanted: string): string;
  release(id: string): void;
}

/** Agents in the order they decide. Made once per route; holds nothing of a request. */
export class AgentChain {
  readonly #members: readonly ChainMember[];
  readonly #correlationIds: CorrelationIds;

  constructor(members: readonly ChainMember[], correlationIds: CorrelationIds) {
    this.#members = members;
    this.#correlationIds = correlationIds;
  }

  /** Whether there is nobody to ask. */
  get empty(): boolean {
    return this.#members.length === 0;
  }

  /** Whether any agent takes the event at present. */
  takes(event: AgentEvent): boolean {
    return this.#members.some((member) => member.takes(event));
  }

  /** Begins to ask about a request. `startCall` is told of every call. The exchange must be completed. */
  begin(metadata: RequestMetadata, startCall?: StartAgentCall): AgentExchange {
    const correlationId = this.#correlationIds.claim(metadata.correlationId);
    const own = correlationId === metadata.correlationId ? metadata : { ...metadata, correlationId };
    const onForgotten = (): void => this.#correlationIds.release(correlationId);
    return new AgentExchange(this.#members, own, { startCall, onForgotten });
  }
}
