import { describe, expect, it } from 'vitest';
import { formatBinaryContext, extractOpenCensus, parseBinaryContext } from './binary-context.ts';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import { TraceContext } from './context.ts';
import { extractOtBaggage, extractOtTracer } from './ot-tracer.ts';
import { SPAN, TRACE, contextOf, read, told, written } from './test/carry.ts';
import { extractXray, injectXray } from './xray.ts';

const ROOT = `1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`;

describe('the X-Ray header', () => {
  const ids = { format: 'xray', traceId: TRACE, spanId: SPAN };

  it.each([
    '',
    ';;;',
    'Sampled=?',
    `Root=${ROOT}`,
    `Root=${ROOT};Self=1-12345678-12456789abcdef012345678`,
    `Root=${ROOT};Sampled=?`,
    `Parent=${SPAN}`,
    `Root=2-${ROOT.slice(2)};Parent=${SPAN};Sampled=1`,
    `Root=${ROOT}0;Parent=${SPAN};Sampled=1`,
    `Root=${ROOT.replaceAll('-', '_')};Parent=${SPAN};Sampled=1`,
    `Root=1-00000000-${'0'.repeat(24)};Parent=${SPAN};Sampled=1`,
    `Root=${ROOT};Parent=${'0'.repeat(16)};Sampled=1`,
    `Root=${ROOT};Parent=${SPAN}0;Sampled=1`,
    `Root=${ROOT};Parent=${SPAN.slice(1)};Sampled=1`,
    `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(9)}g;Parent=${SPAN};Sampled=1`,
    `root=${ROOT};parent=${SPAN}`,
  ])('is refused as %j', (text) => {
    expect(read(extractXray, { 'x-amzn-trace-id': text })).toBeUndefined();
  });

  it.each([
    [`Root=${ROOT};Parent=${SPAN};Sampled=1`, { ...ids, decided: true, flags: 1 }],
    [`Root=${ROOT};Parent=${SPAN};Sampled=0`, { ...ids, decided: true }],
    [`Root=${ROOT};Parent=${SPAN};Sampled=?`, ids],
    [`Root=${ROOT};Parent=${SPAN}`, ids],
    [`Root=${ROOT};Parent=${SPAN};Sampled=10`, ids],
    [`Sampled=1 ; Parent=${SPAN}\t;Root=${ROOT}; Lineage=a:1|b:2;`, { ...ids, decided: true, flags: 1 }],
    [`Self=x;Root=${ROOT};Root=other;Parent=${SPAN}`, ids],
    [`Root=${ROOT};Parent=${SPAN};Sampled=1;Sampled=0`, { ...ids, decided: true, flags: 1 }],
    [`Root=${ROOT.toUpperCase()};Parent=${SPAN.toUpperCase()}`, ids],
    ['Sampled=0', { format: 'xray', decided: true }],
    [`Root=${ROOT};Sampled=1`, { format: 'xray', decided: true, flags: 1 }],
  ])('is read as %j', (text, expected) => {
    expect(read(extractXray, { 'x-amzn-trace-id': text })).toEqual(expected);
  });

  it('is written with its decision, or with a question mark', () => {
    const write = (context: TraceContext): unknown =>
      written((headers) => injectXray(context, headers, lowerCaseHeaders))['x-amzn-trace-id'];
    expect(write(contextOf(1))).toBe(`Root=${ROOT};Parent=${SPAN};Sampled=1`);
    expect(write(contextOf(2))).toBe(`Root=${ROOT};Parent=${SPAN};Sampled=0`);
    expect(write(contextOf(0, { decided: false }))).toBe(`Root=${ROOT};Parent=${SPAN};Sampled=?`);
    expect(write(new TraceContext())).toBeUndefined();
  });
});

describe('the headers of OpenTracing’s basic tracers', () => {
  const pair = { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': SPAN };
  const ids = { format: 'ottrace', traceId: TRACE, spanId: SPAN };

  it.each([
    ['no span id', { 'ot-tracer-traceid': TRACE }],
    ['a bad trace id', { ...pair, 'ot-tracer-traceid': 'x' }],
    ['a bad decision', { ...pair, 'ot-tracer-sampled': 'maybe' }],
    ['a decision alone', { 'ot-tracer-sampled': 'true' }],
  ])('are refused with %s', (_, headers) => {
    expect(read(extractOtTracer, headers)).toBeUndefined();
  });

  it.each([
    ['no decision', pair, ids],
    ['true', { ...pair, 'ot-tracer-sampled': 'true' }, { ...ids, decided: true, flags: 1 }],
    ['0', { ...pair, 'ot-tracer-sampled': '0' }, { ...ids, decided: true }],
    [
      '64 bits',
      { ...pair, 'ot-tracer-traceid': '64fe8b2a57d3eff7' },
      { ...ids, traceId: `${'0'.repeat(16)}64fe8b2a57d3eff7` },
    ],
  ])('are read with %s', (_, headers, expected) => {
    expect(read(extractOtTracer, headers)).toEqual(expected);
  });

  it('carry baggage as it stands', () => {
    expect(extractOtBaggage({ 'ot-baggage-user': 'a%20b' }, lowerCaseHeaders)?.members).toEqual([
      { key: 'user', value: 'a%20b', properties: [] },
    ]);
    expect(extractOtBaggage(pair, lowerCaseHeaders)).toBeUndefined();
  });
});

describe('the binary context', () => {
  const bytes = formatBinaryContext(contextOf(1));
  const changed = (at: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  const base64 = (of: Uint8Array): string => Buffer.from(of).toString('base64');

  it.each([
    ['nothing', new Uint8Array(0)],
    ['another version', changed(0, 1)],
    ['another first field', changed(1, 1)],
    ['another second field', changed(18, 2)],
    ['a trace id of zeros', bytes.slice().fill(0, 2, 18)],
    ['a span id of zeros', bytes.slice().fill(0, 19, 27)],
    ['its end missing', bytes.slice(0, 26)],
  ])('is refused with %s', (_, value) => {
    expect(parseBinaryContext(value, new TraceContext())).toBe(false);
    expect(read(extractOpenCensus, { 'grpc-trace-bin': base64(value) })).toBeUndefined();
  });

  it.each(['not base64!', 'A', '====', 'A'.repeat(2000)])('is refused as the text %j', (text) => {
    expect(read(extractOpenCensus, { 'grpc-trace-bin': text })).toBeUndefined();
  });

  it('is read from base64 with and without padding', () => {
    const expected = { format: 'opencensus', traceId: TRACE, spanId: SPAN, flags: 1, decided: true };
    expect(read(extractOpenCensus, { 'grpc-trace-bin': base64(bytes) })).toEqual(expected);
    expect(read(extractOpenCensus, { 'grpc-trace-bin': base64(bytes).replace(/=/g, '') })).toEqual(expected);
  });

  it('leaves the decision open without flags, and ignores fields behind those it knows', () => {
    const into = new TraceContext();
    expect(parseBinaryContext(bytes.slice(0, 27), into)).toBe(true);
    expect(told(into)).toEqual({ format: 'opencensus', traceId: TRACE, spanId: SPAN });
    expect(parseBinaryContext(changed(27, 3), into)).toBe(true);
    expect([into.decided, into.flags]).toEqual([false, 0]);
    expect(parseBinaryContext(Uint8Array.from([...bytes, 9, 1, 2, 3]), into)).toBe(true);
    expect(into.sampled).toBe(true);
  });
});
