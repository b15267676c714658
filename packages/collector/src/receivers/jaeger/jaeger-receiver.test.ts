import { createSocket } from 'node:dgram';
import { readFileSync, readdirSync } from 'node:fs';
import { platform } from 'node:os';
import { gzipSync } from 'node:zlib';
import { silentTelemetry } from '@clew/base';
import type { Telemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { fromPlain, plainResource, plainSpan } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import {
  RecordingConsumer,
  TestHost,
  describeReceiverContract,
  eventually,
  farDeadline,
  sampleSpans,
  spanIds,
} from '@clew/pipeline/contract-tests';
import { encodeAgentMessages, encodePostSpans, encodeThriftBatches } from '@clew/wire/jaeger';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addressOf, grpcClient, httpClient } from '../test/clients.ts';
import { jaegerReceiverFactory } from './index.ts';
import { JaegerReceiver } from './jaeger-receiver.ts';

const testdata = new URL('../../../../wire/src/jaeger/testdata/', import.meta.url);
const captures = (pattern: RegExp) =>
  readdirSync(testdata)
    .filter((name) => name.endsWith('.bin') && pattern.test(name))
    .map((name) => ({ name, bytes: readFileSync(new URL(name, testdata)) }));

/** Metrics under their bare names. */
const plainNames = { withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true };

const anyPort = { endpoint: '127.0.0.1:0' };
const udpPorts = [
  { section: 'thrift_compact', protocol: 'jaeger_udp_compact' },
  { section: 'thrift_binary', protocol: 'jaeger_udp_binary' },
  { section: 'thrift_zipkin_compact', protocol: 'jaeger_udp_zipkin_compact' },
] as const;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((clean) => clean()));
});

async function start(protocols: Record<string, unknown>, telemetry: Telemetry = silentTelemetry) {
  const next = new RecordingConsumer();
  const config = jaegerReceiverFactory.configSchema.parse({ protocols });
  const receiver = new JaegerReceiver('jaeger', config, telemetry, { traces: next });
  await receiver.start(new TestHost());
  cleanups.push(() => receiver.stop(farDeadline()));
  return { next, receiver };
}

async function startWarned(settings: Record<string, unknown>) {
  const warnings: string[] = [];
  const logger = { ...silentTelemetry.logger, warn: (text: string) => void warnings.push(text) };
  const meter = new PrometheusMeter();
  const config = jaegerReceiverFactory.configSchema.parse(settings);
  const outputs = { traces: new RecordingConsumer() };
  const receiver = new JaegerReceiver('jaeger', config, { ...silentTelemetry, logger, meter }, outputs);
  await receiver.start(new TestHost());
  cleanups.push(() => receiver.stop(farDeadline()));
  return { receiver, warnings, meter };
}

async function startHttp(settings: object = {}) {
  const { next, receiver } = await start({ thrift_http: { ...anyPort, ...settings } });
  const address = addressOf(receiver);
  const post = (body: Uint8Array | string, headers: Record<string, string> = {}, path = '/api/traces') =>
    fetch(`http://${address}${path}`, { method: 'POST', body: body as BodyInit, headers });
  return { next, post, address };
}

