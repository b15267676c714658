/**
 * Question: how fast do batches move inside one process: packed for the journal, unpacked for the store, gathered by processors,
 * read through the cursor, shown as a trace? Fixed seed, one thread, medians of five runs after a warm-up.
 *
 *     npm run bench -- batch [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  BatchPacker,
  SpanBatch,
  SpanCursor,
  concatInto,
  packBatch,
  selectSpans,
  splitByTrace,
  traceViewOf,
  unpackBatch,
} from '@clew/model';
import { SpanGenerator, type SpanProfile } from '@clew/testkit/spans';
import { encodeTraces } from '@clew/wire/otlp';
import { spreadOf } from '../lib/percentiles.ts';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const SPANS_PER_RUN = 100_000;
const RUNS = 5;

interface Figure {
  readonly what: string;
  readonly profile: SpanProfile;
  readonly spansPerBatch: number;
  readonly spansPerSecond: number;
}

/** Spans per second of `work`, which handles `spans` spans each time it is called. */
function speedOf(spans: number, work: () => void): number {
  const rounds = Math.max(1, Math.round(SPANS_PER_RUN / spans));
  const once = (): number => {
    const startMs = performance.now();
    for (let i = 0; i < rounds; i++) work();
    return (rounds * spans * 1000) / (performance.now() - startMs);
  };
  once();
  return spreadOf(Array.from({ length: RUNS }, once)).median;
}

/** Reads every attribute of every span; the sum keeps the work from being optimised away. */
function scan(batch: SpanBatch): number {
  const cursor = new SpanCursor(batch);
  const route = batch.strings.find('http.route');
  let sum = 0;
  while (cursor.next()) {
    while (cursor.attributes.next()) sum += cursor.attributes.hi;
    if (cursor.attributes.find(route)) sum++;
  }
  return sum;
}

function measure(profile: SpanProfile, spansPerBatch: number): Figure[] {
  const batch = new SpanBatch();
  new SpanGenerator({ profile, seed: 3 }).fill(batch, spansPerBatch);
  const packer = new BatchPacker();
  const target = new Uint8Array(packer.prepare(batch) + 16);
  const packed = packBatch(batch);
  const scratch = new SpanBatch();
  const half = Uint32Array.from({ length: spansPerBatch >> 1 }, (_, i) => i * 2);
  const works: Readonly<Record<string, () => void>> = {
    'pack into a buffer': () => {
      packer.prepare(batch);
      packer.write(target, 8);
    },
    unpack: () => unpackBatch(packed),
    'read all attributes': () => scan(batch),
    concatenate: () => {
      scratch.reset();
      concatInto(scratch, batch);
    },
    'select every second': () => selectSpans(batch, half),
    'split by trace': () => splitByTrace(batch),
  };
  const ratio = packed.length / encodeTraces(batch).length;
  console.log(
    `\n${profile}, ${spansPerBatch} spans a batch: packed ${(packed.length / spansPerBatch).toFixed(0)} bytes a span, ${ratio.toFixed(2)} × OTLP`,
  );
  return Object.entries(works).map(([what, work]) => {
    const spansPerSecond = speedOf(spansPerBatch, work);
    console.log(`  ${what.padEnd(24)} ${(spansPerSecond / 1e6).toFixed(2).padStart(7)} M spans/s`);
    return { what, profile, spansPerBatch, spansPerSecond: Math.round(spansPerSecond) };
  });
}

const figures = (['light', 'rich'] as const).flatMap((profile) =>
  [20, 100, 1000].flatMap((spans) => measure(profile, spans)),
);

const large = new SpanBatch();
new SpanGenerator({ profile: 'rich', seed: 4 }).fillTrace(large, 100_000);
const viewMs = spreadOf(
  Array.from({ length: RUNS }, () => {
    const startMs = performance.now();
    traceViewOf(large);
    return performance.now() - startMs;
  }),
).median;
console.log(`\na trace view of 100,000 rich spans takes ${viewMs.toFixed(0)} ms`);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ figures, traceViewMs: viewMs }, undefined, 2)}\n`);
