import { SpanBatch, SpanKind, StatusCode, fromPlain, plainResource, plainSpan } from '@clew/model';
import type { PlainSpanInput } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { decodeZipkinV2Json } from './json-decode.ts';
import { encodeZipkinV2Json } from './json-encode.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';
import { batchOf, jsonBytes, parsedJson, wireErrorOf } from './test/spans.ts';

const ids = { traceId: '1', spanId: '2' };

function batchOfSpan(span: Partial<PlainSpanInput>): SpanBatch {
  return fromPlain([plainSpan({ ...ids, ...span })]);
}

/** What an OpenTelemetry span is written as, without ids. */
function written(span: Partial<PlainSpanInput>, options?: ZipkinEncodeOptions): Record<string, unknown> {
  const [first] = parsedJson(encodeZipkinV2Json(batchOfSpan(span), options)) as [Record<string, unknown>];
  const { traceId, id, ...rest } = first;
  expect([traceId, id]).toEqual(['0000000000000001', '0000000000000002']);
  return rest;
}

describe('what Zipkin cannot hold', () => {
  it.each([
    [{ traceId: '' }, 'TraceID is invalid'],
    [{ spanId: '' }, 'SpanID is invalid'],
  ])('a span with %j is refused', (missing, wording) => {
    const batch = fromPlain([{ ...plainSpan(ids), ...missing } as ReturnType<typeof plainSpan>]);
    const error = wireErrorOf(() => encodeZipkinV2Json(batch));
    expect(error.code).toBe('invalid_id');
    expect(error.message).toContain(wording);
    // The next one is written as if nothing had happened.
    expect(written({})).toEqual({});
  });
});

describe('v2 JSON', () => {
  it('has its members in the order of Zipkin, nothing absent, and no space', () => {
    const span = {
      shared: true,
      debug: true,
      tags: { b: '2', a: '1' },
      annotations: [
        { timestamp: 9, value: 'z' },
        { timestamp: 9, value: 'a' },
        { timestamp: 3, value: 'm' },
        { timestamp: 9, value: 'a' },
      ],
      remoteEndpoint: { port: 1, ipv6: '::1', ipv4: '10.0.0.2', serviceName: 'DB' },
      localEndpoint: { serviceName: 'Web', port: 80, ipv4: '10.0.0.1' },
      duration: 2,
      timestamp: 1,
      name: 'GET Ä',
      kind: 'SERVER',
      id: '2',
      parentId: '3',
      traceId: '00000000000000010000000000000002',
    };
    const bytes = encodeZipkinV2Json(batchOf(decodeZipkinV2Json, jsonBytes([span])));
    expect(new TextDecoder().decode(bytes)).toBe(
      '[{"traceId":"00000000000000010000000000000002","parentId":"0000000000000003","id":"0000000000000002","kind":"SERVER",' +
        '"name":"get ä","timestamp":1,"duration":2,"localEndpoint":{"serviceName":"web","ipv4":"10.0.0.1","port":80},' +
        '"remoteEndpoint":{"serviceName":"db","ipv4":"10.0.0.2","ipv6":"::1","port":1},' +
        '"annotations":[{"timestamp":3,"value":"m"},{"timestamp":9,"value":"a"},{"timestamp":9,"value":"z"}],' +
        '"tags":{"a":"1","b":"2"},"debug":true,"shared":true}]',
    );
  });

  it('of no spans is an empty list, and of some rows those rows', () => {
    expect(parsedJson(encodeZipkinV2Json(new SpanBatch()))).toEqual([]);
    const batch = fromPlain(['1', '2', '3'].map((spanId) => plainSpan({ traceId: '1', spanId })));
    expect(parsedJson(encodeZipkinV2Json(batch, { rows: [2, 0] }))).toMatchObject([
      { id: '0000000000000003' },
      { id: '0000000000000001' },
    ]);
  });

  it('leaves out shared on client spans, and what is absent', () => {
    const client = batchOf(
      decodeZipkinV2Json,
      jsonBytes([{ traceId: '1', id: '2', kind: 'CLIENT', shared: true, name: '', tags: {} }]),
    );
    expect(parsedJson(encodeZipkinV2Json(client))).toEqual([
      { traceId: '0000000000000001', id: '0000000000000002', kind: 'CLIENT' },
    ]);
  });
});

