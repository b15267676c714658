import type { GuardrailFinding, WebsocketDecision } from '../answer.ts';
import type { AgentEvent, AgentMessage, CancelReason, RequestMetadata, RequestSummary } from '../message.ts';
import { websocketTimeoutMs } from '../settings.ts';
import { BodyInspection } from './body-inspection.ts';
import type { BodyDirection } from './body-inspection.ts';
import type { ChainMember } from './members.ts';
import { refusalOf, takeOutcome } from './outcome.ts';
import { Participant } from './participant.ts';
import type { StartAgentCall } from './participant.ts';
import { EffectCollector } from './verdict.ts';
import type { ChainVerdict } from './verdict.ts';

/** What agents can be asked as a whole; bodies come in pieces, see {@link AgentExchange.openBody}. */
export type WholeMessage = Exclude<AgentMessage, { readonly kind: 'request_body' | 'response_body' }>;

/** What is to be done with a body. */
export type BodyPlan =
  /** No agent wants to see it. */
  | { readonly kind: 'pass' }
  | { readonly kind: 'inspect'; readonly inspection: BodyInspection }
  /** It is known to be too large for an agent that must see it. */
  | { readonly kind: 'refuse'; readonly verdict: ChainVerdict };

/** What a chain of agents is asked about one request. Must be completed, whatever happens to the request. */
export class AgentExchange {
  /** Names the request to agents: the one given, unless another request in flight has it. */
  readonly correlationId: string;
  readonly #participants: readonly Participant[];
  /** No answer about the request can come any more: its name may be used again. */
  readonly #onForgotten: () => void;
  #completed: Promise<void> | undefined;

  constructor(
    members: readonly ChainMember[],
    metadata: RequestMetadata,
    options: { readonly startCall?: StartAgentCall | undefined; readonly onForgotten: () => void },
  ) {
    this.correlationId = metadata.correlationId;
    this.#onForgotten = options.onForgotten;
    const sessions = new Map<ChainMember['client'], Participant['session']>();
    this.#participants = members.map((member) => {
      // An agent that stands in the chain twice knows the request only once.
      const session = sessions.get(member.client) ?? member.client.session(metadata);
      sessions.set(member.client, session);
      return new Participant(member, session, options.startCall);
    });
  }

  /** Whether any agent is asked about such an event; when none is, there is no need to. */
  takes(event: AgentEvent): boolean {
    return this.#participants.some((participant) => participant.takes(event));
  }

  /** Asks the agents that take the event. Never rejects: failures become refusals or are passed over. */
  async run(message: WholeMessage): Promise<ChainVerdict> {
    const participants = this.#participants.filter((participant) => participant.takes(message.kind));
    return message.kind === 'request_headers'
      ? this.#runParallel(participants, message)
      : runInOrder(participants, message);
  }

  /** Says what is to be done with a body; `totalBytes` when its length is known. */
  openBody(direction: BodyDirection, totalBytes?: number): BodyPlan {
    const event = `${direction}_body` as const;
    const effects = new EffectCollector();
    for (const participant of this.#participants) {
      if (totalBytes === undefined || !participant.takes(event)) continue;
      if (totalBytes <= participant.member.maxBodyBytes(direction)) continue;
      const outcome = participant.refuseBody(direction, totalBytes);
      if (outcome.kind !== 'failed') continue;
      const refusal = refusalOf(participant, outcome)!;
      return { kind: 'refuse', verdict: { kind: 'refuse', refusal, ...effects.effects() } };
    }
    const participants = this.#participants.filter((participant) => participant.takes(event));
    if (participants.length === 0) return { kind: 'pass' };
    return { kind: 'inspect', inspection: new BodyInspection(direction, participants, totalBytes) };
  }

  /** The request is given up: running calls end, and agents are told where they can be. */
  abort(reason: CancelReason): void {
    for (const { session } of this.#participants) session.abort(reason);
  }

  /** The request is over. Agents are told in the background; resolves when they were. Never rejects. Idempotent. */
  complete(summary: RequestSummary): Promise<void> {
    return (this.#completed ??= this.#complete(summary));
  }

  async #complete(summary: RequestSummary): Promise<void> {
    this.abort('clientDisconnect');
    await Promise.all(this.#participants.map(({ session }) => session.finish(summary)));
    void Promise.all(this.#participants.map(({ session }) => session.forgotten())).then(this.#onForgotten);
  }

  async #runParallel(
    participants: readonly Participant[],
    message: Extract<WholeMessage, { readonly kind: 'request_headers' }>,
  ): Promise<ChainVerdict> {
    const asked = participants.map((participant) => participant.ask(message, participant.member.timeoutMs));
    const effects = new EffectCollector();
    for (const [index, participant] of participants.entries()) {
      const outcome = await asked[index]!;
      // Whoever will see the body may decide then.
      const provisional = message.hasBody && participant.takes('request_body');
      const refusal = takeOutcome(participant, outcome, provisional, effects);
      if (refusal === undefined) continue;
      for (const later of participants.slice(index + 1)) later.session.abort('blockedByAgent');
      return { kind: 'refuse', refusal, ...effects.effects() };
    }
    return { kind: 'allow', websocket: { kind: 'allow' }, ...effects.effects() };
  }
}

async function runInOrder(participants: readonly Participant[], message: WholeMessage): Promise<ChainVerdict> {
  const effects = new EffectCollector();
  let websocket: WebsocketDecision = { kind: 'allow' };
  let guardrail: GuardrailFinding | undefined;
  for (const participant of participants) {
    const { timeoutMs } = participant.member;
    const limitMs = message.kind === 'websocket_frame' ? Math.min(timeoutMs, websocketTimeoutMs) : timeoutMs;
    const outcome = await participant.ask(message, limitMs);
    const provisional = message.kind === 'response_headers' && message.hasBody && participant.takes('response_body');
    const refusal = takeOutcome(participant, outcome, provisional, effects);
    if (refusal !== undefined) return { kind: 'refuse', refusal, ...effects.effects() };
    if (outcome.kind !== 'answered') continue;
    websocket = outcome.answer.websocketDecision ?? websocket;
    if (guardrail?.detected !== true) guardrail = outcome.answer.guardrail ?? guardrail;
    if (websocket.kind !== 'allow') break;
  }
  return { kind: 'allow', websocket, ...effects.effects(), ...(guardrail === undefined ? {} : { guardrail }) };
}
