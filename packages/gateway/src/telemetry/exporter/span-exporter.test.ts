import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentTelemetry } from '@clew/base';
import type { LogFields, Logger } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import type { TracingBackend } from '../../config/model/observability.ts';
import { gatewayOrigin } from '../spans/resource.ts';
import { SpanRecorder } from '../spans/span-recorder.ts';
import { RatioTraceStarter } from '../spans/trace-starter.ts';
import { WallClock } from '../spans/wall-clock.ts';
import { startCollector } from '../test/collector.ts';
import type { TestCollector } from '../test/collector.ts';
import { endedExchange } from '../test/exchanges.ts';
import { openBackend } from './backend.ts';
import type { SendOutcome, SpanBackend } from './backend.ts';
import { exportTarget } from './settings.ts';
import type { SpanQueueSettings } from './settings.ts';
import { SpanExporter } from './span-exporter.ts';
import { ExporterTelemetry } from './telemetry.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const identity = { version: '1.2.3', instanceId: 'instance', hostName: 'host', pid: 42 };
const starter = new RatioTraceStarter(1);

/** An exporter to `backend`, and what is seen of it. */
function exporterTo(backend: TracingBackend, settings: Partial<SpanQueueSettings> = {}) {
  const said: [string, LogFields | undefined][] = [];
  const logger: Logger = {
    ...silentTelemetry.logger,
    info: (message, fields) => void said.push([message, fields]),
    warn: (message, fields) => void said.push([message, fields]),
  };
  const meter = new PrometheusMeter();
  const telemetry = new ExporterTelemetry({ logger, meter });
  const queue = { maxQueueSpans: 2048, maxBatchSpans: 512, scheduleDelayMs: 20, exportTimeoutMs: 30_000, ...settings };
  const opened = openBackend(exportTarget(backend, {}), {
    exportTimeoutMs: queue.exportTimeoutMs,
    userAgent: 'clew-gateway/1.2.3',
    onRetry: ({ error }) => telemetry.willRetry(error),
    retry: { initialIntervalMs: 5, maxIntervalMs: 20, maxElapsedTimeMs: queue.exportTimeoutMs },
  });
  const exporter = new SpanExporter(opened, queue, telemetry, gatewayOrigin('shop-gateway', identity));
  cleanUps.push(() => exporter.stop(AbortSignal.abort()));
  const recorder = new SpanRecorder(exporter, new WallClock(), { serviceName: 'shop-gateway', spanName: 'path' });
  const value = async (name: string): Promise<number> => {
    const families = await meter.collect();
    return families.find((family) => family.name === name)!.samples[0]!.value;
  };
  return { exporter, recorder, said, value, record: (count: number) => record(recorder, count) };
}

/** Spans of so many requests that nobody forwarded. */
function record(recorder: SpanRecorder, count: number): void {
  for (let index = 0; index < count; index++) recorder.requestEnded(endedExchange(starter));
}

async function collector(port = 0): Promise<TestCollector> {
  const started = await startCollector(port);
  cleanUps.push(() => started.close());
  return started;
}

const waitFor = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 30_000, interval: 10 });

