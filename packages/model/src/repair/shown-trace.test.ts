import { describe, expect, it } from 'vitest';
import { Carrier } from '../carrier.ts';
import { emptyScope, fromPlain, plainResource, plainSpan, type PlainSpan, type PlainSpanInput } from '../plain.ts';
import { traceViewOf } from '../trace-view.ts';
import type { AttributeValue } from '../values/value.ts';
import { ShownTrace } from './shown-trace.ts';
import { captureView } from './test/captured.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;

function span(spanId: string, attributes: Attributes, more: Partial<PlainSpanInput> = {}): PlainSpan {
  return plainSpan({ traceId: 'a', spanId, service: 'shop', attributes, ...more });
}

const shown = (...spans: readonly PlainSpan[]): ShownTrace => new ShownTrace(traceViewOf(fromPlain(spans)));
const keys = (list: readonly { readonly key: string }[]): string[] => list.map(({ key }) => key);

describe('attributes of resources on spans', () => {
  it('stay with their spans when one span lacks them, or has another value', () => {
    const trace = shown(
      span('1', { 'host.name': 'a', 'k8s.pod.name': 'p', 'process.pid': 1n }),
      span('2', { 'host.name': 'b', 'process.pid': 1n }),
    );
    expect(keys(trace.liftedAttributes(0))).toEqual(['process.pid']);
    expect(keys(trace.attributes(0))).toEqual(['host.name', 'k8s.pod.name']);
    expect(keys(trace.attributes(1))).toEqual(['host.name']);
  });

  it('stay when a number came as integer here and as double there, and when a span has two values', () => {
    const pid = (value: AttributeValue): Attributes => ({ 'process.pid': value });
    expect(shown(span('1', pid(7n)), span('2', pid(7))).liftedAttributes(0)).toEqual([]);
    const twice = [1n, 2n, 1n].map((value) => ({ key: 'process.pid', value }));
    expect(shown(span('1', {}, { attributes: twice })).liftedAttributes(0)).toEqual([]);
  });

  it('stay when the resource has another value, and go when it has the same', () => {
    const resource = plainResource({ 'service.name': 'shop', 'host.name': 'a' });
    const trace = shown(span('1', { 'service.name': 'shop', 'host.name': 'b', x: 1n }, { resource }));
    expect(trace.liftedAttributes(0)).toEqual([]);
    expect(keys(trace.attributes(0))).toEqual(['host.name', 'x']);
    expect(trace.attributeCount(0)).toBe(2);
  });

  it('stay when the resource tells its SDK: it came whole, and its spans mean themselves', () => {
    const resource = plainResource({ 'telemetry.sdk.name': 'opentelemetry' });
    const trace = shown(span('1', { 'process.pid': 7n }, { resource }));
    expect(keys(trace.attributes(0))).toEqual(['process.pid']);
  });

  it('are not those of the called service', () => {
    expect(shown(span('1', { 'service.peer.name': 'db' })).liftedAttributes(0)).toEqual([]);
  });

  it('are asked of each resource by itself, however many rows its batches have for it', () => {
    const two = fromPlain([span('2', { 'host.name': 'a' })]);
    const one = fromPlain([span('1', { 'host.name': 'a' }), span('3', { 'host.name': 'b' }, { service: 'mail' })]);
    const trace = new ShownTrace(traceViewOf(one, two));
    expect([0, 1, 2].map((row) => trace.liftedAttributes(row)[0]?.value)).toEqual(['a', 'b', 'a']);
    const other = fromPlain([span('2', { 'host.name': 'c' })]);
    expect(new ShownTrace(traceViewOf(one, other)).liftedAttributes(0)).toEqual([]);
  });

  it('give a service to spans whose resource has none', () => {
    const bare = { resource: plainResource({}) };
    expect(shown(span('1', { 'service.name': 'mail' }, bare)).service(0)).toBe('mail');
    expect(shown(span('1', {}, bare)).service(0)).toBe('');
    expect(shown(span('1', { 'service.name': 'mail' })).service(0)).toBe('shop');
  });
});

