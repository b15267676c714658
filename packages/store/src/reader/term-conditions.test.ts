import {
  emptyScope,
  fromPlain,
  plainResource,
  plainSpan,
  unixNano,
  type AttributeValue,
  type KeyValue,
  type PlainSpan,
} from '@clew/model';
import { describe, expect, it } from 'vitest';

import { roundStep } from './match-counts.ts';
import { StoreReader } from './store-reader.ts';
import type { SpanFilter } from './span-filter.ts';
import type { TermFilter } from './term-conditions.ts';
import { noPending } from './test-support/test-store.ts';
import { useStore } from './test-support/use-store.ts';
import type { SearchCursor, TraceOrder } from './trace-search.ts';

const data = useStore();

const received = 1_795_000_000_000_000_000n;
const range = { startUnixNano: received - 3_600_000_000_000n, endUnixNano: received };

/** Spans with increasing numbers as ids, all in the range. */
function spans(...parts: Partial<PlainSpan>[]): PlainSpan[] {
  return parts.map((part, i) => ({
    ...plainSpan({ traceId: (i + 1).toString(16), spanId: (i + 1).toString(16), startUnixNano: received - 1_000n }),
    ...part,
  }));
}

function stored(list: readonly PlainSpan[]): Promise<string> {
  return data.stored(fromPlain(list), received);
}

/** Stores one span for each value of the attribute `k`; `undefined` for a span without it. */
function storedValues(...values: (AttributeValue | undefined)[]): Promise<string> {
  return stored(spans(...values.map((value) => ({ attributes: value === undefined ? [] : [{ key: 'k', value }] }))));
}

/** Numbers of the spans that satisfy the filter; counting must agree. */
async function matching(tenant: string, filter: SpanFilter): Promise<number[]> {
  const found = await data.reader.findTraces(tenant, { ...filter, range, limit: 100 });
  expect(await data.reader.countSpans(tenant, filter, range)).toBe(found.traces.length);
  return found.traces.map(({ traceId }) => Number.parseInt(traceId, 16)).toSorted((a, b) => a - b);
}

function term(operator: string, value?: AttributeValue, key = 'k', scope = 'any'): SpanFilter {
  const right =
    value === undefined
      ? {}
      : {
          value:
            typeof value === 'boolean'
              ? value
              : { type: typeof value === 'string' ? 'string' : 'number', text: String(value) },
        };
  return { terms: [{ scope, key, operator, ...right } as TermFilter] };
}

