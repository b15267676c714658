import { createSocket } from 'node:dgram';
import { silentTelemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { Refusal } from '@clew/pipeline';
import type { Component } from '@clew/pipeline';
import {
  RecordingConsumer,
  TestHost,
  describeLifecycle,
  eventually,
  farDeadline,
  settingProblems,
  settingsFor,
} from '@clew/pipeline/contract-tests';
import { afterEach, describe, expect, it } from 'vitest';
import { awsXrayReceiverFactory } from './index.ts';

const anyPorts = { endpoint: '127.0.0.1:0', proxy_server: { endpoint: '127.0.0.1:0' } };
const header = '{"format":"json","version":1}\n';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function running(settings: object = {}) {
  const next = new RecordingConsumer();
  const meter = new PrometheusMeter();
  const warnings: unknown[] = [];
  const warn = (message: string, fields?: object) => void warnings.push({ message, ...fields });
  const logger = { ...silentTelemetry.logger, warn };
  const telemetry = { ...silentTelemetry, meter, logger };
  const receiver = awsXrayReceiverFactory.create(
    settingsFor(awsXrayReceiverFactory, { ...anyPorts, ...settings }, { telemetry }),
    { traces: next },
  );
  await receiver.start(new TestHost());
  cleanUps.push(() => receiver.stop(farDeadline()));
  const [udp, proxy] = addressesOf(receiver);
  const metrics = () => meter.expose({ withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true });
  return { next, receiver, warnings, metrics, send: sender(udp!), proxy };
}

function addressesOf(receiver: Component): string[] {
  const { listeners } = receiver.snapshot() as { listeners: { address: string }[] };
  return listeners.map(({ address }) => address);
}

function sender(address: string): (packet: string) => Promise<void> {
  const socket = createSocket('udp4');
  cleanUps.push(() => new Promise((resolve) => socket.close(() => resolve())));
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  return (packet) =>
    new Promise((resolve, reject) => {
      socket.send(packet, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
    });
}

function segment(id: number, more: object = {}): string {
  const document = {
    name: 'shop',
    id: id.toString(16).padStart(16, '0'),
    trace_id: '1-581cf771-a006649127e371903a2de979',
    start_time: 1478293361.271,
    end_time: 1478293361.449,
    ...more,
  };
  return header + JSON.stringify(document);
}

async function post(address: string | undefined, path: string, body: string, method = 'POST') {
  const response = await fetch(`http://${address}${path}`, { method, ...(method === 'POST' ? { body } : {}) });
  return { status: response.status, text: await response.text() };
}

describe('settings of the awsxray receiver', () => {
  it('are refused when they make no sense, saying why', () => {
    const problemsOf = (settings: unknown) => settingProblems(awsXrayReceiverFactory, settings).join('\n');
    expect(problemsOf({ transport: 'tcp' })).toMatch(/must be udp: X-Ray SDKs send segments in datagrams/);
    expect(problemsOf({ sampling: { fixed_rate: 1.5 } })).toMatch(/fixed_rate/);
    expect(problemsOf({ sampling: { reservoir: 1 } })).toMatch(/reservoir/);
    expect(problemsOf({ proxy_server: { adress: 'x' } })).toMatch(/adress/);
    expect(problemsOf({ protocols: {} })).toMatch(/protocols/);
  });

  it('are those of the daemon when nothing is set', () => {
    expect(settingsFor(awsXrayReceiverFactory, null).config).toMatchObject({
      endpoint: 'localhost:2000',
      transport: 'udp',
      max_packet_size: 65_507,
      proxy_server: { enabled: true, endpoint: 'localhost:2000' },
      sampling: { fixed_rate: 0.05, reservoir_size: 1 },
    });
    expect(settingProblems(awsXrayReceiverFactory, { proxy_server: null })).toEqual([]);
    expect(awsXrayReceiverFactory.aliases).toContain('aws_xray');
  });

  it('of forwarding to AWS are accepted and named as ignored', async () => {
    const { warnings } = await running({
      proxy_server: { endpoint: '127.0.0.1:0', role_arn: 'r', region: 'eu-west-1', local_mode: true, tls: {} },
    });
    expect(warnings).toContainEqual({
      message: expect.stringMatching(/^Nothing is forwarded to AWS/) as string,
      receiver: 'awsxray',
      ignored: 'proxy_server.region, proxy_server.role_arn, proxy_server.local_mode, proxy_server.tls',
    });
  });
});

describe('datagrams that are no segments', () => {
  it('are counted and cost their neighbours nothing', async () => {
    const { next, send, metrics, receiver } = await running();
    await send('nonsense');
    await send(header);
    await send(segment(1).replace('"name":"shop"', '"name":5'));
    await send(segment(2));
    await eventually('the good one is stored', () => next.spans.length === 1);
    const counted = () => receiver.snapshot() as { listeners: { counters: { refusedRequests: number } }[] };
    await eventually('the others are counted', () => counted().listeners[0]!.counters.refusedRequests === 3);
    const text = await metrics();
    expect(text).toMatch(
      /clew_receiver_rejected_requests_total\{receiver="awsxray",transport="udp",reason="malformed_data"\} 3/,
    );
    expect(text).toMatch(/otelcol_receiver_accepted_spans\{receiver="awsxray",transport="udp"\} 1/);
  });

  it('larger than allowed are dropped and counted', async () => {
    const { next, send, metrics } = await running({ max_packet_size: 1_000 });
    await send(segment(1, { metadata: { a: 'x'.repeat(2_000) } }));
    await send(segment(2));
    await eventually('the small one is stored', () => next.spans.length === 1);
    let text = '';
    await eventually('the large one is counted', () => {
      void metrics().then((now) => (text = now));
      return text.includes(
        'clew_receiver_dropped_packets_total{receiver="awsxray",protocol="udp",reason="packet_too_large"} 1',
      );
    });
    expect(next.spans[0]!.spanId).toBe('0000000000000002');
  });

  it('of too many segments, or nesting too deep, are counted', async () => {
    const { next, send, receiver } = await running({ max_spans_per_request: 1, max_value_depth: 5 });
    await send(segment(1, { subsegments: [{ name: 'a', id: '1111111111111111', start_time: 1 }] }));
    await send(segment(2, { metadata: { a: { b: { c: { d: {} } } } } }));
    await send(segment(3));
    await eventually('the third is stored', () => next.spans.length === 1);
    expect(receiver.snapshot()).toMatchObject({ listeners: [{ counters: { refusedRequests: 2 } }, {}] });
  });
});

describe('segments', () => {
  it('come as spans with their subsegments, up to the largest datagram there is', async () => {
    const { next, send } = await running();
    await send(
      segment(1, { subsegments: [{ name: 'DynamoDB', id: '1111111111111111', start_time: 1, namespace: 'aws' }] }),
    );
    const room = 65_507 - segment(2, { metadata: { a: '' } }).length;
    await send(segment(2, { metadata: { a: 'x'.repeat(room) } }));
    await eventually('all are stored', () => next.spans.length === 3);
    expect(next.spans.map(({ name }) => name)).toEqual(['shop', 'DynamoDB', 'shop']);
    expect(next.contexts[0]).toMatchObject({ transport: 'udp' });
  });

  it('in progress and complete are two spans of one id', async () => {
    const { next, send } = await running();
    await send(segment(7, { end_time: undefined, in_progress: true }));
    await send(segment(7));
    await eventually('both are stored', () => next.spans.length === 2);
    expect(new Set(next.spans.map(({ spanId }) => spanId)).size).toBe(1);
    expect(next.spans.map(({ endUnixNano }) => endUnixNano)).toEqual([0n, 1478293361_449000000n]);
  });

  it('are offered again to a pipeline that is full, and given up when it refuses for good', async () => {
    const { next, send, metrics } = await running();
    let refusals = 2;
    next.refuse = () => (refusals-- > 0 ? new Refusal('unavailable', 'full', { retryAfterMs: 1 }) : undefined);
    await send(segment(1));
    await eventually('it is stored in the end', () => next.spans.length === 1);
    expect(next.calls).toBe(3);
    next.refuse = () => new Refusal('permanent', 'never');
    await send(segment(2));
    await eventually('it is offered once', () => next.calls === 4);
    let text = '';
    await eventually('it is counted', () => {
      void metrics().then((now) => (text = now));
      return text.includes('otelcol_receiver_failed_spans{receiver="awsxray",transport="udp"} 1');
    });
  });

  it('that were received are handed on before the receiver has stopped', async () => {
    const { next, send, receiver } = await running();
    const release = next.hold();
    await send(segment(1));
    await eventually('the pipeline has it', () => next.calls === 1);
    const stopped = receiver.stop(farDeadline());
    release();
    await stopped;
    expect(next.spans).toHaveLength(1);
  });
});

describe('sampling calls', () => {
  it('that are none are refused', async () => {
    const { proxy, metrics } = await running();
    expect(await post(proxy, '/GetSamplingRules', '', 'GET')).toMatchObject({ status: 405 });
    expect(await post(proxy, '/TraceSegments', '{}')).toMatchObject({ status: 404 });
    expect(await post(proxy, '/SamplingTargets', '{')).toEqual({
      status: 400,
      text: 'cannot read the sampling report: the body is no JSON',
    });
    expect(await post(proxy, '/SamplingTargets', 'x'.repeat(300_000))).toMatchObject({ status: 413 });
    expect(await metrics()).not.toMatch(/clew_xray_sampling_calls_total\{.*\} [1-9]/);
  });

  it('are answered by the configured rule', async () => {
    const { proxy, metrics, receiver } = await running({ sampling: { fixed_rate: 0.5, reservoir_size: 3 } });
    const rules = await post(proxy, '/GetSamplingRules', '{}');
    expect(JSON.parse(rules.text)).toMatchObject({
      SamplingRuleRecords: [{ SamplingRule: { RuleName: 'Default', FixedRate: 0.5, ReservoirSize: 3 } }],
    });
    const report = { RuleName: 'Default', ClientID: 'abc', RequestCount: 5, SampledCount: 2, Timestamp: 1 };
    const targets = await post(proxy, '/SamplingTargets', JSON.stringify({ SamplingStatisticsDocuments: [report] }));
    expect(JSON.parse(targets.text)).toMatchObject({
      SamplingTargetDocuments: [{ RuleName: 'Default', FixedRate: 0.5, ReservoirQuota: 3, Interval: 10 }],
      UnprocessedStatistics: [],
    });
    expect(receiver.snapshot()).toMatchObject({ samplingClients: 1 });
    expect(await metrics()).toMatch(/clew_xray_sampling_calls_total\{receiver="awsxray",call="targets"\} 1/);
  });

  it('are not answered when told so', async () => {
    const { receiver } = await running({ proxy_server: { enabled: false } });
    expect(addressesOf(receiver)).toHaveLength(1);
  });
});

describe('the receiver awsxray', () => {
  describeLifecycle(() =>
    awsXrayReceiverFactory.create(settingsFor(awsXrayReceiverFactory, anyPorts), { traces: new RecordingConsumer() }),
  );

  it('opens nothing when no pipeline takes its spans', async () => {
    const receiver = awsXrayReceiverFactory.create(settingsFor(awsXrayReceiverFactory, anyPorts), {});
    await receiver.start(new TestHost());
    expect(addressesOf(receiver)).toEqual([]);
    await receiver.stop(farDeadline());
  });

  it('says who holds its port, and lets go of the other', async () => {
    const { receiver } = await running();
    const [udp] = addressesOf(receiver);
    const second = awsXrayReceiverFactory.create(settingsFor(awsXrayReceiverFactory, { ...anyPorts, endpoint: udp }), {
      traces: new RecordingConsumer(),
    });
    await expect(second.start(new TestHost())).rejects.toThrow(/awsxray\/udp cannot listen on UDP 127\.0\.0\.1:\d+/);
    expect(addressesOf(second)).toEqual([]);
  });
});
