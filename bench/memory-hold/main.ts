/**
 * Question: what do traces cost that wait in memory (tail sampling, the journal's newest segments, caches), and does letting go of some
 * give their memory back?
 *
 * Holds N traces (default 50,000) of 20 rich spans as packed batches and compares the growth of the process with the OTLP bytes
 * of the same spans. Then releases a random tenth of them, and after that takes in as many new ones. Fixed seed.
 *
 *     npm run bench -- memory-hold [--traces 50000] [--json FILE]
 *
 * Fails (exit code 1) when holding costs more than 1.3 times the wire bytes, or when releasing a tenth gives back less than
 * nine hundredths of the array buffers, or when refilling grows the process beyond what it held before by more than 2 %.
 */
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { parseArgs } from 'node:util';
import { runInNewContext } from 'node:vm';
import { SpanBatch, packBatch } from '@clew/model';
import { encodeTraces } from '@clew/wire/otlp';
import { Random, SpanGenerator } from '@clew/testkit';
import { processStats } from '../lib/process-stats.ts';

const SPANS_PER_TRACE = 20;
const MAX_RATIO = 1.3;

const { values } = parseArgs({ options: { traces: { type: 'string', default: '50000' }, json: { type: 'string' } } });
const traceCount = Number(values.traces);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Memory {
  readonly arrayBufferBytes: number;
  readonly heapBytes: number;
  readonly pssBytes: number;
}

/** Memory in use once garbage is gone: what the runtime counts, and what the kernel does. */
function memoryNow(): Memory {
  for (let i = 0; i < 3; i++) collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return { arrayBufferBytes: arrayBuffers, heapBytes: heapUsed, pssBytes: processStats(process.pid)?.pssBytes ?? 0 };
}

const generator = new SpanGenerator({ profile: 'rich', seed: 2 });
const batch = new SpanBatch();
let wireBytes = 0;

/** One more trace, packed; its wire bytes are counted. */
function nextTrace(): Uint8Array {
  batch.reset();
  generator.fillTrace(batch, SPANS_PER_TRACE);
  wireBytes += encodeTraces(batch).length;
  return packBatch(batch);
}

for (let i = 0; i < 2000; i++) nextTrace(); // Warms up code and scratch memory.
const before = memoryNow();
wireBytes = 0;
const startedMs = performance.now();
const held: (Uint8Array | undefined)[] = [];
for (let i = 0; i < traceCount; i++) held.push(nextTrace());
const seconds = (performance.now() - startedMs) / 1000;
const heldWireBytes = wireBytes;
const full = memoryNow();

const random = new Random(5);
const released: number[] = [];
while (released.length < traceCount / 10) {
  const at = random.below(traceCount);
  if (held[at] === undefined) continue;
  held[at] = undefined;
  released.push(at);
}
const afterRelease = memoryNow();
for (const at of released) held[at] = nextTrace();
const refilled = memoryNow();

const grown = (memory: Memory, key: keyof Memory): number => memory[key] - before[key];
const counted = (memory: Memory): number => grown(memory, 'arrayBufferBytes') + grown(memory, 'heapBytes');
const result = {
  traces: traceCount,
  spansPerTrace: SPANS_PER_TRACE,
  wireBytes: heldWireBytes,
  wireBytesPerSpan: heldWireBytes / traceCount / SPANS_PER_TRACE,
  ratioCounted: counted(full) / heldWireBytes,
  ratioPss: grown(full, 'pssBytes') / heldWireBytes,
  freedByReleasingATenth: 1 - counted(afterRelease) / counted(full),
  freedPss: 1 - grown(afterRelease, 'pssBytes') / grown(full, 'pssBytes'),
  refilledToPss: grown(refilled, 'pssBytes') / grown(full, 'pssBytes'),
  spansPerSecond: Math.round((traceCount * SPANS_PER_TRACE) / seconds),
};

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
console.log(
  `${traceCount} traces of ${SPANS_PER_TRACE} rich spans: ${mebibytes(heldWireBytes)} of OTLP (${result.wireBytesPerSpan.toFixed(0)} bytes a span)`,
);
console.log(
  `held packed, counted by the runtime   ${mebibytes(counted(full))}   ${result.ratioCounted.toFixed(3)} × wire`,
);
console.log(
  `held packed, growth of the process    ${mebibytes(grown(full, 'pssBytes'))}   ${result.ratioPss.toFixed(3)} × wire`,
);
console.log(
  `releasing a random tenth frees        ${percent(result.freedByReleasingATenth)} counted, ${percent(result.freedPss)} of the process`,
);
console.log(`as many new ones bring the process to ${percent(result.refilledToPss)} of what it was`);
console.log(`generated, encoded and packed         ${result.spansPerSecond} spans/s`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`);

const failures = [
  Math.max(result.ratioPss, result.ratioCounted) > MAX_RATIO &&
    `holding costs more than ${MAX_RATIO} times the wire bytes`,
  result.freedByReleasingATenth < 0.09 && 'releasing a tenth frees less than nine hundredths',
  result.refilledToPss > 1.02 && 'refilling grows the process',
].filter((failure) => failure !== false);
for (const failure of failures) console.error(`FAIL: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
