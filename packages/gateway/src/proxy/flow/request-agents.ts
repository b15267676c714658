import type { AgentExchange, BodyStep, ChainVerdict } from '../../agents/index.ts';
import type { BodyDeclaration } from '../downstream/head-check.ts';
import type { Downstream } from '../downstream/downstream.ts';
import type { Exchange } from '../exchange.ts';
import { agentMetadata, callStarter } from './agent-phase.ts';
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
  /** Nobody has anything against the request. */
  proceed(plan: RoutePlan): void;
}

/** Asks the agents of a route about the head of a request, and has them see its body before it goes on. */
export async function askRequestAgents(owner: RequestAgentsOwner, plan: RoutePlan): Promise<void> {
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
  if (owner.body === undefined) owner.proceed(plan);
  else openBody(owner, plan, agents, owner.body);
}

function openBody(owner: RequestAgentsOwner, plan: RoutePlan, agents: AgentExchange, body: RequestBody): void {
  const { contentLength } = owner.declared;
  const bodyPlan = agents.openBody('request', contentLength < 0 ? undefined : contentLength);
  if (bodyPlan.kind === 'refuse') {
    owner.takeVerdict('request_body', bodyPlan.verdict);
    return;
  }
  if (bodyPlan.kind === 'pass') {
    owner.proceed(plan);
    return;
  }
  const { inspection } = bodyPlan;
  owner.declared = { hasBody: true, contentLength: -1 };
  body.inspectWith({ inspection, onStep: (step) => owner.takeVerdict('request_body', step) });
  // The verdict on the whole body may still change the head.
  if (inspection.holdsAll) body.gather(plan.maxBody, () => owner.proceed(plan));
  else owner.proceed(plan);
}
