import { ROOT_CONTEXT, TraceFlags, propagation, trace } from '@opentelemetry/api';
import type { TextMapGetter, TextMapPropagator } from '@opentelemetry/api';
import { TraceState, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { JaegerPropagator } from '@opentelemetry/propagator-jaeger';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractB3, injectB3, injectB3Multi } from './b3.ts';
import { baggageValues, formatBaggage, parseBaggage } from './baggage.ts';
import { lowerCaseHeaders } from './carriers/http-headers.ts';
import type { HeaderObject } from './carriers/http-headers.ts';
import type { CarrierGetter } from './carriers/carrier.ts';
import { TraceContext } from './context.ts';
import { extractJaeger, injectJaeger } from './jaeger.ts';
import { SPAN, TRACE, contextOf } from './test/carry.ts';
import { countTracestateMembers, removeTracestateMember, setTracestateMember } from './tracestate.ts';
import { extractW3c, injectW3c } from './w3c.ts';

// The propagators of OpenTelemetry for JavaScript as an oracle. Where Clew differs, it does so on purpose: each difference is
// named below with the test that recognises it, and every one of them has to occur.

interface Seen {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

interface Difference {
  readonly why: string;
  readonly applies: (headers: HeaderObject, ours: Seen | undefined, theirs: Seen | undefined) => boolean;
}

interface Oracle {
  readonly name: string;
  readonly theirs: TextMapPropagator;
  readonly ours: (headers: HeaderObject, getter: CarrierGetter<HeaderObject>, into: TraceContext) => boolean;
  readonly headers: fc.Arbitrary<HeaderObject>;
  readonly differences: readonly Difference[];
}

const getter: TextMapGetter<HeaderObject> = {
  get: (headers, key) => headers[key] as string | undefined,
  keys: Object.keys,
};

function theirsOf(propagator: TextMapPropagator, headers: HeaderObject): Seen | undefined {
  const found = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, headers, getter));
  return (
    found && { traceId: found.traceId, spanId: found.spanId, sampled: (found.traceFlags & TraceFlags.SAMPLED) !== 0 }
  );
}

function oursOf(ours: Oracle['ours'], headers: HeaderObject): Seen | undefined {
  const into = new TraceContext();
  if (!ours(headers, lowerCaseHeaders, into) || !into.hasParent) return undefined;
  return { traceId: into.traceId, spanId: into.spanId, sampled: into.sampled };
}

/** Mostly the first, sometimes one of the others. */
const mostly = (usual: string, ...others: string[]): fc.Arbitrary<string> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 4 }, { arbitrary: fc.constantFrom(...others), weight: 1 });
const joined = (separator: string, ...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.filter((part) => part !== 'none').join(separator));

const SHORT = '64fe8b2a57d3eff7';
const traceText = mostly(TRACE, SHORT, '8f1608d67809823', TRACE.toUpperCase(), '0'.repeat(32), `${TRACE}0`, 'x', '');
const spanText = mostly(SPAN, '67809823', SPAN.toUpperCase(), '0'.repeat(16), `${SPAN}0`, 'x', '');
const text = (headers: HeaderObject, name: string): string => String(headers[name] ?? '');

const upperCase: Difference = {
  why: 'ids in upper case are read and written in lower case',
  applies: (headers, ours, theirs) =>
    /[A-F]/.test(JSON.stringify(Object.values(headers))) &&
    ours !== undefined &&
    (theirs === undefined || theirs.traceId.toLowerCase() === ours.traceId),
};
const unpadded: Difference = {
  why: 'ids without their leading zeros are read, as the libraries of Zipkin do',
  applies: (headers, ours) =>
    ours !== undefined &&
    (ours.traceId.startsWith('0') || ours.spanId.startsWith('00000000')) &&
    'b3,x-b3-traceid'.split(',').some((name) => name in headers),
};

