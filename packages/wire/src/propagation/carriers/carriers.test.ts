import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { formatBinaryContext } from '../binary-context.ts';
import { TraceContext } from '../context.ts';
import { SPAN, TRACE, contextOf } from '../test/carry.ts';
import { extractW3c, injectW3c } from '../w3c.ts';
import { amqpHeaders, amqpMessage } from './amqp.ts';
import type { CarrierAccess } from './carrier.ts';
import { grpcMetadata } from './grpc-metadata.ts';
import { fetchHeaders, headerMap } from './header-map.ts';
import { httpHeaders, lowerCaseHeaders } from './http-headers.ts';
import { kafkaHeaderList, kafkaHeaders } from './kafka-headers.ts';
import { environment, jmsProperties } from './named-properties.ts';
import { rawHeaders } from './raw-headers.ts';
import { sqsMessage } from './sqs.ts';
import type { SqsAttribute } from './sqs.ts';

/** A kind of carrier with the way to make an empty one. */
interface Case {
  readonly name: string;
  /** The same suite for every carrier, with its type closed over. */
  readonly check: () => void;
  readonly each: () => [string, string][];
}

function caseOf<C>(name: string, access: CarrierAccess<C>, make: () => C): Case {
  return {
    name,
    check: () => {
      const carrier = make();
      expect(access.get(carrier, 'traceparent')).toBeUndefined();
      access.remove(carrier, 'traceparent');
      injectW3c(contextOf(1, { tracestate: 'foo=1' }), carrier, access);
      injectW3c(contextOf(1, { tracestate: 'bar=2' }), carrier, access);
      const into = new TraceContext();
      expect(extractW3c(carrier, access, into)).toBe(true);
      expect([into.traceId, into.spanId, into.tracestate]).toEqual([TRACE, SPAN, 'bar=2']);
      access.remove(carrier, 'tracestate');
      access.remove(carrier, 'tracestate');
      expect(access.get(carrier, 'tracestate')).toBeUndefined();
      expect(access.get(carrier, 'traceparent')).toBeDefined();
    },
    each: () => {
      const carrier = make();
      for (const [key, value] of [
        ['uberctx-user', 'ada'],
        ['uberctx', 'no'],
        ['other-uberctx-a', 'no'],
        ['uberctx-plan', 'free'],
      ] as const) {
        access.set(carrier, key, value);
      }
      const found: [string, string][] = [];
      access.each(carrier, 'uberctx-', (rest, value, into) => into.push([rest, value]), found);
      return found.sort();
    },
  };
}

const cases = [
  caseOf('header objects', httpHeaders, () => ({})),
  caseOf('header objects in lower case', lowerCaseHeaders, () => ({})),
  caseOf('raw header lists', rawHeaders, (): string[] => ['host', 'example.org']),
  caseOf('Headers of fetch', fetchHeaders, () => new Headers()),
  caseOf('maps', headerMap, () => new Map()),
  caseOf('gRPC metadata', grpcMetadata, () => new Metadata()),
  caseOf('Kafka header objects', kafkaHeaders, () => ({})),
  caseOf('Kafka header lists', kafkaHeaderList, () => []),
  caseOf('AMQP 0-9-1 header tables', amqpHeaders, () => ({})),
  caseOf('AMQP 1.0 messages', amqpMessage, () => ({})),
  caseOf('SQS messages', sqsMessage, () => ({})),
  caseOf('JMS properties', jmsProperties, () => ({})),
  caseOf('environment variables', environment, () => ({ PATH: '/bin' })),
];

describe.each(cases)('$name', ({ check, each }) => {
  it('give back what was set, once, and nothing after it was removed', check);

  it('tell every name with a prefix', () => {
    expect(each()).toEqual([
      ['plan', 'free'],
      ['user', 'ada'],
    ]);
  });
});

describe('names in any case', () => {
  it('are one header sent twice in objects, lists and maps', () => {
    const object = { 'X-B3-Sampled': '1', 'x-b3-sampled': ['0', '1'] };
    expect(httpHeaders.get(object, 'x-b3-sampled')).toBe('1,0,1');
    expect(rawHeaders.get(['X-B3-Sampled', '1', 'x-b3-SAMPLED', '0'], 'x-b3-sampled')).toBe('1,0');
    expect(
      headerMap.get(
        new Map([
          ['X-B3-Sampled', '1'],
          ['x-b3-sampled', '0'],
        ]),
        'x-b3-sampled',
      ),
    ).toBe('1,0');
  });

  it('are replaced whatever their spelling', () => {
    const object: Record<string, unknown> = { TraceParent: 'a', traceparent: 'b' };
    httpHeaders.set(object, 'traceparent', 'c');
    expect(object).toEqual({ traceparent: 'c' });
    const list = ['TraceParent', 'a', 'host', 'h', 'traceparent', 'b', 'accept', '*'];
    rawHeaders.set(list, 'traceparent', 'c');
    expect(list).toEqual(['TraceParent', 'c', 'host', 'h', 'accept', '*']);
  });

  it('are told apart from names that only look alike', () => {
    // Folding by Unicode would make the Kelvin sign a k.
    expect(httpHeaders.get({ '\u212Aey': '1' }, 'key')).toBeUndefined();
    expect(httpHeaders.get({ 'a^': '1' }, 'a~')).toBeUndefined();
    expect(rawHeaders.get(['b3\0', '1', 'b', '2', 'b3 ', '3'], 'b3')).toBeUndefined();
  });
});

