/**
 * Question: what does reading and writing trace context cost a request, in time and in memory, when the headers are there and when
 * they are not; and what do OpenTelemetry's propagators cost on the same headers in the same run?
 *
 * The request has twelve headers. "raw" reads the flat list that `node:http` gives a proxy, "object" its lower-case header object.
 * Memory is the growth of the heap a call, the median of samples of 1,000 calls: what V8 optimises away does not count.
 *
 *     npm run bench -- propagation [--rounds=N] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { TextMapPropagator } from '@opentelemetry/api';
import { TraceState, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3Propagator } from '@opentelemetry/propagator-b3';
import { JaegerPropagator } from '@opentelemetry/propagator-jaeger';
import type { SpanId, TraceId } from '@clew/model';
import {
  DEFAULT_EXTRACTION,
  ProbabilisticSampler,
  TraceContext,
  extract,
  extractB3,
  extractBaggage,
  extractJaeger,
  extractW3c,
  extractXray,
  formatTraceparent,
  httpHeaders,
  injectB3,
  injectJaeger,
  injectW3c,
  injectXray,
  lowerCaseHeaders,
  parseTraceparent,
  rawHeaders,
  setTracestateMember,
  traceIdRatioSampler,
} from '@clew/wire/propagation';
import type { SamplingResult } from '@clew/wire/propagation';
import { spreadOf } from '../lib/percentiles.ts';
import { BytesContext, formatFromBytes, parseIntoBytes } from './ids-as-bytes.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, json: { type: 'string' } } });
const ROUNDS = Math.max(5, Number(values.rounds));
const CALLS = 200_000;
const MEMORY_CALLS = 1000;
const MEMORY_SAMPLES = 101;

type Headers = Record<string, unknown>;

interface Work {
  readonly what: string;
  readonly run: () => unknown;
}

interface Figure {
  readonly what: string;
  readonly ns: number;
  readonly fastest: number;
  readonly slowest: number;
  readonly bytes: number;
}

/** Keeps results reachable, so that no work can be optimised away. */
let sink: unknown;

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736' as TraceId;
const SPAN = '00f067aa0ba902b7' as SpanId;
const NEXT_SPAN = 'b7ad6b7169203331' as SpanId;

const plain: Headers = {
  host: 'shop.example.org',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)',
  accept: 'text/html',
  'accept-language': 'en',
  'accept-encoding': 'gzip, br',
  'cache-control': 'no-cache',
  'content-type': 'application/json',
  'content-length': '0',
  cookie: 'session=0123456789',
  referer: 'https://shop.example.org/',
  'x-forwarded-for': '192.0.2.1',
  'x-request-id': '5f0c1a34',
};