const oracles: Oracle[] = [
  {
    name: 'W3C trace context',
    theirs: new W3CTraceContextPropagator(),
    ours: extractW3c,
    headers: fc.record({
      traceparent: fc
        .tuple(
          joined(
            '-',
            mostly('00', '01', 'cc', 'ff', 'CC', '0', ''),
            mostly(TRACE, TRACE.toUpperCase(), '0'.repeat(32), `${TRACE}0`, 'x'),
            mostly(SPAN, SPAN.toUpperCase(), '0'.repeat(16), 'x'),
            mostly('01', '00', '03', 'ff', '1', '0g', '01.', '011'),
            mostly('none', 'more', ''),
          ),
          fc.constantFrom('', '', '', ' ', '\t', '  ', '\n'),
        )
        .map(([value, space]) => space + value + space),
    }),
    differences: [
      {
        why: 'any number of spaces and tabs around the value is allowed, other white space is not',
        applies: (headers) => /^(\s\s|\n)/.test(text(headers, 'traceparent')),
      },
    ],
  },
  {
    name: 'the single B3 header',
    theirs: new B3Propagator(),
    ours: extractB3,
    headers: fc.record({
      b3: joined('-', traceText, spanText, mostly('1', '0', 'd', 'none', 'D', '2', 'true'), mostly('none', SPAN, 'x')),
    }),
    differences: [
      upperCase,
      unpadded,
      {
        why: 'the whole value has to be valid, not a part of it somewhere',
        applies: (headers, ours) => ours === undefined && /[0-9a-f]{16}-[0-9a-f]{16}/.test(text(headers, 'b3')),
      },
    ],
  },
  {
    name: 'the B3 headers',
    theirs: new B3Propagator(),
    ours: extractB3,
    headers: fc.record(
      {
        'x-b3-traceid': traceText,
        'x-b3-spanid': spanText,
        'x-b3-sampled': mostly('1', '0', 'true', 'False', 'TRUE', '2', ''),
        'x-b3-flags': fc.constantFrom('0', '1'),
        b3: fc.constantFrom('broken', ''),
      },
      { requiredKeys: ['x-b3-traceid', 'x-b3-spanid'] },
    ),
    differences: [
      {
        why: 'true and false are read in any case',
        applies: (headers, ours) => headers['x-b3-sampled'] === 'TRUE' && ours?.sampled === true,
      },
      upperCase,
      unpadded,
      {
        why: 'a single header that is invalid does not hide valid ones',
        applies: (headers, ours, theirs) => headers['b3'] === 'broken' && ours !== undefined && theirs === undefined,
      },
    ],
  },
  {
    name: 'uber-trace-id',
    theirs: new JaegerPropagator(),
    ours: extractJaeger,
    headers: fc.record({
      'uber-trace-id': fc
        .tuple(
          joined(
            ':',
            traceText,
            spanText,
            mostly('0', SPAN, ''),
            mostly('1', '0', '3', '2', '01', 'F', '', 'g', '001'),
          ),
          fc.boolean(),
        )
        .map(([value, encoded]) => (encoded ? encodeURIComponent(value) : value)),
    }),
    differences: [
      upperCase,
      {
        why: 'ids that are zero, too long or no hexadecimal number are refused',
        applies: (headers, ours) =>
          ours === undefined &&
          !/^(?=.{1,32}:)0*[1-9a-f][0-9a-f]*:(?=.{1,16}:)0*[1-9a-f][0-9a-f]*:/i.test(
            decodeURIComponent(text(headers, 'uber-trace-id')),
          ),
      },
      {
        why: 'flags that are no number are refused instead of meaning sampled',
        applies: (headers, ours) =>
          ours === undefined && !/:[0-9a-f]{1,2}$/i.test(decodeURIComponent(text(headers, 'uber-trace-id'))),
      },
      {
        why: 'debug implies sampled',
        applies: (headers, ours) => text(headers, 'uber-trace-id').endsWith('2') && ours?.sampled === true,
      },
    ],
  },
];

describe.each(oracles)('$name beside OpenTelemetry', ({ theirs, ours, headers, differences }) => {
  it('is read the same but for differences that are meant', () => {
    const occurred = new Set<string>();
    fc.assert(
      fc.property(headers, (given) => {
        const mine = oursOf(ours, given);
        const other = theirsOf(theirs, given);
        if (JSON.stringify(mine) === JSON.stringify(other)) return;
        const reason = differences.find((difference) => difference.applies(given, mine, other));
        expect(reason?.why ?? { given, ours: mine, theirs: other }).toBeTypeOf('string');
        occurred.add(reason!.why);
      }),
      { numRuns: 5000, seed: 7 },
    );
    expect([...occurred].sort()).toEqual(differences.map(({ why }) => why).sort());
  });
});