describe('values', () => {
  it('that are no text are none', () => {
    for (const value of [1, true, null, {}, [], [1], undefined]) {
      expect(httpHeaders.get({ b3: value }, 'b3')).toBeUndefined();
      expect(lowerCaseHeaders.get({ b3: value }, 'b3')).toBeUndefined();
      expect(kafkaHeaders.get({ b3: value }, 'b3')).toBeUndefined();
      expect(amqpMessage.get({ application_properties: { b3: value } }, 'b3')).toBeUndefined();
    }
  });

  it('of a raw list without a partner are ignored', () => {
    expect(rawHeaders.get(['b3'], 'b3')).toBeUndefined();
  });

  it('of Kafka may be bytes, texts or several, of which the last counts', () => {
    const bytes = Buffer.from('1');
    expect(kafkaHeaders.get({ b3: bytes }, 'b3')).toBe('1');
    expect(kafkaHeaders.get({ b3: ['0', bytes] }, 'b3')).toBe('1');
    expect(kafkaHeaderList.get([{ b3: '0' }, { other: 'x' }, { b3: bytes }], 'b3')).toBe('1');
    const headers: Record<string, unknown> = {};
    kafkaHeaders.set(headers, 'b3', 'é');
    expect(headers['b3']).toEqual(new Uint8Array([0xc3, 0xa9]));
  });

  it('of binary gRPC keys read as base64 and are not written, those of other keys are joined', () => {
    const metadata = new Metadata();
    metadata.set('grpc-trace-bin', Buffer.from([0, 1, 2]));
    expect(grpcMetadata.get(metadata, 'grpc-trace-bin')).toBe('AAEC');
    expect(grpcMetadata.set(metadata, 'grpc-trace-bin', 'AAEC')).toBe(false);
    metadata.set('traceparent', 'a');
    metadata.add('traceparent', 'b');
    expect(grpcMetadata.get(metadata, 'traceparent')).toBe('a,b');
  });
});

describe('AMQP 1.0 messages', () => {
  it('have message annotations read before application properties, and only the latter written', () => {
    const message = { message_annotations: { b3: '0' }, application_properties: { b3: '1' } };
    expect(amqpMessage.get(message, 'b3')).toBe('0');
    amqpMessage.set(message, 'b3', 'd');
    amqpMessage.remove(message, 'other');
    expect(message).toEqual({ message_annotations: { b3: '0' }, application_properties: { b3: 'd' } });
  });

  it('have binary trace contexts read as text', () => {
    const binary = Buffer.from(formatBinaryContext(contextOf(1)));
    const into = new TraceContext();
    const message = { application_properties: { traceparent: binary, tracestate: Buffer.from('foo=1') } };
    expect(extractW3c(message, amqpMessage, into)).toBe(true);
    expect([into.traceId, into.spanId, into.flags, into.tracestate]).toEqual([TRACE, SPAN, 1, 'foo=1']);
    const broken = { application_properties: { traceparent: Buffer.alloc(29) } };
    expect(extractW3c(broken, amqpMessage, into)).toBe(false);
  });
});

describe('SQS messages', () => {
  const attribute: SqsAttribute = { DataType: 'String', StringValue: '1' };

  it('take no eleventh attribute', () => {
    const names = Array.from({ length: 9 }, (_, i): [string, SqsAttribute] => [`a${i}`, attribute]);
    const message = { MessageAttributes: Object.fromEntries(names) };
    injectW3c(contextOf(1, { tracestate: 'foo=1' }), message, sqsMessage);
    expect(Object.keys(message.MessageAttributes)).toHaveLength(10);
    expect(sqsMessage.get(message, 'traceparent')).toBeDefined();
    expect(sqsMessage.set(message, 'b3', '0')).toBe(false);
    expect(sqsMessage.set(message, 'traceparent', 'x')).toBe(true);
  });

  it('carry X-Ray as a system attribute, which does not count', () => {
    const message = {};
    sqsMessage.set(message, 'x-amzn-trace-id', 'Root=1');
    expect(message).toEqual({
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1' } },
    });
    expect(sqsMessage.get(message, 'x-amzn-trace-id')).toBe('Root=1');
    expect(sqsMessage.get({ Attributes: { AWSTraceHeader: 'Root=2' } }, 'x-amzn-trace-id')).toBe('Root=2');
    sqsMessage.remove(message, 'x-amzn-trace-id');
    expect(sqsMessage.get(message, 'x-amzn-trace-id')).toBeUndefined();
  });

  it('read in the spelling of Lambda, and from bytes', () => {
    const record = {
      messageAttributes: { traceparent: { stringValue: 'x', dataType: 'String' } },
      attributes: { AWSTraceHeader: 'Root=1' },
    };
    expect(sqsMessage.get(record, 'traceparent')).toBe('x');
    expect(sqsMessage.get(record, 'x-amzn-trace-id')).toBe('Root=1');
    const binary = { MessageAttributes: { b3: { DataType: 'Binary', BinaryValue: Buffer.from('0') } } };
    expect(sqsMessage.get(binary, 'b3')).toBe('0');
  });
});

describe('names that must be identifiers', () => {
  it('are written with underscores in JMS, and read with the escape of OpenTracing too', () => {
    const message: Record<string, unknown> = {};
    jmsProperties.set(message, 'uber-trace-id', '1');
    expect(message).toEqual({ uber_trace_id: '1' });
    expect(jmsProperties.get({ uber_$dash$_trace_$dash$_id: '2' }, 'uber-trace-id')).toBe('2');
  });

  it('are in capitals in the environment, and X-Ray has its own', () => {
    const variables: Record<string, unknown> = {};
    environment.set(variables, 'traceparent', '1');
    environment.set(variables, 'x-amzn-trace-id', '2');
    environment.set(variables, 'uber-trace-id', '3');
    expect(variables).toEqual({ TRACEPARENT: '1', _X_AMZN_TRACE_ID: '2', UBER_TRACE_ID: '3' });
  });
});
