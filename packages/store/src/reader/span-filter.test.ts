import {
  emptyResource,
  emptyScope,
  fromPlain,
  plainResource,
  plainSpan,
  unixNano,
  type AttributeValue,
  type KeyValue,
  type PlainSpan,
} from '@clew/model';
import { arbitraryText } from '@clew/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { SpanFilter } from './span-filter.ts';
import type { TermFilter } from './term-conditions.ts';
import { satisfies } from './test-support/filter-oracle.ts';
import { useStore } from './test-support/use-store.ts';

const data = useStore();

const received = 1_795_000_000_000_000_000n;
const everything = { startUnixNano: 0n, endUnixNano: 2n ** 64n - 1n };
/** In this order one statement looks at all of the range. */
const whole = { range: everything, order: 'longest_match', limit: 100 } as const;

const texts = [
  '',
  'a',
  'b',
  'GET',
  'get',
  'a\nb',
  '200',
  '200.0',
  '5',
  '-1',
  'true',
  "q'\\{p0:String}",
  'é',
  '/users/{id}',
  'mssql',
  'microsoft.sql_server',
  '0.0.0.5',
  'Jaeger-a',
  'YQ==',
  '61',
];
const numbers = [
  '5',
  '-1',
  '200',
  '200.0',
  '200.5',
  '2e2',
  '-0',
  '9007199254740993',
  '9223372036854775807',
  '18446744073709551616',
  '1e300',
];
const patterns = [
  'a.*',
  'a|b',
  'GET',
  '(?i)get',
  '2..',
  '.+',
  '',
  '[^a]',
  'a|',
  '^a$',
  '.*',
  '\\d+',
  'a.b',
  '\\x{e9}',
  '(a|b)',
];
const keys = [
  'k',
  'k',
  'k.a',
  'k.a.b',
  'http.status_code',
  'http.response.status_code',
  'http.method',
  'http.request.method',
  'db.system',
  'db.system.name',
  'peer.ipv4',
  'net.peer.ip',
  'jaeger.version',
  'opencensus.exporterversion',
  'name',
  'trace.id',
  'span.id',
  'status.message',
  'exception.type',
  'error.kind',
  'error',
  'version',
  '',
  'ключ',
  "a'b\\",
];

const scalars: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...texts) },
  { weight: 3, arbitrary: fc.constantFrom(5n, -1n, 200n, 404n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)) },
  { weight: 2, arbitrary: fc.constantFrom(5, 200, 200.5, -0, 2 ** 53, 2 ** 63, 1e300, Number.NaN, -Infinity) },
  fc.boolean(),
  fc.constantFrom<AttributeValue[]>(null, Uint8Array.of(0x61)),
);
/** Maps and arrays in each other, with the paths below. */
const { nested } = fc.letrec<{ readonly nested: AttributeValue; readonly inner: AttributeValue }>((tie) => ({
  nested: fc.oneof(
    fc
      .array(fc.record({ key: fc.constantFrom('a', 'b', 'a.b', ''), value: tie('inner') }), { maxLength: 3 })
      .map((entries) => ({ entries })),
    fc.array(tie('inner'), { maxLength: 3 }),
  ),
  inner: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalars, tie('nested')),
}));
const values = fc.oneof(
  { weight: 6, arbitrary: scalars },
  fc.array(scalars, { maxLength: 3 }),
  fc.constant<AttributeValue>({ entries: [{ key: 'k', value: 'a' }] }),
  fc.constant<AttributeValue>([['a']]),
  nested,
);
const spanValue = (isTidy: boolean): fc.Arbitrary<AttributeValue> =>
  isTidy ? fc.constantFrom('GET', 'a', '200') : values;

/** Attributes with each key once. A tidy list has what dedicated columns can show. */
function attributes(isTidy: boolean): fc.Arbitrary<KeyValue[]> {
  const status = fc.constantFrom<AttributeValue[]>(200n, 404n, '200');
  const entry = fc.constantFrom(...keys).chain((key) => {
    const value = isTidy && key.endsWith('status_code') ? status : spanValue(isTidy);
    return value.map((each) => ({ key, value: each }));
  });
  return fc.array(entry, { maxLength: 5 }).map((list) => [...new Map(list.map((each) => [each.key, each])).values()]);
}