describe('a term', () => {
  it.each([
    ['>', true, 'use = or !='],
    ['=~', 5n, 'a pattern in quotes'],
    ['=~', '(', 'missing closing'],
    ['!~', 'a(?=b)', '(?='],
  ])('with %s %s is refused with what to do', async (operator, value, words) => {
    await expect(matching('nobody', term(operator, value))).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(words) as string,
    });
  });

  it('compares text exactly, byte by byte', async () => {
    const tenant = await storedValues('b', 'B', 'ba', '', undefined, 5n, true, ['a', 'b'], []);
    expect(await matching(tenant, term('=', 'b'))).toEqual([1, 8]);
    expect(await matching(tenant, term('!=', 'b'))).toEqual([2, 3, 4]);
    expect(await matching(tenant, term('=', ''))).toEqual([4]);
    expect(await matching(tenant, term('!=', ''))).toEqual([1, 2, 3, 8]);
    expect(await matching(tenant, term('>', 'b'))).toEqual([3]);
    expect(await matching(tenant, term('<=', 'b'))).toEqual([1, 2, 4, 8]);
    expect(await matching(tenant, term('=', '5'))).toEqual([6]);
    expect(await matching(tenant, term('=', 'true'))).toEqual([7]);
    expect(await matching(tenant, term('>', '4'))).toEqual([1, 2, 3, 8]);
  });

  it('is satisfied by what is spelled alike, whatever types clients send', async () => {
    const tenant = await storedValues(500n, 500, '500', '500.0', '5e2', 500.5, true, 'true', false, 'false', 'True');
    for (const value of ['500', '500.0', 500n, 500])
      expect(await matching(tenant, term('=', value))).toEqual([1, 2, 3, 4]);
    expect(await matching(tenant, term('!=', '500'))).toEqual([5, 6, 8, 10, 11]);
    expect(await matching(tenant, term('=', '500.50'))).toEqual([6]);
    for (const value of ['true', true]) expect(await matching(tenant, term('=', value))).toEqual([7, 8]);
    for (const value of ['true', true]) expect(await matching(tenant, term('!=', value))).toEqual([3, 4, 5, 9, 10, 11]);
    const codes = await storedValues('0123', '123', 123n, '1e3', 1000n);
    expect(await matching(codes, term('=', '0123'))).toEqual([1]);
    expect(await matching(codes, term('=', '1e3'))).toEqual([4]);
  });

  it('compares numbers by value whatever their width, and with texts that spell them', async () => {
    const tenant = await storedValues(200n, 200, '200', 200.5, '2e2', 404n, Number.NaN, true, [1n, 200], ['200'], null);
    expect(await matching(tenant, term('=', 200n))).toEqual([1, 2, 3, 9, 10]);
    expect(await matching(tenant, term('!=', 200n))).toEqual([4, 5, 6, 7]);
    expect(await matching(tenant, term('>', 200n))).toEqual([4, 6]);
    expect(await matching(tenant, term('>=', 200n))).toEqual([1, 2, 4, 6, 9]);
    expect(await matching(tenant, term('<', 200.25))).toEqual([1, 2, 9]);
    expect(await matching(tenant, term('<=', 200.5))).toEqual([1, 2, 4, 9]);
  });

  it('never rounds 64-bit integers', async () => {
    const tenant = await storedValues(2n ** 53n, 2n ** 53n + 1n, 2 ** 53, 2n ** 63n - 1n, 2 ** 63, -(2n ** 63n));
    expect(await matching(tenant, term('=', 2n ** 53n))).toEqual([1, 3]);
    expect(await matching(tenant, term('=', 2n ** 53n + 1n))).toEqual([2]);
    expect(await matching(tenant, term('>', 2n ** 53n))).toEqual([2, 4, 5]);
    expect(await matching(tenant, term('<', 2n ** 53n + 1n))).toEqual([1, 3, 6]);
    expect(await matching(tenant, term('=', 2n ** 63n))).toEqual([5]);
    expect(await matching(tenant, term('<', 2n ** 63n))).toEqual([1, 2, 3, 4, 6]);
    expect(await matching(tenant, term('>', 2n ** 70n))).toEqual([]);
    expect(await matching(tenant, term('>', -(2n ** 63n)))).toEqual([1, 2, 3, 4, 5]);
  });

  it('compares booleans with booleans and with the texts that spell them', async () => {
    const tenant = await storedValues(true, false, 'true', 1n, [false, true]);
    expect(await matching(tenant, term('=', true))).toEqual([1, 3, 5]);
    expect(await matching(tenant, term('!=', true))).toEqual([2]);
  });

  it('matches patterns against the whole text, line breaks included', async () => {
    const tenant = await storedValues('GET /users/7', 'get /users', 'POST\n/users/7', '', 7n, ['GET /users/7', 'x']);
    expect(await matching(tenant, term('=~', 'GET.*'))).toEqual([1, 6]);
    expect(await matching(tenant, term('=~', '(?i)get.*'))).toEqual([1, 2, 6]);
    expect(await matching(tenant, term('=~', '.*/users/\\d'))).toEqual([1, 3, 6]);
    expect(await matching(tenant, term('!~', 'GET.*'))).toEqual([2, 3, 4]);
    expect(await matching(tenant, term('=~', 'users'))).toEqual([]);
    expect(await matching(tenant, term('=~', 'get /users|GET /users/7'))).toEqual([1, 2, 6]);
    expect(await matching(tenant, term('!~', ''))).toEqual([1, 2, 3, 6]);
  });

  it('asks for presence of an attribute of any type, and for its absence', async () => {
    const tenant = await storedValues('', 0n, 0, false, null, [], { entries: [] }, new Uint8Array(0), undefined);
    expect(await matching(tenant, term('exists'))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await matching(tenant, term('missing'))).toEqual([9]);
    expect(await matching(tenant, term('missing', undefined, 'nobody has this'))).toHaveLength(9);
  });

  it('is looked for where its scope says', async () => {
    const list = [{ key: 'k', value: 'v' }];
    const event = { timeUnixNano: unixNano(received), name: 'log', attributes: list, droppedAttributes: 0 };
    const link = { traceId: '', spanId: '', traceState: '', flags: 0, attributes: list, droppedAttributes: 0 } as const;
    const tenant = await stored(
      spans(
        { attributes: list },
        { resource: plainResource(list) },
        { scope: { ...emptyScope, attributes: list } },
        { events: [event, { ...event, attributes: [] }] },
        { links: [link] },
        { scope: { ...emptyScope, name: 'v' } },
      ),
    );
    const where = async (scope: string, operator = '='): Promise<number[]> =>
      matching(tenant, term(operator, operator === '=' ? 'v' : undefined, 'k', scope));
    expect(await where('any')).toEqual([1, 2]);
    expect(await where('span')).toEqual([1]);
    expect(await where('resource')).toEqual([2]);
    expect(await where('instrumentation')).toEqual([3]);
    expect(await where('event')).toEqual([4]);
    expect(await where('link')).toEqual([5]);
    expect(await where('resource', 'missing')).toEqual([1, 3, 4, 5, 6]);
    // One event of span 4 has it, the other does not.
    expect(await where('event', 'missing')).toEqual([4]);
    expect(await matching(tenant, term('=', 'v', 'name', 'instrumentation'))).toEqual([6]);
    expect(await matching(tenant, term('=~', 'lo.', 'name', 'event'))).toEqual([4]);
  });

  it('finds what dedicated columns hold under either name, and tells the names apart when asked to', async () => {
    const one = (key: string, value: AttributeValue): Partial<PlainSpan> => ({ attributes: [{ key, value }] });
    const list = [
      one('http.status_code', 500n),
      one('http.response.status_code', 500n),
      one('http.status_code', '500'),
      one('http.response.status_code', 404n),
      one('http.method', 'GET'),
      {},
    ];
    const odd = [...list, one('http.status_code', 70_000n), one('http.method', true)];
    for (const tenant of [await stored(spans(...list)), await stored(spans(...odd))]) {
      const code = 'http.response.status_code';
      expect(await matching(tenant, term('=', 500n, code))).toEqual([1, 2, 3]);
      expect(await matching(tenant, term('=', '500', code))).toEqual([1, 2, 3]);
      expect(await matching(tenant, term('=', '500.0', code))).toEqual([1, 2, 3]);
      expect((await matching(tenant, term('>', 404.5, code))).slice(0, 2)).toEqual([1, 2]);
      expect((await matching(tenant, term('!=', 500n, 'http.status_code')))[0]).toBe(4);
      expect(await matching(tenant, term('=~', 'G.T', 'http.request.method'))).toEqual([5]);
      const exact = { ...term('=', 500n, code), range, limit: 9, synonyms: false };
      expect((await data.reader.findTraces(tenant, exact)).traces.map(({ traceId }) => Number(traceId))).toEqual([2]);
    }
  });

  it('looks into maps and nested arrays by path; what must hold for all, must hold for all values there', async () => {
    const user = (id: AttributeValue): AttributeValue => ({ entries: [{ key: 'id', value: id }] });
    const tenant = await storedValues(
      user(7n),
      user('7'),
      [user(7n), user(8n)],
      user([7n, 9n]),
      ['x', ['y']],
      user(user('deep')),
      Uint8Array.of(0x61),
      user(Uint8Array.of(0x61)),
      'plain',
    );
    const id = 'k.id';
    expect(await matching(tenant, term('=', 7n, id))).toEqual([1, 2, 3, 4]);
    expect(await matching(tenant, term('>', 7n, id))).toEqual([3, 4]);
    expect(await matching(tenant, term('!=', 7n, id))).toEqual([]);
    expect(await matching(tenant, term('!=', 5n, id))).toEqual([1, 2, 3, 4]);
    expect(await matching(tenant, term('=~', 'd.*', 'k.id.id'))).toEqual([6]);
    expect(await matching(tenant, term('exists', undefined, id))).toEqual([1, 2, 3, 4, 8]);
    expect(await matching(tenant, term('missing', undefined, id))).toEqual([5, 6, 7, 9]);
    expect(await matching(tenant, term('=', 'y'))).toEqual([5]);
    expect(await matching(tenant, term('!=', 'y'))).toEqual([9]);
    expect(await matching(tenant, term('!=', 'x'))).toEqual([9]);
    expect(await matching(tenant, term('!=', 'z'))).toEqual([5, 9]);
    expect(await matching(tenant, term('=', 'YQ=='))).toEqual([7]);
    expect(await matching(tenant, term('=', '61', id))).toEqual([8]);
  });

  it('finds the empty key beside others, which the engine loses in dictionaries', async () => {
    const list = (value: AttributeValue): KeyValue[] => [
      { key: 'k', value },
      { key: '', value },
    ];
    const part = (value: AttributeValue): Partial<PlainSpan> => ({
      attributes: list(value),
      resource: plainResource(list(value)),
      events: [{ timeUnixNano: unixNano(received), name: '', attributes: list(value), droppedAttributes: 0 }],
    });
    const tenant = await stored(spans(part('x'), part(7n), { attributes: [{ key: 'k', value: 'x' }] }));
    for (const scope of ['span', 'resource', 'event']) {
      expect(await matching(tenant, term('exists', undefined, '', scope))).toEqual([1, 2]);
      expect(await matching(tenant, term('=', 'x', '', scope))).toEqual([1]);
      expect(await matching(tenant, term('=', 7n, '', scope))).toEqual([2]);
    }
    // A term on another key makes the engine read the same maps in another way.
    for (const scope of ['span', 'resource', 'event']) {
      for (const [value, traces] of [
        ['x', [1]],
        [7n, [2]],
      ] as const) {
        const terms = ['', 'k'].flatMap((key) => term('=', value, key, scope).terms!);
        expect(await matching(tenant, { terms })).toEqual(traces);
      }
    }
    const nested = await stored(spans(part([['x']]), part('z'), { attributes: [{ key: 'k', value: 'x' }] }));
    for (const scope of ['span', 'resource', 'event']) {
      expect(await matching(nested, term('=', 'x', '', scope))).toEqual([1]);
      expect(await matching(nested, term('!=', 'y', '', scope))).toEqual([1, 2]);
    }
  });

  it('stands for a field of the span where no scope is named', async () => {
    const tenant = await stored(spans({ name: 'a', statusMessage: 'broken pipe' }, { name: 'b' }));
    expect(await matching(tenant, term('=~', 'broken.*', 'status.message'))).toEqual([1]);
    expect(await matching(tenant, term('!=', 'a', 'name'))).toEqual([2]);
    expect(await matching(tenant, term('=', '2', 'trace.id'))).toEqual([2]);
    expect(await matching(tenant, term('=', '0'.repeat(15) + '1', 'span:id'))).toEqual([1]);
    expect(await matching(tenant, term('=', 'no id', 'trace:id'))).toEqual([]);
  });
});