describe('OpenTelemetry spans as Zipkin', () => {
  it('take the service name from the first attribute that can be one, and say which', () => {
    const resource = (attributes: Record<string, string>) => written({ resource: plainResource(attributes) });
    expect(resource({ 'faas.name': 'f', 'service.name': 's', other: 'o' })).toEqual({
      localEndpoint: { serviceName: 's' },
      tags: { 'faas.name': 'f', other: 'o' },
    });
    expect(resource({ 'process.executable.name': 'p', 'faas.name': 'f', 'service.name': '' })).toEqual({
      localEndpoint: { serviceName: 'f' },
      tags: { 'process.executable.name': 'p', 'otlp.service.name.source': 'faas.name', 'service.name': '' },
    });
    expect(resource({})).toEqual({});
    expect(written({}, { missingServiceName: '<missing>' })).toEqual({ localEndpoint: { serviceName: '<missing>' } });
  });

  it('have tags of resource, scope, library and span, the later winning', () => {
    const span = written({
      resource: plainResource({ 'service.name': 's', a: 'resource', b: 'resource', c: 'resource' }),
      scope: {
        name: 'lib',
        version: '1.2',
        attributes: [
          { key: 'b', value: 'scope' },
          { key: 'c', value: 'scope' },
        ],
        droppedAttributes: 0,
        schemaUrl: '',
      },
      attributes: { c: 'span' },
    });
    expect(span['tags']).toEqual({
      a: 'resource',
      b: 'scope',
      c: 'span',
      'otel.library.name': 'lib',
      'otel.library.version': '1.2',
    });
  });

  it('have values as text', () => {
    const attributes = {
      s: 'text',
      i: -(2n ** 63n),
      d: 0.5,
      t: true,
      bytes: Uint8Array.of(1, 2, 3),
      list: ['a', 1n, null],
      map: { entries: [{ key: 'k', value: [true] }] },
      empty: null,
    };
    expect(written({ attributes })['tags']).toEqual({
      s: 'text',
      i: '-9223372036854775808',
      d: '0.5',
      t: 'true',
      bytes: 'AQID',
      list: '["a",1,null]',
      map: '{"k":[true]}',
      empty: '',
    });
  });

  it('have endpoints of attributes with current or older names', () => {
    const current = {
      'network.local.address': '10.0.0.1',
      'net.host.port': 80n,
      'network.peer.address': '::1',
      'service.peer.name': 'db',
    };
    const older = { 'net.host.ip': '10.0.0.1', 'net.host.port': 80n, 'net.peer.ip': '::1', 'peer.service': 'db' };
    const expected = {
      localEndpoint: { ipv4: '10.0.0.1', port: 80 },
      remoteEndpoint: { serviceName: 'db', ipv6: '::1' },
    };
    expect(written({ attributes: current })).toEqual(expected);
    expect(written({ attributes: older })).toEqual(expected);
    expect(written({ attributes: { ...current, 'peer.service': 'old' } })).toEqual({
      ...expected,
      tags: { 'peer.service': 'old' },
    });
  });

  it('have no endpoint of what is no address, or of a port alone', () => {
    expect(written({ attributes: { 'network.peer.address': '/tmp/socket', 'net.peer.port': 5n } })).toEqual({
      tags: { 'network.peer.address': '/tmp/socket', 'net.peer.port': '5' },
    });
  });

  const { OK, ERROR } = StatusCode;
  it.each([
    [{ statusCode: OK }, { 'otel.status_code': 'STATUS_CODE_OK' }],
    [{ statusCode: ERROR }, { error: 'true', 'otel.status_code': 'STATUS_CODE_ERROR' }],
    [
      { statusCode: ERROR, statusMessage: 'why' },
      { error: 'true', 'otel.status_code': 'STATUS_CODE_ERROR', 'otel.status_description': 'why' },
    ],
    [
      { statusCode: ERROR, attributes: { error: 'x' } },
      { error: 'x', 'otel.status_code': 'STATUS_CODE_ERROR' },
    ],
    [{ kind: SpanKind.INTERNAL }, { 'span.kind': 'internal' }],
    [{ traceState: 'a=b' }, { 'w3c.tracestate': 'a=b' }],
  ])('%j is written as tags %j', (span, tags) => {
    expect(written(span)['tags']).toEqual(tags);
  });

  it.each([
    [0n, 0n, {}],
    [1499n, 1499n, { timestamp: 1 }],
    [1500n, 1501n, { timestamp: 2, duration: 1 }],
    [1000n, 2499n, { timestamp: 1, duration: 1 }],
    [1000n, 2500n, { timestamp: 1, duration: 2 }],
    [2000n, 1000n, { timestamp: 2 }],
    [0n, 3000n, { duration: 3 }],
    [2n ** 64n - 1n, 2n ** 64n - 1n, { timestamp: 18_446_744_073_709_552 }],
  ])('times %i to %i are written as %j', (startUnixNano, endUnixNano, expected) => {
    expect(written({ startUnixNano, endUnixNano })).toEqual(expected);
  });

  it('have events and links as texts', () => {
    const event = { timeUnixNano: 5000n, name: 'e', attributes: [], droppedAttributes: 0 };
    const attributes = [
      { key: 'k', value: 2 },
      { key: 'n', value: 7n },
    ];
    const link = {
      traceId: '3'.padStart(32, '0'),
      spanId: '4'.padStart(16, '0'),
      traceState: 'a=b',
      flags: 1,
      attributes,
      droppedAttributes: 2,
    };
    const span = {
      events: [event, { ...event, attributes, droppedAttributes: 1 }],
      links: [link],
    } as unknown as Partial<PlainSpanInput>;
    expect(written(span)).toEqual({
      annotations: [
        { timestamp: 5, value: 'e' },
        { timestamp: 5, value: 'e|{"k":2.0,"n":7}|1' },
      ],
      tags: { 'otlp.link.0': `${link.traceId}|${link.spanId}|a=b|{"k":2.0,"n":7}|2` },
    });
  });

  it('show no carriers of other formats', () => {
    const attributes = {
      'clew.carrier.jaeger.flags': 3n,
      'clew.carrier.zipkin.shared': true,
      'clew.carrier.unknown': 'x',
    };
    expect(written({ attributes })).toEqual({ shared: true });
  });
});
