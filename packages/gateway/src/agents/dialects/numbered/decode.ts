import { emptyAudit } from '../../answer.ts';
import type { AgentAnswer } from '../../answer.ts';
import type { AgentEvent } from '../../message.ts';
import type { AgentDescription } from '../connection.ts';
import { describe } from '../framed/describe.ts';
import { readAudit, readDecision, readNamedHeaderOperation } from '../json-answer.ts';
import { flagAt, listAt, numberAt, objectAt, textAt, wrong } from '../json-fields.ts';
import type { JsonObject } from '../json-fields.ts';

/** A decision and the number of the request it is about. */
export interface NumberedAnswer {
  readonly requestNumber: number;
  readonly answer: AgentAnswer;
}

/** Reads a decision. Fails with `protocol`. */
export function readNumberedAnswer(object: JsonObject): NumberedAnswer {
  const requestNumber = numberAt(object, 'request_id');
  if (requestNumber === undefined) throw wrong('"request_id"', 'a number', undefined);
  const audit = objectAt(object, 'audit');
  const needsMore = wantsMore(object['decision']);
  const answer: AgentAnswer = {
    decision: needsMore ? { kind: 'allow' } : readDecision(object['decision']),
    needsMore,
    requestHeaders: listAt(object, 'request_headers').map(readNamedHeaderOperation),
    responseHeaders: listAt(object, 'response_headers').map(readNamedHeaderOperation),
    routingMetadata: {},
    audit: audit === undefined ? emptyAudit : readAudit(audit).audit,
  };
  return { requestNumber, answer };
}

function wantsMore(decision: unknown): boolean {
  if (decision === 'needs_more') return true;
  if (typeof decision !== 'object' || decision === null) return false;
  return (decision as JsonObject)['needs_more'] === true;
}

/** What the answer to the handshake tells. Fails with `protocol`. */
export function describeAgent(reply: JsonObject): AgentDescription {
  const capabilities = objectAt(reply, 'capabilities');
  const events = new Set<AgentEvent>();
  if (capabilities !== undefined) {
    if (flagAt(capabilities, 'handles_request_headers')) events.add('request_headers');
    if (flagAt(capabilities, 'handles_request_body')) events.add('request_body');
    if (flagAt(capabilities, 'handles_response_headers')) events.add('response_headers');
    if (flagAt(capabilities, 'handles_response_body')) events.add('response_body');
  }
  return describe({
    name: textAt(reply, 'agent_name'),
    version: undefined,
    events: capabilities === undefined ? undefined : events,
    preferredChunkBytes: undefined,
    maxConcurrentCalls: capabilities && numberAt(capabilities, 'max_concurrent_requests'),
  });
}
