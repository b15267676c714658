import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CarriedContext, contextIn } from './carried-context.ts';

const otherNames = [
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'uber-trace-id',
  'jaeger-debug-id',
  'x-amzn-trace-id',
];

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

  it.each(otherNames)('is of another format when there is %s', (name) => {
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
