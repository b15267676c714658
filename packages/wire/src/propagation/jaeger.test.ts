import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import { rawHeaders } from './carriers/raw-headers.ts';
import { TraceContext } from './context.ts';
import { extractJaeger, extractJaegerBaggage, injectJaeger, injectJaegerBaggage } from './jaeger.ts';
import { formatJaegerBinary, parseJaegerBinary } from './jaeger-binary.ts';
import { SPAN, TRACE, contextOf, read, told, written } from './test/carry.ts';

const ids = { format: 'jaeger', traceId: TRACE, spanId: SPAN, decided: true };

describe('uber-trace-id', () => {
  it.each([
    '',
    ':::',
    '0:0:0:1',
    `${TRACE}:0:0:1`,
    `0:${SPAN}:0:1`,
    `${TRACE}:${SPAN}:0`,
    `${TRACE}:${SPAN}:0:1:1`,
    `${TRACE}:${SPAN}:0:`,
    `${TRACE}:${SPAN}:0:g`,
    `${TRACE}:${SPAN}:0:001`,
    `${TRACE}:${SPAN}:0:-1`,
    `${TRACE}0:${SPAN}:0:1`,
    `${TRACE}:${SPAN}0:0:1`,
    `x:${SPAN}:0:1`,
    `${TRACE}%3g${SPAN}%3A0%3A1`,
    `${TRACE}%`,
    `${TRACE}:${SPAN}:0:1,${TRACE}:${SPAN}:0:1`,
  ])('is refused as %j', (text) => {
    expect(read(extractJaeger, { 'uber-trace-id': text })).toBeUndefined();
  });

  it.each([
    ['not sampled', `${TRACE}:${SPAN}:0:0`, ids],
    ['sampled', `${TRACE}:${SPAN}:0:1`, { ...ids, flags: 1 }],
    ['sampled, two digits', `${TRACE}:${SPAN}:0:01`, { ...ids, flags: 1 }],
    ['debug', `${TRACE}:${SPAN}:0:3`, { ...ids, flags: 1, debug: true }],
    ['debug without sampled, which it implies', `${TRACE}:${SPAN}:0:2`, { ...ids, flags: 1, debug: true }],
    ['firehose', `${TRACE}:${SPAN}:0:9`, { ...ids, flags: 1, firehose: true }],
    ['unknown flags', `${TRACE}:${SPAN}:0:F4`, ids],
    ['with a parent', `${TRACE}:${SPAN}:${SPAN}:1`, { ...ids, flags: 1, parentSpanId: SPAN }],
    ['with a parent of zeros', `${TRACE}:${SPAN}:0000000000000000:1`, { ...ids, flags: 1 }],
    ['with an empty parent', `${TRACE}:${SPAN}::1`, { ...ids, flags: 1 }],
    ['in upper case', `${TRACE.toUpperCase()}:${SPAN.toUpperCase()}:0:1`, { ...ids, flags: 1 }],
    ['percent-encoded', `${TRACE}%3A${SPAN}%3a0%3A1`, { ...ids, flags: 1 }],
    ['with spaces around', ` ${TRACE}:${SPAN}:0:1 `, { ...ids, flags: 1 }],
    [
      'unpadded',
      '8f1608d67809823:67809823:0:1',
      { ...ids, flags: 1, traceId: '8f1608d67809823'.padStart(32, '0'), spanId: '67809823'.padStart(16, '0') },
    ],
  ])('is read %s', (_, text, expected) => {
    expect(read(extractJaeger, { 'uber-trace-id': text })).toEqual(expected);
  });

  it('is found in any spelling and under a name of the user’s own', () => {
    const into = new TraceContext();
    expect(extractJaeger(['Uber-Trace-Id', `${TRACE}:${SPAN}:0:1`], rawHeaders, into)).toBe(true);
    const own = { 'my-trace': `${TRACE}:${SPAN}:0:0` };
    expect(extractJaeger(own, lowerCaseHeaders, into, { traceId: 'my-trace' })).toBe(true);
    expect(told(into)).toEqual(ids);
  });

  it('is written with a parent of 0 and the flags that Jaeger knows', () => {
    const write = (context: TraceContext): unknown =>
      written((headers) => injectJaeger(context, headers, lowerCaseHeaders))['uber-trace-id'];
    expect(write(contextOf(3))).toBe(`${TRACE}:${SPAN}:0:1`);
    expect(write(contextOf(0))).toBe(`${TRACE}:${SPAN}:0:0`);
    expect(write(contextOf(1, { debug: true, firehose: true }))).toBe(`${TRACE}:${SPAN}:0:b`);
    expect(write(new TraceContext())).toBeUndefined();
  });
});

