import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceContext, extract, rawHeaders } from '@clew/wire/propagation';
import { CarriedContext, contextIn, otherFormats } from './carried-context.ts';

const ids = { trace: '80f198ee56343ba864fe8b2a57d3eff7', span: 'e457b5a2e4d86bd1', parent: '05e3ac9a4f6e3b90' };

/** What clients of each format send. */
const requests: Readonly<Record<string, readonly string[]>> = {
  'B3 in one header': ['b3', `${ids.trace}-${ids.span}-1-${ids.parent}`],
  'a decision of B3': ['b3', '0'],
  'B3 in several headers': ['X-B3-TraceId', ids.trace, 'X-B3-SpanId', ids.span, 'X-B3-ParentSpanId', ids.parent],
  'a decision of B3 in a header of its own': ['X-B3-Sampled', '0'],
  'the debug flag of B3': ['X-B3-Flags', '1'],
  "Jaeger's context": ['uber-trace-id', `${ids.trace}:${ids.span}:0:1`],
  'the name of a trace to be found in Jaeger': ['jaeger-debug-id', 'order 17'],
  "X-Ray's context": ['X-Amzn-Trace-Id', `Root=1-80f198ee-56343ba864fe8b2a57d3eff7;Parent=${ids.span};Sampled=1`],
};

/** All names the formats ask for while they read these requests and one without a context. */
function namesRead(): string[] {
  const names = new Set<string>();
  const noting: typeof rawHeaders = {
    ...rawHeaders,
    get(headers, name) {
      names.add(name);
      return rawHeaders.get(headers, name);
    },
  };
  for (const headers of [[], ...Object.values(requests)]) {
    extract(otherFormats, [...headers], noting, new TraceContext());
  }
  return [...names];
}

const otherNames = namesRead();

/** The text with letters in either case. */
const inAnyCase = (text: string): fc.Arbitrary<string> => fc.mixedCase(fc.constant(text));

describe('the context a request carries', () => {
  it('is of W3C when there is a traceparent, whatever else there is', () => {
    fc.assert(
      fc.property(inAnyCase('traceparent'), fc.shuffledSubarray(otherNames), (name, others) => {
        const headers = [...others.flatMap((other) => [other, 'x']), name, 'y'];
        expect(contextIn(headers)).toBe(CarriedContext.W3C);
      }),
    );
  });

  it.each(Object.entries(requests))('is of another format when there is %s', (_what, headers) => {
    expect(extract(otherFormats, [...headers], rawHeaders, new TraceContext())).toBe(true);
    expect(contextIn(['Host', 'shop', ...headers])).toBe(CarriedContext.OTHER);
  });

  it.each(otherNames)('may be of another format when there is %s, which one of them reads', (name) => {
    fc.assert(
      fc.property(inAnyCase(name), (written) => {
        expect(contextIn(['Host', 'shop', written, '1'])).toBe(CarriedContext.OTHER);
      }),
    );
  });

  it('is none for every other name, and for values that look like one', () => {
    const known = new Set([...otherNames, 'traceparent']);
    const name = fc
      .oneof(
        fc.stringMatching(/^[A-Za-z0-9-]{0,40}$/),
        fc.constantFrom('user-agent', 'x-request-id', 'tracestate', 'u2'),
      )
      .filter((text) => !known.has(text.toLowerCase()));
    fc.assert(
      fc.property(fc.array(name), (names) => {
        expect(contextIn(names.flatMap((one) => [one, 'traceparent']))).toBe(CarriedContext.NONE);
      }),
    );
  });
});
