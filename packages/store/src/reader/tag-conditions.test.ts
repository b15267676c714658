import { toPlain, type AttributeValue } from '@clew/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { TraceSearch } from './trace-search.ts';
import { Sql } from './sql.ts';
import { readTagCatalog } from './tag-catalog.ts';
import { tagCondition } from './tag-conditions.ts';
import { traceIdText, type SpanSketch } from './test-support/spans.ts';
import { range, useSketches } from './test-support/use-sketches.ts';

const { data, stored, find } = useSketches();

const ascending = (a: number, b: number): number => a - b;

function tag(key: string, value: string): Partial<TraceSearch> {
  return { tags: [{ key, value }] };
}

describe('a tag', () => {
  it('matches a value of any type by its text, and numbers by value', async () => {
    const tenant = await stored(
      { trace: 1, tags: [['k', '500']] },
      { trace: 2, tags: [['k', 500n]] },
      { trace: 3, tags: [['k', 500]] },
      { trace: 4, tags: [['k', 3.5]] },
      { trace: 5, tags: [['k', true]] },
      { trace: 6, tags: [['k', 'true']] },
      { trace: 7, tags: [['k', Buffer.from('hi')]] },
      { trace: 8, tags: [['k', ['a', 'b']]] },
      { trace: 9, tags: [['other', '500']] },
      { trace: 10, tags: [['k', '']] },
      { trace: 11, tags: [['k', '500.0']] },
      { trace: 12, resourceTags: [['k', '500']], eventTags: [['e', '500']] },
      { trace: 13, eventTags: [['e', 500]] },
    );
    const sorted = async (value: string): Promise<number[]> =>
      (await find(tenant, tag('k', value))).toSorted(ascending);
    for (const text of ['500', '500.0', '500.00'])
      expect((await sorted(text)).filter((n) => n < 11)).toEqual([1, 2, 3]);
    expect(await sorted('500')).toEqual([1, 2, 3, 11, 12]);
    expect(await sorted('0500')).toEqual([2, 3]);
    for (const text of ['500', '500.0'])
      expect((await find(tenant, tag('e', text))).toSorted(ascending)).toEqual([12, 13]);
    expect(await sorted('3.50')).toEqual([4]);
    expect(await sorted('true')).toEqual([5, 6]);
    expect(await sorted(Buffer.from('hi').toString('base64'))).toEqual([7]);
    expect(await sorted('["a","b"]')).toEqual([8]);
    expect(await sorted('')).toEqual([10]);
    expect(await sorted('50')).toEqual([]);
  });

  it('is looked for on the span, its resource, its scope, its events and its links', async () => {
    const tenant = await stored(
      { trace: 1, tags: [['where', 'here']] },
      { trace: 2, resourceTags: [['where', 'here']] },
      { trace: 3, eventTags: [['where', 'here']] },
      { trace: 4, linkTags: [['where', 'here']] },
      { trace: 5, eventTags: [['where', 7n]] },
      { trace: 6, scopeName: 'here' },
    );
    expect((await find(tenant, tag('where', 'here'))).toSorted(ascending)).toEqual([1, 2, 3, 4]);
    expect(await find(tenant, tag('where', '7'))).toEqual([5]);
    expect(await find(tenant, tag('resource.where', 'here'))).toEqual([2]);
    expect(await find(tenant, tag('otel.scope.name', 'here'))).toEqual([6]);
  });

  it('compares doubles beyond what integers can be exactly', async () => {
    const tenant = await stored({ trace: 1, tags: [['d', 1e300]] }, { trace: 2, tags: [['d', 1e299]] });
    expect(await find(tenant, tag('d', '1e300'))).toEqual([1]);
    expect(await find(tenant, tag('d', '1e400'))).toEqual([]);
  });

  it('matches under its older and newer names unless told otherwise', async () => {
    const tenant = await stored(
      {
        trace: 1,
        tags: [
          ['http.method', 'GET'],
          ['http.status_code', 404n],
        ],
      },
      {
        trace: 2,
        tags: [
          ['http.request.method', 'GET'],
          ['http.response.status_code', 404n],
        ],
      },
      { trace: 3, tags: [['http.status_code', '404']] },
      { trace: 4, tags: [['db.system', 'mysql']] },
      { trace: 5, tags: [['db.system.name', 'mysql']] },
    );
    expect((await find(tenant, tag('http.method', 'GET'))).toSorted(ascending)).toEqual([1, 2]);
    expect((await find(tenant, tag('http.response.status_code', '404'))).toSorted(ascending)).toEqual([1, 2, 3]);
    expect((await find(tenant, tag('db.system', 'mysql'))).toSorted(ascending)).toEqual([4, 5]);
    expect(await find(tenant, { ...tag('http.method', 'GET'), synonyms: false })).toEqual([1]);
    expect((await find(tenant, { ...tag('http.status_code', '404'), synonyms: false })).toSorted(ascending)).toEqual([
      1, 3,
    ]);
  });

  it('matches under other names what the value is called there', async () => {
    const tenant = await stored(
      {
        trace: 1,
        resourceTags: [
          ['hostname', 'h1'],
          ['jaeger.version', 'Go-2.30.0'],
        ],
      },
      {
        trace: 2,
        resourceTags: [
          ['host.name', 'h1'],
          ['opencensus.exporterversion', 'Jaeger-Go-2.30.0'],
        ],
      },
      {
        trace: 3,
        tags: [
          ['peer.ipv4', 167_772_165n],
          ['db.system', 'mssql'],
        ],
      },
      {
        trace: 4,
        tags: [
          ['network.peer.address', '10.0.0.5'],
          ['db.system.name', 'microsoft.sql_server'],
        ],
      },
      {
        trace: 5,
        tags: [
          ['net.peer.ip', '10.0.0.5'],
          ['net.peer.port', 80n],
        ],
      },
      {
        trace: 6,
        tags: [
          ['net.host.ip', '::1'],
          ['net.host.port', '8080'],
        ],
      },
    );
    const sorted = async (key: string, value: string): Promise<number[]> =>
      (await find(tenant, tag(key, value))).toSorted(ascending);
    for (const key of ['hostname', 'host.name', 'resource.hostname']) expect(await sorted(key, 'h1')).toEqual([1, 2]);
    expect(await sorted('jaeger.version', 'Go-2.30.0')).toEqual([1, 2]);
    expect(await sorted('opencensus.exporterversion', 'Jaeger-Go-2.30.0')).toEqual([1, 2]);
    for (const key of ['peer.ipv4', 'net.peer.ip', 'network.peer.address']) {
      expect(await sorted(key, '10.0.0.5')).toEqual([3, 4, 5]);
    }
    expect(await sorted('network.peer.port', '80')).toEqual([5]);
    expect(await sorted('network.local.address', '::1')).toEqual([6]);
    expect(await sorted('network.local.port', '8080')).toEqual([6]);
    for (const [key, value] of [
      ['db.system', 'mssql'],
      ['db.system.name', 'microsoft.sql_server'],
    ] as const) {
      expect(await sorted(key, value)).toEqual([3, 4]);
    }
    expect(await find(tenant, { ...tag('db.system.name', 'microsoft.sql_server'), synonyms: false })).toEqual([4]);
  });

  it('is found when one key came twice, and when a dedicated column cannot show its value', async () => {
    const tenant = await stored(
      {
        trace: 1,
        tags: [
          ['k', 'a'],
          ['k', 'b'],
        ],
      },
      {
        trace: 2,
        tags: [
          ['http.method', 'GET'],
          ['http.request.method', 'POST'],
        ],
      },
      { trace: 3, tags: [['http.status_code', 99_999n]] },
      { trace: 4, tags: [['http.method', 7n]] },
    );
    expect(await find(tenant, tag('k', 'b'))).toEqual([1]);
    expect(await find(tenant, tag('http.method', 'GET'))).toEqual([2]);
    expect(await find(tenant, tag('http.method', 'POST'))).toEqual([2]);
    expect(await find(tenant, tag('http.status_code', '99999'))).toEqual([3]);
    expect(await find(tenant, tag('http.method', '7'))).toEqual([4]);
  });

  it('is found by its path within maps, and by an element of its array, on every level', async () => {
    const user = {
      entries: [
        { key: 'id', value: 7n },
        { key: 'roles', value: ['admin', 'ops'] },
      ],
    };
    const tenant = await stored(
      { trace: 1, tags: [['user', user]] },
      { trace: 2, resourceTags: [['user', user]] },
      { trace: 3, eventTags: [['user', user]] },
      { trace: 4, linkTags: [['user', user]] },
      { trace: 5, tags: [['user.id', '7']] },
      { trace: 6, tags: [['user', [user, [user]]]] },
      { trace: 7, tags: [['user.roles', ['ops', 1n]]] },
      { trace: 8, tags: [['http', { entries: [{ key: 'method', value: 'GET' }] }]] },
      { trace: 9, tags: [['user.id', 8n]] },
    );
    const sorted = async (key: string, value: string): Promise<number[]> =>
      (await find(tenant, tag(key, value))).toSorted(ascending);
    for (const text of ['7', '7.0']) expect(await sorted('user.id', text)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await sorted('user.roles', 'ops')).toEqual([1, 2, 3, 4, 6, 7]);
    expect(await sorted('user.roles', '1')).toEqual([7]);
    expect(await sorted('resource.user.id', '7')).toEqual([2]);
    expect(await sorted('http.request.method', 'GET')).toEqual([8]);
    expect(await sorted('user.id', '9')).toEqual([]);
    const traces = await data.reader.readTraces(tenant, [traceIdText(1)]);
    expect(toPlain(traces.get(traceIdText(1))!)[0]!.attributes).toEqual([{ key: 'user', value: user }]);
    expect(await data.reader.tagValues(tenant, 'user.id', '', { range })).toEqual(['7', '8']);
    expect(await data.reader.tagValues(tenant, 'user.roles', 'a', { range })).toEqual(['admin']);
    const keys = await data.reader.tagKeys(tenant, 'user.', { range });
    expect(keys.map(({ key, scope }) => `${scope} ${key}`)).toEqual(
      expect.arrayContaining(['6 user.id', '7 user.id', '8 user.roles', '1 user.roles']),
    );
  });

  it.each(['tags', 'resourceTags', 'scopeTags', 'eventTags', 'linkTags'] as const)(
    'with the empty key is found among %s beside others, which the engine loses in dictionaries',
    async (level) => {
      const values = ['x', 7n, 1.5, true, Buffer.from('hi'), ['a', 'b'], [['deep']], '', null];
      const both = (value: AttributeValue): SpanSketch['tags'] => [
        ['k', value],
        ['', value],
      ];
      const tenant = await stored(
        ...values.map((value, i) => ({ trace: i + 1, [level]: both(value) })),
        ...values.map((value, i) => ({ trace: i + 11, [level]: [['k', value]] as const })),
      );
      const whole = level === 'eventTags' || level === 'linkTags' ? [] : ([['["a","b"]', [6]]] as const);
      const problems: string[] = [];
      for (const [value, traces] of [
        ['x', [1]],
        ['7', [2]],
        ['7.0', [2]],
        ['1.50', [3]],
        ['true', [4]],
        [Buffer.from('hi').toString('base64'), [5]],
        ['a', [6]],
        ...whole,
        ['deep', [7]],
        ['', [8, 9]],
        ['y', []],
      ] as const) {
        const empty = { key: '', value };
        // Besides, with a condition on another key, which makes the engine read the same maps in another way.
        for (const tags of [[empty], [empty, { key: 'k', value }]]) {
          const found = (await find(tenant, { tags })).toSorted(ascending);
          if (found.join() !== traces.join())
            problems.push(`${JSON.stringify(tags)}: ${found.join()} instead of ${traces.join()}`);
        }
      }
      expect(problems).toEqual([]);
    },
  );

  it('stands for a field where views show the field as a tag', async () => {
    const tenant = await stored(
      { trace: 1, status: 2, kind: 2 },
      { trace: 2, tags: [['error', true]], kind: 3 },
      { trace: 3, tags: [['error', 'true']], kind: 3 },
      { trace: 4, status: 1, kind: 2, eventTags: [] },
      { trace: 5, kind: 3, eventTags: [], eventName: '' },
    );
    expect((await find(tenant, tag('error', 'true'))).toSorted(ascending)).toEqual([1, 2, 3]);
    expect((await find(tenant, tag('error', 'false'))).toSorted(ascending)).toEqual([4, 5]);
    expect((await find(tenant, tag('span.kind', 'server'))).toSorted(ascending)).toEqual([1, 4]);
    expect(await find(tenant, tag('otel.status_code', 'OK'))).toEqual([4]);
    expect(await find(tenant, tag('event', 'log'))).toEqual([4]);
    expect(await find(tenant, tag('event', ''))).toEqual([5]);
  });

  it('never escapes its parameter, whatever it holds', async () => {
    const tenant = await stored({ trace: 1 });
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom("' OR 1=1 --", '\\', "\\'", "'); DROP TABLE spans; --", '{p0:String}', '\0', '`', '%', '\n'),
    );
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (key, value, service) => {
        const search = { range, limit: 5, service, operation: value, tags: [{ key, value }] };
        expect((await data.reader.findTraces(tenant, search)).traces).toEqual([]);
        expect(await data.reader.operations(tenant, service)).toEqual(service === 'shop' ? expect.anything() : []);
        expect(await data.reader.tagValues(tenant, key, value, { range })).toEqual(
          key === 'service.name' && 'shop'.startsWith(value) ? ['shop'] : [],
        );
      }),
      { numRuns: 40 },
    );
    expect(await find(tenant, {})).toEqual([1]);
  }, 60_000);
});

describe('the index over pairs of key and value', () => {
  it('drops granules for strings and for integers, though it is only hinted at', async () => {
    const tenant = await stored({
      trace: 1,
      tags: [
        ['order', 'o-1'],
        ['number', 17n],
      ],
    });
    for (const [key, value, index] of [
      ['order', 'o-2', 'i_kv'],
      ['number', '18', 'i_kv_int'],
    ] as const) {
      const sql = new Sql();
      const catalog = await readTagCatalog(data.store.client, tenant, [key]);
      const condition = tagCondition({ sql, tenant, catalog, synonyms: false }, { key, value });
      const plan = await data.store.client.rows<{ explain: string }>(
        `EXPLAIN indexes = 1 SELECT count() FROM spans WHERE tenant = ${sql.text(tenant)} AND ${condition}`,
        { class: 'scan', comment: 'test', params: sql.params },
      );
      const lines = plan.map((row) => row.explain.trim());
      const used = lines.slice(lines.indexOf(`Name: ${index}`));
      expect(used[0]).toBe(`Name: ${index}`);
      expect(used.find((line) => line.startsWith('Granules:'))).toMatch(/^Granules: 0\//);
    }
  });
});