describe('jaeger-debug-id', () => {
  it('asks for a trace that is kept, when there is no context', () => {
    expect(read(extractJaeger, { 'jaeger-debug-id': 'ticket 4711' })).toEqual({
      format: 'jaeger',
      flags: 1,
      decided: true,
      debug: true,
      debugId: 'ticket 4711',
    });
  });

  it('is not looked at beside a context, nor when it is empty', () => {
    const headers = { 'jaeger-debug-id': 'x', 'uber-trace-id': `${TRACE}:${SPAN}:0:0` };
    expect(read(extractJaeger, headers)).toEqual(ids);
    expect(read(extractJaeger, { 'jaeger-debug-id': '' })).toBeUndefined();
  });
});

describe('Jaeger baggage', () => {
  const readBaggage = (headers: Record<string, unknown>): unknown =>
    extractJaegerBaggage(headers, lowerCaseHeaders)?.members.map(({ key, value }) => [key, value]);

  it('comes as one header a key, percent-encoded', () => {
    expect(
      readBaggage({ 'uberctx-user': 'J%C3%BCrgen%20K', 'uberctx-plan': 'free', uberctx: 'no', 'uberctx-': 'no' }),
    ).toEqual([
      ['user', 'Jürgen K'],
      ['plan', 'free'],
    ]);
  });

  it('comes as one list on requests without a trace', () => {
    expect(readBaggage({ 'jaeger-baggage': 'k1=v1, k2 = a%2Cb ,, =x, k3' })).toEqual([
      ['k1', 'v1'],
      ['k2', 'a,b'],
    ]);
  });

  it('survives escapes that are broken', () => {
    expect(readBaggage({ 'uberctx-a': '100%', 'uberctx-b': '%E0%A4' })).toEqual([
      ['a', '100\uFFFD'],
      ['b', '\uFFFD'],
    ]);
    expect(readBaggage({})).toBeUndefined();
  });

  it('is written where the key can be part of a header name', () => {
    const members = [
      { key: 'User', value: 'Jürgen K\r\n', properties: [] },
      { key: 'bad key\r\n', value: 'x', properties: [] },
    ];
    expect(written((headers) => injectJaegerBaggage(members, headers, lowerCaseHeaders))).toEqual({
      'uberctx-user': 'J%C3%BCrgen%20K%0D%0A',
    });
  });

  it('is limited', () => {
    const headers = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`uberctx-k${i}`, 'v']));
    const baggage = extractJaegerBaggage(headers, lowerCaseHeaders)!;
    expect([baggage.members.length, baggage.dropped]).toEqual([180, 20]);
  });
});

describe('the binary carrier of Jaeger', () => {
  const baggage = [
    { key: 'user', value: 'Jürgen', properties: [] },
    { key: '', value: '', properties: [] },
  ];
  const whole = formatJaegerBinary(contextOf(1, { debug: true }), baggage);

  it('is read as the clients write it', () => {
    const bytes = Buffer.from(`${TRACE}${SPAN}00000000000000110900000001000000016b0000000176`, 'hex');
    const into = new TraceContext();
    expect(parseJaegerBinary(bytes, into)?.members).toEqual([{ key: 'k', value: 'v', properties: [] }]);
    expect(told(into)).toEqual({ ...ids, flags: 1, firehose: true, parentSpanId: '0000000000000011' });
  });

  it('is refused when it ends early anywhere', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(parseJaegerBinary(whole.slice(0, length), new TraceContext())).toBeUndefined();
    }
    const into = new TraceContext();
    expect(parseJaegerBinary(whole, into)?.members).toEqual(baggage);
    expect(told(into)).toEqual({ ...ids, flags: 1, debug: true });
  });

  it('is refused with ids of zeros, and with a count that its bytes cannot hold', () => {
    expect(parseJaegerBinary(whole.slice().fill(0, 0, 16), new TraceContext())).toBeUndefined();
    expect(parseJaegerBinary(whole.slice().fill(0, 16, 24), new TraceContext())).toBeUndefined();
    expect(parseJaegerBinary(whole.slice().fill(255, 33, 37), new TraceContext())).toBeUndefined();
    expect(parseJaegerBinary(whole.slice().fill(255, 37, 41), new TraceContext())).toBeUndefined();
  });

  it('is read from any bytes without failing', () => {
    const tail = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(tail, fc.nat(3), (bytes, count) => {
        const start = formatJaegerBinary(contextOf());
        start[36] = count;
        const members = parseJaegerBinary(Uint8Array.from([...start, ...bytes]), new TraceContext())?.members;
        expect(members?.length ?? count).toBe(count);
      }),
    );
  });
});
