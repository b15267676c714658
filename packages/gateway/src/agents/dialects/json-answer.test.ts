import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer } from './json-answer.ts';
import { parseObject } from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';
import { readNumberedAnswer } from './numbered/decode.ts';
import { GatewayError } from '../../errors.ts';

function problem(value: unknown): string {
  try {
    readAnswer(value as JsonObject);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'protocol') return error.message;
    throw error;
  }
  throw new Error('the answer was read');
}

describe('an answer in JSON', () => {
  it.each([
    [{}, '"decision" should be an object, but is nothing'],
    [{ decision: 'maybe' }, '"decision" should be an object, but is "maybe"'],
    [{ decision: { deny: {} } }, 'should be allow, block, redirect or challenge, but is {"deny":{}}'],
    [{ decision: { block: 403 } }, '"block" should be an object, but is 403'],
    [{ decision: { block: { status: 'no' } } }, '"status" should be a number, but is "no"'],
    [{ decision: { redirect: { status: 302 } } }, '"url" should be text, but is nothing'],
    [{ decision: { challenge: {} } }, '"challenge_type" should be text, but is nothing'],
    [{ decision: 'allow', version: 3 }, '"version" should be 1 or 2, but is 3'],
    [{ decision: 'allow', request_headers: {} }, '"request_headers" should be a list, but is {}'],
    [{ decision: 'allow', request_headers: [{ drop: {} }] }, 'a header operation should be set, add, remove'],
    [{ decision: 'allow', request_headers: [{ set: { name: 'a' } }] }, '"value" should be text, but is nothing'],
    [{ decision: 'allow', needs_more: 'yes' }, '"needs_more" should be true or false, but is "yes"'],
    [{ decision: 'allow', audit: { tags: [1] } }, 'an entry of "tags" should be text, but is 1'],
    [{ decision: 'allow', request_body_mutation: { data: '!' } }, '"data" of a body mutation should be base64'],
    [{ decision: 'allow', websocket_decision: 'shout' }, '"websocket_decision" should be an object'],
    [{ decision: 'allow', routing_metadata: { guardrail_response: '{' } }, 'is no JSON'],
  ])('is refused when it is %j', (value, message) => {
    expect(problem(value)).toContain(message);
  });

  it('may leave out or null whatever has a default', () => {
    const nulls = { decision: 'allow', audit: null, request_headers: null, needs_more: null, extra: 1 };
    const plain = {
      decision: { kind: 'allow' },
      needsMore: false,
      requestHeaders: [],
      responseHeaders: [],
      routingMetadata: {},
      audit: { tags: [], ruleIds: [], reasonCodes: [], custom: {} },
    };
    expect(readAnswer(nulls).answer).toEqual(plain);
    expect(readAnswer({ decision: { allow: {} } }).answer).toEqual(plain);
  });

  it('keeps everything it says, but takes the correlation id out of the audit', () => {
    const value = {
      version: 2,
      decision: { block: { status: 451, body: 'no', headers: { 'X-A': 'b', 'X-B': ['c', 'd'] } } },
      needs_more: true,
      request_headers: [
        { set: { name: 'A', value: '1' } },
        { add: { name: 'B', value: '2' } },
        { remove: { name: 'C' } },
      ],
      routing_metadata: { upstream: 'blue', weight: 3 },
      audit: {
        tags: ['t'],
        rule_ids: ['r'],
        reason_codes: ['c'],
        confidence: 0.5,
        custom: { correlation_id: 'x', k: 1 },
      },
      request_body_mutation: { data: 'aGk=', chunk_index: 2 },
      response_body_mutation: { data: null, chunk_index: 0 },
      websocket_decision: { close: { code: 1001, reason: 'bye' } },
    };
    expect(readAnswer(value)).toEqual({
      correlationId: 'x',
      bodyTextBytes: 4,
      answer: {
        decision: {
          kind: 'block',
          status: 451,
          body: 'no',
          headers: [
            ['X-A', 'b'],
            ['X-B', 'c'],
            ['X-B', 'd'],
          ],
        },
        needsMore: true,
        requestHeaders: [
          { kind: 'set', name: 'A', value: '1' },
          { kind: 'add', name: 'B', value: '2' },
          { kind: 'remove', name: 'C', value: '' },
        ],
        responseHeaders: [],
        routingMetadata: { upstream: 'blue', weight: '3' },
        audit: { tags: ['t'], ruleIds: ['r'], reasonCodes: ['c'], confidence: 0.5, custom: { k: 1 } },
        requestBodyMutation: { chunkIndex: 2, replacement: Buffer.from('hi') },
        responseBodyMutation: { chunkIndex: 0, replacement: undefined },
        websocketDecision: { kind: 'close', code: 1001, reason: 'bye' },
      },
    });
  });

  it('may carry what an inspection found', () => {
    const found = { detected: true, confidence: 0.9, detections: [{ category: 'pii' }], redacted_content: '***' };
    const { answer } = readAnswer({
      decision: 'allow',
      routing_metadata: { guardrail_response: JSON.stringify(found) },
    });
    expect(answer.guardrail).toEqual({
      detected: true,
      confidence: 0.9,
      detections: [{ category: 'pii' }],
      redactedContent: '***',
    });
  });

  it('with a request number may ask for more instead of deciding', () => {
    expect(readNumberedAnswer({ request_id: 7, decision: { needs_more: true } })).toMatchObject({
      requestNumber: 7,
      answer: { decision: { kind: 'allow' }, needsMore: true },
    });
    expect(() => readNumberedAnswer({ decision: 'allow' })).toThrow('"request_id" should be a number');
    const odd = { request_id: 1, decision: 'allow', request_headers: [{ operation: 'swap', name: 'a' }] };
    expect(() => readNumberedAnswer(odd)).toThrow('"operation" should be set, add, remove, but is "swap"');
  });

  it('is either read or refused with a reason, whatever it is', () => {
    const keys = [
      'decision',
      'audit',
      'request_headers',
      'block',
      'allow',
      'set',
      'custom',
      'data',
      'request_body_mutation',
    ];
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom<unknown>('allow', null, 1, true, 'x', -0.5),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        try {
          const object = parseObject(Buffer.from(JSON.stringify(value)), 'an answer');
          readAnswer(object);
          readNumberedAnswer({ request_id: 1, ...object });
        } catch (error) {
          expect(error).toMatchObject({ code: 'protocol' });
        }
      }),
    );
  });
});
