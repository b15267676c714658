import { plainAllow } from '../../answer.ts';
import type { ReceivedAnswer } from '../connection.ts';
import { readAnswer, readGuardrail } from '../json-answer.ts';
import { flagAt, textAt } from '../json-fields.ts';
import type { JsonObject } from '../json-fields.ts';

/** What an event may be answered with. */
export type ReplyKind = 'decision' | 'success' | 'finding';

/**
 * Reads a reply. Besides decisions there are `{"success":…}` and what an inspection found; agents that do not know an event
 * answer it with a decision.
 */
export function readReply(object: JsonObject, bytes: number, expected: ReplyKind): ReceivedAnswer {
  if (expected === 'success' && 'success' in object) {
    const body = textAt(object, 'error') ?? 'it gave no reason';
    if (flagAt(object, 'success')) return { answer: plainAllow, answerBytes: bytes };
    return { answer: { ...plainAllow, decision: { kind: 'block', body, headers: [] } }, answerBytes: bytes };
  }
  if (expected === 'finding' && 'detected' in object) {
    return { answer: { ...plainAllow, guardrail: readGuardrail(object) }, answerBytes: bytes };
  }
  const { answer, bodyTextBytes } = readAnswer(object);
  return { answer, answerBytes: bytes - bodyTextBytes };
}
