// Question: how fast are OTLP requests decoded into batches and batches encoded, on one thread, and how does that
// compare with protobufjs on the same bytes in the same run? 20 requests of 100 spans each, as an SDK sends them; a
// batch is reset and reused from request to request.
//
// protobufjs runs by reflection (`Root.lookupType`): it generates and compiles the same decoder source as its static
// code generator and is warmed up the same way. `JSON.parse` stands beside the JSON decoders, though it builds objects
// and no batch. Zipkin's formats carry the same spans, on each of them the attributes of its resource.
//
// The same spans are decoded and encoded in Jaeger's formats, in batches of up to 100 spans of one process, as its clients
// send them.
//
// Rates are per second of CPU time, garbage collection included, so that other work on the machine
// disturbs them little.
//
// Usage: npm run bench -- codec [--rounds=N] [--profile=light|rich] [--results=DIRECTORY]
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import protobuf from 'protobufjs';
import { SpanBatch } from '@clew/model';
import { SpanGenerator, nextRequest } from '@clew/testkit';
import type { SpanProfile } from '@clew/testkit';
import { decodeTraces, decodeTracesJson, encodeTraces, encodeTracesJson } from '@clew/wire/otlp';
import {
  decodeZipkinV2Json,
  decodeZipkinV2Protobuf,
  encodeZipkinV2Json,
  encodeZipkinV2Protobuf,
} from '@clew/wire/zipkin';
import { jaegerMethods } from './jaeger.ts';
import { each, hasResults, size } from './method.ts';
import type { Method } from './method.ts';

const REQUESTS = 20;
const SPANS_PER_REQUEST = 100;
const SPANS = REQUESTS * SPANS_PER_REQUEST;
/** Each round of one method lasts about this long. */
const ROUND_MS = 300;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    profile: { type: 'string' },
    results: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
  },
});
const rounds = Math.max(5, Number(options.rounds));

/** What one method did: medians over the rounds, and the slowest and fastest round (MB/s). */
interface Figures {
  readonly profile: SpanProfile;
  readonly method: string;
  readonly bytesPerSpan: number;
  readonly megabytesPerSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  readonly spansPerSecond: number;
}

// One set of generated classes for both profiles, as a program has.
const root = protobuf.loadSync(
  fileURLToPath(new URL('../../packages/wire/src/otlp/testdata/otlp.proto', import.meta.url)),
);
const type = root.lookupType('otlp.TraceRequest');

function methodsOf(profile: SpanProfile): Method[] {
  const generator = new SpanGenerator({ profile });
  const requests = Array.from({ length: REQUESTS }, () => nextRequest(generator, SPANS_PER_REQUEST));
  const batches = requests.map((bytes) => {
    const batch = new SpanBatch();
    decodeTraces(bytes, batch);
    return batch;
  });
  const messages = requests.map((bytes) => type.decode(bytes));
  const json = batches.map((batch) => encodeTracesJson(batch));
  const zipkinJson = batches.map((batch) => encodeZipkinV2Json(batch));
  const zipkinProtobuf = batches.map((batch) => encodeZipkinV2Protobuf(batch));
  const batch = new SpanBatch();
  const decoder = new TextDecoder();
  return [
    {
      name: 'protobuf decode',
      bytes: size(requests),
      pass: each(requests, (bytes) => (batch.reset(), decodeTraces(bytes, batch))),
    },
    { name: 'protobufjs decode', bytes: size(requests), pass: each(requests, (bytes) => type.decode(bytes)) },
    { name: 'protobuf encode', bytes: size(requests), pass: each(batches, (filled) => encodeTraces(filled)) },
    {
      name: 'protobufjs encode',
      bytes: size(requests),
      pass: each(messages, (message) => type.encode(message).finish()),
    },
    {
      name: 'JSON decode',
      bytes: size(json),
      pass: each(json, (bytes) => (batch.reset(), decodeTracesJson(bytes, batch))),
    },
    { name: 'JSON.parse', bytes: size(json), pass: each(json, (bytes) => JSON.parse(decoder.decode(bytes))) },
    { name: 'JSON encode', bytes: size(json), pass: each(batches, (filled) => encodeTracesJson(filled)) },
    {
      name: 'Zipkin JSON decode',
      bytes: size(zipkinJson),
      pass: each(zipkinJson, (bytes) => (batch.reset(), decodeZipkinV2Json(bytes, batch))),
    },
    {
      name: 'Zipkin JSON.parse',
      bytes: size(zipkinJson),
      pass: each(zipkinJson, (bytes) => JSON.parse(decoder.decode(bytes))),
    },
    {
      name: 'Zipkin JSON encode',
      bytes: size(zipkinJson),
      pass: each(batches, (filled) => encodeZipkinV2Json(filled)),
    },
    {
      name: 'Zipkin protobuf decode',
      bytes: size(zipkinProtobuf),
      pass: each(zipkinProtobuf, (bytes) => (batch.reset(), decodeZipkinV2Protobuf(bytes, batch))),
    },
    { name: 'memory copy', bytes: size(requests), pass: each(requests, (bytes) => bytes.slice()) },
    ...jaegerMethods(requests),
  ];
}

