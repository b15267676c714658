import { createHash } from 'node:crypto';
import { fromPlain, plainSpan } from '@clew/model';
import type { AttributeValue, PlainSpan } from '@clew/model';
import { FeatureGates } from '@clew/pipeline';
import type { ConsumeContext } from '@clew/pipeline';
import {
  RecordingConsumer,
  describeProcessorContract,
  sampleSpans,
  settingProblems,
  settingsFor,
  testContext,
} from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { attributesProcessorFactory as factory } from './index.ts';

describeProcessorContract({
  factory,
  settings: { actions: [{ key: 'not.there', action: 'delete' }] },
  changing: { settings: { actions: [{ key: 'new', action: 'insert', value: 1 }] }, spans: sampleSpans(4) },
});

type Values = Readonly<Record<string, AttributeValue>>;

function span(attributes: Values, name = ''): PlainSpan {
  return plainSpan({ traceId: '1'.padStart(32, '0'), spanId: '1'.padStart(16, '0'), attributes, name });
}

async function edited(
  settings: object,
  spans: readonly PlainSpan[],
  extra: Partial<ConsumeContext> = {},
): Promise<Values[]> {
  const next = new RecordingConsumer();
  const processor = factory.create(settingsFor(factory, settings), next);
  await processor.consumeTraces(fromPlain(spans), testContext(extra));
  return next.spans.map(({ attributes }) => Object.fromEntries(attributes.map(({ key, value }) => [key, value])));
}

async function after(action: object, attributes: Values, extra: Partial<ConsumeContext> = {}): Promise<Values> {
  return (await edited({ actions: [action] }, [span(attributes)], extra))[0]!;
}

describe('the settings of attributes', () => {
  const problems = (action: object) => settingProblems(factory, { actions: [action] });

  it('refuse a list without actions', () => {
    expect(settingProblems(factory, {})).toEqual(['attributes::actions: missing required field "actions"']);
  });

  it.each([
    [
      { key: 'k', action: 'invent' },
      'unsupported action "invent", use one of insert, update, upsert, delete, hash, extract, convert',
    ],
    [{ action: 'insert', value: 1 }, 'action "insert" lacks the required field "key"'],
    [{ action: 'delete' }, 'action "delete" needs "key" or "pattern"'],
    [
      { key: 'k', action: 'insert' },
      'action "insert" on key "k" needs exactly one of "value", "from_attribute" and "from_context" (none is given)',
    ],
    [{ key: 'k', action: 'upsert', value: 1, from_attribute: 'a' }, 'on key "k" needs exactly one of'],
    [{ key: 'k', action: 'delete', value: 1 }, 'on key "k" does not use "value"; remove it'],
    [{ key: 'k', action: 'extract' }, 'on key "k" lacks the required field "pattern"'],
    [{ key: 'k', action: 'extract', pattern: 'a+' }, 'on key "k" has a pattern without groups'],
    [{ key: 'k', action: 'extract', pattern: '(?P<a>x)(y)' }, 'on key "k" has a pattern with groups that have no name'],
    [
      { key: 'k', action: 'hash', pattern: '(' },
      'on key "k" has an invalid pattern: error parsing regexp: missing closing )',
    ],
    [{ key: 'k', action: 'convert' }, 'on key "k" lacks "converted_type"; use int, double or string'],
    [{ key: 'k', action: 'convert', converted_type: 'bool' }, 'has converted_type "bool"; use int, double or string'],
    [{ key: 'k', action: 'insert', from_context: 'baggage.x' }, 'has from_context "baggage.x"; use metadata.<key>'],
  ])('refuse %j', (action, message) => {
    const found = problems(action);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^attributes::actions::0: error creating AttrProc: /);
    expect(found[0]).toContain(message);
  });
});