const sent: Record<string, Headers> = {
  w3c: { traceparent: `00-${TRACE}-${SPAN}-01` },
  state: { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'ot=th:fd70a,vendor=opaque:value' },
  b3: { b3: `${TRACE}-${SPAN}-1` },
  b3multi: { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' },
  jaeger: { 'uber-trace-id': `${TRACE}:${SPAN}:0:1` },
  xray: { 'x-amzn-trace-id': `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${SPAN};Sampled=1` },
  baggage: { baggage: 'user=ada,plan=free%20trial,region=eu;ttl=3' },
};

const objectOf = (name: string): Headers => ({ ...plain, ...sent[name] });
const listOf = (name: string): string[] =>
  Object.entries(objectOf(name)).flatMap(([key, value]) => [key, String(value)]);

function reading(): Work[] {
  const into = new TraceContext();
  const missing = listOf('none');
  const missingObject = objectOf('none');
  const all: Work[] = [
    { what: 'miss, W3C, raw', run: () => extractW3c(missing, rawHeaders, into) },
    { what: 'miss, W3C, object', run: () => extractW3c(missingObject, lowerCaseHeaders, into) },
    { what: 'miss, four formats, raw', run: () => extract(DEFAULT_EXTRACTION, missing, rawHeaders, into) },
    {
      what: 'miss, four formats, object',
      run: () => extract(DEFAULT_EXTRACTION, missingObject, lowerCaseHeaders, into),
    },
    { what: 'miss, four formats, any case', run: () => extract(DEFAULT_EXTRACTION, missingObject, httpHeaders, into) },
  ];
  const formats = {
    w3c: extractW3c,
    state: extractW3c,
    b3: extractB3,
    b3multi: extractB3,
    jaeger: extractJaeger,
    xray: extractXray,
  };
  for (const [name, read] of Object.entries(formats)) {
    const list = listOf(name);
    const object = objectOf(name);
    all.push({ what: `hit, ${name}, raw`, run: () => read(list, rawHeaders, into) });
    all.push({ what: `hit, ${name}, object`, run: () => read(object, lowerCaseHeaders, into) });
  }
  const baggage = objectOf('baggage');
  all.push({ what: 'hit, baggage of 3, object', run: () => extractBaggage(baggage, lowerCaseHeaders) });
  return all;
}

function writing(): Work[] {
  const context = new TraceContext();
  context.assign('', TRACE, SPAN, 1, true);
  const formats = { w3c: injectW3c, b3: injectB3, jaeger: injectJaeger, xray: injectXray };
  const all = Object.entries(formats).map(([name, write]): Work => {
    const headers: Headers = {};
    return { what: `write, ${name}, object`, run: () => write(context, headers, lowerCaseHeaders) };
  });
  const list = listOf('w3c');
  all.push({ what: 'write, w3c, raw', run: () => injectW3c(context, list, rawHeaders) });
  return all;
}

/** The header itself, from text to text: what a proxy adds to a request that has one. */
function ids(): Work[] {
  const header = String(sent['w3c']!['traceparent']);
  const into = new TraceContext();
  const bytes = new BytesContext();
  return [
    {
      what: 'traceparent to traceparent, ids as text',
      run: () => parseTraceparent(header, into) && formatTraceparent(into.traceId, NEXT_SPAN, into.flags),
    },
    {
      what: 'traceparent to traceparent, ids as bytes',
      run: () => parseIntoBytes(header, bytes) && formatFromBytes(bytes, NEXT_SPAN),
    },
  ];
}

function sampling(): Work[] {
  const ratio = traceIdRatioSampler('go', 0.1);
  const id = Uint8Array.from(TRACE.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const result: SamplingResult = { kept: false, tracestate: '', policy: 'trace_id_hash', inconsistent: false };
  const decide = (what: string, sampler: ProbabilisticSampler, tracestate: string): Work => ({
    what,
    run: () => {
      sampler.decide(id, 0, tracestate, result);
      return result.kept;
    },
  });
  const none = new ProbabilisticSampler({ mode: 'proportional', percentage: 0.001 });
  const half = new ProbabilisticSampler({ mode: 'proportional', percentage: 50 });
  const hash = new ProbabilisticSampler({ mode: 'hash_seed', percentage: 0.1, hashSeed: 22 });
  return [
    { what: 'sample, ratio of trace id', run: () => ratio(TRACE) },
    decide('sample, proportional, dropped', none, ''),
    decide('sample, proportional, kept', half, ''),
    decide('sample, proportional, kept, th updated', half, 'ot=th:8,vendor=opaque'),
    decide('sample, hash_seed, dropped', hash, ''),
    { what: 'tracestate, member set', run: () => setTracestateMember('vendor=opaque,other=1', 'ot', 'th:8') },
  ];
}

function openTelemetry(): Work[] {
  const getter = { get: (headers: Headers, key: string) => headers[key] as string | undefined, keys: Object.keys };
  const setter = { set: (headers: Headers, key: string, value: string) => void (headers[key] = value) };
  const reads = (what: string, propagator: TextMapPropagator, headers: Headers): Work => ({
    what: `OpenTelemetry: ${what}, object`,
    run: () => propagator.extract(ROOT_CONTEXT, headers, getter),
  });
  const spanContext = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
  const context = trace.setSpanContext(ROOT_CONTEXT, spanContext);
  const writes = (what: string, propagator: TextMapPropagator): Work => {
    const headers: Headers = {};
    return { what: `OpenTelemetry: ${what}, object`, run: () => propagator.inject(context, headers, setter) };
  };
  const [w3c, b3, jaeger] = [new W3CTraceContextPropagator(), new B3Propagator(), new JaegerPropagator()];
  return [
    reads('miss, W3C', w3c, objectOf('none')),
    reads('hit, w3c', w3c, objectOf('w3c')),
    reads('hit, state', w3c, objectOf('state')),
    reads('hit, b3', b3, objectOf('b3')),
    reads('hit, b3multi', b3, objectOf('b3multi')),
    reads('hit, jaeger', jaeger, objectOf('jaeger')),
    writes('write, w3c', w3c),
    writes('write, b3', b3),
    writes('write, jaeger', jaeger),
    {
      what: 'OpenTelemetry: tracestate, member set, object',
      run: () => new TraceState('vendor=opaque,other=1').set('ot', 'th:8').serialize(),
    },
  ];
}

function nsPerCall(run: () => unknown): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i++) sink = run();
  return Number(process.hrtime.bigint() - start) / CALLS;
}

function bytesPerCall(run: () => unknown): number {
  const samples = Array.from({ length: MEMORY_SAMPLES }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < MEMORY_CALLS; i++) sink = run();
    return (process.memoryUsage().heapUsed - before) / MEMORY_CALLS;
  });
  return Math.round(spreadOf(samples).median);
}

/** Rounds of all works take turns, so that a disturbance hits them alike. */
function measure(works: readonly Work[]): Figure[] {
  const times = works.map((): number[] => []);
  for (const { run } of works) nsPerCall(run);
  for (let i = 0; i < ROUNDS; i++) for (const [at, { run }] of works.entries()) times[at]!.push(nsPerCall(run));
  return works.map(({ what, run }, at) => {
    const { median, min, max } = spreadOf(times[at]!);
    return {
      what,
      ns: Math.round(median),
      fastest: Math.round(min),
      slowest: Math.round(max),
      bytes: bytesPerCall(run),
    };
  });
}

const figures = measure([...reading(), ...writing(), ...ids(), ...sampling(), ...openTelemetry()]);
console.table(figures);
if (sink === null) throw new Error('nothing was measured');

const PREFIX = 'OpenTelemetry: ';
const ratios = figures
  .filter(({ what }) => what.startsWith(PREFIX))
  .flatMap((theirs) => {
    const what = theirs.what.slice(PREFIX.length);
    const ours = figures.find((figure) => figure.what === what || `${figure.what}, object` === what);
    return ours ? [{ what, 'times as fast as OpenTelemetry': Math.round((theirs.ns / ours.ns) * 10) / 10 }] : [];
  });
console.table(ratios);
if (values.json) {
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, figures, ratios }, undefined, 2)}\n`);
}
