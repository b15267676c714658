import { silentTelemetry } from '@clew/base';
import { fromPlain, plainSpan, toPlain } from '@clew/model';
import type { PlainSpan, SpanBatch } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import type { Component, Host, TracesConsumer } from '@clew/pipeline';
import { afterEach, describe, expect, it } from 'vitest';
import { otlpReceiverFactory } from '../../receivers/otlp/index.ts';
import { otlpExporterFactory } from '../otlp/index.ts';
import { otlpHttpExporterFactory } from '../otlphttp/index.ts';

const host: Host = { extension: () => undefined, capability: () => undefined, reportStatus() {} };
const context = { tenant: 'single-tenant', receivedUnixNano: 0n };
const spans = Array.from({ length: 5 }, (_, i) =>
  plainSpan({ traceId: 'ab', spanId: String(i + 1), name: `span ${i}`, service: 'shop', attributes: { n: BigInt(i) } }),
);

const running: Component[] = [];
afterEach(async () => {
  for (const component of running.splice(0).reverse()) await component.stop(AbortSignal.timeout(2000));
});

/** A real receiver to send to. `answers` are thrown in turn before it begins to accept. */
async function server(answers: Refusal[] = []) {
  const received: PlainSpan[] = [];
  const sink: TracesConsumer = {
    mutatesData: false,
    durability: () => ({ kind: 'durable' }),
    admit: () => undefined,
    consumeTraces(batch: SpanBatch) {
      const answer = answers.shift();
      if (answer) return Promise.reject(answer);
      received.push(...toPlain(batch));
      return Promise.resolve();
    },
  };
  const config = otlpReceiverFactory.configSchema.parse({ protocols: { grpc: { endpoint: '127.0.0.1:0' } } });
  const receiver = otlpReceiverFactory.create({ id: 'otlp', config, telemetry: silentTelemetry }, { traces: sink });
  await receiver.start(host);
  running.push(receiver);
  const { listeners } = receiver.snapshot() as { listeners: { address: string }[] };
  return { address: listeners[0]!.address, received };
}

const fastRetry = { initial_interval: '1ms', max_interval: '5ms', max_elapsed_time: '2s' };

async function exporter(kind: 'otlp' | 'otlphttp', settings: object) {
  const parts = { id: kind, telemetry: silentTelemetry };
  const made =
    kind === 'otlp'
      ? otlpExporterFactory.create({ ...parts, config: otlpExporterFactory.configSchema.parse(settings) })
      : otlpHttpExporterFactory.create({ ...parts, config: otlpHttpExporterFactory.configSchema.parse(settings) });
  await made.start(host);
  running.push(made);
  return made;
}

describe('the OTLP exporters', () => {
  it('need an endpoint', () => {
    expect(otlpExporterFactory.configSchema.safeParse({}).error?.issues[0]?.message).toBe(
      'requires a non-empty "endpoint"',
    );
    expect(otlpHttpExporterFactory.configSchema.safeParse({}).error?.issues[0]?.message).toBe(
      'at least one endpoint must be specified',
    );
  });

  it.each([
    ['otlp', { tls: { insecure: true } }],
    ['otlp', { tls: { insecure: true }, compression: 'none' }],
    ['otlphttp', {}],
    ['otlphttp', { encoding: 'json', compression: 'zstd' }],
  ] as const)('%s with %j delivers every span as it was', async (kind, settings) => {
    const { address, received } = await server();
    const endpoint = kind === 'otlp' ? address : `http://${address}`;
    const sender = await exporter(kind, { ...settings, endpoint });
    await sender.consumeTraces(fromPlain(spans), context);
    await expect.poll(() => received.length).toBe(5);
    expect(received).toEqual(spans);
  });

  it('retry what the server refuses for now', async () => {
    const { address, received } = await server([
      new Refusal('unavailable', 'busy'),
      new Refusal('unavailable', 'busy'),
    ]);
    const sender = await exporter('otlphttp', { endpoint: `http://${address}`, retry_on_failure: fastRetry });
    await sender.consumeTraces(fromPlain(spans), context);
    await expect.poll(() => received.length, { timeout: 20_000 }).toBe(5);
  });

  it('without a queue, fail as the server does', async () => {
    const { address } = await server([new Refusal('permanent', 'never')]);
    const sender = await exporter('otlphttp', { endpoint: `http://${address}`, sending_queue: { enabled: false } });
    const failure = await sender.consumeTraces(fromPlain(spans), context).catch((caught: Refusal) => caught);
    expect(failure).toMatchObject({ code: 'permanent' });
    expect(sender.durability()).toEqual({ kind: 'durable' });
  });

  it('with a queue, say that acknowledged data is in memory, and refuse when it is full', async () => {
    const sender = await exporter('otlphttp', {
      endpoint: 'http://127.0.0.1:9',
      sending_queue: { queue_size: 1, num_consumers: 1 },
      retry_on_failure: { initial_interval: '10s' },
    });
    expect(sender.durability().kind).toBe('memory');
    await sender.consumeTraces(fromPlain(spans), context);
    expect(sender.admit(10)).toMatchObject({ code: 'unavailable' });
    await expect(sender.consumeTraces(fromPlain(spans), context)).rejects.toMatchObject({
      message: 'sending queue is full',
    });
  });

  it('merge small batches into larger requests', async () => {
    const { address, received } = await server();
    const sender = await exporter('otlphttp', {
      endpoint: `http://${address}`,
      sending_queue: { batch: { min_size: 10, max_size: 4, flush_timeout: '1h' } },
    }).catch((error: Error) => error);
    expect(sender).toBeInstanceOf(Error);
    const good = await exporter('otlphttp', {
      endpoint: `http://${address}`,
      sending_queue: { batch: { min_size: 10, max_size: 10, flush_timeout: '1h' } },
    });
    await good.consumeTraces(fromPlain(spans), context);
    await good.consumeTraces(fromPlain(spans), context);
    await expect.poll(() => received.length).toBe(10);
  });

  it('send what waits when they stop', async () => {
    const { address, received } = await server();
    const sender = await exporter('otlp', {
      endpoint: address,
      tls: { insecure: true },
      sending_queue: { batch: { min_size: 1000, flush_timeout: '1h' } },
    });
    await sender.consumeTraces(fromPlain(spans), context);
    await sender.stop(AbortSignal.timeout(5000));
    expect(received).toHaveLength(5);
  });
});
