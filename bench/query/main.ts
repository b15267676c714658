// Question: how long do the questions people ask take, when N million rich spans lie in many parts, as they do before merges catch up?
//
// Fills a data directory with segments of 200,000 rich spans over twelve hours, as the writer inserts them (merges stopped, so each is a part of its own),
// then asks each question with different values and prints p50 and p99, the engine's CPU time per question, bytes per span, and the cost of inserting.
// Questions go to the store's reader, which is what the HTTP APIs call; encoding of answers is not included.
//
// Usage: npm run bench -- query [--millions=1|10|50] [--runs=100] [--data=DIR] [--merge] [--json=FILE]
//   --data   keeps the directory, and uses what is in it when it was filled before
//   --merge  lets merges run to their end before the questions
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SpanBatch } from '@clew/model';
import { SpanGenerator } from '@clew/testkit';
import { BlockBuilder } from '../../packages/store/src/block/block-builder.ts';
import type { SqlClient } from '../../packages/store/src/engine/client.ts';
import { openEmbeddedEngine } from '../../packages/store/src/engine/embedded.ts';
import type { SpanFilter } from '../../packages/store/src/reader/span-filter.ts';
import { StoreReader } from '../../packages/store/src/reader/store-reader.ts';
import type { TermScope } from '../../packages/store/src/reader/term-conditions.ts';
import type { TraceOrder, TraceSearch } from '../../packages/store/src/reader/trace-search.ts';
import type { ValueOperator } from '../../packages/store/src/reader/value-test.ts';
import { migrate } from '../../packages/store/src/schema/migrate.ts';
import { insertSettings } from '../../packages/store/src/schema/segments.ts';
import { calibrate, calibrationText } from '../lib/calibration.ts';
import { percentile } from '../lib/percentiles.ts';
import { processStats } from '../lib/process-stats.ts';

const TENANT = 'single-tenant';
const SEGMENT_ROWS = 200_000;
const BATCH_ROWS = 500;
const HOURS = 12;
const START = 1_767_225_600_000_000_000n;

