import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractBaggage } from './baggage.ts';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import type { HeaderObject } from './carriers/http-headers.ts';
import { rawHeaders } from './carriers/raw-headers.ts';
import { extract } from './composite.ts';
import { ContextFormat, TraceContext } from './context.ts';
import { extractJaegerBaggage } from './jaeger.ts';
import { OtState, parseOtState, writeOtState } from './probability/ot-state.ts';
import { extractTraceResponse } from './response.ts';
import { SPAN, TRACE } from './test/carry.ts';
import { countTracestateMembers, setTracestateMember, truncateTracestate } from './tracestate.ts';

const FORMATS = Object.values(ContextFormat);
const NAMES = [
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-sampled',
  'x-b3-flags',
  'x-b3-parentspanid',
  'uber-trace-id',
  'jaeger-debug-id',
  'jaeger-baggage',
  'uberctx-key',
  'x-amzn-trace-id',
  'ot-tracer-traceid',
  'ot-tracer-spanid',
  'ot-tracer-sampled',
  'grpc-trace-bin',
  'baggage',
  'traceresponse',
  'server-timing',
];

/** Pieces of valid headers, so that random texts come near to valid ones. */
const piece = fc.oneof(
  fc.constantFrom(
    '00',
    'ff',
    '-',
    ':',
    '%3A',
    '%',
    ';',
    ',',
    '=',
    ' ',
    '\t',
    '\0',
    '"',
    '\\',
    '0',
    '1',
    'd',
    'Root=1-',
  ),
  fc.constantFrom(TRACE, SPAN, TRACE.toUpperCase(), '0'.repeat(32), 'Parent=', 'Sampled=', 'ot=th:', 'rv:', 'desc='),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.constantFrom('\uD800', '\u0130', '\uFEFF'),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

/** Reads everything there is from these headers. */
function readAll(headers: HeaderObject): TraceContext {
  const into = new TraceContext();
  extract(FORMATS, headers, lowerCaseHeaders, into);
  extractBaggage(headers, lowerCaseHeaders);
  extractJaegerBaggage(headers, lowerCaseHeaders);
  extractTraceResponse(headers, lowerCaseHeaders, new TraceContext());
  return into;
}

describe('headers of any content', () => {
  it('never fail, and ids that come out are ids', () => {
    const headers = fc.dictionary(fc.constantFrom(...NAMES), text);
    fc.assert(
      fc.property(headers, (given) => {
        const { traceId, spanId, parentSpanId, flags } = readAll(given);
        expect(traceId).toMatch(/^$|^(?!0{32})[0-9a-f]{32}$/);
        expect(spanId).toMatch(/^$|^(?!0{16})[0-9a-f]{16}$/);
        expect(parentSpanId).toMatch(/^$|^(?!0{16})[0-9a-f]{16}$/);
        expect(traceId === '').toBe(spanId === '');
        expect(flags & ~3).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });

  it('yield a tracestate that can be edited, whatever came', () => {
    fc.assert(
      fc.property(text, (tracestate) => {
        if (countTracestateMembers(tracestate) < 0) return;
        const state = new OtState();
        parseOtState(tracestate, state);
        state.setThreshold({ hi: 1, lo: 2 });
        expect(countTracestateMembers(writeOtState(tracestate, state))).toBeGreaterThan(0);
        expect(truncateTracestate(tracestate, 10).length).toBeLessThanOrEqual(10);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('headers of 64 KiB', () => {
  const SIZE = 64 * 1024;
  const fills = [
    ',',
    ';',
    ' ',
    '\t',
    '=',
    '%',
    '%41',
    '-',
    ':',
    '0',
    'a',
    'a=1,',
    'a=1;b,',
    '"',
    '\\',
    '\0',
    'é',
    'Root=',
    '@',
  ];
  // Anything that takes quadratic time in the length of a header takes minutes here; the suite's own limit ends it.
  it.each(fills)('full of %j are read in time that grows with their length', (fill) => {
    const value = fill.repeat(Math.ceil(SIZE / fill.length));
    const context = readAll(Object.fromEntries(NAMES.map((name) => [name, value])));
    expect(context.traceId).toBe('');
    const around = `00-${TRACE}-${SPAN}-01${value}`;
    readAll(Object.fromEntries(NAMES.map((name) => [name, around])));
    setTracestateMember(value, 'ot', 'th:8');
    truncateTracestate(value);
  });

  it('are joined from thousands of fields', () => {
    const headers: string[] = Array.from({ length: 16_000 }, (_, i) => (i % 2 === 0 ? 'tracestate' : 'a=1'));
    headers.push('traceparent', `00-${TRACE}-${SPAN}-01`);
    const into = new TraceContext();
    expect(extract(FORMATS, headers, rawHeaders, into)).toBe(true);
    expect(into.tracestate).toBe('');
  });
});
