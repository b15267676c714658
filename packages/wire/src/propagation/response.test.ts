import { describe, expect, it } from 'vitest';
import { httpHeaders, lowerCaseHeaders } from './carriers/http-headers.ts';
import type { HeaderObject } from './carriers/http-headers.ts';
import { TraceContext } from './context.ts';
import { exposeTraceResponse, extractTraceResponse, injectServerTiming, injectTraceResponse } from './response.ts';
import { SPAN, TRACE, contextOf, read, written } from './test/carry.ts';

const WHOLE = `00-${TRACE}-${SPAN}-01`;
const trace = { format: 'tracecontext', traceId: TRACE };
const whole = { ...trace, spanId: SPAN, flags: 1, decided: true };

describe('traceresponse', () => {
  it.each([
    '',
    '00',
    `00-${TRACE.slice(1)}`,
    `00-${'0'.repeat(32)}`,
    `ff-${TRACE}`,
    `00-${TRACE}-${SPAN.slice(1)}`,
    `00-${TRACE}-${'0'.repeat(16)}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-zz`,
    `${WHOLE}-more`,
  ])('is refused as %j', (traceresponse) => {
    expect(read(extractTraceResponse, { traceresponse })).toBeUndefined();
  });

  it.each([
    [WHOLE, whole],
    [` ${WHOLE} `, whole],
    [`00-${TRACE}-${SPAN}`, { ...trace, spanId: SPAN }],
    [`00-${TRACE}`, trace],
    [`00-${TRACE}--01`, { ...trace, flags: 1, decided: true }],
  ])('is read as %j', (traceresponse, expected) => {
    expect(read(extractTraceResponse, { traceresponse })).toEqual(expected);
  });

  it('is written unless the application wrote one', () => {
    const write = (headers: HeaderObject): void => injectTraceResponse(contextOf(), headers, httpHeaders);
    expect(written(write)).toEqual({ traceresponse: WHOLE });
    expect(written(write, { TraceResponse: 'own' })).toEqual({ TraceResponse: 'own' });
    expect(written((headers) => injectTraceResponse(new TraceContext(), headers, httpHeaders))).toEqual({});
  });
});

describe('Server-Timing', () => {
  it.each([
    'traceparent',
    'traceparent;desc',
    'traceparent;desc=""',
    `other;desc="${WHOLE}"`,
    `traceparent;dur="${WHOLE}"`,
    `traceparent;desc="00-${'0'.repeat(32)}"`,
    `db;desc="x, traceparent;desc=${WHOLE}"`,
    `db;desc="x, traceparent;desc=${WHOLE}, y"`,
    `db;desc="x \\", traceparent;desc=${WHOLE}, y"`,
    `traceparent;desc="${WHOLE}`,
  ])('says nothing as %j', (text) => {
    expect(read(extractTraceResponse, { 'server-timing': text })).toBeUndefined();
  });

  it.each([
    `traceparent;desc="${WHOLE}"`,
    `traceparent;desc=${WHOLE}`,
    `trace;desc=${WHOLE}`,
    `TRACE ; DESC = "${WHOLE}" ;dur=1`,
    `db;dur=53;desc="a \\" b, c;d", cache, traceparent;dur=0;desc="${WHOLE}"`,
    `traceparent;desc=no, trace;desc=${WHOLE}`,
  ])('is read as %j', (text) => {
    expect(read(extractTraceResponse, { 'server-timing': text })).toEqual(whole);
  });

  it('is looked at when traceresponse is missing or invalid', () => {
    const timing = `trace;desc=${WHOLE}`;
    expect(read(extractTraceResponse, { 'server-timing': timing, traceresponse: 'no' })).toEqual(whole);
    expect(read(extractTraceResponse, { 'server-timing': timing, traceresponse: `00-${TRACE}` })).toEqual(trace);
  });

  it('is added to what the application measured', () => {
    const write = (headers: HeaderObject): void => injectServerTiming(contextOf(), headers, lowerCaseHeaders);
    expect(written(write)).toEqual({ 'server-timing': `traceparent;desc="${WHOLE}"` });
    expect(written(write, { 'server-timing': 'db;dur=53' })).toEqual({
      'server-timing': `db;dur=53, traceparent;desc="${WHOLE}"`,
    });
  });
});

describe('exposing traceresponse to pages', () => {
  const name = 'access-control-expose-headers';
  it.each([
    [{}, { [name]: 'traceresponse' }],
    [{ [name]: 'etag' }, { [name]: 'etag, traceresponse' }],
    [{ [name]: 'ETag, TraceResponse' }, { [name]: 'ETag, TraceResponse' }],
    [{ [name]: '*' }, { [name]: '*' }],
  ])('turns %j into %j', (before, after) => {
    expect(written((headers) => exposeTraceResponse(headers, lowerCaseHeaders), { ...before })).toEqual(after);
  });
});