describe('the library of a span', () => {
  const sent = { ...emptyScope, name: 'http', version: '2' };

  it('is its scope where it came with one; a tag that says otherwise stays', () => {
    const trace = shown(span('1', { 'otel.scope.name': 'http', 'otel.scope.version': '3' }, { scope: sent }));
    expect(trace.scope(0)).toEqual({ name: 'http', version: '2' });
    expect(keys(trace.attributes(0))).toEqual(['otel.scope.version']);
  });

  it('is read from tags of either name; the text undefined is no version', () => {
    const trace = shown(
      span('1', { 'otel.library.name': 'http', 'otel.library.version': 'undefined', a: 1n }),
      span('2', { 'otel.scope.name': 'db', 'otel.scope.version': '1', 'otel.library.name': 'db' }),
      span('3', { 'otel.scope.name': 5n }),
    );
    expect([0, 1, 2].map((row) => trace.scope(row))).toEqual([
      { name: 'http', version: '' },
      { name: 'db', version: '1' },
      { name: '', version: '' },
    ]);
    expect([0, 1, 2].map((row) => keys(trace.attributes(row)))).toEqual([['a'], [], ['otel.scope.name']]);
    expect([0, 1, 2].map((row) => trace.attributeCount(row))).toEqual([1, 0, 1]);
  });
});

describe('a shown trace', () => {
  it('counts a span with a true error tag as failed, and hides facts of other formats', () => {
    const trace = shown(
      span('1', { error: true, [Carrier.JAEGER_FLAGS]: 1n }),
      span('2', { error: 'true' }, { statusCode: 1 }),
      span('3', { error: 'no' }, { statusCode: 1 }),
    );
    expect([0, 1, 2].map((row) => trace.statusCode(row))).toEqual([2, 2, 1]);
    expect([keys(trace.attributes(0)), trace.attributeCount(0)]).toEqual([['error'], 1]);
  });

  it('shows everything as it was sent when asked to, but for facts of other formats', () => {
    const view = traceViewOf(
      fromPlain([span('1', { error: true, 'host.name': 'a', 'otel.library.name': 'x', [Carrier.JAEGER_FLAGS]: 1n })]),
    );
    const trace = new ShownTrace(view, { asSent: true });
    expect(keys(trace.attributes(0))).toEqual(['error', 'host.name', 'otel.library.name']);
    expect([trace.attributeCount(0), trace.statusCode(0), trace.liftedAttributes(0)]).toEqual([3, 0, []]);
    expect(trace.scope(0)).toEqual({ name: '', version: '' });
  });

  it('of JavaScript’s Jaeger exporter has its resource and library back', () => {
    const trace = new ShownTrace(captureView('otel-js_1.30.1__exporter-jaeger-http14268'));
    expect(Object.fromEntries(trace.liftedAttributes(1).map(({ key, value }) => [key, value]))).toEqual({
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '1.30.1',
      'deployment.environment': 'test',
      'k8s.pod.name': 'pod-1',
    });
    expect(trace.scope(0)).toEqual({ name: 'seed-tracer', version: '1.2.3' });
    expect(keys(trace.attributes(0))).not.toContain('service.name');
    expect(keys(trace.attributes(0)).filter((key) => /^(telemetry|k8s|deployment|otel\.library)/.test(key))).toEqual(
      [],
    );
  });

  it('of Python’s Jaeger exporter has its resource and library back, told twice', () => {
    const trace = new ShownTrace(captureView('otel-py_1.22.0.dev__exporter-jaeger-udp6831-compact'));
    expect(trace.liftedAttributes(0)).toEqual([{ key: 'deployment.environment', value: 'test' }]);
    expect(trace.scope(1)).toEqual({ name: 'my-service', version: '1.2.3' });
    expect(keys(trace.attributes(1)).filter((key) => /^(service|otel\.(library|scope))/.test(key))).toEqual([]);
  });

  it('of Go’s Jaeger exporter keeps its resource, which came as process tags', () => {
    const trace = new ShownTrace(captureView('otel-go_1.1.0__exporter-jaeger-http14268'));
    expect(trace.liftedAttributes(0)).toEqual([]);
    expect(trace.view.resourceAttribute(0, 'deployment.environment')).toBe('test');
    expect(trace.scope(0)).toEqual({ name: 'my-service', version: '1.2.3' });
  });
});
