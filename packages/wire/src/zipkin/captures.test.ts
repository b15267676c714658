import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SpanBatch, SpanKind, StatusCode, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { decodeZipkin } from './decode.ts';
import type { ZipkinFormat } from './decode.ts';
import { decodeZipkinV2Json } from './json-decode.ts';
import { encodeZipkinV2Json } from './json-encode.ts';
import { decodeZipkinV2Protobuf } from './protobuf-decode.ts';
import { encodeZipkinV2Protobuf } from './protobuf-encode.ts';
import { attributesOf, inOrder, spansOf } from './test/spans.ts';

/** Requests captured from real clients, each with its content (`NAME.json`) as another program decoded it. */

const captures: readonly (readonly [name: string, format: ZipkinFormat])[] = [
  ['otel-js_2.12.0__exporter-zipkin-v2json', 'v2_json'],
  ['otel-js_3.1.0__exporter-zipkin-v2json', 'v2_json'],
  ['py-zipkin_0.15.0__v1thrift', 'v1_thrift'],
  ['py-zipkin_0.15.0__v2json', 'v2_json'],
  ['zipkin-go_0.1.5__v2json', 'v2_json'],
  ['zipkin-js_0.22.0__v1json-body-on-v2-path', 'v1_json'],
  ['zipkin-js_0.22.0__v2json', 'v2_json'],
];

interface Endpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly port?: number;
}

/** A span as the captures describe it, in v1 or v2 form. */
interface Described {
  readonly traceId: string;
  readonly traceIdHigh?: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind?: keyof typeof SpanKind;
  readonly timestamp?: number;
  readonly timestampUs?: string;
  readonly duration?: number;
  readonly durationUs?: string;
  readonly localEndpoint?: Endpoint;
  readonly remoteEndpoint?: Endpoint;
  readonly tags?: Record<string, string>;
  readonly annotations?: readonly { timestamp?: number; timestampUs?: string; value: string; endpoint?: Endpoint }[];
  readonly binaryAnnotations?: readonly {
    key: string;
    value: string | boolean;
    endpoint?: Endpoint;
    host?: Endpoint;
  }[];
}

function load(name: string): { bytes: Uint8Array; spans: Described[] } {
  const path = fileURLToPath(new URL(`testdata/${name}`, import.meta.url));
  const { decoded } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as { decoded: Described[] };
  return { bytes: readFileSync(`${path}.bin`), spans: decoded };
}

const KINDS: Record<string, keyof typeof SpanKind> = { cs: 'CLIENT', sr: 'SERVER', ms: 'PRODUCER' };
const CORE = new Set(['cs', 'cr', 'sr', 'ss', 'ms', 'ws']);
const ADDRESSES = new Set(['sa', 'ca', 'ma']);

/** What a described span must read back as. */
function check(span: PlainSpan, described: Described): void {
  const core = described.annotations?.find(({ value }) => value in KINDS)?.value;
  const kind = described.kind ?? (core === undefined ? 'UNSPECIFIED' : KINDS[core]!);
  const startMicros = BigInt(described.timestamp ?? described.timestampUs!);
  expect(span.traceId).toBe(`${described.traceIdHigh ?? ''}${described.traceId}`.padStart(32, '0'));
  expect(span.spanId).toBe(described.id);
  expect(span.parentSpanId).toBe(described.parentId ?? '');
  expect(span.name).toBe(described.name);
  expect(span.kind).toBe(SpanKind[kind]);
  expect(span.startUnixNano).toBe(startMicros * 1000n);
  expect(span.endUnixNano).toBe((startMicros + BigInt(described.duration ?? described.durationUs!)) * 1000n);

  const attributes = attributesOf(span);
  for (const [key, value] of Object.entries(described.tags ?? {})) expect(attributes[key]).toBe(value);
  for (const { key, value, endpoint, host } of described.binaryAnnotations ?? []) {
    if (ADDRESSES.has(key)) checkEndpoint(attributes, 'peer', (endpoint ?? host)!);
    else expect(attributes[key]).toBe(value);
  }
  const events = (described.annotations ?? []).filter(({ value }) => !CORE.has(value));
  expect(span.events.map(({ name, timeUnixNano }) => [name, timeUnixNano])).toEqual(
    events.map(({ value, timestamp, timestampUs }) => [value, BigInt(timestamp ?? timestampUs!) * 1000n]),
  );
  if (described.localEndpoint !== undefined) checkEndpoint(attributes, 'local', described.localEndpoint);
  if (described.remoteEndpoint !== undefined) checkEndpoint(attributes, 'peer', described.remoteEndpoint);
  const isError = 'error' in attributes || attributes['otel.status_code'] === 'ERROR';
  expect(span.statusCode === StatusCode.ERROR).toBe(
    isError || (attributes['http.status_code'] === '500' && core !== undefined),
  );
  expect(span.statusMessage).toBe(attributes['error'] ?? '');
}

function checkEndpoint(attributes: Record<string, unknown>, side: 'local' | 'peer', endpoint: Endpoint): void {
  expect(attributes[`network.${side}.address`]).toBe(endpoint.ipv4);
  const port = endpoint.port === undefined ? undefined : BigInt(endpoint.port);
  expect(attributes[side === 'local' ? 'net.host.port' : 'net.peer.port']).toBe(port);
  if (side === 'peer') expect(attributes['service.peer.name']).toBe(endpoint.serviceName);
}

describe.each(captures)('%s', (name, format) => {
  const { bytes, spans } = load(name);

  it('is recognised, and every value that was sent reads back', () => {
    const batch = new SpanBatch();
    expect(decodeZipkin(bytes, batch)).toEqual({ spans: spans.length, format });
    const decoded = toPlain(batch);
    for (const [at, described] of spans.entries()) check(decoded[at]!, described);
    const service = name.startsWith('otel-js') ? 'my-service' : 'api-service';
    for (const { resource, scope } of decoded) {
      expect(resource.attributes).toEqual([{ key: 'service.name', value: service }]);
      expect(scope.attributes).toEqual([{ key: 'clew.carrier.format', value: 'zipkin' }]);
    }
  });

  it('is the same after a round trip through each v2 format', () => {
    const batch = new SpanBatch();
    decodeZipkin(bytes, batch);
    const expected = inOrder(toPlain(batch));
    expect(inOrder(spansOf(decodeZipkinV2Json, encodeZipkinV2Json(batch, { keepCase: true })))).toEqual(expected);
    expect(inOrder(spansOf(decodeZipkinV2Protobuf, encodeZipkinV2Protobuf(batch, { keepCase: true })))).toEqual(
      expected,
    );
  });
});