function send(receiver: JaegerReceiver, protocol: string, ...packets: readonly Uint8Array[]): Promise<void[]> {
  const port = Number(addressOf(receiver, protocol).split(':').pop());
  const socket = createSocket('udp4');
  cleanups.push(() => socket.close());
  return Promise.all(
    packets.map(
      (packet) =>
        new Promise<void>((resolve, reject) => {
          socket.send(packet, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
        }),
    ),
  );
}

function countersOf(receiver: JaegerReceiver, protocol: string) {
  const { listeners } = receiver.snapshot() as {
    listeners: { protocol: string; counters: { requests: number; refusedRequests: number; acceptedSpans: number } }[];
  };
  return listeners.find((listener) => listener.protocol === protocol)!.counters;
}

const thrift = { 'content-type': 'application/x-thrift' };
const oneBatch = () => encodeThriftBatches(fromPlain(sampleSpans(2)))[0]!;

describe('what the Jaeger receiver refuses over HTTP, in the words of Jaeger’s collector', () => {
  it.each([
    ['text/plain', 'Unsupported content type: text/plain'],
    ['application/json; charset=utf-8', 'Unsupported content type: application/json'],
    ['thrift', 'Cannot parse content type: "thrift" is no media type'],
  ])('a content type of %s', async (type, text) => {
    const { post, next } = await startHttp();
    const answer = await post(oneBatch(), { 'content-type': type });
    expect([answer.status, await answer.text()]).toEqual([400, text]);
    expect(next.calls).toBe(0);
  });

  it('bodies that are no batch, with the byte', async () => {
    const { post, next } = await startHttp();
    for (const body of [oneBatch().slice(0, -4), new Uint8Array([0xff, 0xff]), new Uint8Array(0), 'hello']) {
      const answer = await post(body, thrift);
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringMatching(/^Unable to process request body: .*byte \d+/),
      ]);
    }
    expect(next.calls).toBe(0);
  });

  it('bodies that are too large or do not decompress', async () => {
    const { post } = await startHttp({ max_request_body_size: 1000 });
    expect((await post(new Uint8Array(1001), thrift)).status).toBe(413);
    expect((await post(gzipSync(Buffer.alloc(100_000)), { ...thrift, 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await post(oneBatch(), { ...thrift, 'content-encoding': 'gzip' })).status).toBe(400);
  });

  it('what the pipeline does not take: 503 with Retry-After, or 500 for good', async () => {
    const { next, post } = await startHttp();
    next.refuse = () => new Refusal('unavailable', 'the journal is full');
    const busy = await post(oneBatch(), thrift);
    expect([busy.status, busy.headers.get('retry-after'), await busy.text()]).toEqual([
      503,
      '1',
      'Cannot submit Jaeger batch: the journal is full',
    ]);
    next.refuse = () => new Refusal('permanent', 'never');
    expect((await post(oneBatch(), thrift)).status).toBe(500);
  });

  it('other methods and paths', async () => {
    const { address, post } = await startHttp();
    expect((await fetch(`http://${address}/api/traces`)).status).toBe(405);
    expect((await post(oneBatch(), thrift, '/api/spans')).status).toBe(404);
  });
});

describe('the Jaeger receiver over HTTP', () => {
  it.each(captures(/http14268|tutorial/))('takes $name', async ({ bytes }) => {
    const { next, post } = await startHttp();
    const answer = await post(bytes, thrift, '/api/traces?format=jaeger.thrift');
    expect([answer.status, await answer.text()]).toEqual([202, '']);
    expect(next.spans.length).toBeGreaterThan(1);
  });

  it('takes bodies without a content type, with either of the two, with credentials, and compressed', async () => {
    const { next, post } = await startHttp();
    const headers = [
      {},
      { 'content-type': 'application/vnd.apache.thrift.binary' },
      { 'content-type': 'Application/X-Thrift; charset=utf-8' },
      { ...thrift, authorization: `Basic ${btoa('user:secret')}` },
    ];
    for (const one of headers) expect((await post(oneBatch(), one)).status).toBe(202);
    expect((await post(gzipSync(oneBatch()), { ...thrift, 'content-encoding': 'gzip' })).status).toBe(202);
    expect(next.batches).toHaveLength(5);
  });
});

describe('the Jaeger receiver over UDP', () => {
  it.each(udpPorts)('takes every encoding on the port of $section', async ({ section, protocol }) => {
    const { next, receiver } = await start({ [section]: anyPort });
    const datagrams = captures(/udp/);
    expect(datagrams.length).toBeGreaterThan(4);
    await send(receiver, protocol, ...datagrams.map(({ bytes }) => bytes));
    await eventually('all datagrams are taken', () => countersOf(receiver, protocol).requests === datagrams.length);
    expect(countersOf(receiver, protocol).refusedRequests).toBe(0);
    expect(next.spans).toHaveLength(datagrams.length * 2);
  });

  it('counts what it cannot read and goes on', async () => {
    const { next, receiver } = await start({ thrift_compact: { ...anyPort, max_packet_size: 3000 } });
    const spans = sampleSpans(1);
    const [good] = encodeAgentMessages(fromPlain(spans), undefined, { protocol: 'compact' }).datagrams;
    const noise = new Uint8Array([0x82, 0x21, 0xff, 0xff, 0xff]);
    await send(receiver, 'jaeger_udp_compact', noise, new Uint8Array(0), new Uint8Array(3001), good!);
    await eventually(
      'every datagram is accounted for',
      () => countersOf(receiver, 'jaeger_udp_compact').requests === 4,
    );
    expect(countersOf(receiver, 'jaeger_udp_compact')).toMatchObject({ refusedRequests: 3, acceptedSpans: 1 });
    expect(spanIds(next.spans)).toEqual(spanIds(spans));
  });

  it('keeps datagrams until a full pipeline takes them', async () => {
    const { next, receiver } = await start({ thrift_binary: anyPort });
    let refusals = 2;
    next.refuse = () => (refusals-- > 0 ? new Refusal('unavailable', 'full', { retryAfterMs: 5 }) : undefined);
    const { datagrams } = encodeAgentMessages(fromPlain(sampleSpans(3)), undefined, { protocol: 'binary' });
    await send(receiver, 'jaeger_udp_binary', ...datagrams);
    await eventually('the spans are taken', () => next.spans.length === 3);
  });
});

describe('what the Jaeger receiver warns of', () => {
  it('is a setting that the reference ignores, too', async () => {
    const { warnings } = await startWarned({ protocols: { thrift_http: anyPort }, remote_sampling: {} });
    expect(warnings).toEqual([expect.stringMatching(/^remote_sampling .* is ignored; configure the extension/)]);
  });

  it.runIf(platform() === 'linux')('is a receive buffer that the kernel does not give, with the setting', async () => {
    const { warnings } = await startWarned({
      protocols: { thrift_compact: { ...anyPort, socket_buffer_size: 2_000_000_000 } },
    });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^jaeger\/thrift_compact asked for .*rmem_max.*protocols\.thrift_compact\.socket_buffer_size/,
      ),
    ]);
  });

  it.runIf(platform() === 'linux')('is datagrams that the kernel dropped, which are counted', async () => {
    const { receiver, warnings, meter } = await startWarned({
      protocols: { thrift_compact: { ...anyPort, socket_buffer_size: 1 } },
    });
    const labels = 'receiver="jaeger",protocol="thrift_compact",reason="kernel"';
    const burst = Array.from({ length: 500 }, () => new Uint8Array(1000));
    // The buffer holds a datagram or two; how soon that is too little depends on the machine.
    const sendMore = async () => {
      await send(receiver, 'jaeger_udp_compact', ...burst);
      expect(await meter.expose(plainNames)).toContain(`dropped_packets_total{${labels}}`);
    };
    await vi.waitFor(sendMore, { timeout: 20_000, interval: 10 });
    expect(warnings).toContain('The kernel dropped datagrams because the receive buffer was full.');
  });
});

