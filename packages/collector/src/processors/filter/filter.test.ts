import { fromPlain, plainResource, plainSpan } from '@clew/model';
import type { AttributeValue, PlainSpan } from '@clew/model';
import {
  RecordingConsumer,
  TestHost,
  describeProcessorContract,
  farDeadline,
  sampleSpans,
  settingProblems,
  settingsFor,
  testContext,
} from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { filterProcessorFactory as factory } from './index.ts';

const health = { match_type: 'regexp', attributes: [{ key: 'http.url', value: '.*/health.*' }] };

describeProcessorContract({
  factory,
  settings: { spans: { exclude: health } },
  dropping: {
    settings: { spans: { exclude: { match_type: 'strict', services: ['orders', 'payment'] } } },
    spans: sampleSpans(6),
  },
  changing: {
    settings: { spans: { include: { match_type: 'strict', services: ['orders'] } } },
    spans: sampleSpans(6),
  },
});

let spanNumber = 0;

function span(attributes: Readonly<Record<string, AttributeValue>>, extra: Partial<PlainSpan> = {}): PlainSpan {
  const spanId = (++spanNumber).toString(16).padStart(16, '0');
  return { ...plainSpan({ traceId: '1'.padStart(32, '0'), spanId, attributes, service: 'shop' }), ...extra };
}

async function kept(spans: unknown, given: readonly PlainSpan[]): Promise<PlainSpan[]> {
  const next = new RecordingConsumer();
  const filter = factory.create(settingsFor(factory, { spans }), next);
  await filter.start(new TestHost());
  await filter.consumeTraces(fromPlain(given), testContext({ bodyHash: 'a'.repeat(32) }));
  await filter.stop(farDeadline());
  return next.spans;
}

async function matches(block: object, one: PlainSpan): Promise<boolean> {
  return (await kept({ include: block }, [one])).length === 1;
}