const { values: options } = parseArgs({
  options: {
    millions: { type: 'string', default: '1' },
    runs: { type: 'string', default: '100' },
    data: { type: 'string' },
    merge: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const millions = Number(options.millions);
const runs = Number(options.runs);
const control = { class: 'control', comment: 'bench' } as const;

/** Inserts the spans, segment by segment; returns CPU seconds of the engine per million and insert latencies. */
async function fill(client: SqlClient, directory: string): Promise<{ cpuPerMillion: number; insertMs: number[] }> {
  const segments = Math.max(1, Math.round((millions * 1e6) / SEGMENT_ROWS));
  const spansPerSecond = (segments * SEGMENT_ROWS) / (HOURS * 3600);
  const generator = new SpanGenerator({ profile: 'rich', startUnixNano: START, spansPerSecond, spansPerTrace: 8 });
  const builder = new BlockBuilder();
  const batch = new SpanBatch();
  const path = join(directory, 'block.native');
  const insertMs: number[] = [];
  const cpuBefore = engineCpuSeconds(client);
  for (let segment = 0; segment < segments; segment++) {
    for (let row = 0; row < SEGMENT_ROWS; row += BATCH_ROWS) {
      batch.reset();
      generator.fill(batch, BATCH_ROWS);
      const done = BigInt(segment * SEGMENT_ROWS + row) * 1_000_000_000n;
      const receivedUnixNano = START + done / BigInt(Math.ceil(spansPerSecond)) + 5_000_000_000n;
      builder.append(batch, { tenant: TENANT, receivedUnixNano });
    }
    const token = segment.toString(16).padStart(32, '0');
    const startedMs = performance.now();
    for (const { table, columns, chunks } of builder.build(token)) {
      writeFileSync(path, Buffer.concat(chunks));
      await client.insertFile({ table, columns, path, token, comment: 'bench', settings: insertSettings });
    }
    insertMs.push(performance.now() - startedMs);
    builder.confirm();
    builder.reset();
    if (segment % 10 === 9) console.log(`inserted ${((segment + 1) * SEGMENT_ROWS) / 1e6} M spans`);
  }
  rmSync(path, { force: true });
  return { cpuPerMillion: (engineCpuSeconds(client) - cpuBefore) / millions, insertMs };
}

function engineCpuSeconds(client: SqlClient): number {
  const { pid } = client.snapshot();
  return pid === undefined ? Number.NaN : (processStats(pid)?.cpuSeconds ?? Number.NaN);
}

/** One question, asked with another value each time. */
interface Question {
  readonly name: string;
  readonly targetP50Ms?: number;
  readonly ask: (run: number) => Promise<unknown>;
}

/** Values that occur, to ask with. */
async function sampleValues(
  client: SqlClient,
): Promise<Readonly<Record<'traces' | 'orders' | 'messages' | 'pods' | 'services', string[]>>> {
  const values = async (value: string, where: string, table = 'spans'): Promise<string[]> => {
    const rows = await client.rows<{ value: string }>(
      `SELECT DISTINCT ${value} AS value FROM ${table} WHERE ${where} ORDER BY cityHash64(value) LIMIT 200`,
      { class: 'scan', comment: 'bench' },
    );
    return rows.map((row) => row.value);
  };
  return {
    traces: await values('lower(hex(trace_id))', 'cityHash64(trace_id) % 1000 = 0'),
    orders: await values(
      "toString(a_int['order.id'])",
      "cityHash64(span_id) % 100 = 0 AND has(a_int.keys, 'order.id')",
    ),
    messages: await values("a_str['messaging.message.id']", "has(a_str.keys, 'messaging.message.id')"),
    pods: await values("r_str['k8s.pod.name']", '1', 'resources'),
    services: (await values('toString(service)', '1')).slice(0, 10),
  };
}

async function questionsOf(client: SqlClient): Promise<Question[]> {
  const reader = new StoreReader(client, {
    findTrace: async () => [],
    backlog: () => ({ rows: 0, oldestUnixMs: undefined }),
  });
  const { traces, orders, messages, pods, services } = await sampleValues(client);
  const at = <Value>(values: readonly Value[], run: number): Value => values[run % values.length]!;
  const range = { startUnixNano: START - 1n, endUnixNano: START + BigInt(HOURS + 1) * 3_600_000_000_000n };
  const find = async (search: Partial<TraceSearch>): Promise<number> =>
    (await reader.findTraces(TENANT, { range, limit: 20, ...search })).traces.length;
  const latest = (await reader.findTraces(TENANT, { range, limit: 20 })).traces.map((trace) => trace.traceId);
  return [
    { name: 'services', targetP50Ms: 10, ask: () => reader.services(TENANT) },
    { name: 'operations of a service', ask: (run) => reader.operations(TENANT, at(services, run)) },
    {
      name: 'trace by id, 1 % unknown',
      targetP50Ms: 30,
      ask: (run) => reader.readTraces(TENANT, [run % 100 === 99 ? 'f'.repeat(32) : at(traces, run)]),
    },
    { name: 'search: service', ask: (run) => find({ service: at(services, run) }) },
    {
      name: 'search: service, tag, duration',
      targetP50Ms: 80,
      ask: (run) =>
        find({
          service: at(services, run),
          tags: [{ key: 'http.response.status_code', value: at(['200', '404', '500'], run) }],
          minDurationNano: 20_000_000n,
        }),
    },
    {
      name: 'search: one rare attribute value',
      targetP50Ms: 150,
      ask: (run) => find({ tags: [{ key: 'order.id', value: at(orders, run) }] }),
    },
    {
      name: 'search: absent attribute value',
      ask: (run) => find({ tags: [{ key: 'order.id', value: String(9_000_000_000 + run) }] }),
    },
    {
      name: 'slowest 20 of a service',
      targetP50Ms: 60,
      ask: (run) => find({ service: at(services, run), order: 'longest_match' }),
    },
    { name: 'failures of all services', ask: () => find({ errors: true }) },
    ...termQuestions(reader, { range, messages, orders, pods, services, traces }),
    { name: 'summaries of 20 traces', ask: () => reader.summaries(TENANT, latest) },
    { name: '20 whole traces', ask: () => reader.readTraces(TENANT, latest) },
    { name: 'attribute keys', ask: () => reader.tagKeys(TENANT, '') },
  ];
}

/** What the page asks: terms on attributes, counts, the strip above the results, the newest span. */
function termQuestions(
  reader: StoreReader,
  values: Readonly<Record<'messages' | 'orders' | 'pods' | 'services' | 'traces', string[]>> & {
    readonly range: TraceSearch['range'];
  },
): Question[] {
  const { range } = values;
  const at = (list: readonly string[], run: number): string => list[run % list.length]!;
  const find = (filter: SpanFilter, order: TraceOrder = 'latest_match'): Promise<unknown> =>
    reader.findTraces(TENANT, { ...filter, range, order, limit: 20 });
  const count = (filter: SpanFilter): Promise<unknown> => reader.countSpans(TENANT, filter, range);
  const one = (
    scope: TermScope,
    key: string,
    operator: ValueOperator,
    text: string,
    type: 'string' | 'number',
  ): SpanFilter => ({
    terms: [{ scope, key, operator, value: { type, text } }],
  });
  const message = (run: number): SpanFilter =>
    one('any', 'messaging.message.id', '=', at(values.messages, run), 'string');
  const status = (operator: ValueOperator): SpanFilter =>
    one('any', 'http.response.status_code', operator, '499', 'number');
  return [
    { name: 'term: rare text, find', ask: (run) => find(message(run)) },
    { name: 'term: rare text, count', ask: (run) => count(message(run)) },
    {
      name: 'term: rare number, find',
      ask: (run) => find(one('any', 'order.id', '=', at(values.orders, run), 'number')),
    },
    { name: 'term: absent text, find', ask: (run) => find(one('any', 'user.id', '=', `nobody-${run}`, 'string')) },
    { name: 'term: pattern on text, find', ask: (run) => find(one('span', 'url.path', '=~', `.*${run}`, 'string')) },
    { name: 'term: pattern on text, count', ask: (run) => count(one('span', 'url.path', '=~', `.*${run}`, 'string')) },
    { name: 'term: status code > 499, find', ask: () => find(status('>')) },
    { name: 'term: status code != 499, count', ask: () => count(status('!=')) },
    {
      name: 'term: resource attribute, find',
      ask: (run) => find(one('resource', 'k8s.pod.name', '=', at(values.pods, run), 'string')),
    },
    { name: 'term: attribute of events, find', ask: () => find(one('event', 'exception.type', '=~', '.+', 'string')) },
    {
      name: 'term: attribute missing, count',
      ask: () => count({ terms: [{ scope: 'any', key: 'user.id', operator: 'missing' }] }),
    },
    { name: 'failed roots, find', ask: () => find({ status: 'error', rootOnly: true }) },
    { name: 'oldest 20 of a service', ask: (run) => find({ service: at(values.services, run) }, 'oldest_match') },
    { name: 'longest 20 of all', ask: () => find({}, 'longest_match') },
    { name: 'most failures of a service', ask: (run) => find({ service: at(values.services, run) }, 'most_errors') },
    { name: 'all spans in 120 buckets', ask: () => reader.matchSeries(TENANT, {}, range, 120) },
    { name: 'failures in 120 buckets', ask: () => reader.matchSeries(TENANT, { status: 'error' }, range, 120) },
    { name: 'the newest span', ask: () => reader.newestSpan(TENANT) },
    { name: 'last arrival of a trace', ask: (run) => reader.lastReceived(TENANT, at(values.traces, run)) },
  ];
}

/** What one question took. */
interface Answer {
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly engineCpuMs: number;
  readonly targetP50Ms?: number;
}

async function measure(client: SqlClient, { name, ask, targetP50Ms }: Question): Promise<Answer> {
  for (let run = 0; run < 3; run++) await ask(run);
  const cpuBefore = engineCpuSeconds(client);
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedMs = performance.now();
    await ask(run);
    times.push(performance.now() - startedMs);
  }
  const engineCpuMs = ((engineCpuSeconds(client) - cpuBefore) * 1000) / runs;
  return {
    name,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    engineCpuMs,
    ...(targetP50Ms === undefined ? {} : { targetP50Ms }),
  };
}

async function mergesDone(client: SqlClient): Promise<void> {
  for (;;) {
    const [row] = await client.rows<{ merges: string }>('SELECT count() AS merges FROM system.merges', control);
    if (row?.merges === '0') return;
    await sleep(500);
  }
}

const calibration = calibrate();
console.log(calibrationText(calibration));
const directory = options.data ?? mkdtempSync(join(tmpdir(), 'clew-bench-query-'));
mkdirSync(directory, { recursive: true });
const isFilled = existsSync(join(directory, 'filled'));
const engine = await openEmbeddedEngine({ dataDirectory: directory });
try {
  const { client } = engine;
  await migrate(client, { target: 'embedded' });
  // Names the tables there are: merges of tables made later would go on.
  await client.execute('SYSTEM STOP MERGES', control);
  const filled = isFilled ? undefined : await fill(client, directory);
  if (!isFilled) writeFileSync(join(directory, 'filled'), `${millions}\n`);
  if (options.merge) {
    await client.execute('SYSTEM START MERGES', control);
    await sleep(5000);
    await mergesDone(client);
  }
  if (filled !== undefined) {
    const p50 = percentile(filled.insertMs, 0.5).toFixed(0);
    console.log(`insert: ${filled.cpuPerMillion.toFixed(2)} engine CPU s per million, p50 ${p50} ms a segment`);
  }
  const usage = await new StoreReader(client, {
    findTrace: async () => [],
    backlog: () => ({ rows: 0, oldestUnixMs: undefined }),
  }).diskUsage();
  const spans = Number(usage.find((table) => table.table === 'spans')?.rows ?? 0n);
  const bytesPerSpan = usage.reduce((sum, table) => sum + Number(table.bytes), 0) / spans;
  const parts = usage.find((table) => table.table === 'spans')?.parts ?? 0;
  console.log(
    `${(spans / 1e6).toFixed(1)} M spans in ${parts} parts, ${bytesPerSpan.toFixed(1)} bytes a span in all tables`,
  );
  const answers: Answer[] = [];
  for (const question of await questionsOf(client)) {
    const answer = await measure(client, question);
    answers.push(answer);
    const target = answer.targetP50Ms === undefined ? '' : `  target ${answer.targetP50Ms} ms`;
    console.log(
      `${answer.name.padEnd(36)} p50 ${answer.p50Ms.toFixed(1).padStart(7)} ms  p99 ${answer.p99Ms.toFixed(1).padStart(7)} ms  engine CPU ${answer.engineCpuMs.toFixed(1).padStart(6)} ms${target}`,
    );
  }
  const json = options.json ?? fileURLToPath(new URL(`../results/query-${millions}m.json`, import.meta.url));
  mkdirSync(dirname(json), { recursive: true });
  const tables = usage.map(({ table, rows, bytes }) => ({
    table,
    rows: Number(rows),
    bytesPerSpan: Number(bytes) / spans,
  }));
  const cpuPerMillion = filled?.cpuPerMillion;
  writeFileSync(
    json,
    `${JSON.stringify({ calibration, spans, parts, bytesPerSpan, cpuPerMillion, tables, answers }, null, 2)}\n`,
  );
} finally {
  await engine.stop();
  if (options.data === undefined) rmSync(directory, { recursive: true, force: true });
}