describe('what Jaeger’s clients say they lost', () => {
  const i64 = (id: number, value: number) => {
    const field = Buffer.alloc(11);
    field.writeUInt8(10, 0);
    field.writeUInt16BE(id, 1);
    field.writeBigInt64BE(BigInt(value), 3);
    return field;
  };
  const spanOf = (client: string | undefined) =>
    plainSpan({
      traceId: 'a1',
      spanId: 'b1',
      name: 'x',
      resource: plainResource({ 'service.name': 's', ...(client === undefined ? {} : { 'client-uuid': client }) }),
    });
  /** A batch of one span (of none without `spans`) with the totals in field 4, which no encoder here writes. */
  const batchWith = (client: string | undefined, totals: readonly [number, number, number], spans = 1): Buffer => {
    const batch = encodeThriftBatches(fromPlain([spanOf(client)]))[0]!.subarray(0, -1);
    const empty = Buffer.concat([batch.subarray(0, Buffer.from(batch).lastIndexOf(spanList) + 4), Buffer.alloc(4)]);
    const stats = totals.map((value, at) => i64(at + 1, value));
    return Buffer.concat([spans === 0 ? empty : batch, Buffer.from([12, 0, 4]), ...stats, Buffer.alloc(2)]);
  };
  /** The head of field 2 of `Batch`, a list of structs; the tags of the process before it look the same. */
  const spanList = Buffer.from([15, 0, 2, 12]);
  const datagram = (batch: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from([0x80, 1, 0, 4, 0, 0, 0, 9]),
      Buffer.from('emitBatch'),
      Buffer.from([0, 0, 0, 0, 12, 0, 1]),
      batch,
      Buffer.alloc(1),
    ]);
  const metered = () => {
    const meter = new PrometheusMeter();
    const drops = async () => {
      const text = await meter.expose(plainNames);
      return text.split('\n').filter((line) => line.startsWith('clew_receiver_client_dropped_spans_total{'));
    };
    return { telemetry: { ...silentTelemetry, meter }, drops };
  };
  const dropped = (reason: string, spans: number) =>
    `clew_receiver_client_dropped_spans_total{receiver="jaeger",reason="${reason}"} ${spans}`;

  it('is counted as it grows, for each client by itself, over HTTP', async () => {
    const { telemetry, drops } = metered();
    const { receiver } = await start({ thrift_http: anyPort }, telemetry);
    const post = async (body: Buffer) => {
      const url = `http://${addressOf(receiver)}/api/traces`;
      expect((await fetch(url, { method: 'POST', body: new Uint8Array(body) })).status).toBe(202);
    };
    // What a client lost before it was first heard of may be of a time when nobody listened.
    await post(batchWith('one', [100, 0, 0]));
    await post(batchWith('two', [7, 7, 7]));
    expect(await drops()).toEqual([]);
    await post(batchWith('one', [103, 0, 2]));
    await post(batchWith('two', [7, 8, 7]));
    await post(batchWith(undefined, [1000, 0, 0]));
    // What is much longer than a UUID is not remembered.
    for (const lost of [1, 1000]) await post(batchWith('x'.repeat(129), [lost, 0, 0]));
    // A client that was started anew counts from nothing.
    await post(batchWith('one', [1, 0, 0]));
    await post(batchWith('one', [2, 0, 0]));
    expect((await drops()).toSorted()).toEqual([
      dropped('failed_to_emit', 2),
      dropped('queue_full', 4),
      dropped('too_large', 1),
    ]);
  });

  it('is counted in datagrams, and not for the client of the datagram before', async () => {
    const { telemetry, drops } = metered();
    const { receiver } = await start({ thrift_binary: anyPort }, telemetry);
    const packets = [batchWith('one', [1, 0, 0]), batchWith('two', [500, 0, 0], 0), batchWith('one', [3, 0, 0])].map(
      datagram,
    );
    await send(receiver, 'jaeger_udp_binary', ...packets);
    await eventually('all are taken', () => countersOf(receiver, 'jaeger_udp_binary').requests === packets.length);
    expect(countersOf(receiver, 'jaeger_udp_binary')).toMatchObject({ acceptedSpans: 2, refusedRequests: 0 });
    expect(await drops()).toEqual([dropped('queue_full', 2)]);
  });
});

