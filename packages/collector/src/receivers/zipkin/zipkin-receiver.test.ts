import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { silentTelemetry } from '@clew/base';
import { Carrier, fromPlain } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import type { Component } from '@clew/pipeline';
import {
  RecordingConsumer,
  TestHost,
  describeReceiverContract,
  farDeadline,
  sampleSpans,
} from '@clew/pipeline/contract-tests';
import { encodeZipkinV2Json, encodeZipkinV2Protobuf } from '@clew/wire/zipkin';
import { afterEach, describe, expect, it } from 'vitest';
import { addressOf, httpClient } from '../test/clients.ts';
import { zipkinReceiverFactory } from './index.ts';
import { ZipkinReceiver } from './zipkin-receiver.ts';

const testdata = new URL('../../../../wire/src/zipkin/testdata/', import.meta.url);
const captures = readdirSync(testdata).filter((name) => name.endsWith('.bin'));

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

async function start(settings: object = {}) {
  const next = new RecordingConsumer();
  const config = zipkinReceiverFactory.configSchema.parse({ endpoint: '127.0.0.1:0', ...settings });
  const receiver = new ZipkinReceiver('zipkin', config, silentTelemetry, { traces: next });
  await receiver.start(new TestHost());
  stop = () => receiver.stop(farDeadline());
  const address = addressOf(receiver);
  const post = (path: string, body: Uint8Array | string, headers: Record<string, string> = {}) =>
    fetch(`http://${address}${path}`, { method: 'POST', body: body as BodyInit, headers });
  return { next, post, address };
}

describe('what the Zipkin receiver refuses', () => {
  it('is what is no list of spans, with a sentence that says where', async () => {
    const { next, post } = await start();
    for (const body of [
      '{"traceId":"1"}',
      '[{"id":"1"}]',
      '[{"traceId":"x","id":"1"}]',
      '[',
      'spans',
      '\u0000\u0001',
    ]) {
      const answer = await post('/api/v2/spans', body, { 'content-type': 'application/json' });
      expect([answer.status, await answer.text()], body).toEqual([400, expect.stringMatching(/\S{3}/)]);
    }
    expect(next.calls).toBe(0);
  });

  it('is other methods, with the one it takes', async () => {
    const { address } = await start();
    const answer = await fetch(`http://${address}/api/v2/spans`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('is answered 503 with Retry-After when it may be sent again, and 500 when not', async () => {
    const { next, post } = await start();
    const body = encodeZipkinV2Json(fromPlain(sampleSpans(1)));
    next.refuse = () => new Refusal('unavailable', 'the journal is full', { retryAfterMs: 2500 });
    const busy = await post('/api/v2/spans', body);
    expect([busy.status, busy.headers.get('retry-after'), await busy.text()]).toEqual([
      503,
      '3',
      'the journal is full',
    ]);
    next.refuse = () => new Refusal('permanent', 'never');
    expect((await post('/api/v2/spans', body)).status).toBe(500);
  });

  it('is a body over the limit, on the wire or inflated', async () => {
    const { post } = await start({ max_request_body_size: 1000 });
    expect((await post('/api/v2/spans', new Uint8Array(1001))).status).toBe(413);
    const bomb = gzipSync(Buffer.alloc(100_000));
    expect((await post('/api/v2/spans', bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
  });
});

describe('the Zipkin receiver', () => {
  it.each(captures)(
    'takes %s on the paths of both versions and on any other, whatever media type is named',
    async (name) => {
      const { next, post } = await start();
      const body = readFileSync(new URL(name, testdata));
      for (const path of ['/api/v1/spans', '/api/v2/spans', '/']) {
        for (const type of ['application/json', 'application/x-thrift', 'text/plain']) {
          const answer = await post(path, body, { 'content-type': type });
          expect([answer.status, await answer.text()], `${path} ${type}`).toEqual([202, '']);
        }
      }
      const counts = next.batches.map((spans) => spans.length);
      expect(new Set(counts).size).toBe(1);
      expect(counts[0]).toBeGreaterThan(1);
    },
  );

  it('takes an empty list, and an empty body', async () => {
    const { next, post } = await start();
    expect((await post('/api/v2/spans', '[]')).status).toBe(202);
    expect((await post('/api/v2/spans', '')).status).toBe(202);
    expect(next.calls).toBe(0);
  });

  it('turns tags that look like numbers and booleans into such when told to', async () => {
    const span = '[{"traceId":"1","id":"2","name":"x","tags":{"n":"42","f":"0.5","b":"true","s":"x1"}}]';
    const { next, post } = await start({ parse_string_tags: true });
    await post('/api/v2/spans', span);
    expect(Object.fromEntries(next.spans[0]!.attributes.map(({ key, value }) => [key, value]))).toMatchObject({
      n: 42n,
      f: 0.5,
      b: true,
      s: 'x1',
    });
  });

  it.each([
    ['1', true],
    ['0', undefined],
  ])('takes X-B3-Flags: %s for whether spans without a field for it are debugged', async (flags, debug) => {
    const { next, post } = await start();
    await post('/api/v2/spans', encodeZipkinV2Protobuf(fromPlain(sampleSpans(1))), { 'x-b3-flags': flags });
    expect(next.spans[0]!.attributes.find(({ key }) => key === Carrier.ZIPKIN_DEBUG)?.value).toBe(debug);
  });

  it('lets pages on allowed origins send', async () => {
    const { address } = await start({ cors: { allowed_origins: ['http://localhost:*'] } });
    const headers = { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' };
    const answer = await fetch(`http://${address}/api/v2/spans`, { method: 'OPTIONS', headers });
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
  });
});

describeReceiverContract({
  factory: zipkinReceiverFactory,
  settings: () => ({ endpoint: '127.0.0.1:0' }),
  connect: (receiver: Component) =>
    httpClient(receiver, '/api/v2/spans', 'application/json', (batch: SpanBatch) => encodeZipkinV2Json(batch)),
});
