import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { endedExchange } from '../test/exchanges.ts';
import { RandomIds } from './random-ids.ts';
import { RatioTraceStarter } from './trace-starter.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';

/** The trace of a request with these headers. */
function traceOf(headers: readonly string[], samplingRate = 1) {
  const starter = new RatioTraceStarter(samplingRate);
  const { trace } = endedExchange(undefined, (exchange) => {
    exchange.requestHeaders = headers;
    starter.startRequest(exchange);
  });
  return trace;
}

describe('the trace of a request', () => {
  it.each([
    ['is malformed', `00-${traceId}-${parentId}`],
    ['is in upper case', `00-${traceId.toUpperCase()}-${parentId}-01`],
    ['is of version ff', `ff-${traceId}-${parentId}-01`],
    ['is too long for its version', `00-${traceId}-${parentId}-01-x`],
    ['has no trace id', `00-${'0'.repeat(32)}-${parentId}-01`],
    ['has no parent id', `00-${traceId}-${'0'.repeat(16)}-01`],
  ])('begins here when traceparent %s', (_what, traceparent) => {
    const trace = traceOf(['traceparent', traceparent, 'tracestate', 'a=1']);
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(traceId);
    expect(trace.parentSpanId).toBe('');
    expect(trace.tracestate).toBe('');
  });

  it('begins here when traceparent is repeated', () => {
    const value = `00-${traceId}-${parentId}-01`;
    expect(traceOf(['traceparent', value, 'Traceparent', value]).traceId).not.toBe(traceId);
  });

  it('does not look for other formats when traceparent is there but invalid', () => {
    expect(traceOf(['traceparent', 'x', 'b3', `${traceId}-${parentId}-1`]).traceId).not.toBe(traceId);
  });

  it('is the inbound one, whose span becomes the parent', () => {
    const trace = traceOf(['TraceParent', `00-${traceId}-${parentId}-01`, 'tracestate', 'a=1', 'tracestate', 'b=2']);
    expect(trace).toMatchObject({ traceId, parentSpanId: parentId, flags: 1, tracestate: 'a=1,b=2' });
    expect(trace.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(trace.spanId).not.toBe(parentId);
  });

  it('continues a later version', () => {
    expect(traceOf(['traceparent', `cc-${traceId}-${parentId}-01-what`]).traceId).toBe(traceId);
  });

  it.each([
    [['b3', `${traceId}-${parentId}-1`], true],
    [['b3', `${traceId}-${parentId}-0`], false],
    [['uber-trace-id', `${traceId}:${parentId}:0:1`], true],
    [['X-Amzn-Trace-Id', `Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=${parentId};Sampled=1`], true],
  ])('continues %j without a traceparent', (headers, sampled) => {
    const trace = traceOf(headers, sampled ? 0 : 1);
    expect(trace).toMatchObject({ traceId, parentSpanId: parentId, sampled });
  });

  it('lets the sampling rate decide when the inbound format leaves the decision open', () => {
    expect(traceOf(['b3', `${traceId}-${parentId}`], 1).sampled).toBe(true);
    expect(traceOf(['b3', `${traceId}-${parentId}`], 0).sampled).toBe(false);
  });

  it('follows a decision that comes without a parent', () => {
    expect(traceOf(['b3', '0'], 1).sampled).toBe(false);
  });

  it.each([
    ['00', 1, false],
    ['01', 0, true],
  ])('keeps the decision of the parent, flags %s, whatever the rate', (flags, rate, sampled) => {
    expect(traceOf(['traceparent', `00-${traceId}-${parentId}-${flags}`], rate).sampled).toBe(sampled);
  });

  it('is sampled at the ratio by the low 63 bits of its id', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, (1n << 64n) - 1n), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (low, rate) => {
        const starter = new RatioTraceStarter(rate, idsOf(low));
        const { trace } = endedExchange(undefined, (exchange) => starter.startRequest(exchange));
        expect(trace.sampled).toBe(low >> 1n < BigInt(Math.floor(rate * 2 ** 63)));
      }),
    );
  });
});

/** Ids that all end in these 64 bits. */
function idsOf(low: bigint): RandomIds {
  return new RandomIds((bytes) => {
    for (let at = 0; at < bytes.length; at += 8) bytes.writeBigUInt64BE(low, at);
  });
}

describe('random ids', () => {
  it('are never zero', () => {
    let first = true;
    const ids = new RandomIds((bytes) => {
      bytes.fill(first ? 0 : 7);
      first = false;
    });
    expect(ids.traceId()).toBe('07'.repeat(16));
    expect(ids.spanId()).toBe('07'.repeat(8));
  });

  it('do not repeat within many pools', () => {
    const ids = new RandomIds();
    const seen = new Set(Array.from({ length: 20_000 }, (_, index) => (index % 2 ? ids.traceId() : ids.spanId())));
    expect(seen.size).toBe(20_000);
  });
});
