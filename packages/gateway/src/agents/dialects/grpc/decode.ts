import { emptyAudit } from '../../answer.ts';
import type { AgentAnswer, AgentAudit, AgentDecision, HeaderField, HeaderOperation } from '../../answer.ts';
import { eventsFromNumbers } from '../../message.ts';
import type { AgentDescription, AgentHealth } from '../connection.ts';
import { describe, healthOfNumber } from '../framed/describe.ts';
import { bytesOf, mapEntryOf, protoFields, textOf, uintOf, uintsOf } from './protobuf.ts';
import type { ProtoField } from './protobuf.ts';
import { GatewayError } from '../../../errors.ts';

/** What an `AgentToProxy` carries. */
export type AgentToProxy =
  | {
      readonly kind: 'handshake';
      readonly success: boolean;
      readonly version: number;
      readonly error?: string;
      readonly agent: AgentDescription;
    }
  | { readonly kind: 'response'; readonly correlationId: string; readonly answer: AgentAnswer }
  | { readonly kind: 'health'; readonly health: AgentHealth }
  | { readonly kind: 'flow_control'; readonly correlationId?: string; readonly action: number }
  | { readonly kind: 'pong' }
  | { readonly kind: 'log'; readonly level: number; readonly message: string }
  | { readonly kind: 'config_update' }
  /** Metrics, and what later versions of the protocol may add. */
  | { readonly kind: 'other' };

/** Decodes an `AgentToProxy`. Fails with `protocol`. */
export function decodeAgentMessage(bytes: Uint8Array): AgentToProxy {
  let message: AgentToProxy = { kind: 'other' };
  for (const field of protoFields(bytes)) message = variantOf(field);
  return message;
}

function variantOf(field: ProtoField): AgentToProxy {
  switch (field.number) {
    case 1:
      return decodeHandshake(bytesOf(field));
    case 2:
      return decodeResponse(bytesOf(field));
    case 3:
      return decodeHealth(bytesOf(field));
    case 5:
      return { kind: 'config_update' };
    case 6:
      return decodeFlowControl(bytesOf(field));
    case 7:
      return { kind: 'pong' };
    case 8:
      return decodeLog(bytesOf(field));
    default:
      return { kind: 'other' };
  }
}

function decodeHandshake(bytes: Uint8Array): AgentToProxy {
  let success = false;
  let version = 0;
  let error: string | undefined;
  let agent: AgentDescription = {};
  for (const field of protoFields(bytes)) {
    if (field.number === 1) version = uintOf(field);
    if (field.number === 2) agent = decodeCapabilities(bytesOf(field));
    if (field.number === 3) success = uintOf(field) !== 0;
    if (field.number === 4) error = textOf(field);
  }
  return { kind: 'handshake', success, version, agent, ...(error === undefined ? {} : { error }) };
}

function decodeCapabilities(bytes: Uint8Array): AgentDescription {
  const numbers: number[] = [];
  let name: string | undefined;
  let version: string | undefined;
  let preferredChunkBytes: number | undefined;
  let maxConcurrentCalls: number | undefined;
  let maxBodyBytes: number | undefined;
  for (const field of protoFields(bytes)) {
    if (field.number === 3) name = textOf(field);
    if (field.number === 4) version = textOf(field);
    if (field.number === 5) numbers.push(...uintsOf(field));
    if (field.number === 6) {
      for (const part of protoFields(bytesOf(field))) if (part.number === 6) maxConcurrentCalls ??= uintOf(part);
    }
    if (field.number === 7) {
      for (const part of protoFields(bytesOf(field))) {
        if (part.number === 1) maxBodyBytes = uintOf(part);
        if (part.number === 2) maxConcurrentCalls = uintOf(part);
        if (part.number === 3) preferredChunkBytes = uintOf(part);
      }
    }
  }
  const events = eventsFromNumbers(numbers);
  return describe({ name, version, events, maxBodyBytes, preferredChunkBytes, maxConcurrentCalls });
}