describe('the attributes processor', () => {
  it('inserts only what is absent, updates only what is present, upserts always', async () => {
    expect(await after({ key: 'a', action: 'insert', value: 2 }, { a: 1n })).toEqual({ a: 1n });
    expect(await after({ key: 'b', action: 'insert', value: 2 }, { a: 1n })).toEqual({ a: 1n, b: 2n });
    expect(await after({ key: 'a', action: 'update', value: 'x' }, { a: 1n })).toEqual({ a: 'x' });
    expect(await after({ key: 'b', action: 'update', value: 2 }, { a: 1n })).toEqual({ a: 1n });
    expect(await after({ key: 'a', action: 'upsert', value: 2.5 }, { a: 1n })).toEqual({ a: 2.5 });
    expect(await after({ key: 'b', action: 'UPSERT', value: ['x', 1] }, {})).toEqual({ b: ['x', 1n] });
  });

  it('copies from another attribute, skips when it is missing, or takes the default', async () => {
    const copy = { key: 'b', action: 'upsert', from_attribute: 'a' };
    expect(await after(copy, { a: 'x' })).toEqual({ a: 'x', b: 'x' });
    expect(await after(copy, { c: 'x' })).toEqual({ c: 'x' });
    expect(await after({ ...copy, default_value: 'none' }, { c: 'x' })).toEqual({ c: 'x', b: 'none' });
  });

  it('takes facts of the request, several values joined', async () => {
    const context = {
      metadata: new Map([['x-team', ['red', 'blue']]]),
      clientAddress: '10.0.0.1',
      auth: new Map([['subject', 'alice']]),
    };
    const from = (from_context: string) => after({ key: 'k', action: 'insert', from_context }, {}, context);
    expect(await from('metadata.X-Team')).toEqual({ k: 'red;blue' });
    expect(await from('client.address')).toEqual({ k: '10.0.0.1' });
    expect(await from('auth.subject')).toEqual({ k: 'alice' });
    expect(await from('auth.other')).toEqual({});
  });

  it('deletes by key and by pattern of keys', async () => {
    const attributes = { 'user.name': 'a', 'user.mail': 'b', other: 1n };
    expect(await after({ key: 'other', action: 'delete' }, attributes)).toEqual({ 'user.name': 'a', 'user.mail': 'b' });
    expect(await after({ pattern: '^user\\.', action: 'delete' }, attributes)).toEqual({ other: 1n });
    expect(await after({ key: 'other', pattern: 'mail$', action: 'delete' }, attributes)).toEqual({ 'user.name': 'a' });
  });

  it('hashes the bytes of scalars with SHA-256 and everything else to the empty text', async () => {
    const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    const long = Buffer.alloc(8);
    long.writeBigInt64LE(-5n);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(1.5);
    const attributes = { text: 'é', yes: true, int: -5n, double: 1.5, list: ['x'] };
    expect(await after({ pattern: '.', action: 'hash' }, attributes)).toEqual({
      text: sha(Buffer.from('é')),
      yes: sha(Uint8Array.of(1)),
      int: sha(long),
      double: sha(double),
      list: '',
    });
  });

  it('hashes with SHA-1 when the gate for SHA-256 is off', async () => {
    const gates = FeatureGates.parse('-coreinternal.attraction.hash.sha256');
    if (!gates.ok) throw new Error(gates.error);
    const next = new RecordingConsumer();
    const settings = settingsFor(factory, { actions: [{ key: 'a', action: 'hash' }] }, { gates: gates.value });
    await factory.create(settings, next).consumeTraces(fromPlain([span({ a: 'x' })]), testContext());
    expect(next.spans[0]?.attributes).toEqual([{ key: 'a', value: createHash('sha1').update('x').digest('hex') }]);
  });

  it('extracts named groups, and nothing when there is no match or no text', async () => {
    const extract = { key: 'url', action: 'extract', pattern: '^/(?P<version>v\\d+)/(?P<what>\\w+)' };
    expect(await after(extract, { url: '/v1/users/7', what: 'old' })).toEqual({
      url: '/v1/users/7',
      what: 'users',
      version: 'v1',
    });
    expect(await after(extract, { url: '/other' })).toEqual({ url: '/other' });
    expect(await after(extract, { url: 5n })).toEqual({ url: 5n });
  });

  it.each([
    ['int', '42', 42n],
    ['int', '4.2', '4.2'],
    ['int', '9223372036854775808', '9223372036854775808'],
    ['int', -1.9, -1n],
    ['int', true, 1n],
    ['double', '1e3', 1000],
    ['double', 3n, 3],
    ['double', 'x', 'x'],
    ['string', 12n, '12'],
    ['string', 1e21, '1000000000000000000000'],
    ['string', false, 'false'],
    ['string', ['a', 1n], '["a",1]'],
  ])('converts to %s: %o becomes %o', async (converted_type, value, expected) => {
    expect(await after({ key: 'k', action: 'convert', converted_type }, { k: value })).toEqual({ k: expected });
  });

  it('applies actions in their order, each seeing what the others did', async () => {
    const actions = [
      { key: 'a', action: 'upsert', value: 'secret' },
      { key: 'b', action: 'insert', from_attribute: 'a' },
      { key: 'a', action: 'delete' },
      { key: 'a', action: 'insert', value: 'again' },
    ];
    expect(await edited({ actions }, [span({ x: 1n })])).toEqual([{ x: 1n, b: 'secret', a: 'again' }]);
  });

  it('touches only spans that include matches and exclude does not', async () => {
    const settings = {
      actions: [{ key: 'seen', action: 'insert', value: true }],
      include: { match_type: 'regexp', span_names: ['^GET'] },
      exclude: { match_type: 'strict', attributes: [{ key: 'internal', value: true }] },
    };
    const spans = [span({ a: 1n }, 'GET /a'), span({ internal: true }, 'GET /b'), span({ a: 1n }, 'POST /a')];
    expect(await edited(settings, spans)).toEqual([{ a: 1n, seen: true }, { internal: true }, { a: 1n }]);
  });

  it('takes the identity of the request away when it changed the data, and only then', async () => {
    const next = new RecordingConsumer();
    const processor = factory.create(settingsFor(factory, { actions: [{ key: 'a', action: 'delete' }] }), next);
    await processor.consumeTraces(fromPlain([span({ a: 1n })]), testContext({ bodyHash: '1'.repeat(32) }));
    await processor.consumeTraces(fromPlain([span({ b: 1n })]), testContext({ bodyHash: '2'.repeat(32) }));
    expect(next.contexts.map(({ bodyHash }) => bodyHash)).toEqual([undefined, '2'.repeat(32)]);
  });
});