describe('the settings of the Jaeger receiver', () => {
  it('may allow datagrams larger than any, as files in the wild do', () => {
    const settings = { protocols: { thrift_compact: { max_packet_size: 131_072 } } };
    expect(jaegerReceiverFactory.configSchema.safeParse(settings).error).toBeUndefined();
  });

  it('need a protocol', () => {
    const parsed = jaegerReceiverFactory.configSchema.safeParse({});
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
      'must specify at least one protocol when using the Jaeger receiver',
    ]);
  });

  it('have the reference’s defaults for every protocol that is only named', () => {
    const { protocols } = jaegerReceiverFactory.configSchema.parse({
      protocols: { grpc: null, thrift_http: null, thrift_compact: null, thrift_binary: null },
    });
    expect(protocols).toMatchObject({
      grpc: { endpoint: 'localhost:14250' },
      thrift_http: { endpoint: 'localhost:14268' },
      thrift_compact: { endpoint: 'localhost:6831', queue_size: 1000, max_packet_size: 65_000, workers: 10 },
      thrift_binary: { endpoint: 'localhost:6832', socket_buffer_size: 0 },
    });
    expect(protocols.thrift_zipkin_compact).toBeUndefined();
  });
});

describeReceiverContract({
  factory: jaegerReceiverFactory,
  settings: () => ({ protocols: { thrift_http: anyPort } }),
  oneServicePerRequest: true,
  connect: (receiver) =>
    httpClient(receiver, '/api/traces', 'application/x-thrift', (batch) => encodeThriftBatches(batch)[0]!),
});
describeReceiverContract({
  factory: jaegerReceiverFactory,
  settings: () => ({ protocols: { grpc: anyPort } }),
  oneServicePerRequest: true,
  connect: (receiver) =>
    grpcClient(receiver, '/jaeger.api_v2.CollectorService/PostSpans', (batch) => encodePostSpans(batch)[0]!),
});
