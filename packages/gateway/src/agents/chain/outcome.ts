import { allowedOperations } from './header-operations.ts';
import type { Outcome, Participant } from './participant.ts';
import { failureResponse, responseOf } from './response.ts';
import type { EffectCollector, Refusal } from './verdict.ts';

/** Takes an outcome into account; returns the refusal if it is one. */
export function takeOutcome(
  participant: Participant,
  outcome: Outcome,
  provisional: boolean,
  effects: EffectCollector,
): Refusal | undefined {
  if (outcome.kind === 'left_out') return undefined;
  if (outcome.kind === 'failed') return refusalOf(participant, outcome);
  const { answer } = outcome;
  const { telemetry } = participant.member.client;
  effects.addFacts(answer);
  if (answer.decision.kind !== 'allow' && !(provisional && answer.needsMore)) return refusalOf(participant, outcome);
  effects.addChanges(
    allowedOperations(answer.requestHeaders, telemetry),
    allowedOperations(answer.responseHeaders, telemetry),
  );
  return undefined;
}

/** The refusal an outcome amounts to, taken for itself. */
export function refusalOf({ agentId, member }: Participant, outcome: Outcome): Refusal | undefined {
  if (outcome.kind === 'left_out') return undefined;
  if (outcome.kind === 'failed') {
    return { agentId, reason: 'failure', response: failureResponse(outcome.error), error: outcome.error };
  }
  const { decision } = outcome.answer;
  if (decision.kind === 'allow') return undefined;
  return { agentId, reason: decision.kind, response: responseOf(decision, member.client.telemetry) };
}
