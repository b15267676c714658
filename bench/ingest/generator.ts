// The load generator, a process of its own. Told what to do by one JSON argument, it prints one JSON line with what it saw.
import { SpanBatch } from '@clew/model';
import { SpanGenerator, nextRequest } from '@clew/testkit';
import { encodeThriftBatches } from '@clew/wire/jaeger';
import { encodeZipkinV2Json } from '@clew/wire/zipkin';
import { PatchedTemplate } from '../lib/patched-template.ts';
import type { Template } from '../lib/patched-template.ts';
import { percentile } from '../lib/percentiles.ts';
import { RequestTemplate } from '../lib/request-template.ts';
import { grpcSender, httpSender } from '../lib/senders.ts';
import type { Sender } from '../lib/senders.ts';

/** How spans are sent: OTLP over HTTP or gRPC, Jaeger's Thrift over HTTP, Zipkin's JSON. */
export type LoadProtocol = 'http' | 'grpc' | 'jaeger_thrift' | 'zipkin_json';

/** What a run is told. */
export interface LoadOptions {
  readonly protocol: LoadProtocol;
  readonly host: string;
  readonly port: number;
  readonly profile: 'light' | 'rich';
  readonly spansPerRequest: number;
  readonly connections: number;
  readonly seconds: number;
  /** Spans per second over all connections; 0 = as fast as they are acknowledged. */
  readonly spansPerSecond: number;
  readonly seed: number;
}

/** What a run saw. */
export interface LoadResult {
  readonly acceptedSpans: number;
  readonly refusedRequests: number;
  readonly seconds: number;
  readonly wireBytes: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  readonly lastTraceId: string;
  readonly lastAckUnixMs: number;
}

const options = JSON.parse(process.argv[2]!) as LoadOptions;
/** Only OTLP's templates rewrite times; the others are made with the time of the run. */
const isOtlp = options.protocol === 'http' || options.protocol === 'grpc';
const baseUnixNano = isOtlp ? 1_760_000_000_000_000_000n : BigInt(Date.now()) * 1_000_000n;
/** Different requests in rotation, so that dictionaries do not see one batch only. */
const templatesPerConnection = 8;

/** One stream of spans, cut into requests: a trace's spans lie in several of them, as in life. */
const generator = new SpanGenerator({
  profile: options.profile,
  seed: options.seed,
  startUnixNano: baseUnixNano,
  // A Thrift batch is of one process.
  ...(options.protocol === 'jaeger_thrift' ? { servicesPerFill: 1 } : {}),
});
const run = Math.floor(Date.now() / 1000) & 0xfff;
let acceptedSpans = 0;
let refusedRequests = 0;
let wireBytes = 0;
let lastTraceId = '';
let lastAckUnixMs = 0;
const latencies: number[] = [];

const templatesOf = Array.from({ length: options.connections }, () =>
  Array.from({ length: templatesPerConnection }, () => nextTemplate()),
);

function nextTemplate(): Template {
  if (isOtlp) return new RequestTemplate(nextRequest(generator, options.spansPerRequest), baseUnixNano, run);
  const batch = new SpanBatch();
  generator.fill(batch, options.spansPerRequest);
  if (options.protocol === 'zipkin_json')
    return new PatchedTemplate(encodeZipkinV2Json(batch).slice(), batch, run, true);
  return new PatchedTemplate(encodeThriftBatches(batch)[0]!.slice(), batch, run, false);
}

function open(): Promise<Sender> {
  const { host, port } = options;
  switch (options.protocol) {
    case 'http':
      return httpSender(host, port);
    case 'grpc':
      return grpcSender(host, port);
    case 'jaeger_thrift':
      return httpSender(host, port, { path: '/api/traces', contentType: 'application/x-thrift' });
    case 'zipkin_json':
      return httpSender(host, port, { path: '/api/v2/spans', contentType: 'application/json' });
  }
}

async function drive(connection: number, untilMs: number): Promise<void> {
  const sender = await open();
  const templates = templatesOf[connection]!;
  const startedMs = performance.now();
  const intervalMs =
    options.spansPerSecond > 0 ? (options.spansPerRequest * options.connections * 1000) / options.spansPerSecond : 0;
  for (let sent = 0; performance.now() < untilMs; sent++) {
    // Paced by a timetable, not by the last answer: a slow answer does not slow the load down.
    const dueMs = startedMs + sent * intervalMs;
    const earlyMs = dueMs - performance.now();
    if (intervalMs > 0 && earlyMs > 1) await new Promise((resolve) => setTimeout(resolve, earlyMs));
    const template = templates[sent % templatesPerConnection]!;
    const body = template.renew(BigInt(Date.now()) * 1_000_000n);
    const at = intervalMs > 0 ? Math.max(dueMs, 0) : performance.now();
    const status = await sender.send(body);
    latencies.push(performance.now() - at);
    if (status === 200 || status === 202 || status === 0) {
      acceptedSpans += template.spans;
      wireBytes += body.length;
      lastTraceId = template.firstTraceId();
      lastAckUnixMs = Date.now();
    } else refusedRequests++;
  }
  sender.close();
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: options.connections }, (_, i) => drive(i, startedMs + options.seconds * 1000)));
const seconds = (performance.now() - startedMs) / 1000;
const result: LoadResult = {
  acceptedSpans,
  refusedRequests,
  seconds,
  wireBytes,
  ackP50Ms: percentile(latencies, 0.5),
  ackP99Ms: percentile(latencies, 0.99),
  lastTraceId,
  lastAckUnixMs,
};
console.log(JSON.stringify(result));
