import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDurationExact, parseDurationNano } from './duration.ts';
import { dropEachCondition, emptyFilter, formatFilter, spanKindWords } from './filter.ts';
import type { AttributeTerm, SearchFilter } from './filter.ts';
import { parseFilter } from './parse-filter.ts';
import { absorbErrorTag, formatTags, parseTags } from './tags.ts';

const scopes = ['any', 'span', 'resource', 'event', 'link', 'instrumentation'] as const;
const comparisons = ['=', '!=', '>', '>=', '<', '<=', '=~', '!~'] as const;

const stringTerm = fc.record({
  scope: fc.constantFrom(...scopes),
  key: fc.oneof(fc.constantFrom('http.method', 'a b', 'span.x', 'ключ', '"q"'), fc.string({ minLength: 1 })),
  operator: fc.constantFrom(...comparisons),
  value: fc.record({
    type: fc.constant('string' as const),
    text: fc.oneof(fc.string(), fc.constantFrom('500', 'true', 'nil')),
  }),
});
const numberTerm = fc.record({
  scope: fc.constantFrom(...scopes),
  key: fc.constantFrom('retries', 'http.status_code'),
  operator: fc.constantFrom('=', '!=', '>', '>=', '<', '<='),
  value: fc.record({
    type: fc.constant('number' as const),
    text: fc.constantFrom('0', '-3', '9007199254740993', '1.5', '2e9'),
  }),
});
const bareTerm = fc.record({
  scope: fc.constantFrom(...scopes),
  key: fc.constantFrom('error', 'cache.hit'),
  operator: fc.constantFrom('exists', 'missing'),
});
const term: fc.Arbitrary<AttributeTerm> = fc
  .oneof(stringTerm, numberTerm, bareTerm)
  .filter((made) => !(made.scope === 'resource' && made.key === 'service.name')) as fc.Arbitrary<AttributeTerm>;
const filterOf = fc.record(
  {
    service: fc.string({ minLength: 1 }),
    operation: fc.string(),
    status: fc.constantFrom('error', 'ok', 'unset'),
    kind: fc.constantFrom(...spanKindWords),
    minDurationNano: fc.bigInt({ min: 0n, max: 2n ** 63n }),
    maxDurationNano: fc.bigInt({ min: 0n, max: 2n ** 63n }),
    rootOnly: fc.boolean(),
    terms: fc.array(term, { maxLength: 4 }),
  },
  { requiredKeys: ['rootOnly', 'terms'] },
) as fc.Arbitrary<SearchFilter>;

function problemOf(text: string): string {
  const parsed = parseFilter(text);
  return parsed.ok ? 'understood' : (parsed.error[0]?.message ?? '');
}

describe('the query of a search form', () => {
  it.each([
    ['{ .a = 1 } || { .b = 2 }', 'only one { … } is understood'],
    ['{ .a = 1 || .b = 2 }', 'join conditions with &&'],
    ['{ .a = text }', 'expected "text" in quotes'],
    ['{ .a = "open }', 'is not closed'],
    ['{ name =~ "x" }', 'name is understood once'],
    ['{ duration > fast }', 'expected a duration'],
    ['{ duration < 0s }', 'no duration is below zero'],
    ['{ status = broken }', 'status is understood once'],
    ['{ key = 1 }', 'an attribute is written .key'],
    ['{ .a = 1', 'expected }'],
    ['.a = 1', 'expected {'],
    ['{ .a > true }', 'cannot compare true and false'],
  ])('refuses %s and says why', (text, reason) => {
    expect(problemOf(text)).toContain(reason);
  });

  it('points at the character it could not read', () => {
    const parsed = parseFilter('{ .a = 1 && .b ~ 2 }');
    expect(parsed).toMatchObject({ ok: false, error: [{ parameter: 'q', range: { start: 15 } }] });
  });

  it('reads the samples people know from TraceQL', () => {
    const parsed = parseFilter('{resource.service.name="order-service" && status=error && duration>1s}');
    expect(parsed).toEqual({
      ok: true,
      value: { service: 'order-service', status: 'error', minDurationNano: 1_000_000_001n, rootOnly: false, terms: [] },
    });
    expect(parseFilter('{span.http.status_code=500}')).toMatchObject({
      ok: true,
      value: {
        terms: [{ scope: 'span', key: 'http.status_code', operator: '=', value: { type: 'number', text: '500' } }],
      },
    });
  });

  it('reads what it writes, for any filter', () => {
    fc.assert(
      fc.property(filterOf, (filter) => {
        expect(parseFilter(formatFilter(filter))).toEqual({ ok: true, value: filter });
      }),
    );
  });

  it('never throws, whatever is typed', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseFilter(text).ok === 'boolean'));
  });

  it('can drop each of its conditions, which leaves one fewer', () => {
    fc.assert(
      fc.property(filterOf, (filter) => {
        const dropped = dropEachCondition(filter);
        for (const { without } of dropped) expect(dropEachCondition(without)).toHaveLength(dropped.length - 1);
        expect(formatFilter(emptyFilter)).toBe('');
      }),
    );
  });
});

describe('the tags box', () => {
  it.each([
    ['=GET', 'expected a key'],
    ['http.method=', 'expected a value'],
    ['http.method="GET', 'is not closed'],
    ['!error=true', 'takes no value'],
    ['retries>true', 'cannot compare'],
  ])('refuses %s and says why', (text, reason) => {
    const parsed = parseTags(text);
    expect(parsed.ok ? '' : parsed.error[0]?.message).toContain(reason);
  });

  it('reads words, types, scopes and existence', () => {
    expect(parseTags('http.method=GET resource.host.name="a b" retries>2 ok=true zip="01234" cached !error')).toEqual({
      ok: true,
      value: [
        { scope: 'any', key: 'http.method', operator: '=', value: { type: 'string', text: 'GET' } },
        { scope: 'resource', key: 'host.name', operator: '=', value: { type: 'string', text: 'a b' } },
        { scope: 'any', key: 'retries', operator: '>', value: { type: 'number', text: '2' } },
        { scope: 'any', key: 'ok', operator: '=', value: { type: 'boolean', value: true } },
        { scope: 'any', key: 'zip', operator: '=', value: { type: 'string', text: '01234' } },
        { scope: 'any', key: 'cached', operator: 'exists' },
        { scope: 'any', key: 'error', operator: 'missing' },
      ],
    });
  });

  it('reads what it writes, for any terms', () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 4 }), (terms) => {
        expect(parseTags(formatTags(terms))).toEqual({ ok: true, value: terms });
      }),
    );
  });

  it('takes error=true for the status, as people type it from habit', () => {
    const terms = parseTags('error=true http.method=GET');
    const filter = absorbErrorTag({ ...emptyFilter, terms: terms.ok ? terms.value : [] });
    expect(formatFilter(filter)).toBe('{ status = error && .http.method = "GET" }');
  });
});

describe('durations', () => {
  it.each(['', 'fast', '1', '-1s', '1s fast', '1.5'])('does not read %j', (text) => {
    expect(parseDurationNano(text)).toBeUndefined();
  });

  it.each([
    ['1.5s', 1_500_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['250µs', 250_000n],
    ['17ns', 17n],
    ['0s', 0n],
  ])('reads %s', (text, nano) => {
    expect(parseDurationNano(text)).toBe(nano);
  });

  it('are written so that reading gives the same number', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 63n }),
        (nano) => parseDurationNano(formatDurationExact(nano)) === nano,
      ),
    );
  });
});