/** CPU milliseconds of one pass, averaged over a round. */
function round(method: Method): number {
  let passes = 0;
  const startMs = performance.now();
  const before = process.cpuUsage();
  while (performance.now() - startMs < ROUND_MS) {
    method.pass();
    passes++;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / passes;
}

/** Rounds of all methods take turns, so that a disturbance hits them alike. */
function measure(profile: SpanProfile): Figures[] {
  const methods = methodsOf(profile);
  const times = methods.map((): number[] => []);
  for (const method of methods) round(method);
  for (let i = 0; i < rounds; i++) for (const [at, method] of methods.entries()) times[at]!.push(round(method));
  return methods.map((method, at) => {
    const sorted = times[at]!.sort((a, b) => a - b);
    const rate = (ms: number): number => Math.round(method.bytes / ms / 1e3);
    const medianMs = sorted[Math.floor(sorted.length / 2)]!;
    return {
      profile,
      method: method.name,
      bytesPerSpan: Math.round(method.bytes / SPANS),
      megabytesPerSecond: rate(medianMs),
      slowest: rate(sorted.at(-1)!),
      fastest: rate(sorted[0]!),
      spansPerSecond: Math.round((SPANS / medianMs) * 1000),
    };
  });
}

/** How many times faster `method` is than `baseline`, on the same profile. */
function ratio(figures: readonly Figures[], method: string, baseline: string): number {
  const rate = (name: string): number => figures.find((entry) => entry.method === name)!.spansPerSecond;
  return Math.round((rate(method) / rate(baseline)) * 100) / 100;
}

function report(profile: SpanProfile): void {
  const figures = measure(profile);
  console.table(figures);
  const ratios = {
    'decode / protobufjs': ratio(figures, 'protobuf decode', 'protobufjs decode'),
    'encode / protobufjs': ratio(figures, 'protobuf encode', 'protobufjs encode'),
    'JSON decode / JSON.parse': ratio(figures, 'JSON decode', 'JSON.parse'),
    'Zipkin JSON decode / JSON.parse': ratio(figures, 'Zipkin JSON decode', 'Zipkin JSON.parse'),
    'Jaeger binary decode / OTLP': ratio(figures, 'Jaeger binary decode', 'protobuf decode'),
    'Jaeger compact decode / OTLP': ratio(figures, 'Jaeger compact decode', 'protobuf decode'),
    'Jaeger api_v2 decode / OTLP': ratio(figures, 'Jaeger api_v2 decode', 'protobuf decode'),
  };
  for (const [name, value] of Object.entries(ratios)) console.log(`${profile}: ${name} = ${value}`);
  if (!hasResults()) throw new Error('nothing was measured');
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
  mkdirSync(options.results, { recursive: true });
  const file = join(options.results, `codec-${profile}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, rounds, figures, ratios }, undefined, 2)}\n`);
}

// Each profile has a process of its own: what the first leaves in the heap slows protobufjs down in the second.
if (options.profile === 'light' || options.profile === 'rich') report(options.profile);
else {
  for (const profile of ['light', 'rich']) {
    const script = fileURLToPath(import.meta.url);
    execFileSync(process.execPath, [script, ...process.argv.slice(2), `--profile=${profile}`], { stdio: 'inherit' });
  }
}