describe('a filter on the span itself', () => {
  it('tells failed, ok and other spans apart; an attribute error that is true counts as failed', async () => {
    const error = (value: AttributeValue): KeyValue[] => [{ key: 'error', value }];
    const tenant = await stored(
      spans(
        { statusCode: 2 },
        { statusCode: 1 },
        {},
        { attributes: error(true) },
        { statusCode: 1, attributes: error('true') },
      ),
    );
    expect(await matching(tenant, { status: 'error' })).toEqual([1, 4, 5]);
    expect(await matching(tenant, { status: 'ok' })).toEqual([2]);
    expect(await matching(tenant, { status: 'unset' })).toEqual([3]);
  });

  it('takes spans without a parent for roots', async () => {
    const { spanId } = plainSpan({ traceId: '9', spanId: '9' });
    const tenant = await stored(spans({}, { parentSpanId: spanId }));
    expect(await matching(tenant, { rootOnly: true })).toEqual([1]);
    expect(await matching(tenant, { rootOnly: false })).toEqual([1, 2]);
  });
});

describe('pages of a search', () => {
  it.each(['latest_match', 'oldest_match', 'longest_match', 'most_spans', 'most_errors'] as const)(
    'in order %s hold every trace once, in the order of one large page',
    async (order) => {
      const list = Array.from({ length: 60 }, (_, i) => ({
        ...plainSpan({ traceId: ((i % 23) + 1).toString(16), spanId: (i + 1).toString(16), startUnixNano: 0n }),
        startUnixNano: unixNano(received - BigInt((i * 7) % 11) * 500_000_000_000n),
        endUnixNano: unixNano(received + BigInt((i * 5) % 13)),
        statusCode: i % 3,
      }));
      const tenant = await stored(list);
      const search = { range: { ...range, startUnixNano: 0n }, order, kind: 0 };
      const whole = await data.reader.findTraces(tenant, { ...search, limit: 100 });
      expect(whole.traces).toHaveLength(23);
      expect(whole.next).toBeUndefined();
      const ids: string[] = [];
      let after: SearchCursor | undefined;
      do {
        const page = await data.reader.findTraces(tenant, {
          ...search,
          limit: 4,
          ...(after === undefined ? {} : { after }),
        });
        ids.push(...page.traces.map((trace) => trace.traceId));
        after = page.next;
      } while (after !== undefined);
      expect(ids).toEqual(whole.traces.map((trace) => trace.traceId));
    },
  );

  it('begin with the earliest match, the longest match, the most failures', async () => {
    const one = (trace: number, ageSeconds: number, ms: number, statusCode: number): PlainSpan => ({
      ...plainSpan({ traceId: trace.toString(16), spanId: (trace * 100 + ageSeconds).toString(16) }),
      startUnixNano: unixNano(received - BigInt(ageSeconds) * 1_000_000_000n),
      endUnixNano: unixNano(received - BigInt(ageSeconds) * 1_000_000_000n + BigInt(ms) * 1_000_000n),
      statusCode,
    });
    const tenant = await stored([
      one(1, 30, 5, 2),
      one(1, 3, 6, 2),
      one(2, 20, 900, 0),
      one(3, 40, 1, 2),
      one(3, 1, 1, 0),
    ]);
    const find = async (order: TraceOrder): Promise<number[]> =>
      (await data.reader.findTraces(tenant, { range, limit: 9, order })).traces.map(({ traceId }) => Number(traceId));
    expect(await find('oldest_match')).toEqual([3, 1, 2]);
    expect(await find('longest_match')).toEqual([2, 1, 3]);
    expect(await find('most_errors')).toEqual([1, 3, 2]);
  });
});

