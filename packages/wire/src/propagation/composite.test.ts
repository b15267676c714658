import { describe, expect, it } from 'vitest';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import { DEFAULT_EXTRACTION, extract, inject } from './composite.ts';
import { parsePropagators } from './propagator-names.ts';
import { SPAN, TRACE, contextOf, read, written } from './test/carry.ts';
import type { HeaderObject } from './carriers/http-headers.ts';
import type { CarrierGetter } from './carriers/carrier.ts';
import { TraceContext } from './context.ts';

const extractAny = (headers: HeaderObject, getter: CarrierGetter<HeaderObject>, into: TraceContext): boolean =>
  extract(DEFAULT_EXTRACTION, headers, getter, into);

const all = {
  traceparent: `00-${TRACE}-1111111111111111-00`,
  b3: `${TRACE}-2222222222222222-1`,
  'uber-trace-id': `${TRACE}:3333333333333333:0:1`,
  'x-amzn-trace-id': `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=4444444444444444;Sampled=1`,
};

describe('reading several formats', () => {
  it('takes W3C, then B3, then Jaeger, then X-Ray', () => {
    const headers: HeaderObject = { ...all };
    const found: unknown[] = [];
    for (const name of Object.keys(all)) {
      found.push(read(extractAny, headers)?.['format']);
      delete headers[name];
    }
    expect(found).toEqual(['tracecontext', 'b3', 'jaeger', 'xray']);
    expect(read(extractAny, headers)).toBeUndefined();
  });

  it('goes on behind a header that is invalid', () => {
    expect(read(extractAny, { ...all, traceparent: 'no', b3: 'no' })).toMatchObject({ format: 'jaeger' });
  });

  it('prefers ids to a decision alone, and the first decision to later ones', () => {
    const { 'uber-trace-id': uber } = all;
    expect(read(extractAny, { b3: '0', 'uber-trace-id': uber })).toMatchObject({ format: 'jaeger', flags: 1 });
    expect(read(extractAny, { b3: '0', 'jaeger-debug-id': 'x' })).toEqual({ format: 'b3', decided: true });
    expect(read(extractAny, { 'jaeger-debug-id': 'x', 'x-amzn-trace-id': 'Sampled=0' })).toEqual({
      format: 'jaeger',
      flags: 1,
      decided: true,
      debug: true,
      debugId: 'x',
    });
  });

  it('reads the deprecated formats when asked to', () => {
    const headers = { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': SPAN, 'ot-tracer-sampled': 'true' };
    const into = new TraceContext();
    expect(extract(['ottrace'], headers, lowerCaseHeaders, into)).toBe(true);
    expect(extract(['opencensus'], headers, lowerCaseHeaders, into)).toBe(false);
    expect(read(extractAny, headers)).toBeUndefined();
  });
});

describe('writing several formats', () => {
  it('writes what each of them reads again', () => {
    const headers = written((into) =>
      inject(['tracecontext', 'b3', 'b3multi', 'jaeger', 'xray'], contextOf(), into, lowerCaseHeaders),
    );
    expect(Object.keys(headers).sort()).toEqual([
      'b3',
      'traceparent',
      'uber-trace-id',
      'x-amzn-trace-id',
      'x-b3-sampled',
      'x-b3-spanid',
      'x-b3-traceid',
    ]);
    for (const format of DEFAULT_EXTRACTION) {
      const into = new TraceContext();
      expect(extract([format], headers, lowerCaseHeaders, into)).toBe(true);
      expect([into.traceId, into.spanId, into.sampled]).toEqual([TRACE, SPAN, true]);
    }
  });
});

describe('OTEL_PROPAGATORS', () => {
  it.each([undefined, '', ' , '])('given as %j means trace context and baggage', (value) => {
    expect(parsePropagators(value)).toEqual({
      extraction: ['tracecontext'],
      injection: ['tracecontext'],
      baggage: true,
      problems: [],
    });
  });

  it('is read in the order of formats, not of names, and without repetitions', () => {
    expect(parsePropagators(' Jaeger, b3multi,b3,tracecontext ,jaeger,xray')).toEqual({
      extraction: ['tracecontext', 'b3', 'jaeger', 'xray'],
      injection: ['tracecontext', 'b3', 'b3multi', 'jaeger', 'xray'],
      baggage: false,
      problems: [],
    });
  });

  it('switches everything off with none', () => {
    const off = { extraction: [], injection: [], baggage: false };
    expect(parsePropagators('none')).toEqual({ ...off, problems: [] });
    expect(parsePropagators('none,b3')).toEqual({
      ...off,
      problems: ['OTEL_PROPAGATORS names "none" beside others: nothing is propagated'],
    });
  });

  it('says what it ignores', () => {
    const { extraction, injection, problems } = parsePropagators('tracecontxt,zorkmid,constructor,ottrace');
    expect(extraction).toEqual(['ottrace']);
    expect(injection).toEqual([]);
    expect(problems).toEqual([
      'OTEL_PROPAGATORS names "tracecontxt", which is no propagator: it is ignored; did you mean "tracecontext"?',
      'OTEL_PROPAGATORS names "zorkmid", which is no propagator: it is ignored; known are tracecontext, b3, b3multi, jaeger, xray, ottrace, baggage, none',
      expect.stringContaining('"constructor"'),
      'OTEL_PROPAGATORS names "ottrace", which is deprecated: it is read but not written',
    ]);
  });
});
