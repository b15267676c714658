// The codec against protobufjs, which reads and writes the same messages from their definition.
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { agentProto } from '../../../../test/agents/agent-proto.ts';
import type { AgentMessage } from '../../message.ts';
import type { CallContext } from '../connection.ts';
import { decodeAgentMessage } from './decode.ts';
import { encodeCancel, encodeComplete, encodeConfigure, encodeEvent, encodeHandshake, encodePing } from './encode.ts';

const { root } = protobuf.parse(agentProto, { keepCase: true });
const toAgent = root.lookupType('zentinel.agent.v2.ProxyToAgent');
const toProxy = root.lookupType('zentinel.agent.v2.AgentToProxy');

function readByAgent(bytes: Uint8Array): Record<string, unknown> {
  return toAgent.toObject(toAgent.decode(Buffer.from(bytes)), { longs: Number, bytes: Buffer });
}

function fromAgent(message: Record<string, unknown>): Uint8Array {
  return toProxy.encode(toProxy.fromObject(message)).finish();
}

const context: CallContext = {
  metadata: {
    correlationId: 'c-1',
    requestId: 'r-1',
    clientIp: '::1',
    clientPort: 65_535,
    protocol: 'HTTP/2',
    routeId: 'api',
    startUnixMs: 1_700_000_000_123,
  },
  requestNumber: 1,
  traceparent: '00-a-b-01',
};

