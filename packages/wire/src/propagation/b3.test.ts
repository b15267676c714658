import { describe, expect, it } from 'vitest';
import { extractB3, extractB3Multi, injectB3, injectB3Multi } from './b3.ts';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import { TraceContext } from './context.ts';
import { SPAN, TRACE, contextOf, read, written } from './test/carry.ts';

const PARENT = '05e3ac9a4f6e3b90';
const ids = { format: 'b3', traceId: TRACE, spanId: SPAN };
const drop = { decided: true };
const keep = { decided: true, flags: 1 };
const debug = { ...keep, debug: true };

describe('the single B3 header', () => {
  it.each([
    '',
    '-',
    '2',
    'D',
    '10',
    'true',
    TRACE,
    `${TRACE}-`,
    `-${SPAN}`,
    `${TRACE}-${SPAN}-`,
    `${TRACE}-${SPAN}-2`,
    `${TRACE}-${SPAN}-D`,
    `${TRACE}-${SPAN}-true-`,
    `${TRACE}-${SPAN}-1-`,
    `${TRACE}-${SPAN}-1-${PARENT}-1`,
    `${TRACE}-${SPAN}-1-${PARENT}0`,
    `${TRACE}-${SPAN}-1-parent`,
    `${TRACE}-${SPAN}--${PARENT}`,
    `${'0'.repeat(32)}-${SPAN}-1`,
    `${TRACE}-${'0'.repeat(16)}-1`,
    `${TRACE}0-${SPAN}-1`,
    `${TRACE}-${SPAN}0-1`,
    `${TRACE.slice(1)}g-${SPAN}-1`,
    `${TRACE}-${SPAN.slice(1)}g-1`,
    `${TRACE} -${SPAN}-1`,
    `${TRACE}-${SPAN}-1,${TRACE}-${SPAN}-1`,
    `${TRACE}-${SPAN}-1\0`,
  ])('is refused as %j', (b3) => {
    expect(read(extractB3, { b3 })).toBeUndefined();
  });

  it.each([
    [`${TRACE}-${SPAN}`, ids],
    [`${TRACE}-${SPAN}-0`, { ...ids, ...drop }],
    [`${TRACE}-${SPAN}-1`, { ...ids, ...keep }],
    [`${TRACE}-${SPAN}-d`, { ...ids, ...debug }],
    [`${TRACE}-${SPAN}-1-${PARENT}`, { ...ids, ...keep, parentSpanId: PARENT }],
    [`${TRACE}-${SPAN}-${PARENT}`, { ...ids, parentSpanId: PARENT }],
    [`${TRACE}-${SPAN}-1-0000000000000000`, { ...ids, ...keep }],
    [` ${TRACE}-${SPAN}-1\t`, { ...ids, ...keep }],
    [`${TRACE.toUpperCase()}-${SPAN.toUpperCase()}-1`, { ...ids, ...keep }],
    [`64fe8b2a57d3eff7-${SPAN}-1`, { ...ids, ...keep, traceId: `${'0'.repeat(16)}64fe8b2a57d3eff7` }],
    [`f7-b7-0`, { ...ids, ...drop, traceId: 'f7'.padStart(32, '0'), spanId: 'b7'.padStart(16, '0') }],
    ['0', { format: 'b3', ...drop }],
    ['1', { format: 'b3', ...keep }],
    ['d', { format: 'b3', ...debug }],
  ])('is read as %j', (b3, expected) => {
    expect(read(extractB3, { b3 })).toEqual(expected);
  });

  it('is written with the decision there is, and never with a parent', () => {
    const parts = contextOf(1);
    parts.parentSpanId = SPAN;
    const write = (context: TraceContext): unknown =>
      written((headers) => injectB3(context, headers, lowerCaseHeaders));
    expect(write(parts)).toEqual({ b3: `${TRACE}-${SPAN}-1` });
    expect(write(contextOf(0))).toEqual({ b3: `${TRACE}-${SPAN}-0` });
    expect(write(contextOf(1, { debug: true }))).toEqual({ b3: `${TRACE}-${SPAN}-d` });
    expect(write(contextOf(0, { decided: false }))).toEqual({ b3: `${TRACE}-${SPAN}` });
  });

  it('is written as a decision alone when there are no ids, and not at all when there is nothing', () => {
    const context = new TraceContext();
    expect(written((headers) => injectB3(context, headers, lowerCaseHeaders))).toEqual({});
    context.assign('b3', '', '', 0, true);
    expect(written((headers) => injectB3(context, headers, lowerCaseHeaders))).toEqual({ b3: '0' });
  });
});

