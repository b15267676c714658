import { readFileSync } from 'node:fs';
import { spanFlags } from '@clew/api';
import { ShownTrace, SpanBatch, toPlain, traceViewOf } from '@clew/model';
import { decodeAgentMessage, decodeThriftBatch } from '@clew/wire/jaeger';
import { decodeZipkin } from '@clew/wire/zipkin';
import { describe, expect, it } from 'vitest';
import { jaegerTrace } from '../jaeger/traces.ts';
import { traceSkeleton } from './skeleton.ts';
import { spanDetails } from './span-details.ts';

/** Spans as clients of Jaeger and Zipkin send them, read by the decoders and shown by both APIs. */

type Decode = (bytes: Uint8Array, batch: SpanBatch) => unknown;

function decoded(decode: Decode, bytes: Uint8Array): SpanBatch {
  const batch = new SpanBatch();
  decode(bytes, batch);
  return batch;
}

const capture = (name: string): Uint8Array => readFileSync(new URL(`testdata/${name}.bin`, import.meta.url));
const jsonBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const jaegerOptions = { raw: false, strict: true, maxClockSkewNano: 0n, maxTraceSpans: 0 };

function shown(batch: SpanBatch, asSent = false) {
  const trace = new ShownTrace(traceViewOf(batch), { asSent });
  const skeleton = traceSkeleton(trace, { maxSpans: 1000, nowUnixMs: 1 });
  const ids = skeleton.columns.ids.match(/.{16}/g) ?? [];
  return { skeleton, ids, details: spanDetails(trace, ids) };
}

const keysOf = (list: readonly { readonly key: string }[]): string[] => list.map(({ key }) => key);

describe('a trace of a Jaeger exporter', () => {
  it.each([
    ['otel-js_1.30.1__exporter-jaeger-http14268', decodeThriftBatch, 'seed-tracer@1.2.3', 'k8s.pod.name'],
    [
      'otel-py_1.22.0.dev__exporter-jaeger-udp6831-compact',
      decodeAgentMessage,
      'my-service@1.2.3',
      'deployment.environment',
    ],
    ['otel-go_1.1.0__exporter-jaeger-http14268', decodeThriftBatch, 'my-service@1.2.3', 'deployment.environment'],
  ] as const)('%s shows its resource and library where they belong', (name, decode, scope, resourceKey) => {
    const { skeleton, details } = shown(decoded(decode, capture(name)));
    expect([skeleton.services, skeleton.scopes]).toEqual([['my-service'], [scope]]);
    expect(details.resources).toHaveLength(1);
    expect(keysOf(details.resources[0]!.attributes)).toContain(resourceKey);
    for (const span of details.spans) {
      const about = keysOf(span.attributes).filter((key) =>
        /^(service\.|telemetry\.|k8s\.|deployment\.|otel\.(library|scope)\.)/.test(key),
      );
      expect(about).toEqual([]);
      expect(keysOf(span.attributes).filter((key) => key.startsWith('clew.'))).toEqual([]);
    }
  });

  it('shows everything where it was sent when the raw trace is asked for', () => {
    const batch = decoded(decodeThriftBatch, capture('otel-js_1.30.1__exporter-jaeger-http14268'));
    const { details } = shown(batch, true);
    for (const span of details.spans) expect(keysOf(span.attributes)).toContain('k8s.pod.name');
    expect(keysOf(details.resources[0]!.attributes)).not.toContain('k8s.pod.name');
  });

  it('has its SDK moved to the process by Jaeger’s API, which moves nothing else', () => {
    const batch = decoded(decodeThriftBatch, capture('otel-js_1.30.1__exporter-jaeger-http14268'));
    const trace = jaegerTrace(batch, jaegerOptions);
    expect(keysOf(trace.processes['p1']!.tags)).toEqual(
      expect.arrayContaining(['telemetry.sdk.language', 'telemetry.sdk.name', 'telemetry.sdk.version']),
    );
    for (const span of trace.spans) {
      expect(keysOf(span.tags)).toContain('k8s.pod.name');
      expect(keysOf(span.tags).filter((key) => key.startsWith('telemetry.'))).toEqual([]);
    }
    const raw = jaegerTrace(batch, { ...jaegerOptions, raw: true });
    for (const span of raw.spans) expect(keysOf(span.tags)).toContain('telemetry.sdk.name');
  });

  it('keeps numbers of the types they came with', () => {
    const spans = toPlain(decoded(decodeThriftBatch, capture('jaeger-client-node_3.19.0__http14268')));
    const rows = spans.flatMap(({ attributes }) => attributes.filter(({ key }) => key === 'rows'));
    expect(rows.map(({ value }) => value)).toContain(3);
  });
});

