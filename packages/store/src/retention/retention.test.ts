import { describe, expect, it } from 'vitest';

import { batchOf, NOON, type SpanSketch, traceIdText } from '../reader/test-support/spans.ts';
import { TENANT } from '../reader/test-support/test-store.ts';
import { useStore } from '../reader/test-support/use-store.ts';
import { deleteDemoData, deleteTraces } from './deletion.ts';
import { listPartitions } from './partitions.ts';
import { currentSchema } from '../schema/tables.ts';
import { countSegment, deleteSegment, deriveSegment } from '../schema/segments.ts';
import { applyRetention } from './retention.ts';
import { runRollups } from './rollups.ts';

const data = useStore();

const DAY = 86_400_000_000_000n;
const noonMs = Number(NOON / 1_000_000n);
const range = { startUnixNano: NOON - DAY, endUnixNano: NOON + DAY };

async function storeAt(receivedUnixNano: bigint, tenant: string, ...sketches: SpanSketch[]): Promise<void> {
  await data.store.store([{ batch: batchOf(...sketches), receivedUnixNano, tenant }]);
}

/** Everything the derived tables say, as text, to compare before and after. */
async function derived(tenant: string): Promise<string> {
  const statements = [
    'SELECT hex(trace_id) AS id, min(t_min), max(t_max), arraySort(groupUniqArrayArray(services)), arraySort(groupUniqArrayArray(slots)) FROM trace_index WHERE tenant = {t:String} GROUP BY id ORDER BY id',
    'SELECT DISTINCT service, day FROM services WHERE tenant = {t:String} ORDER BY ALL',
    'SELECT DISTINCT service, name, kind, day FROM operations WHERE tenant = {t:String} ORDER BY ALL',
    'SELECT DISTINCT key, value, day FROM tag_values WHERE tenant = {t:String} ORDER BY ALL',
    'SELECT DISTINCT scope, type, key, day FROM tag_keys WHERE tenant = {t:String} ORDER BY ALL',
    'SELECT DISTINCT res_id, day FROM resources WHERE tenant = {t:String} ORDER BY ALL',
  ];
  const answers: unknown[] = [];
  for (const statement of statements) {
    answers.push(await data.store.client.rows(statement, { class: 'control', comment: 'test', params: { t: tenant } }));
  }
  return JSON.stringify(answers);
}

const calls: SpanSketch[] = [
  { trace: 1, span: 1, service: 'front', name: 'page' },
  { trace: 1, span: 2, parent: 1, service: 'back', status: 2, ms: 7, tags: [['color', 'red']] },
  { trace: 1, span: 3, parent: 2, service: 'back' },
  { trace: 2, span: 4, service: 'front', name: 'page', tags: [['user', { entries: [{ key: 'id', value: 7n }] }]] },
  { trace: 2, span: 5, parent: 4, service: 'demo', tags: [['color', 'blue']], resourceTags: [['clew.demo', true]] },
];

describe('a segment that is inserted twice', () => {
  it('changes nothing that is derived from it', async () => {
    const batch = batchOf(...calls);
    const segment = 'aa'.repeat(16);
    await data.store.store([{ batch, receivedUnixNano: NOON, tenant: 'twice' }], segment);
    const before = await derived('twice');
    expect(before).toContain('front');
    expect(await countSegment(data.store.client, segment)).toBe(5);
    await deleteSegment(data.store.client, segment);
    expect(await countSegment(data.store.client, segment)).toBe(0);
    await data.store.store([{ batch, receivedUnixNano: NOON, tenant: 'twice' }], 'ab'.repeat(16));
    expect(await derived('twice')).toBe(before);
    await deriveSegment(data.store.client, 'ab'.repeat(16));
    expect(await derived('twice')).toBe(before);
  }, 120_000);

  it('gets back what it lost in derived tables when it is derived again', async () => {
    const segment = 'ac'.repeat(16);
    await data.store.store([{ batch: batchOf(...calls), receivedUnixNano: NOON, tenant: 'lost' }], segment);
    const before = await derived('lost');
    await data.store.client.execute("DELETE FROM trace_index WHERE tenant = 'lost'", {
      class: 'control',
      comment: 'test',
    });
    expect(await derived('lost')).not.toBe(before);
    await deriveSegment(data.store.client, segment);
    expect(await derived('lost')).toBe(before);
  }, 120_000);
});

