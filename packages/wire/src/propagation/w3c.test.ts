import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpanId, TraceId } from '@clew/model';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import { rawHeaders } from './carriers/raw-headers.ts';
import { TraceContext } from './context.ts';
import { SPAN, TRACE, contextOf, read, written } from './test/carry.ts';
import { extractW3c, formatTraceparent, injectW3c, parseTraceparent } from './w3c.ts';

const IDS = `${TRACE}-${SPAN}`;
const both = { format: 'tracecontext', traceId: TRACE, spanId: SPAN, decided: true };

describe('traceparent', () => {
  it.each([
    ['an empty value', ''],
    ['white space alone', '  '],
    ['text', 'invalid'],
    ['version ff', `ff-${IDS}-01`],
    ['version ff with more behind', `ff-${IDS}-01-more`],
    ['an upper-case version', `CC-${IDS}-01`],
    ['a version that is not hexadecimal', `.0-${IDS}-01`],
    ['a version of one digit', `0-${IDS}-01`],
    ['a version of three digits', `000-${IDS}-01`],
    ['no version', `${IDS}-01`],
    ['version 00 with a fifth field', `00-${IDS}-01-what-the-future-will-be-like`],
    ['version 00 with a dash at the end', `00-${IDS}-01-`],
    ['version 00 with a dot at the end', `00-${IDS}-01.`],
    ['a higher version that goes on without a dash', `01-${IDS}-01what-the-future-will-be-like`],
    ['a higher version that goes on with a dot', `cc-${IDS}-01.what-the-future-will-be-like`],
    ['a higher version that is too short', `cc-${IDS}-0`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a long trace id', `00-0${TRACE}-${SPAN}-01`],
    ['a short span id', `00-${TRACE}-${SPAN.slice(1)}-01`],
    ['a long span id', `00-${TRACE}-0${SPAN}-01`],
    ['an upper-case trace id', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['an upper-case span id', `00-${TRACE}-${SPAN.toUpperCase()}-01`],
    ['a trace id with another character', `00-.${TRACE.slice(1)}-${SPAN}-01`],
    ['a span id with another character', `00-${TRACE}-.${SPAN.slice(1)}-01`],
    ['a trace id with a character beyond ASCII', `00-${TRACE.slice(1)}\u0131-${SPAN}-01`],
    ['a full-width digit', `00-${TRACE.slice(1)}\uff11-${SPAN}-01`],
    ['a NUL', `00-${TRACE.slice(1)}\0-${SPAN}-01`],
    ['flags of one digit', `00-${IDS}-1`],
    ['flags of three digits', `00-${IDS}-001`],
    ['flags that are not hexadecimal', `00-${IDS}-.0`],
    ['upper-case flags', `00-${IDS}-0A`],
    ['no flags', `00-${IDS}`],
    ['another separator', `00_${TRACE}_${SPAN}_01`],
    ['a space inside', `00- ${IDS}-01`],
    ['a space before the flags', `00-${IDS}- 1`],
    ['two values in one', `00-${IDS}-01,00-${IDS}-01`],
    ['two values of a higher version in one', `cc-${IDS}-01,cc-${IDS}-01`],
    ['two values joined as node:http joins them', `00-${IDS}-01, 00-${IDS}-00`],
  ])('is refused with %s', (_, traceparent) => {
    expect(read(extractW3c, { traceparent })).toBeUndefined();
  });

  it.each([
    ['not sampled', `00-${IDS}-00`, { ...both }],
    ['sampled', `00-${IDS}-01`, { ...both, flags: 1 }],
    ['random', `00-${IDS}-02`, { ...both, flags: 2 }],
    ['sampled and random', `00-${IDS}-03`, { ...both, flags: 3 }],
    ['unknown flags, which are dropped', `00-${IDS}-fd`, { ...both, flags: 1 }],
    ['a higher version', `01-${IDS}-00`, { ...both }],
    ['a higher version with a dash at its end', `cc-${IDS}-01-`, { ...both, flags: 1 }],
    ['a higher version with more fields', `fe-${IDS}-01-what-the-future-will-be-like`, { ...both, flags: 1 }],
    ['spaces and tabs around it', ` \t00-${IDS}-01\t `, { ...both, flags: 1 }],
  ])('is read when %s', (_, traceparent, expected) => {
    expect(read(extractW3c, { traceparent })).toEqual(expected);
  });

  it('is refused when the header came twice, in any spelling', () => {
    const twice = ['Traceparent', `00-${IDS}-01`, 'host', 'a', 'traceparent', `00-${IDS}-01`];
    expect(extractW3c(twice, rawHeaders, new TraceContext())).toBe(false);
  });

  it('reads what it wrote, whatever the ids and flags', () => {
    const hex = (digits: number): fc.Arbitrary<string> =>
      fc
        .array(
          fc.nat(15).map((digit) => digit.toString(16)),
          { minLength: digits, maxLength: digits },
        )
        .map((chars) => chars.join(''))
        .filter((text) => !/^0*$/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.nat(3), (traceId, spanId, flags) => {
        const into = new TraceContext();
        const text = formatTraceparent(traceId as TraceId, spanId as SpanId, flags);
        expect(parseTraceparent(text, into)).toBe(true);
        expect([into.traceId, into.spanId, into.flags]).toEqual([traceId, spanId, flags]);
      }),
    );
  });
});

describe('tracestate beside traceparent', () => {
  const traceparent = `00-${IDS}-01`;

  it('is ignored without a valid traceparent', () => {
    expect(read(extractW3c, { tracestate: 'foo=1' })).toBeUndefined();
    expect(read(extractW3c, { traceparent: 'no', tracestate: 'foo=1' })).toBeUndefined();
  });

  it('is left out when it is invalid, and traceparent is kept', () => {
    expect(read(extractW3c, { traceparent, tracestate: 'foo=1,bar' })).toEqual({ ...both, flags: 1 });
    expect(read(extractW3c, { traceparent, tracestate: ' ,\t' })).toEqual({ ...both, flags: 1 });
  });

  it('is kept as it came', () => {
    const tracestate = 'foo=1 ,\tbar=2,,foo=3';
    expect(read(extractW3c, { traceparent, tracestate })).toEqual({ ...both, flags: 1, tracestate });
  });

  it('is joined in order when it came several times', () => {
    const into = new TraceContext();
    const headers = ['tracestate', 'foo=1', 'traceparent', traceparent, 'Tracestate', 'bar=2', 'TRACESTATE', ''];
    expect(extractW3c(headers, rawHeaders, into)).toBe(true);
    expect(into.tracestate).toBe('foo=1,bar=2,');
  });

  it('obeys the stricter keys of level 1 when asked to', () => {
    const headers = { traceparent, tracestate: '1a-2f@foo@bar=1' };
    const into = new TraceContext();
    extractW3c(headers, lowerCaseHeaders, into, 1);
    expect(into.tracestate).toBe('');
    extractW3c(headers, lowerCaseHeaders, into, 2);
    expect(into.tracestate).toBe('1a-2f@foo@bar=1');
  });
});

describe('writing W3C trace context', () => {
  it('writes nothing for a context without ids', () => {
    const empty = new TraceContext();
    expect(written((headers) => injectW3c(empty, headers, lowerCaseHeaders))).toEqual({});
  });

  it('writes version 00 with the known flags', () => {
    expect(written((headers) => injectW3c(contextOf(3), headers, lowerCaseHeaders))).toEqual({
      traceparent: `00-${IDS}-03`,
    });
  });

  it('clears the random flag for level 1', () => {
    expect(written((headers) => injectW3c(contextOf(3), headers, lowerCaseHeaders, 1))).toEqual({
      traceparent: `00-${IDS}-01`,
    });
  });

  it('passes tracestate on and removes one of another trace', () => {
    const stale = { tracestate: 'other=1', traceparent: 'x' };
    expect(written((headers) => injectW3c(contextOf(), headers, lowerCaseHeaders), stale)).toEqual({
      traceparent: `00-${IDS}-01`,
    });
    const context = contextOf(0, { tracestate: 'foo=1' });
    expect(written((headers) => injectW3c(context, headers, lowerCaseHeaders))).toEqual({
      traceparent: `00-${IDS}-00`,
      tracestate: 'foo=1',
    });
  });

  it('keeps nothing of a trace that was restarted', () => {
    const context = contextOf(1, { tracestate: 'foo=1', debug: true });
    context.restart('1'.repeat(32) as TraceId, '2'.repeat(16) as SpanId, 2);
    expect(written((headers) => injectW3c(context, headers, lowerCaseHeaders), { tracestate: 'foo=1' })).toEqual({
      traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-02`,
    });
    expect(context.debug).toBe(false);
  });
});