/** Spans of one tenant, each of a trace of its own. */
function arbitrarySpans(): fc.Arbitrary<PlainSpan[]> {
  const span = fc.boolean().chain((isTidy) =>
    fc.record({
      service: fc.constantFrom('shop', "o'brien", ''),
      resource: attributes(false),
      scope: attributes(false),
      scopeName: fc.constantFrom('', 'a', 'lib'),
      name: fc.constantFrom('', 'GET', 'a'),
      kind: fc.nat(5),
      status: fc.nat(2),
      message: fc.constantFrom('', 'a'),
      isRoot: fc.boolean(),
      start: fc.constantFrom(received, received - 1n, 0n, received - 10n ** 15n),
      duration: fc.constantFrom(0n, 5n, 1_000_000n, -5n),
      attributes: attributes(isTidy),
      events: fc.array(attributes(false), { maxLength: 2 }),
      links: fc.array(attributes(false), { maxLength: 2 }),
    }),
  );
  return fc.array(span, { minLength: 1, maxLength: 12 }).map((list) =>
    list.map((each, i) => ({
      ...plainSpan({ traceId: (i + 1).toString(16), spanId: (i + 160).toString(16), startUnixNano: each.start }),
      resource: plainResource([
        ...(each.service === '' ? [] : [{ key: 'service.name', value: each.service }]),
        ...each.resource,
      ]),
      scope: { ...emptyScope, name: each.scopeName, attributes: each.scope },
      parentSpanId: each.isRoot ? '' : plainSpan({ traceId: '1', spanId: '1' }).spanId,
      name: each.name,
      kind: each.kind,
      statusCode: each.status,
      statusMessage: each.message,
      endUnixNano: unixNano(each.start + each.duration < 0n ? 0n : each.start + each.duration),
      attributes: each.attributes,
      events: each.events.map((list, n) => ({
        timeUnixNano: unixNano(each.start),
        name: n === 0 ? 'exception' : '',
        attributes: list,
        droppedAttributes: 0,
      })),
      links: each.links.map((list) => ({
        traceId: '' as const,
        spanId: '' as const,
        traceState: '',
        flags: 0,
        attributes: list,
        droppedAttributes: 0,
      })),
    })),
  );
}

function arbitraryTerm(): fc.Arbitrary<TermFilter> {
  const place = fc.record({
    scope: fc.constantFrom<TermFilter['scope'][]>(
      'any',
      'any',
      'span',
      'span',
      'resource',
      'event',
      'link',
      'instrumentation',
    ),
    key: fc.constantFrom(...keys),
  });
  const text = fc
    .constantFrom(...texts, '1', 'a1', 'exception')
    .map((each) => ({ type: 'string' as const, text: each }));
  const number = fc.constantFrom(...numbers).map((each) => ({ type: 'number' as const, text: each }));
  const comparison = fc.constantFrom<('=' | '!=' | '<' | '<=' | '>' | '>=')[]>('=', '=', '!=', '<', '<=', '>', '>=');
  const condition = fc.oneof(
    fc.record({ operator: fc.constantFrom<('exists' | 'missing')[]>('exists', 'missing') }),
    fc.record({ operator: comparison, value: text }),
    fc.record({ operator: comparison, value: number }),
    fc.record({ operator: fc.constantFrom<('=' | '!=')[]>('=', '!='), value: fc.boolean() }),
    fc.record({
      operator: fc.constantFrom<('=~' | '!~')[]>('=~', '!~'),
      value: fc.constantFrom(...patterns).map((each) => ({ type: 'string' as const, text: each })),
    }),
  );
  return fc.tuple(place, condition).map(([where, what]) => ({ ...where, ...what }));
}