describe('rollups', () => {
  it('count calls between services once, also when caller and callee arrive minutes apart', async () => {
    await storeAt(NOON, 'graph', calls[0]!, calls[2]!);
    await storeAt(NOON + 5n * 60_000_000_000n, 'graph', calls[1]!);
    const after = (minutes: number): number => noonMs + minutes * 60_000;
    await runRollups(data.store.client, after(2));
    expect(await data.reader.edges('graph', range)).toEqual([]);
    const { minutes } = await runRollups(data.store.client, after(30));
    expect(minutes).toHaveLength(2);
    const edge = { client: 'front', server: 'back', calls: 1, errors: 1, durationSumNano: 7e6 };
    expect(await data.reader.edges('graph', range)).toEqual([edge]);
    expect(await data.reader.edges('graph', range, { includeSelf: true })).toHaveLength(2);
    expect((await runRollups(data.store.client, after(31))).minutes).toEqual([]);
    await storeAt(NOON, 'graph', { trace: 1, span: 9, parent: 1, service: 'late' });
    expect((await runRollups(data.store.client, after(32))).minutes).toHaveLength(1);
    expect((await data.reader.edges('graph', range)).map((each) => each.server)).toEqual(['back', 'late']);
  }, 120_000);

  it('count a call once whose caller and callee share an id, and nothing within the callee’s service as a call to it', async () => {
    const mark = [['clew.carrier.zipkin.shared', true]] as const;
    await storeAt(
      NOON,
      'zipkin',
      { trace: 1, span: 1, service: 'web', kind: 2 },
      { trace: 1, span: 2, parent: 1, service: 'web', kind: 3 },
      { trace: 1, span: 2, service: 'users', kind: 2, tags: mark },
      { trace: 1, span: 3, parent: 2, service: 'users', kind: 3 },
      { trace: 1, span: 4, parent: 2, service: 'users' },
      { trace: 1, span: 5, parent: 3, service: 'db', kind: 2 },
    );
    await runRollups(data.store.client, noonMs + 35 * 60_000);
    const edges = await data.reader.edges('zipkin', range);
    expect(edges.map(({ client, server, calls }) => [client, server, calls]).toSorted()).toEqual([
      ['users', 'db', 1],
      ['web', 'users', 1],
    ]);
    expect((await data.reader.edges('graph', range)).map((each) => each.server)).toEqual(['back', 'late']);
  }, 120_000);

  it('sum spans by operation and minute', async () => {
    await runRollups(data.store.client, noonMs + 40 * 60_000);
    const rows = await data.store.client.rows(
      "SELECT service, name, status, spans, duration_sum AS sum FROM red FINAL WHERE tenant = 'graph' ORDER BY ALL",
      { class: 'control', comment: 'test' },
    );
    expect(rows).toContainEqual({ service: 'back', name: 'work', status: 2, spans: '1', sum: 7e6 });
  }, 120_000);
});

describe('deleting', () => {
  it('takes traces of one tenant out of every table and leaves the others', async () => {
    for (const tenant of ['gone', 'stays']) await storeAt(NOON, tenant, ...calls);
    await runRollups(data.store.client, noonMs + 50 * 60_000);
    const others = await derived('stays');
    const progress: number[] = [];
    const options = {
      nowUnixMs: noonMs + 51 * 60_000,
      onProgress: (at: { tracesDone: number }) => progress.push(at.tracesDone),
    };
    const result = await deleteTraces(data.store.client, 'gone', [traceIdText(1), traceIdText(555)], options);
    expect(result).toMatchObject({ spansDeleted: 3n, tracesDone: 2 });
    expect(progress).toEqual([2]);
    expect((await data.reader.readTraces('gone', [traceIdText(1), traceIdText(2)])).size).toBe(1);
    expect(await data.reader.services('gone')).toEqual(['demo', 'front']);
    expect(await data.reader.tagValues('gone', 'color', '', { range })).toEqual(['blue']);
    expect((await data.reader.edges('gone', range)).map((edge) => edge.server)).toEqual(['demo']);
    expect(await derived('stays')).toBe(others);
    expect((await data.reader.edges('stays', range)).map((edge) => edge.server)).toEqual(['back', 'demo']);
    const again = await deleteTraces(data.store.client, 'gone', [traceIdText(1)], options);
    expect(again.spansDeleted).toBe(0n);
  }, 120_000);

  it('finds demo data by the mark on its resource', async () => {
    await storeAt(NOON, 'demo', ...calls);
    const result = await deleteDemoData(data.store.client, 'demo', { nowUnixMs: noonMs + 60 * 60_000 });
    expect(result.spansDeleted).toBe(2n);
    expect(await data.reader.services('demo')).toEqual(['back', 'front']);
    expect((await data.reader.readTraces('demo', [traceIdText(1)])).get(traceIdText(1))?.count).toBe(3);
  }, 120_000);
});

describe('retention', () => {
  it('refuses an age that is not positive', async () => {
    await expect(applyRetention(data.store.client, { maxAgeMs: 0 }, noonMs)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it('drops whole days from every table by age, then by bytes, and never the newest', async () => {
    for (const day of [1n, 2n, 3n, 4n]) {
      const start = NOON + day * DAY;
      await storeAt(start, TENANT, { trace: Number(day) + 100, startUnixNano: start }, { trace: 7, startUnixNano: 5n });
    }
    const days = async (): Promise<number[]> => [
      ...new Set((await listPartitions(data.store.client, currentSchema)).map((partition) => partition.day)),
    ];
    const first = Math.floor(noonMs / 86_400_000);
    const now = noonMs + 4 * 86_400_000;
    const all = await days();
    expect(all.at(-1)).toBe(first + 4);
    const byAge = await applyRetention(data.store.client, { maxAgeMs: 2.6 * 86_400_000 }, now);
    expect(byAge.days).toEqual(all.filter((day) => day <= first));
    expect(await days()).toEqual(all.filter((day) => day > first));
    expect(await data.reader.services('stays')).toEqual([]);
    expect((await data.reader.readTraces(TENANT, [traceIdText(102)])).size).toBe(1);
    const byBytes = await applyRetention(data.store.client, { maxBytes: 1 }, now);
    expect(byBytes.overLimit).toBe(true);
    expect(await days()).toEqual([first + 4]);
    expect((await data.reader.readTraces(TENANT, [traceIdText(102), traceIdText(104)])).size).toBe(1);
    expect((await applyRetention(data.store.client, { maxBytes: 1e12, maxAgeMs: 9e12 }, now)).days).toEqual([]);
  }, 120_000);
});