function decodeResponse(bytes: Uint8Array): AgentToProxy {
  let correlationId = '';
  let decision: AgentDecision | undefined;
  let needsMore = false;
  let audit = emptyAudit;
  const requestHeaders: HeaderOperation[] = [];
  const responseHeaders: HeaderOperation[] = [];
  for (const field of protoFields(bytes)) {
    if (field.number === 1) correlationId = textOf(field);
    else if (field.number === 2) decision = { kind: 'allow' };
    else if (field.number === 3) decision = decodeBlock(bytesOf(field));
    else if (field.number === 4) decision = decodeRedirect(bytesOf(field));
    else if (field.number === 5) decision = decodeChallenge(bytesOf(field));
    else if (field.number === 10) requestHeaders.push(decodeHeaderOperation(bytesOf(field)));
    else if (field.number === 11) responseHeaders.push(decodeHeaderOperation(bytesOf(field)));
    else if (field.number === 12) audit = decodeAudit(bytesOf(field));
    else if (field.number === 14) needsMore = uintOf(field) !== 0;
  }
  if (decision === undefined) {
    // An agent that only wants more has nothing to say yet.
    if (!needsMore) throw new GatewayError('protocol', "the agent's answer carries no decision");
    decision = { kind: 'allow' };
  }
  const answer = { decision, needsMore, requestHeaders, responseHeaders, routingMetadata: {}, audit };
  return { kind: 'response', correlationId, answer };
}

function decodeHeader(bytes: Uint8Array): HeaderField {
  return mapEntryOf({ number: 0, bytes });
}

function decodeHeaderOperation(bytes: Uint8Array): HeaderOperation {
  let operation: HeaderOperation | undefined;
  for (const field of protoFields(bytes)) {
    if (field.number === 3) operation = { kind: 'remove', name: textOf(field), value: '' };
    if (field.number !== 1 && field.number !== 2) continue;
    const [name, value] = decodeHeader(bytesOf(field));
    operation = { kind: field.number === 1 ? 'set' : 'add', name, value };
  }
  if (operation === undefined) throw new GatewayError('protocol', "a header operation of the agent's answer is empty");
  return operation;
}

function decodeBlock(bytes: Uint8Array): AgentDecision {
  let status = 0;
  let body: string | undefined;
  const headers: HeaderField[] = [];
  for (const field of protoFields(bytes)) {
    if (field.number === 1) status = uintOf(field);
    if (field.number === 2) body = textOf(field);
    if (field.number === 3) headers.push(decodeHeader(bytesOf(field)));
  }
  return { kind: 'block', headers, ...(status === 0 ? {} : { status }), ...(body === undefined ? {} : { body }) };
}

function decodeRedirect(bytes: Uint8Array): AgentDecision {
  let url = '';
  let status = 302;
  for (const field of protoFields(bytes)) {
    if (field.number === 1) url = textOf(field);
    if (field.number === 2) status = uintOf(field);
  }
  return { kind: 'redirect', url, status };
}

function decodeChallenge(bytes: Uint8Array): AgentDecision {
  let challengeType = '';
  const params: [string, string][] = [];
  for (const field of protoFields(bytes)) {
    if (field.number === 1) challengeType = textOf(field);
    if (field.number === 2) params.push(mapEntryOf(field));
  }
  return { kind: 'challenge', challengeType, params: Object.fromEntries(params) };
}

function decodeAudit(bytes: Uint8Array): AgentAudit {
  const tags: string[] = [];
  const ruleIds: string[] = [];
  const reasonCodes: string[] = [];
  const custom: [string, string][] = [];
  let confidence: number | undefined;
  for (const field of protoFields(bytes)) {
    if (field.number === 1) tags.push(textOf(field));
    if (field.number === 2) ruleIds.push(textOf(field));
    if (field.number === 3) confidence = field.float;
    if (field.number === 4) reasonCodes.push(textOf(field));
    if (field.number === 5) custom.push(mapEntryOf(field));
  }
  const known = { tags, ruleIds, reasonCodes, custom: Object.fromEntries(custom) };
  return confidence === undefined ? known : { ...known, confidence };
}

function decodeHealth(bytes: Uint8Array): AgentToProxy {
  let state: AgentHealth['state'] = 'healthy';
  let message: string | undefined;
  for (const field of protoFields(bytes)) {
    if (field.number === 2) state = healthOfNumber(uintOf(field));
    if (field.number === 3) message = textOf(field);
  }
  return { kind: 'health', health: { state, ...(message === undefined ? {} : { message }) } };
}

function decodeFlowControl(bytes: Uint8Array): AgentToProxy {
  let correlationId: string | undefined;
  let action = 0;
  for (const field of protoFields(bytes)) {
    if (field.number === 1) correlationId = textOf(field);
    if (field.number === 2) action = uintOf(field);
  }
  return { kind: 'flow_control', action, ...(correlationId ? { correlationId } : {}) };
}

function decodeLog(bytes: Uint8Array): AgentToProxy {
  let level = 0;
  let message = '';
  for (const field of protoFields(bytes)) {
    if (field.number === 1) level = uintOf(field);
    if (field.number === 2) message = textOf(field);
  }
  return { kind: 'log', level, message };
}