describe('spans on their way', () => {
  it.each([
    [
      'OTLP over gRPC',
      { kind: 'otlp', protocol: 'grpc' },
      '',
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    ],
    ['OTLP over HTTP as protobuf', { kind: 'otlp', protocol: 'http/protobuf' }, '', '/v1/traces'],
    ['OTLP over HTTP as JSON', { kind: 'otlp', protocol: 'http/json' }, '', '/v1/traces'],
    ['Thrift over HTTP', { kind: 'jaeger' }, '/api/traces', '/api/traces'],
    ['Zipkin JSON', { kind: 'zipkin' }, '/api/v2/spans', '/api/v2/spans'],
  ] as const)('reach a collector as %s', async (_what, backend, path, seenPath) => {
    const { port, spans, requests } = await collector();
    const headers = [{ name: 'X-Token', value: 'secret' }];
    const { recorder, exporter, value } = exporterTo({
      ...backend,
      endpoint: `http://127.0.0.1:${port}${path}`,
      headers,
    });
    const exchange = endedExchange(starter);
    recorder.attemptEnded(exchange, exchange.attempts[0]!);
    recorder.requestEnded(exchange);
    await waitFor(() => expect(spans).toHaveLength(2));
    const request = spans.find((span) => span.parentSpanId === '')!;
    const attempt = spans.find((span) => span.parentSpanId !== '')!;
    const { traceId, spanId } = exchange.trace;
    expect(request).toMatchObject({ traceId, spanId, kind: 2 });
    // Zipkin's names are in lower case.
    expect(request.name.toLowerCase()).toBe('get /api/users');
    expect(attempt).toMatchObject({ traceId, parentSpanId: spanId, spanId: exchange.attempts[0]!.spanId, kind: 3 });
    expect(request.resource.attributes).toContainEqual({ key: 'service.name', value: 'shop-gateway' });
    expect(requests[0]).toMatchObject({
      path: seenPath,
      headers: { 'x-token': 'secret', 'user-agent': 'clew-gateway/1.2.3' },
    });
    await waitFor(async () => expect(await value('otel_exporter_spans_exported_total')).toBe(2));
    await exporter.stop(AbortSignal.timeout(10_000));
  });

  it('are counted from zero', async () => {
    const { value } = exporterTo({ kind: 'otlp', endpoint: 'http://127.0.0.1:9', headers: [] });
    for (const name of [
      'otel_exporter_spans_exported_total',
      'otel_exporter_spans_failed_total',
      'otel_exporter_queue_size',
    ]) {
      expect(await value(name)).toBe(0);
    }
  });

  it('leave in full batches without waiting, and the rest when it stops', async () => {
    const { port, spans, requests } = await collector();
    const { record, exporter } = exporterTo(otlp(port), { maxBatchSpans: 10, scheduleDelayMs: 1e6 });
    record(25);
    await waitFor(() => expect(spans).toHaveLength(20));
    await exporter.stop(AbortSignal.timeout(30_000));
    expect([spans.length, requests.length]).toEqual([25, 3]);
  });

  it('are not made for traces that are not sampled', async () => {
    const { exporter, recorder } = exporterTo(otlp(9));
    recorder.requestEnded(endedExchange(new RatioTraceStarter(0)));
    recorder.requestEnded(endedExchange());
    expect(exporter.queuedSpans).toBe(0);
  });

  it('are dropped, newest first, when the queue is full, and counted', async () => {
    const { port, spans } = await collector();
    const { record, exporter, value, said } = exporterTo(otlp(port), { maxQueueSpans: 5, scheduleDelayMs: 1e6 });
    record(8);
    expect([exporter.queuedSpans, await value('otel_exporter_queue_size')]).toEqual([5, 5]);
    expect(await value('otel_exporter_spans_failed_total')).toBe(3);
    await exporter.stop(AbortSignal.timeout(30_000));
    expect(spans).toHaveLength(5);
    expect(said).toHaveLength(1);
    expect(said[0]?.[1]?.['advice']).toContain('OTEL_BSP_MAX_QUEUE_SIZE');
  });

  it.each(['grpc', 'http/protobuf'] as const)(
    'are sent again over %s until the collector takes them',
    async (protocol) => {
      const test = await collector();
      test.mood = 'unavailable';
      const { record, value, said } = exporterTo({ ...otlp(test.port), protocol });
      record(3);
      await waitFor(() => expect(test.requests.length).toBeGreaterThan(3));
      test.mood = 'accepting';
      await waitFor(async () => expect(await value('otel_exporter_spans_exported_total')).toBe(3));
      expect(await value('otel_exporter_spans_failed_total')).toBe(0);
      expect(said.map(([message]) => message)).toEqual([
        'Spans cannot be exported; requests are not affected and exporting goes on.',
        'Spans are exported again.',
      ]);
    },
  );

  it('are lost at once when the collector refuses them', async () => {
    const test = await collector();
    test.mood = 'refusing';
    const { record, value } = exporterTo(otlp(test.port));
    record(3);
    await waitFor(async () => expect(await value('otel_exporter_spans_failed_total')).toBe(3));
    expect(test.requests).toHaveLength(1);
  });

  it('are counted apart when the collector takes a part', async () => {
    const test = await collector();
    test.mood = 'rejecting one';
    const { record, value } = exporterTo(otlp(test.port));
    record(3);
    await waitFor(async () => expect(await value('otel_exporter_spans_exported_total')).toBe(2));
    expect(await value('otel_exporter_spans_failed_total')).toBe(1);
  });

  it.each(['otlp', 'zipkin'] as const)(
    'outlive a collector (%s) that is not there, and reach it when it comes',
    async (kind) => {
      const absent = await startCollector();
      await absent.close();
      const { record, value, said } = exporterTo(
        { kind, endpoint: `http://127.0.0.1:${absent.port}`, headers: [] },
        { exportTimeoutMs: 60, maxBatchSpans: 2, maxQueueSpans: 20 },
      );
      record(20);
      await waitFor(async () => expect(await value('otel_exporter_spans_failed_total')).toBe(20));
      expect(said).toHaveLength(1);
      const { spans } = await collector(absent.port);
      await waitFor(() => {
        record(1);
        expect(spans.length).toBeGreaterThan(0);
      });
      await waitFor(() => expect(said.at(-1)?.[0]).toBe('Spans are exported again.'));
    },
  );

  it('lie in the same memory batch after batch, unless an attempt failed that may still hold it', async () => {
    const sent: Uint8Array[] = [];
    const outcomes: (() => Promise<SendOutcome>)[] = [];
    const backend: SpanBackend = {
      encode: (request) => request,
      send: (body) => {
        sent.push(body);
        return (outcomes.shift() ?? (async () => ({ rejected: 0, repeated: false })))();
      },
      close: async () => undefined,
    };
    const settings = { maxQueueSpans: 100, maxBatchSpans: 1, scheduleDelayMs: 1e6, exportTimeoutMs: 1000 };
    const telemetry = new ExporterTelemetry(silentTelemetry);
    const exporter = new SpanExporter(backend, settings, telemetry, gatewayOrigin('shop-gateway', identity));
    const recorder = new SpanRecorder(exporter, new WallClock(), { serviceName: 'shop-gateway', spanName: 'path' });
    const sendOne = async (): Promise<{ memory: ArrayBufferLike; copy: Buffer; body: Uint8Array }> => {
      record(recorder, 1);
      const body = sent.at(-1)!;
      const seen = { memory: body.buffer, copy: Buffer.from(body), body };
      await new Promise((resolve) => setImmediate(resolve));
      return seen;
    };
    const first = await sendOne();
    outcomes.push(() => Promise.reject(new Error('no')));
    const second = await sendOne();
    expect(second.memory).toBe(first.memory);
    outcomes.push(async () => ({ rejected: 0, repeated: true }));
    const third = await sendOne();
    expect(third.memory).not.toBe(second.memory);
    const fourth = await sendOne();
    expect([second.memory, third.memory]).not.toContain(fourth.memory);
    for (const { body, copy } of [second, third]) expect(Buffer.from(body)).toEqual(copy);
    await exporter.stop(AbortSignal.timeout(10_000));
  });

  it('do not keep the gateway from stopping', async () => {
    const test = await collector();
    test.mood = 'unavailable';
    const { record, exporter, value } = exporterTo(otlp(test.port), { maxBatchSpans: 2 });
    record(9);
    await waitFor(() => expect(test.requests.length).toBeGreaterThan(0));
    await exporter.stop(AbortSignal.timeout(50));
    expect(await value('otel_exporter_spans_failed_total')).toBe(9);
  });
});

function otlp(port: number): TracingBackend {
  return { kind: 'otlp', endpoint: `http://127.0.0.1:${port}`, headers: [] };
}
