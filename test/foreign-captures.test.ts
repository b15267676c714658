// Bytes that real Jaeger and Zipkin clients sent, each replayed to the port it was captured from: every value in them must come out
// of Jaeger's query API again.
import { createSocket } from 'node:dgram';
import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { settled } from './support/clew.ts';
import { awaitTrace, tagOf } from './support/jaeger.ts';
import type { JaegerSpan } from './support/jaeger.ts';
import { expectedOfThrift, sentFactsOf } from './support/jaeger-as-json.ts';
import type { ThriftBatch } from './support/jaeger-as-json.ts';
import { httpExchange } from './support/raw.ts';
import { expectedOfZipkin } from './support/zipkin-as-json.ts';
import type { ZipkinSpan } from './support/zipkin-as-json.ts';

interface Capture {
  readonly request: {
    readonly transport: 'udp' | 'http';
    readonly port: number;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** A message with its batch, a bare batch, or Zipkin's list. */
  readonly decoded: { readonly batch: ThriftBatch } | ThriftBatch | readonly ZipkinSpan[];
}

function read(format: 'jaeger' | 'zipkin') {
  const folder = new URL(`../packages/wire/src/${format}/testdata/`, import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.bin'))
    .map((name) => ({
      ...(JSON.parse(readFileSync(new URL(name.replace(/bin$/, 'json'), folder), 'utf8')) as Capture),
      name: name.slice(0, -4),
      bytes: readFileSync(new URL(name, folder)),
    }));
}

let clew: LaunchedClew;
beforeAll(async () => {
  clew = await launchClew();
});
afterAll(() => clew.close());

async function replay({ request, bytes }: Pick<Capture, 'request'> & { readonly bytes: Buffer }): Promise<void> {
  if (request.transport === 'udp') {
    await sendDatagram(request.port === 6831 ? clew.ports.jaegerCompact : clew.ports.jaegerBinary, bytes);
    return;
  }
  const port = request.port === 9411 ? clew.ports.zipkin : clew.ports.jaegerHttp;
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => !/^(host|connection|content-length|transfer-encoding)$/i.test(name),
  );
  const answer = await httpExchange(port, { path: request.path ?? '/', headers: Object.fromEntries(headers) }, bytes);
  expect([answer.status, answer.text]).toEqual([202, '']);
}

function sendDatagram(port: number, bytes: Buffer): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.send(bytes, port, '127.0.0.1', (error) => {
      socket.close();
      if (error) reject(error);
      else resolve();
    });
  });
}

const jaegerCaptures = read('jaeger');

describe('captures of Jaeger clients', () => {
  it('are all here', () => expect(jaegerCaptures.length).toBeGreaterThanOrEqual(15));

  it.each(jaegerCaptures)('$name: accepted, and every value of it comes out again', async (capture) => {
    await replay(capture);
    const { decoded } = capture;
    const batch = 'batch' in decoded ? decoded.batch : (decoded as ThriftBatch);
    const wanted = expectedOfThrift(batch);
    expect(wanted.length).toBeGreaterThan(1);
    for (const moment of ['acknowledged', 'stored']) {
      if (moment === 'stored') await settled(clew);
      for (const { traceId, spanId, ...facts } of wanted) {
        const { trace, span } = await found(traceId, spanId);
        expect(sentFactsOf(trace, span, facts), moment).toEqual({ traceId, spanId, ...facts });
      }
    }
  });
});

const zipkinCaptures = read('zipkin');

describe('captures of Zipkin clients', () => {
  it('are all here', () => expect(zipkinCaptures.length).toBeGreaterThanOrEqual(7));

  it.each(zipkinCaptures)('$name: accepted, and every value of it comes out again', async (capture) => {
    await replay(capture);
    const wanted = expectedOfZipkin(capture.decoded as readonly ZipkinSpan[]);
    expect(wanted.length).toBeGreaterThan(1);
    for (const moment of ['acknowledged', 'stored']) {
      if (moment === 'stored') await settled(clew);
      for (const { traceId, spanId, service, tags, annotations, parentId, ...facts } of wanted) {
        const { trace, span } = await found(traceId, spanId);
        const { operationName, startTime, duration } = span;
        expect({ operationName, startTime, duration }, moment).toEqual(facts);
        expect(trace.processes[span.processID]?.serviceName).toBe(service);
        expect(span.references.map(({ spanID }) => spanID)).toEqual(parentId === undefined ? [] : [parentId]);
        for (const [key, value] of tags) expect([key, shown(tagOf(span.tags, key))]).toEqual([key, value]);
        expect(span.logs.map(({ timestamp, fields }) => [timestamp, tagOf(fields, 'event')])).toEqual(annotations);
      }
    }
  });
});

async function found(traceId: string, spanId: string) {
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    const trace = await awaitTrace(clew, traceId);
    const span = trace.spans.find(({ spanID }) => spanID === spanId) as (JaegerSpan & { flags?: number }) | undefined;
    if (span !== undefined) return { trace, span };
    if (performance.now() > deadlineMs) throw new Error(`trace ${traceId} never had the span ${spanId}`);
  }
}

/** Zipkin's values are texts; what is shown typed is compared as text. */
function shown(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}