describe('matching spans of traces', () => {
  it('are counted for each trace that has any', async () => {
    const [one, two] = ['1', '2'].map((id) => plainSpan({ traceId: id, spanId: id, startUnixNano: received - 9n }));
    const tenant = await stored([one!, { ...one!, kind: 2 }, { ...one!, kind: 2, name: 'b' }, { ...two!, kind: 1 }]);
    const ids = [one!.traceId, two!.traceId, 'f'.repeat(32)];
    expect(await data.reader.countSpansByTrace(tenant, { kind: 2 }, range, ids)).toEqual(new Map([[one!.traceId, 2]]));
    expect(await data.reader.countSpansByTrace(tenant, {}, range, ids)).toEqual(
      new Map([
        [ids[0], 3],
        [ids[1], 1],
      ]),
    );
    expect(await data.reader.countSpansByTrace(tenant, {}, range, [])).toEqual(new Map());
  });
});

describe('matching spans over time', () => {
  it('are refused in more buckets than allowed', async () => {
    await expect(data.reader.matchSeries('nobody', {}, range, 0)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('are counted in steps of a round length from the start of the range', async () => {
    const at = (seconds: number, statusCode = 0): Partial<PlainSpan> => ({
      startUnixNano: unixNano(range.startUnixNano + BigInt(seconds * 1e9)),
      statusCode,
    });
    const tenant = await stored(spans(at(0), at(59, 2), at(60), at(3599), at(3601)));
    const series = await data.reader.matchSeries(tenant, {}, { ...range, endUnixNano: range.endUnixNano - 1n }, 60);
    expect(series.stepNano).toBe(60_000_000_000n);
    expect(series.counts).toEqual([2, 1, ...Array.from({ length: 57 }, () => 0), 1]);
    expect(series.errors).toEqual([1, ...Array.from({ length: 59 }, () => 0)]);
    expect((await data.reader.matchSeries(tenant, { status: 'error' }, range, 7)).counts).toEqual([
      1, 0, 0, 0, 0, 0, 0,
    ]);
  });

  it.each([
    [1n, 10, 1n],
    [3n, 1, 5n],
    [600_000_000n, 1, 1_000_000_000n],
    [3_600_000_000_000n, 120, 30_000_000_000n],
    [31n * 86_400_000_000_000n, 10, 4n * 86_400_000_000_000n],
  ])('of %s ns in %s buckets have steps of %s ns', (length, buckets, step) => {
    expect(roundStep(length, buckets)).toBe(step);
  });
});

describe('the newest span', () => {
  it('is none for a tenant without spans', async () => {
    expect(await data.reader.newestSpan('nobody')).toBeUndefined();
  });

  it('is the one that started last', async () => {
    const list = spans({}, {}, {}).map((span, i) => ({ ...span, startUnixNano: received - BigInt(i === 1 ? 5 : 1e9) }));
    const tenant = await stored(list as PlainSpan[]);
    expect(await data.reader.newestSpan(tenant)).toEqual({
      traceId: '2'.padStart(32, '0'),
      startUnixNano: received - 5n,
      receivedUnixMs: Number(received / 1_000_000n),
    });
  });

  it('counts by arrival when every start is far from it', async () => {
    const tenant = await stored(spans({ startUnixNano: unixNano(5n) }));
    expect((await data.reader.newestSpan(tenant))?.startUnixNano).toBe(5n);
  });

  it('is found on a day that has passed', async () => {
    const day = 86_400_000_000_000n;
    const before = received - 3n * day;
    const list = spans({}, {}).map((span, i) => ({ ...span, startUnixNano: unixNano(before - BigInt(i)) }));
    const tenant = await data.stored(fromPlain(list), before);
    expect(await data.reader.newestSpan(tenant)).toMatchObject({ startUnixNano: before });
  });
});

describe('the last arrival of a trace', () => {
  it('is that of its last span, stored or only acknowledged', async () => {
    const tenant = data.newTenant();
    const batch = fromPlain(spans({}));
    for (const late of [0n, 7_000_000n]) await data.store.store([{ batch, receivedUnixNano: received + late, tenant }]);
    const id = '1'.padStart(32, '0');
    const ms = Number(received / 1_000_000n);
    expect(await data.reader.lastReceived(tenant, id)).toBe(ms + 7);
    expect(await data.reader.lastReceived(tenant, 'f'.repeat(32))).toBeUndefined();
    const waiting = [{ batch, rows: Uint32Array.of(0), receivedUnixNano: received + 9_000_000n }];
    const pending = new StoreReader(data.store.client, { ...noPending, findTrace: async () => waiting });
    expect(await pending.lastReceived(tenant, id)).toBe(ms + 9);
    expect(await pending.lastReceived('nobody', id)).toBe(ms + 9);
  });
});
