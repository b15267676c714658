import type { Limit } from '@clew/base';
import type { AgentExchange, BodyStep, ChainVerdict } from '../../agents/index.ts';
import type { BodyDeclaration } from '../downstream/head-check.ts';
import type { Downstream } from '../downstream/downstream.ts';
import type { BlockReason, Exchange } from '../exchange.ts';
import type { GatewayFailure } from '../failure.ts';
import { agentMetadata, callStarter } from './agent-phase.ts';
import { tooLarge } from './failures.ts';
import type { GatewayContext, Generation } from './gateway-context.ts';
import type { RequestBody } from './request-body.ts';
import type { RoutePlan } from './route-plan.ts';

/** The request agents are asked about. */
export interface RequestAgentsOwner {
  readonly exchange: Exchange;
  readonly downstream: Downstream;
  readonly context: GatewayContext;
  readonly generation: Generation;
  readonly body: RequestBody | undefined;
  readonly over: boolean;
  /** Set when asking begins; completing it is the owner's task. */
  agents: AgentExchange | undefined;
  /** Changed when agents may change the body's length. */
  declared: BodyDeclaration;
  /** Returns false when the request must not go on. */
  takeVerdict(event: string, verdict: ChainVerdict | BodyStep): boolean;
  /** Answers that the request is not let through. */
  refuse(failure: GatewayFailure, blocked: BlockReason): void;
}

/**
 * Asks the agents of a route about the head of a request, and has them see its body before it goes on. `next` is called when nobody has
 * anything against it.
 */
export async function askRequestAgents(owner: RequestAgentsOwner, plan: RoutePlan, next: () => void): Promise<void> {
  const { exchange } = owner;
  const agents = plan.chain!.begin(agentMetadata(exchange), callStarter(owner));
  owner.agents = agents;
  exchange.correlationId = agents.correlationId;
  if (agents.takes('request_headers')) {
    const verdict = await agents.run({
      kind: 'request_headers',
      method: exchange.method,
      uri: exchange.query === '' ? exchange.path : `${exchange.path}?${exchange.query}`,
      headers: owner.downstream.rawHeaders,
      hasBody: owner.declared.hasBody,
    });
    if (owner.over || !owner.takeVerdict('request_headers', verdict)) return;
  }
  if (owner.body === undefined) next();
  else openBody({ owner, plan, agents, next }, owner.body);
}

interface Asking {
  readonly owner: RequestAgentsOwner;
  readonly plan: RoutePlan;
  readonly agents: AgentExchange;
  /** Goes on with the request. */
  readonly next: () => void;
}

/** How much of a body is held for agents: what any body may have, and no more than may be kept of one. */
function heldLimit({ generation }: RequestAgentsOwner, { maxBody }: RoutePlan): Limit {
  const { bodyBufferBytes } = generation.limits;
  return maxBody.value < bodyBufferBytes.value ? maxBody : bodyBufferBytes;
}

function openBody({ owner, plan, agents, next }: Asking, body: RequestBody): void {
  const { contentLength } = owner.declared;
  const bodyPlan = agents.openBody('request', contentLength < 0 ? undefined : contentLength);
  if (bodyPlan.kind === 'refuse') {
    owner.takeVerdict('request_body', bodyPlan.verdict);
    return;
  }
  if (bodyPlan.kind === 'pass') {
    next();
    return;
  }
  const { inspection } = bodyPlan;
  const held = heldLimit(owner, plan);
  if (inspection.holdsAll && contentLength >= 0 && !held.allows(contentLength)) {
    owner.refuse(tooLarge(held.exceeded(contentLength).message), 'body_size_exceeded');
    return;
  }
  owner.declared = { hasBody: true, contentLength: -1 };
  body.inspectWith({ inspection, onStep: (step) => owner.takeVerdict('request_body', step) });
  // The verdict on the whole body may still change the head.
  if (inspection.holdsAll) body.gather(held, next);
  else next();
}