describe('the B3 headers', () => {
  const pair = { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN };

  it.each([
    ['nothing', {}],
    ['a trace id alone', { 'x-b3-traceid': TRACE }],
    ['a span id alone', { 'x-b3-spanid': SPAN }],
    ['a span id and a decision', { 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' }],
    ['a trace id and a decision', { 'x-b3-traceid': TRACE, 'x-b3-sampled': '1' }],
    ['a trace id of zeros', { ...pair, 'x-b3-traceid': '0'.repeat(32) }],
    ['a trace id that is too long', { ...pair, 'x-b3-traceid': `${TRACE}0` }],
    ['a span id that is no number', { ...pair, 'x-b3-spanid': 'span' }],
    ['a decision that is none', { ...pair, 'x-b3-sampled': '2' }],
    ['an empty decision', { ...pair, 'x-b3-sampled': '' }],
    ['a decision that came twice', { ...pair, 'x-b3-sampled': ['1', '1'] }],
    ['a parent alone', { 'x-b3-parentspanid': PARENT }],
    ['a debug flag of 0 alone', { 'x-b3-flags': '0' }],
  ])('are refused with %s', (_, headers) => {
    expect(read(extractB3, headers)).toBeUndefined();
  });

  it.each([
    ['ids alone', pair, ids],
    ['a decision to keep', { ...pair, 'x-b3-sampled': '1' }, { ...ids, ...keep }],
    ['a decision to drop', { ...pair, 'x-b3-sampled': '0' }, { ...ids, ...drop }],
    ['the word true', { ...pair, 'x-b3-sampled': 'true' }, { ...ids, ...keep }],
    ['the word False', { ...pair, 'x-b3-sampled': 'False' }, { ...ids, ...drop }],
    ['the debug flag', { ...pair, 'x-b3-flags': '1' }, { ...ids, ...debug }],
    ['the debug flag against the decision', { ...pair, 'x-b3-flags': '1', 'x-b3-sampled': '0' }, { ...ids, ...debug }],
    ['flags of 0', { ...pair, 'x-b3-flags': '0' }, ids],
    ['a parent', { ...pair, 'x-b3-parentspanid': PARENT }, { ...ids, parentSpanId: PARENT }],
    ['a parent that is none', { ...pair, 'x-b3-parentspanid': 'x' }, ids],
    [
      'a trace id of 64 bits',
      { ...pair, 'x-b3-traceid': '64fe8b2a57d3eff7' },
      { ...ids, traceId: `${'0'.repeat(16)}64fe8b2a57d3eff7` },
    ],
    ['a decision to drop alone', { 'x-b3-sampled': '0' }, { format: 'b3', ...drop }],
    ['a decision to keep alone', { 'x-b3-sampled': '1' }, { format: 'b3', ...keep }],
    ['the debug flag alone', { 'x-b3-flags': '1' }, { format: 'b3', ...debug }],
  ])('are read with %s', (_, headers, expected) => {
    expect(read(extractB3, headers)).toEqual(expected);
  });

  it('yield to a valid single header, and stand in for one that is invalid', () => {
    const multi = { ...pair, 'x-b3-sampled': '1' };
    expect(read(extractB3, { ...multi, b3: '0' })).toEqual({ format: 'b3', ...drop });
    expect(read(extractB3, { ...multi, b3: `1-2` })).toMatchObject({ spanId: '2'.padStart(16, '0') });
    expect(read(extractB3, { ...multi, b3: 'broken' })).toEqual({ ...ids, ...keep });
    expect(read(extractB3Multi, { b3: '0' })).toBeUndefined();
  });

  it('are written for what is known, and what is left of another context goes', () => {
    const stale = {
      'x-b3-parentspanid': PARENT,
      'x-b3-flags': '1',
      'x-b3-sampled': '0',
    };
    const write = (context: TraceContext): unknown =>
      written((headers) => injectB3Multi(context, headers, lowerCaseHeaders), { ...stale });
    expect(write(contextOf(1))).toEqual({ ...pair, 'x-b3-sampled': '1' });
    expect(write(contextOf(0))).toEqual({ ...pair, 'x-b3-sampled': '0' });
    expect(write(contextOf(1, { debug: true }))).toEqual({ ...pair, 'x-b3-flags': '1' });
    expect(write(contextOf(0, { decided: false }))).toEqual(pair);
    expect(write(new TraceContext())).toEqual(stale);
  });
});