describe('what is written', () => {
  const setter = { set: (carrier: HeaderObject, key: string, value: string) => void (carrier[key] = value) };

  it.each([
    ['W3C', new W3CTraceContextPropagator(), injectW3c],
    ['B3', new B3Propagator(), injectB3],
    ['B3 multi', new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }), injectB3Multi],
    ['Jaeger', new JaegerPropagator(), injectJaeger],
  ] as const)('as %s is read by OpenTelemetry, and the other way round', (_, theirs, inject) => {
    for (const flags of [0, 1]) {
      const sent: HeaderObject = {};
      inject(contextOf(flags, { tracestate: 'foo=1' }), sent, lowerCaseHeaders);
      expect(theirsOf(theirs, sent)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: flags === 1 });
      const received: HeaderObject = {};
      const context = { traceId: TRACE, spanId: SPAN, traceFlags: flags, traceState: new TraceState('foo=1') };
      theirs.inject(trace.setSpanContext(ROOT_CONTEXT, context), received, setter);
      for (const value of Object.values(received)) expect(value).toBeTypeOf('string');
      // Only the flags of Jaeger are written with another number of digits.
      const plain = (carrier: HeaderObject): string => JSON.stringify(carrier).replace(/:0:0(.)"/, ':0:$1"');
      expect(plain(sent)).toBe(plain(received));
    }
  });

  it('as tracestate is edited like OpenTelemetry edits it', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd@e', 'ot');
    const value = fc.stringMatching(/^[a-z0-9:;.]{1,8}$/);
    const lists = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 5 });
    fc.assert(
      fc.property(lists, key, value, (pairs, name, content) => {
        const given = pairs.map((pair) => pair.join('=')).join(',');
        expect(countTracestateMembers(given)).toBe(pairs.length);
        expect(setTracestateMember(given, name, content)).toBe(new TraceState(given).set(name, content).serialize());
        expect(removeTracestateMember(given, name)).toBe(new TraceState(given).unset(name).serialize());
      }),
    );
  });
});

describe('baggage beside OpenTelemetry', () => {
  const theirs = new W3CBaggagePropagator();
  const valuesOf = (header: string): [string, string][] => {
    const found = propagation.getBaggage(theirs.extract(ROOT_CONTEXT, { baggage: header }, getter));
    return (found?.getAllEntries() ?? []).map(([key, entry]): [string, string] => [key, entry.value]).sort();
  };
  const keys = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,6}$/);

  it('is read the same where the header is valid and no value is empty', () => {
    const member = fc.tuple(keys, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }));
    const separator = fc.constantFrom(',', ' , ', ',,', ';p=1,', ' ;q ,');
    fc.assert(
      fc.property(fc.array(fc.tuple(member, separator), { maxLength: 8 }), (parts) => {
        const header = parts.map(([[key, value], after]) => `${key}=${encodeURIComponent(value)}${after}`).join('');
        expect([...baggageValues(parseBaggage(header).members)].sort()).toEqual(valuesOf(header));
      }),
    );
  });

  it('is written so that OpenTelemetry reads it', () => {
    const member = fc.record({ key: keys, value: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }) });
    fc.assert(
      fc.property(fc.array(member, { maxLength: 8 }), (given) => {
        const members = given.map((each) => ({ ...each, properties: [] }));
        expect(valuesOf(formatBaggage(members).text)).toEqual([...baggageValues(members)].sort());
      }),
    );
  });

  it('differs where OpenTelemetry drops empty values, decodes keys, and drops broken escapes', () => {
    const ours = (header: string): [string, string][] => [...baggageValues(parseBaggage(header).members)];
    expect([ours('a='), valuesOf('a=')]).toEqual([[['a', '']], []]);
    expect([ours('a%20b=1'), valuesOf('a%20b=1')]).toEqual([[['a%20b', '1']], [['a b', '1']]]);
    expect([ours('a=%'), valuesOf('a=%')]).toEqual([[['a', '\uFFFD']], []]);
  });
});