describe('messages of a gRPC agent', () => {
  it.each([
    ['ff', 'a number is cut off'],
    ['0a05', '5 bytes are announced, 0 left'],
    ['0500', 'a field has the number 0'],
    ['0f', 'wire type 7'],
    ['0affffffffffffffffff7f', 'bytes are announced'],
    ['ffffffffffffffffffffff01', 'a number is longer than ten bytes'],
    ['1001', 'field 2 of the agent'],
    ['1200', 'carries no decision'],
    ['120412005200', "a header operation of the agent's answer is empty"],
    [Buffer.from('{"response":{}}').toString('hex'), 'it looks like JSON, which is not supported over gRPC'],
  ])('are refused when they are %s', (hex, message) => {
    expect(() => decodeAgentMessage(Buffer.from(hex, 'hex'))).toThrow(new RegExp(message));
  });

  it('are either read or refused with a reason, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeAgentMessage(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'protocol' });
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('are read as they were meant', () => {
    const response = {
      correlation_id: 'c-1',
      block: { status: 451, body: '', headers: [{ name: 'a', value: 'b' }] },
      request_headers: [{ set: { name: 's', value: '1' } }, { add: { name: 'a', value: '2' } }, { remove: 'r' }],
      response_headers: [{ set: { name: 'x', value: 'ä' } }],
      audit: { tags: ['t'], rule_ids: ['r'], confidence: 0.5, reason_codes: ['c'], custom: { k: 'v' } },
      needs_more: true,
    };
    expect(decodeAgentMessage(fromAgent({ response }))).toEqual({
      kind: 'response',
      correlationId: 'c-1',
      answer: {
        decision: { kind: 'block', status: 451, body: '', headers: [['a', 'b']] },
        needsMore: true,
        requestHeaders: [
          { kind: 'set', name: 's', value: '1' },
          { kind: 'add', name: 'a', value: '2' },
          { kind: 'remove', name: 'r', value: '' },
        ],
        responseHeaders: [{ kind: 'set', name: 'x', value: 'ä' }],
        routingMetadata: {},
        audit: { tags: ['t'], ruleIds: ['r'], reasonCodes: ['c'], confidence: 0.5, custom: { k: 'v' } },
      },
    });
    const capabilities = {
      name: 'n',
      version: 'v',
      supported_events: [1, 4, 99],
      features: { concurrent_requests: 3 },
      limits: { preferred_chunk_size: 4096 },
    };
    expect(decodeAgentMessage(fromAgent({ handshake: { success: true, protocol_version: 2, capabilities } }))).toEqual({
      kind: 'handshake',
      success: true,
      version: 2,
      agent: {
        name: 'n',
        version: 'v',
        events: new Set(['request_headers', 'response_body']),
        preferredChunkBytes: 4096,
        maxConcurrentCalls: 3,
      },
    });
    expect(decodeAgentMessage(fromAgent({ health: { state: 3, message: 'soon' } }))).toEqual({
      kind: 'health',
      health: { state: 'draining', message: 'soon' },
    });
    expect(decodeAgentMessage(fromAgent({ flow_control: { action: 1 } }))).toEqual({ kind: 'flow_control', action: 1 });
    expect(decodeAgentMessage(fromAgent({ log: { level: 2, message: 'm' } }))).toEqual({
      kind: 'log',
      level: 2,
      message: 'm',
    });
  });

  it('tell agents everything about a request', () => {
    const message: AgentMessage = {
      kind: 'request_headers',
      method: 'POST',
      uri: '/a?b',
      headers: ['X-A', '1', 'x-a', ''],
      hasBody: true,
    };
    expect(readByAgent(encodeEvent(message, context))).toEqual({
      request_headers: {
        metadata: {
          correlation_id: 'c-1',
          request_id: 'r-1',
          client_ip: '::1',
          client_port: 65_535,
          protocol: 'HTTP/2',
          route_id: 'api',
          timestamp_ms: 1_700_000_000_123,
          traceparent: '00-a-b-01',
        },
        method: 'POST',
        uri: '/a?b',
        http_version: 'HTTP/2',
        headers: [{ name: 'x-a', value: '1' }, { name: 'x-a' }],
      },
    });
  });

  it('carry bodies byte for byte', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5000 }),
        fc.nat(2 ** 31),
        fc.boolean(),
        fc.maxSafeNat(),
        fc.constantFrom('request_body' as const, 'response_body' as const),
        (data, index, isLast, bytesSoFar, kind) => {
          const chunk = { data, index, isLast, bytesSoFar, totalBytes: bytesSoFar };
          const read = readByAgent(encodeEvent({ kind, chunk }, context))[`${kind}_chunk`] as Record<string, unknown>;
          expect(Buffer.from((read['data'] as Buffer | undefined) ?? '').equals(data)).toBe(true);
          expect([read['chunk_index'] ?? 0, read['is_last'] ?? false]).toEqual([index, isLast]);
          expect([read['bytes_transferred'] ?? 0, read['total_size'] ?? 0]).toEqual([bytesSoFar, bytesSoFar]);
        },
      ),
    );
  });

  it('cover the other events', () => {
    const frame = {
      opcode: 'text',
      data: Buffer.from('hi'),
      clientToServer: true,
      frameIndex: 3,
      isFinal: true,
    } as const;
    expect(readByAgent(encodeEvent({ kind: 'websocket_frame', ...frame }, context))).toEqual({
      websocket_frame: {
        correlation_id: 'c-1',
        client_to_server: true,
        frame_type: 1,
        payload: Buffer.from('hi'),
      },
    });
    const guardrail = { inspection: 'pii_detection', content: 'text', categories: ['email'] } as const;
    expect(readByAgent(encodeEvent({ kind: 'guardrail', ...guardrail }, context))).toEqual({
      guardrail: {
        correlation_id: 'c-1',
        content: 'text',
        content_type: 2,
        context_json: '{"inspection_type":"pii_detection","categories":["email"]}',
      },
    });
    const head = { kind: 'response_headers', status: 204, headers: ['A', 'b'], hasBody: false } as const;
    expect(readByAgent(encodeEvent(head, context))).toEqual({
      response_headers: { correlation_id: 'c-1', status_code: 204, headers: [{ name: 'a', value: 'b' }] },
    });
    const summary = {
      status: 200,
      durationMs: 1.6,
      requestBodyBytes: 1,
      responseBodyBytes: 5_000_000_000,
      upstreamAttempts: 2,
      upstreamId: 'u',
      error: 'e',
    };
    expect(readByAgent(encodeComplete(context, summary))).toEqual({
      request_complete: {
        correlation_id: 'c-1',
        status_code: 200,
        duration_ms: 2,
        bytes_received: 1,
        bytes_sent: 5_000_000_000,
        upstream: 'u',
        error: 'e',
      },
    });
    expect(readByAgent(encodeCancel('c-1', 'blockedByAgent'))).toMatchObject({
      cancel: { correlation_id: 'c-1', reason: 3 },
    });
    expect(readByAgent(encodeConfigure('{"a":1}'))).toMatchObject({
      configure: { config_json: '{"a":1}', is_initial: true },
    });
    expect(readByAgent(encodePing(300))).toMatchObject({ ping: { sequence: 300 } });
  });

  it('begin with the handshake', () => {
    const listener = { onClosed: () => undefined, onHealth: () => undefined, onNotice: () => undefined };
    const options = { agentId: 'a', proxyVersion: '1.2', listener };
    const handshake = { supported_versions: [2, 1], proxy_id: 'clew-gateway', proxy_version: '1.2', config_json: '{}' };
    expect(readByAgent(encodeHandshake(options))).toEqual({ handshake });
    expect(readByAgent(encodeHandshake({ ...options, configJson: '[1]' }))).toEqual({
      handshake: { ...handshake, config_json: '[1]' },
    });
  });

  it('are not sent when they are larger than agents accept', () => {
    const chunk = { data: new Uint8Array(10 * 1024 * 1024), index: 0, isLast: true, bytesSoFar: 1 };
    expect(() => encodeEvent({ kind: 'request_body', chunk }, context)).toThrow('larger than the 10485760 bytes');
  });
});
