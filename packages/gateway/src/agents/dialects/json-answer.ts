import type {
  AgentAnswer,
  AgentAudit,
  AgentDecision,
  BodyMutation,
  GuardrailFinding,
  HeaderField,
  HeaderOperation,
  WebsocketDecision,
} from '../answer.ts';
import {
  asObject,
  flagAt,
  listAt,
  numberAt,
  objectAt,
  requiredText,
  textAt,
  textMapAt,
  textsAt,
  wrong,
} from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';
import { GatewayError } from '../../errors.ts';

/** An answer in JSON, the request it names if it names one, and the bytes of base64 text that stand for a body. */
export interface JsonAnswer {
  readonly answer: AgentAnswer;
  readonly correlationId: string | undefined;
  readonly bodyTextBytes: number;
}

/** Reads the answer of the dialects `framed` and `envelope`. Fails with `protocol`. */
export function readAnswer(object: JsonObject): JsonAnswer {
  const version = numberAt(object, 'version');
  if (version !== undefined && version !== 1 && version !== 2) throw wrong('"version"', '1 or 2', version);
  const { audit, correlationId } = readAudit(objectAt(object, 'audit'));
  const requestBody = readMutation(objectAt(object, 'request_body_mutation'));
  const responseBody = readMutation(objectAt(object, 'response_body_mutation'));
  const websocketDecision = readWebsocketDecision(object['websocket_decision']);
  const routingMetadata = textMapAt(object, 'routing_metadata');
  const guardrail = guardrailIn(routingMetadata);
  const answer: AgentAnswer = {
    decision: readDecision(object['decision']),
    needsMore: flagAt(object, 'needs_more'),
    requestHeaders: listAt(object, 'request_headers').map(readHeaderOperation),
    responseHeaders: listAt(object, 'response_headers').map(readHeaderOperation),
    routingMetadata,
    audit,
    ...(requestBody === undefined ? {} : { requestBodyMutation: requestBody.mutation }),
    ...(responseBody === undefined ? {} : { responseBodyMutation: responseBody.mutation }),
    ...(websocketDecision === undefined ? {} : { websocketDecision }),
    ...(guardrail === undefined ? {} : { guardrail }),
  };
  const bodyTextBytes = (requestBody?.textBytes ?? 0) + (responseBody?.textBytes ?? 0);
  return { answer, correlationId, bodyTextBytes };
}

/** Reads `"allow"`, `{"allow":{}}`, `{"block":{…}}`, `{"redirect":{…}}` or `{"challenge":{…}}`. */
export function readDecision(value: unknown): AgentDecision {
  if (value === 'allow') return { kind: 'allow' };
  const decision = asObject(value, '"decision"');
  if ('allow' in decision) return { kind: 'allow' };
  const block = objectAt(decision, 'block');
  if (block !== undefined) return readBlock(block);
  const redirect = objectAt(decision, 'redirect');
  if (redirect !== undefined) {
    return { kind: 'redirect', url: requiredText(redirect, 'url'), status: numberAt(redirect, 'status') ?? 302 };
  }
  const challenge = objectAt(decision, 'challenge');
  if (challenge === undefined) throw wrong('"decision"', 'allow, block, redirect or challenge', decision);
  const challengeType = requiredText(challenge, 'challenge_type');
  return { kind: 'challenge', challengeType, params: textMapAt(challenge, 'params') };
}

function readBlock(block: JsonObject): AgentDecision {
  const status = numberAt(block, 'status');
  const body = textAt(block, 'body');
  const headers = Object.entries(objectAt(block, 'headers') ?? {}).flatMap(([name, value]): HeaderField[] => {
    if (typeof value === 'string') return [[name, value]];
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) {
      return value.map((entry): HeaderField => [name, entry]);
    }
    throw wrong(`the header "${name}" of a block`, 'text', value);
  });
  return {
    kind: 'block',
    headers,
    ...(status === undefined ? {} : { status }),
    ...(body === undefined ? {} : { body }),
  };
}