describe('a trace of Zipkin clients', () => {
  const id = 'abcdef0123456789';
  const endpoint = (serviceName: string) => ({ serviceName });
  const at = (us: number) => 1_700_000_000_000_000 + us;
  const call = [
    { traceId: id, id, name: 'get /', kind: 'SERVER', timestamp: at(0), duration: 900, localEndpoint: endpoint('web') },
    {
      traceId: id,
      id: '2',
      parentId: id,
      name: 'get',
      kind: 'CLIENT',
      timestamp: at(10),
      duration: 800,
      localEndpoint: endpoint('web'),
    },
    {
      traceId: id,
      id: '2',
      parentId: id,
      name: 'get /users',
      kind: 'SERVER',
      shared: true,
      timestamp: at(20),
      duration: 700,
      localEndpoint: endpoint('users'),
    },
    {
      traceId: id,
      id: '3',
      parentId: '2',
      name: 'select',
      kind: 'CLIENT',
      timestamp: at(30),
      duration: 500,
      localEndpoint: endpoint('users'),
    },
    {
      traceId: id,
      id: '4',
      parentId: '2',
      name: 'retry',
      timestamp: at(40),
      duration: 5,
      localEndpoint: endpoint('web'),
    },
  ].map((span) => ({
    ...span,
    id: span.id.padStart(16, '0'),
    ...(span.parentId === undefined ? {} : { parentId: span.parentId.padStart(16, '0') }),
  }));

  it('shows the callee of a shared id below its caller, and its children below it', () => {
    const { skeleton, ids, details } = shown(decoded(decodeZipkin, jsonBytes(call)));
    expect(skeleton.columns.parents).toEqual([-1, 0, 1, 2, 1]);
    expect(new Set(ids).size).toBe(5);
    expect(skeleton.columns.flags.map((flags) => flags & spanFlags.sharedId)).toEqual([0, 128, 128, 0, 0]);
    expect([skeleton.warnings, skeleton.traceId]).toEqual([[], id.padStart(32, '0')]);
    expect(details.spans.map(({ spanId }) => spanId)).toEqual(call.map((span) => span.id));
    expect(details.spans.flatMap(({ attributes }) => keysOf(attributes))).toEqual([]);
    expect([details.scopes, details.spans.map(({ scope }) => scope)]).toEqual([[], [-1, -1, -1, -1, -1]]);
  });

  it('shows a callee alone whose caller was never sent as it was sent', () => {
    const { skeleton, ids } = shown(decoded(decodeZipkin, jsonBytes([call[0], call[2], call[3]])));
    expect(skeleton.columns.parents).toEqual([-1, 0, 1]);
    expect(ids[1]).toBe('0000000000000002');
  });

  it('is told apart by Jaeger’s API in its own way: the callee gets the next free number', () => {
    const trace = jaegerTrace(decoded(decodeZipkin, jsonBytes(call)), jaegerOptions);
    const byName = Object.fromEntries(trace.spans.map((span) => [span.operationName, span]));
    expect(byName['get /users']).toMatchObject({
      spanID: '0000000000000001',
      references: [{ spanID: '0000000000000002' }],
    });
    expect(byName['select']).toMatchObject({ references: [{ spanID: '0000000000000001' }] });
  });

  it('of OpenTelemetry’s exporter has its resource back', () => {
    const { details } = shown(decoded(decodeZipkin, capture('otel-js_2.12.0__exporter-zipkin-v2json')));
    expect(keysOf(details.resources[0]!.attributes)).toEqual(
      expect.arrayContaining(['service.name', 'deployment.environment', 'k8s.pod.name']),
    );
    for (const span of details.spans) expect(keysOf(span.attributes)).not.toContain('service.name');
  });
});
