import { describe, expect, it } from 'vitest';
import { encodeTrace } from './encode.ts';
import { testSpan } from './test/test-span.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';

describe('the trace object of Jaeger’s JSON API', () => {
  it('is exactly Jaeger’s for a server span with an exception, in strict form', () => {
    const span = testSpan({
      parentSpanId: '00f067aa0ba902b7',
      startNano: 1_754_300_000_123_456_789n,
      endNano: 1_754_300_000_143_936_789n,
      statusCode: 2,
      statusMessage: 'upstream down',
      attributes: [{ key: 'http.response.status_code', value: 503n }],
      scope: { name: 'http-server', version: '', attributes: [] },
      resource: {
        attributes: [
          { key: 'service.name', value: 'checkout' },
          { key: 'host.name', value: 'a' },
        ],
      },
      events: [
        {
          timeNano: 1_754_300_000_130_000_000n,
          name: 'exception',
          attributes: [{ key: 'exception.type', value: 'IOError' }],
        },
      ],
    });
    const text = JSON.stringify(encodeTrace([span], { sorted: true, strict: true }));
    expect(text).toBe(
      `{"traceID":"${traceId}","spans":[{"traceID":"${traceId}","spanID":"b7ad6b7169203331","operationName":"GET /cart",` +
        `"references":[{"refType":"CHILD_OF","traceID":"${traceId}","spanID":"00f067aa0ba902b7"}],` +
        `"startTime":1754300000123456,"duration":20480,"tags":[{"key":"error","type":"bool","value":true},` +
        `{"key":"http.response.status_code","type":"int64","value":503},{"key":"otel.scope.name","type":"string","value":"http-server"},` +
        `{"key":"otel.status_code","type":"string","value":"ERROR"},{"key":"otel.status_description","type":"string","value":"upstream down"},` +
        `{"key":"span.kind","type":"string","value":"server"}],"logs":[{"timestamp":1754300000130000,"fields":[` +
        `{"key":"event","type":"string","value":"exception"},{"key":"exception.type","type":"string","value":"IOError"}]}],` +
        `"processID":"p1","warnings":null}],"processes":{"p1":{"serviceName":"checkout","tags":[{"key":"host.name","type":"string","value":"a"}]}},` +
        `"warnings":null}`,
    );
  });

  it('adds the trace’s duration and start unless strict', () => {
    const late = testSpan({ spanId: '0000000000000002', startNano: 2_000_000n, endNano: 9_000_000n });
    const early = testSpan({ spanId: '0000000000000001', startNano: 1_000_000n, endNano: 3_000_000n });
    const trace = encodeTrace([late, early], { sorted: true, strict: false });
    expect([trace.startTime, trace.duration]).toEqual([1000, 8000]);
    expect(trace.spans.map((span) => span.spanID)).toEqual(['0000000000000001', '0000000000000002']);
  });

  it('shows every value type, and integers JSON cannot hold as text', () => {
    const attributes = [
      { key: 'a', value: null },
      { key: 'b', value: true },
      { key: 'c', value: 9_007_199_254_740_993n },
      { key: 'd', value: 1.5 },
      { key: 'e', value: Number.NaN },
      { key: 'f', value: Uint8Array.of(1, 2) },
      { key: 'g', value: ['x', 1n] },
      { key: 'h', value: { entries: [{ key: 'k', value: 'v' }] } },
    ];
    const [span] = encodeTrace([testSpan({ kind: 0, attributes })], { sorted: false, strict: true }).spans;
    expect(span!.tags.map(({ type, value }) => [type, value])).toEqual([
      ['string', ''],
      ['bool', true],
      ['int64', '9007199254740993'],
      ['float64', 1.5],
      ['float64', 'NaN'],
      ['binary', 'AQI='],
      ['string', '["x",1]'],
      ['string', '{"k":"v"}'],
    ]);
  });

  it('writes 64-bit trace ids with 16 digits', () => {
    const span = testSpan({ traceId: `${'0'.repeat(16)}8448eb211c80319c` });
    expect(encodeTrace([span], { sorted: true, strict: true }).traceID).toBe('8448eb211c80319c');
  });

  it('makes links references, and lets a link to the parent say what kind of reference it is', () => {
    const parent = '00000000000000aa';
    const span = testSpan({
      parentSpanId: parent,
      links: [
        { traceId, spanId: parent, attributes: [{ key: 'opentracing.ref_type', value: 'follows_from' }] },
        { traceId, spanId: '00000000000000bb', attributes: [{ key: 'opentracing.ref_type', value: 'child_of' }] },
        { traceId: 'f'.repeat(32), spanId: '00000000000000cc', attributes: [] },
      ],
    });
    const [encoded] = encodeTrace([span], { sorted: true, strict: true }).spans;
    expect(encoded!.references).toEqual([
      { refType: 'FOLLOWS_FROM', traceID: traceId, spanID: parent },
      { refType: 'CHILD_OF', traceID: traceId, spanID: '00000000000000bb' },
      { refType: 'FOLLOWS_FROM', traceID: 'f'.repeat(32), spanID: '00000000000000cc' },
    ]);
  });

  it('hands out one process per distinct service and tags', () => {
    const one = { attributes: [{ key: 'service.name', value: 'a' }] };
    const same = { attributes: [{ key: 'service.name', value: 'a' }] };
    const spans = [one, same, { attributes: [] }].map((resource, i) =>
      testSpan({ spanId: `000000000000000${i}`, resource }),
    );
    const trace = encodeTrace(spans, { sorted: true, strict: true });
    expect(trace.processes).toEqual({
      p1: { serviceName: 'a', tags: [] },
      p2: { serviceName: 'OTLPResourceNoServiceName', tags: [] },
    });
  });

  it('shows Jaeger’s flags and hides the attributes that carry them', () => {
    const span = testSpan({ attributes: [{ key: 'clew.carrier.jaeger.flags', value: 3n }] });
    const [encoded] = encodeTrace([span], { sorted: true, strict: true }).spans;
    expect(encoded!.flags).toBe(3);
    expect(encoded!.tags.map(({ key }) => key)).toEqual(['span.kind']);
  });

  it('tells the type of the reference to the parent that Jaeger’s client sent, and keeps a second one to it', () => {
    const parent = '00000000000000aa';
    const scope = { name: '', version: '', attributes: [{ key: 'clew.carrier.format', value: 'jaeger' }] };
    const attributes = [{ key: 'clew.carrier.jaeger.parent_ref_type', value: 'follows_from' }];
    const links = [{ traceId, spanId: parent, attributes: [{ key: 'opentracing.ref_type', value: 'follows_from' }] }];
    const following = testSpan({ parentSpanId: parent, scope, attributes });
    const twice = testSpan({ spanId: '00000000000000bb', parentSpanId: parent, scope, links });
    const spans = encodeTrace([following, twice], { sorted: true, strict: true }).spans;
    expect(spans.map((span) => span.references.map(({ refType, spanID }) => [refType, spanID]))).toEqual([
      [
        ['CHILD_OF', parent],
        ['FOLLOWS_FROM', parent],
      ],
      [['FOLLOWS_FROM', parent]],
    ]);
  });

  it('writes the tags of a process under the names Jaeger’s client gave them', () => {
    const resource = {
      attributes: [
        { key: 'service.name', value: 'a' },
        { key: 'host.name', value: 'host-a' },
        { key: 'opencensus.exporterversion', value: 'Jaeger-Node-3.19.0' },
        { key: 'clew.carrier.jaeger.hostname', value: true },
        { key: 'clew.carrier.jaeger.version', value: true },
      ],
    };
    const other = { attributes: resource.attributes.slice(0, 3) };
    const spans = [testSpan({ resource }), testSpan({ spanId: 'ffffffffffffffff', resource: other })];
    const { processes } = encodeTrace(spans, { sorted: true, strict: true });
    expect(Object.values(processes).map(({ tags }) => tags.map(({ key, value }) => [key, value]))).toEqual([
      [
        ['hostname', 'host-a'],
        ['jaeger.version', 'Node-3.19.0'],
      ],
      [
        ['host.name', 'host-a'],
        ['opencensus.exporterversion', 'Jaeger-Node-3.19.0'],
      ],
    ]);
  });

  it('shows the warnings a span came with before those of reading it, and as no tag', () => {
    const warned = testSpan({
      attributes: [
        { key: '@jaeger@warnings', value: ['clock was skewed', 7n] },
        { key: 'a', value: 1n },
      ],
      warnings: ['found just now'],
    });
    const lone = testSpan({ spanId: '0000000000000002', attributes: [{ key: '@jaeger@warnings', value: 'only one' }] });
    const { spans } = encodeTrace([warned, lone], { sorted: true, strict: true });
    const byId = new Map(spans.map((span) => [span.spanID, span]));
    expect(byId.get(warned.spanId)?.warnings).toEqual(['clock was skewed', '7', 'found just now']);
    expect(byId.get(lone.spanId)?.warnings).toEqual(['only one']);
    expect(spans.flatMap(({ tags }) => tags.map(({ key }) => key))).not.toContain('@jaeger@warnings');
  });

  it('hides carriers on events, too', () => {
    const attributes = [
      { key: 'clew.carrier.xray.stack', value: '[]' },
      { key: 'k', value: 'v' },
    ];
    const span = testSpan({ events: [{ timeNano: 1_000n, name: 'exception', attributes }] });
    const [encoded] = encodeTrace([span], { sorted: true, strict: true }).spans;
    expect(encoded!.logs[0]!.fields.map(({ key }) => key)).toEqual(['event', 'k']);
  });
});