const operations = ['set', 'add', 'remove'] as const;

/** Reads `{"set":{"name","value"}}` and its like. */
function readHeaderOperation(value: unknown): HeaderOperation {
  const entry = asObject(value, 'a header operation');
  for (const kind of operations) {
    const operand = objectAt(entry, kind);
    if (operand === undefined) continue;
    const name = requiredText(operand, 'name');
    return { kind, name, value: kind === 'remove' ? '' : requiredText(operand, 'value') };
  }
  throw wrong('a header operation', operations.join(', '), value);
}

/** Reads `{"operation":"set","name","value"}` and its like. */
export function readNamedHeaderOperation(value: unknown): HeaderOperation {
  const entry = asObject(value, 'a header operation');
  const kind = operations.find((name) => name === entry['operation']);
  if (kind === undefined) throw wrong('"operation"', operations.join(', '), entry['operation']);
  return { kind, name: requiredText(entry, 'name'), value: kind === 'remove' ? '' : requiredText(entry, 'value') };
}

/** Reads an audit; the correlation id that some agents put there is taken out. */
export function readAudit(object: JsonObject | undefined): {
  readonly audit: AgentAudit;
  readonly correlationId: string | undefined;
} {
  const { correlation_id: correlationId, ...custom } = objectAt(object ?? {}, 'custom') ?? {};
  const confidence = numberAt(object ?? {}, 'confidence');
  const audit: AgentAudit = {
    tags: textsAt(object ?? {}, 'tags'),
    ruleIds: textsAt(object ?? {}, 'rule_ids'),
    reasonCodes: textsAt(object ?? {}, 'reason_codes'),
    ...(confidence === undefined ? {} : { confidence }),
    custom,
  };
  return { audit, correlationId: typeof correlationId === 'string' ? correlationId : undefined };
}

const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

function readMutation(
  object: JsonObject | undefined,
): { readonly mutation: BodyMutation; readonly textBytes: number } | undefined {
  if (object === undefined) return undefined;
  const chunkIndex = numberAt(object, 'chunk_index') ?? 0;
  const data = textAt(object, 'data');
  if (data === undefined) return { mutation: { chunkIndex, replacement: undefined }, textBytes: 0 };
  if (!base64Pattern.test(data)) throw wrong('"data" of a body mutation', 'base64', data);
  return { mutation: { chunkIndex, replacement: Buffer.from(data, 'base64') }, textBytes: data.length };
}

function readWebsocketDecision(value: unknown): WebsocketDecision | undefined {
  if (value == null) return undefined;
  if (value === 'allow' || value === 'drop') return { kind: value };
  const close = objectAt(asObject(value, '"websocket_decision"'), 'close');
  if (close === undefined) throw wrong('"websocket_decision"', 'allow, drop or close', value);
  // 1008: the message violates a policy (RFC 6455 section 7.4.1).
  return { kind: 'close', code: numberAt(close, 'code') ?? 1008, reason: textAt(close, 'reason') ?? '' };
}

function guardrailIn(routingMetadata: Readonly<Record<string, string>>): GuardrailFinding | undefined {
  const text = routingMetadata['guardrail_response'];
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GatewayError('protocol', '"guardrail_response" in "routing_metadata" is no JSON', { cause });
  }
  return readGuardrail(asObject(value, '"guardrail_response"'));
}

/** Reads what an inspection found. */
export function readGuardrail(object: JsonObject): GuardrailFinding {
  const confidence = numberAt(object, 'confidence');
  const redactedContent = textAt(object, 'redacted_content');
  return {
    detected: flagAt(object, 'detected'),
    detections: listAt(object, 'detections').map((entry) => asObject(entry, 'a detection')),
    ...(confidence === undefined ? {} : { confidence }),
    ...(redactedContent === undefined ? {} : { redactedContent }),
  };
}