describe('the settings of filter', () => {
  const include = (block: object) => settingProblems(factory, { spans: { include: block } });

  it.each([
    [
      { attributes: [{ key: 'a' }] },
      `filter::spans::include::match_type: unrecognized match_type: '', valid types are: [regexp strict]`,
    ],
    [
      { match_type: 'strict' },
      'filter::spans::include: at least one of "attributes", "libraries",  or "resources" field must be specified',
    ],
    [
      { match_type: 'strict', attributes: [{ key: '' }] },
      "filter::spans::include::attributes::0: error creating attribute filters: can't have empty key in the list of attributes",
    ],
    [
      { match_type: 'regexp', attributes: [{ key: 'k', value: 5 }] },
      'filter::spans::include::attributes::0: error creating attribute filters: match_type=regexp for "k" only supports Str, but found Int',
    ],
    [
      { match_type: 'regexp', span_names: ['a(?=b)'] },
      'filter::spans::include::span_names::0: invalid pattern "a(?=b)": error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
    [
      { match_type: 'strict', span_kinds: ['SPAN_KIND_CLEINT'] },
      'filter::spans::include::span_kinds::0: unknown span kind "SPAN_KIND_CLEINT" (did you mean "SPAN_KIND_CLIENT"?); use one of SPAN_KIND_UNSPECIFIED, SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, SPAN_KIND_CLIENT, SPAN_KIND_PRODUCER, SPAN_KIND_CONSUMER',
    ],
    [{ match_type: 'strict', span_names: ['x'], log_bodies: ['x'] }, `'spans.include' has invalid keys: log_bodies`],
  ])('refuse the block %j', (block, message) => expect(include(block)).toEqual([message]));

  it('refuse OTTL conditions with what to use instead, and never beside spans', () => {
    expect(settingProblems(factory, { traces: { span: ['name == "x"'] } })).toEqual([
      expect.stringMatching(/^filter::traces: OTTL conditions are not available .* spans\.include and spans\.exclude/),
    ]);
    expect(settingProblems(factory, { trace_conditions: ['IsRootSpan()'] })).toEqual([
      expect.stringMatching(/^filter::trace_conditions: OTTL conditions/),
    ]);
    expect(settingProblems(factory, { traces: { span: ['true'] }, spans: { exclude: health } })).toEqual([
      'filter: cannot use "traces.resource", "traces.span", "traces.spanevent" and the span settings "spans.include", "spans.exclude" at the same time',
    ]);
  });
});

describe('the filter processor', () => {
  it('drops what exclude matches, and passes spans without the attribute', async () => {
    const probe = span({ 'http.url': 'http://shop/health/live' });
    const order = span({ 'http.url': 'http://shop/orders' });
    const plain = span({ other: 'x' });
    const bare = span({});
    expect(await kept({ exclude: health }, [probe, order, plain, bare])).toEqual([order, plain, bare]);
  });

  it('drops what include does not match, before exclude is asked', async () => {
    const spans = [span({ a: 1n, b: 1n }), span({ a: 1n }), span({ b: 1n })];
    const include = { match_type: 'strict', attributes: [{ key: 'a' }] };
    const exclude = { match_type: 'strict', attributes: [{ key: 'b' }] };
    expect(await kept({ include, exclude }, spans)).toEqual([spans[1]]);
  });

  it('passes the very batch on when nothing is dropped, and its identity with it', async () => {
    const next = new RecordingConsumer();
    const filter = factory.create(settingsFor(factory, { spans: { exclude: health } }), next);
    await filter.consumeTraces(fromPlain([span({})]), testContext({ bodyHash: 'a'.repeat(32) }));
    await filter.consumeTraces(
      fromPlain([span({}), span({ 'http.url': '/health' })]),
      testContext({ bodyHash: 'b'.repeat(32) }),
    );
    expect(next.contexts.map(({ bodyHash }) => bodyHash)).toEqual(['a'.repeat(32), undefined]);
  });
});

describe('a strict match', () => {
  const has = (key: string, value: unknown) => ({ match_type: 'strict', attributes: [{ key, value }] });

  it.each([
    [500, 500n, true],
    [500, '500', false],
    ['500', 500n, false],
    ['500', '500', true],
    [0.5, 0.5, true],
    [true, true, true],
    [true, 'true', false],
    [['a', 1], ['a', 1n], true],
    [['a', 1], ['a', 2n], false],
    [
      { x: 1, y: 2 },
      {
        entries: [
          { key: 'y', value: 2n },
          { key: 'x', value: 1n },
        ],
      },
      true,
    ],
    ['a', 'ab', false],
  ])('of the configured %o with %o is %s', async (configured, value, expected) => {
    expect(await matches(has('k', configured), span({ k: value as AttributeValue }))).toBe(expected);
  });

  it('asks for presence only when there is no value, and never holds for a span without attributes', async () => {
    const presence = { match_type: 'strict', attributes: [{ key: 'k' }] };
    expect(await matches(presence, span({ k: null }))).toBe(true);
    expect(await matches(presence, span({ other: 1n }))).toBe(false);
    expect(await matches(presence, span({}))).toBe(false);
  });

  it('takes all attributes but any service, name or kind', async () => {
    const both = {
      match_type: 'strict',
      attributes: [
        { key: 'a', value: 1 },
        { key: 'b', value: 2 },
      ],
    };
    expect(await matches(both, span({ a: 1n, b: 2n }))).toBe(true);
    expect(await matches(both, span({ a: 1n, b: 3n }))).toBe(false);
    const any = {
      match_type: 'strict',
      services: ['x', 'shop'],
      span_names: ['n', 'm'],
      span_kinds: ['SPAN_KIND_CLIENT', 'SPAN_KIND_SERVER'],
    };
    expect(await matches(any, span({}, { name: 'm', kind: 3 }))).toBe(true);
    expect(await matches(any, span({}, { name: 'm', kind: 1 }))).toBe(false);
    expect(await matches(any, span({}, { name: 'o', kind: 3 }))).toBe(false);
    expect(await matches({ ...any, services: ['x'] }, span({}, { name: 'm', kind: 3 }))).toBe(false);
  });

  it('compares a missing service name as <nil-service-name>', async () => {
    const nameless = span({}, { resource: plainResource({ host: 'h' }) });
    expect(await matches({ match_type: 'strict', services: ['<nil-service-name>'] }, nameless)).toBe(true);
    expect(await matches({ match_type: 'strict', services: [''] }, nameless)).toBe(false);
  });

  it('matches resources and libraries, a version only when one is given', async () => {
    const scoped = span(
      {},
      {
        resource: plainResource({ zone: 'a' }),
        scope: { name: 'lib', version: '2', attributes: [], droppedAttributes: 0, schemaUrl: '' },
      },
    );
    const block = (extra: object) => ({ match_type: 'strict', ...extra });
    expect(await matches(block({ resources: [{ key: 'zone', value: 'a' }] }), scoped)).toBe(true);
    expect(await matches(block({ resources: [{ key: 'zone', value: 'b' }] }), scoped)).toBe(false);
    expect(await matches(block({ libraries: [{ name: 'lib' }] }), scoped)).toBe(true);
    expect(await matches(block({ libraries: [{ name: 'lib', version: '1' }] }), scoped)).toBe(false);
    expect(await matches(block({ libraries: [{ name: 'lib' }, { name: 'other' }] }), scoped)).toBe(false);
  });
});

describe('a regexp match', () => {
  const like = (value: string) => ({ match_type: 'regexp', attributes: [{ key: 'k', value }] });

  it.each([
    ['ell', 'hello', true],
    ['^ell', 'hello', false],
    ['(?i)HELLO', 'hello', true],
    ['[[:digit:]]+$', 'a1', true],
    ['^\\d+$', 42n, true],
    ['^true$', true, true],
    ['^1000000000000000000000$', 1e21, true],
    ['^0\\.0000001$', 1e-7, true],
    ['.*', null, false],
    ['.*', ['x'], false],
    ['.*', new Uint8Array([1]), false],
    ['é', 'café', true],
  ])('of %s in %o is %s', async (pattern, value, expected) => {
    expect(await matches(like(pattern), span({ k: value as AttributeValue }))).toBe(expected);
  });

  it('searches names, services and versions unanchored', async () => {
    const one = span(
      {},
      {
        name: 'GET /orders',
        scope: { name: 'lib-http', version: '1.2.3', attributes: [], droppedAttributes: 0, schemaUrl: '' },
      },
    );
    expect(await matches({ match_type: 'regexp', span_names: ['^POST', '/orders$'] }, one)).toBe(true);
    expect(await matches({ match_type: 'regexp', services: ['ho'] }, one)).toBe(true);
    expect(await matches({ match_type: 'regexp', libraries: [{ name: 'http', version: '^1\\.' }] }, one)).toBe(true);
    expect(await matches({ match_type: 'regexp', libraries: [{ name: 'http', version: '^2\\.' }] }, one)).toBe(false);
    expect(await matches({ match_type: 'regexp', span_kinds: ['SERVER|CLIENT'] }, one)).toBe(false);
  });
});