function arbitraryFilter(): fc.Arbitrary<SpanFilter> {
  const rest = fc.record(
    {
      service: fc.constantFrom('shop', "o'brien", ''),
      operation: fc.constantFrom('GET', 'a', ''),
      status: fc.constantFrom<('error' | 'ok' | 'unset')[]>('error', 'ok', 'unset'),
      kind: fc.nat(5),
      minDurationNano: fc.constantFrom(1n, 5n),
      maxDurationNano: fc.constantFrom(0n, 5n),
      rootOnly: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const terms = fc.array(arbitraryTerm(), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 4, arbitrary: terms.map((list) => ({ terms: list })) },
    fc.tuple(rest, fc.array(arbitraryTerm(), { maxLength: 1 })).map(([fields, list]) => ({ ...fields, terms: list })),
  );
}

/** The filter with a key that some span has: by chance, too many filters would find nothing, and prove little. */
function aimed(filter: SpanFilter, spans: readonly PlainSpan[], pick: number): SpanFilter {
  const known = spans.flatMap((span) => [...span.attributes, ...span.resource.attributes, ...span.scope.attributes]);
  const [first, ...others] = filter.terms ?? [];
  if (first === undefined || known.length === 0) return filter;
  return { ...filter, terms: [{ ...first, scope: 'any', key: known[pick % known.length]!.key }, ...others] };
}

function stored(spans: readonly PlainSpan[]): Promise<string> {
  return data.stored(fromPlain(spans), received);
}

describe('a filter', () => {
  it('finds exactly the spans that satisfy it, whatever they and it are', async () => {
    let matched = 0;
    await fc.assert(
      fc.asyncProperty(
        arbitrarySpans(),
        fc.array(fc.tuple(arbitraryFilter(), fc.boolean(), fc.nat(1000)), {
          minLength: 8,
          maxLength: 16,
        }),
        async (spans, filters) => {
          const tenant = await stored(spans);
          for (const [drawn, synonyms, pick] of filters) {
            const filter = pick % 3 === 0 ? drawn : aimed(drawn, spans, pick);
            const wanted = spans.filter((span) => satisfies(span, filter, synonyms)).map((span) => span.traceId);
            const found = await data.reader.findTraces(tenant, { ...filter, ...whole, synonyms });
            const ids = found.traces.map((trace) => trace.traceId).toSorted();
            expect(
              ids,
              JSON.stringify(filter, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)),
            ).toEqual(wanted.toSorted());
            if (synonyms) expect(await data.reader.countSpans(tenant, filter, everything)).toBe(wanted.length);
            if (wanted.length > 0) matched++;
          }
        },
      ),
      { numRuns: 12 },
    );
    expect(matched).toBeGreaterThan(6);
  }, 120_000);

  it('never lets text out of its parameter', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryText(), async (text) => {
        const [one, other] = ['1', '2'].map((id) => plainSpan({ traceId: id, spanId: id, startUnixNano: received }));
        // Keys that are no UTF-8 are not looked up, and some words stand for fields.
        const key = text.isWellFormed() ? `k${text}` : 'k';
        const attribute = { key, value: text };
        const resource = { ...emptyResource, attributes: [{ key: 'service.name', value: text }, attribute] };
        const tenant = await stored([
          { ...one!, resource, name: text, attributes: [attribute] },
          { ...other!, name: `${text}.` },
        ]);
        const value = { type: 'string' as const, text };
        const filters: SpanFilter[] = [{ service: text }, { operation: text }];
        for (const scope of ['any', 'span', 'resource'] as const) {
          filters.push({ terms: [{ scope, key, operator: '=', value }] });
          filters.push({ terms: [{ scope, key, operator: '!=', value: { type: 'string', text: `${text}'` } }] });
          filters.push({ terms: [{ scope, key, operator: 'exists' }] });
        }
        if (text.isWellFormed()) {
          const pattern = text.replace(/[^\p{L}\p{N}]/gu, (c) => `\\x{${c.codePointAt(0)!.toString(16)}}`);
          filters.push({
            terms: [{ scope: 'span', key, operator: '=~', value: { type: 'string', text: pattern } }],
          });
        }
        for (const filter of filters) {
          const found = await data.reader.findTraces(tenant, { ...filter, ...whole, synonyms: false });
          const wanted = filter.service === '' ? 2 : 1;
          expect(found.traces.length, JSON.stringify(filter)).toBe(wanted);
        }
      }),
      { numRuns: 12 },
    );
  }, 120_000);
});
