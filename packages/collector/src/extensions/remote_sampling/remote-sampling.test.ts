import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentTelemetry } from '@clew/base';
import type { Telemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { GrpcClient, acquireListener, parseListenEndpoint } from '@clew/net';
import {
  TestHost,
  describeExtensionContract,
  farDeadline,
  settingProblems,
  settingsFor,
} from '@clew/pipeline/contract-tests';
import { decodeSamplingStrategy, encodeSamplingRequest } from '@clew/wire/jaeger';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { grpcEndpointOf } from './config.ts';
import { remoteSamplingExtensionFactory as factory } from './index.ts';

const anywhere = { http: { endpoint: '127.0.0.1:0' }, grpc: { endpoint: '127.0.0.1:0' } };

let directory: string;
let strategiesPath: string;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clew-sampling-'));
  strategiesPath = join(directory, 'strategies.json');
  const strategies = {
    service_strategies: [
      {
        service: 'checkout',
        type: 'probabilistic',
        param: 0.25,
        operation_strategies: [{ operation: 'GET /health', type: 'probabilistic', param: 0 }],
      },
      { service: 'batch', type: 'ratelimiting', param: 20 },
    ],
    default_strategy: { type: 'probabilistic', param: 0.1 },
  };
  await writeFile(strategiesPath, JSON.stringify(strategies));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Running {
  readonly http: string;
  readonly grpc: string;
  readonly snapshot: () => Readonly<Record<string, unknown>>;
}

async function running(
  settings: object = {},
  id = 'remote_sampling',
  telemetry: Telemetry = silentTelemetry,
): Promise<Running> {
  const all = { ...anywhere, file: { path: strategiesPath }, ...settings };
  const extension = factory.create(settingsFor(factory, all, { id, telemetry }));
  await extension.start(new TestHost());
  stops.push(() => extension.stop(farDeadline()));
  const listeners = extension.snapshot()['listeners'] as { protocol: string; address: string }[];
  const of = (protocol: string): string => listeners.find((each) => each.protocol === protocol)!.address;
  return { http: of('sampling_http'), grpc: of('sampling_grpc'), snapshot: () => extension.snapshot() };
}

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(address: string, path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${address}${path}`, { method, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, type: headers['content-type'], headers, body: Buffer.concat(pieces).toString() });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Sends what is no request, and waits until the connection is closed. */
async function sendNoise(address: string): Promise<void> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect(Number(port), hostname).resume();
  const closed = once(socket, 'close');
  socket.end('what is no request\r\n\r\n');
  await closed;
}

async function askGrpc(address: string, service: string) {
  const client = new GrpcClient({ endpoint: `http://${address}` });
  try {
    const path = '/jaeger.api_v2.SamplingManager/GetSamplingStrategy';
    return decodeSamplingStrategy(await client.unary(path, encodeSamplingRequest(service), { timeoutMs: 10_000 }));
  } finally {
    await client.close();
  }
}

const checkout =
  '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.25},"operationSampling":{' +
  '"defaultSamplingProbability":0.25,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[' +
  '{"operation":"GET /health","probabilisticSampling":{"samplingRate":0}}],"defaultUpperBoundTracesPerSecond":0}}';

describeExtensionContract({ factory, settings: () => ({ ...anywhere, file: {} }) });

describe('the settings of remote_sampling', () => {
  it.each<[string, object, string]>([
    [
      'without a provider',
      {},
      "remote_sampling: no sampling strategy provider specified, expecting 'adaptive', 'file' or 'source'",
    ],
    [
      'with two providers',
      { file: { path: 'y' }, source: { file: 'x' } },
      "remote_sampling: only one sampling strategy provider can be specified, 'adaptive', 'file' or 'source'",
    ],
    [
      'with two sources',
      { source: { file: 'x', remote: { endpoint: 'y' } } },
      "remote_sampling: too many sources specified, has to be either 'file' or 'remote'",
    ],
    ['with no source', { source: {} }, "remote_sampling: no sources specified, has to be either 'file' or 'remote'"],
    [
      'with a negative interval',
      { file: { reload_interval: '-1s' } },
      'remote_sampling::file::reload_interval: reload interval must be a positive value, or zero to disable automatic reloading',
    ],
    [
      'with a probability above 1',
      { file: { default_sampling_probability: 1.5 } },
      "'file.default_sampling_probability' must be at most 1, got unconvertible type 'float64', value: '1.5'",
    ],
  ])('are refused %s', (_, settings, problem) => {
    expect(settingProblems(factory, settings)).toEqual([problem]);
  });

  it('have the ports of Jaeger 2 and, under its other name, of the collector', () => {
    expect(settingsFor(factory, { file: null }).config.http.endpoint).toBe('localhost:5778');
    expect(grpcEndpointOf('remote_sampling/two', '')).toBe('localhost:5779');
    expect(grpcEndpointOf('jaegerremotesampling', '')).toBe('localhost:14250');
    expect(grpcEndpointOf('jaegerremotesampling/two', ':1')).toBe(':1');
  });

  it('may be those of Jaeger and those of the collector', () => {
    expect(
      settingProblems(factory, { file: { path: 's.json', default_sampling_probability: 1, reload_interval: '1s' } }),
    ).toEqual([]);
    expect(
      settingProblems(factory, {
        source: { reload_interval: '30s', remote: { endpoint: 'jaeger:14250', tls: { insecure: true } } },
      }),
    ).toEqual([]);
    expect(settingProblems(factory, { file: null })).toEqual([]);
  });
});

describe('remote sampling over HTTP', () => {
  it.each(['/sampling', '/api/sampling', '/any/other/path'])('answers on %s with names for types', async (path) => {
    const { http } = await running();
    expect(await ask(http, `${path}?service=checkout`)).toMatchObject({
      status: 200,
      type: 'application/json',
      body: checkout,
    });
    expect(await ask(http, `${path}?service=batch&x=y`)).toMatchObject({
      body: '{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":20}}',
    });
    expect(await ask(http, `${path}?service=some%20other`)).toMatchObject({
      body: '{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.1}}',
    });
  });

  it('answers on / with numbers for types and nulls, as the first clients expect', async () => {
    const { http } = await running();
    expect(await ask(http, '/?service=batch')).toMatchObject({
      status: 200,
      type: 'application/json',
      body: '{"strategyType":1,"probabilisticSampling":null,"rateLimitingSampling":{"maxTracesPerSecond":20},"operationSampling":null}',
    });
    expect(await ask(http, '/?service=other')).toMatchObject({
      body: '{"strategyType":0,"probabilisticSampling":{"samplingRate":0.1},"rateLimitingSampling":null,"operationSampling":null}',
    });
  });

  it.each(['/sampling', '/', '/sampling?service=a&service=b', '/sampling?Service=a'])(
    'refuses %s, which does not name one service',
    async (path) => {
      const { http } = await running();
      expect(await ask(http, path)).toMatchObject({
        status: 400,
        body: "'service' parameter must be provided once",
      });
    },
  );

  it('takes an empty name for a service like any other', async () => {
    const { http } = await running();
    expect(await ask(http, '/sampling?service=')).toMatchObject({ status: 200 });
  });

  it('refuses names too long to remember, and says what the limit is', async () => {
    const { http, grpc, snapshot } = await running({ max_service_name_length: 8 });
    expect(await ask(http, '/sampling?service=checkout')).toMatchObject({ status: 200 });
    const text = 'the name of the service has 9 characters, more than 8 (max_service_name_length)';
    expect(await ask(http, '/sampling?service=checkouts')).toMatchObject({ status: 400, body: text });
    await expect(askGrpc(grpc, 'checkouts')).rejects.toMatchObject({ status: { code: 3, message: text } });
    expect(snapshot()).toMatchObject({ services: 1 });
  });

  it('restricts no baggage', async () => {
    const { http } = await running();
    expect(await ask(http, '/baggageRestrictions?service=x')).toMatchObject({
      status: 200,
      type: 'application/json',
      body: '[]',
    });
  });

  it('answers HEAD without a body, OPTIONS with what is possible, and refuses the rest', async () => {
    const { http } = await running();
    expect(await ask(http, '/sampling?service=checkout', 'HEAD')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': String(checkout.length) },
    });
    expect(await ask(http, '/sampling', 'OPTIONS')).toMatchObject({
      status: 204,
      headers: { allow: 'GET, HEAD, OPTIONS' },
    });
    expect(await ask(http, '/sampling?service=a', 'POST')).toMatchObject({ status: 405 });
  });

  it('keeps the connection for the next poll', async () => {
    const { http } = await running();
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let poll = 0; poll < 3; poll++) {
      await new Promise<void>((resolve, reject) => {
        const sent = request(`http://${http}/sampling?service=a`, { agent }, (response) => {
          ports.add(response.socket.localPort);
          response.resume().on('end', resolve);
        });
        sent.on('error', reject).end();
      });
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });
});

describe('remote sampling over gRPC', () => {
  it('answers jaeger.api_v2.SamplingManager', async () => {
    const { grpc } = await running();
    expect(await askGrpc(grpc, 'batch')).toEqual({
      strategyType: 'RATE_LIMITING',
      rateLimitingSampling: { maxTracesPerSecond: 20 },
    });
    expect((await askGrpc(grpc, 'checkout')).operationSampling?.perOperationStrategies).toHaveLength(1);
  });

  it('refuses a message that is none', async () => {
    const { grpc } = await running();
    const client = new GrpcClient({ endpoint: `http://${grpc}` });
    const call = client.unary('/jaeger.api_v2.SamplingManager/GetSamplingStrategy', Uint8Array.of(0x0a, 9));
    await expect(call).rejects.toMatchObject({ status: { code: 3 } });
    await client.close();
  });
});

describe('remote sampling on the ports of a receiver', () => {
  it('answers beside what the receiver has there, and says on / that it is there', async () => {
    // A port the system has just given out, which is then shared by its number.
    const probe = await acquireListener({ endpoint: parseListenEndpoint('127.0.0.1:0'), owner: 'probe' });
    const port = probe.address.transport === 'tcp' ? probe.address.port : 0;
    await probe.release({ graceMs: 0 });
    const endpoint = `127.0.0.1:${port}`;
    const { snapshot } = await running({ also_http_endpoints: [endpoint], also_grpc_endpoints: [endpoint] });
    const receiver = await acquireListener({ endpoint: parseListenEndpoint(endpoint), owner: 'receiver' });
    stops.push(() => receiver.release({ graceMs: 0 }));
    receiver.mountHttp({ paths: ['/api/traces'], handler: () => ({ status: 202 }) });

    expect((await ask(endpoint, '/api/traces', 'POST')).status).toBe(202);
    expect((await ask(endpoint, '/sampling?service=checkout')).body).toBe(checkout);
    expect((await ask(endpoint, '/api/sampling?service=checkout')).body).toBe(checkout);
    expect((await ask(endpoint, '/?service=batch')).body).toContain('"strategyType":1');
    expect(JSON.parse((await ask(endpoint, '/')).body)).toMatchObject({ status: 'Server available' });
    expect((await ask(endpoint, '/elsewhere')).status).toBe(404);
    expect((await askGrpc(endpoint, 'batch')).strategyType).toBe('RATE_LIMITING');
    expect(snapshot()['listeners']).toHaveLength(4);
  });

  it('and on none of its own when told so', async () => {
    const endpoint = '127.0.0.1:0';
    const settings = {
      http: { enabled: false },
      grpc: { enabled: false },
      also_http_endpoints: [endpoint],
      also_grpc_endpoints: [endpoint],
    };
    const { http, grpc, snapshot } = await running(settings);
    expect(snapshot()['listeners']).toHaveLength(2);
    expect((await ask(http, '/sampling?service=checkout')).body).toBe(checkout);
    expect((await askGrpc(grpc, 'batch')).strategyType).toBe('RATE_LIMITING');
  });
});

describe('strategies of another server', () => {
  const remote = (endpoint: string, reloadInterval = '0s') => ({
    file: undefined,
    source: { remote: { endpoint: `http://${endpoint}` }, reload_interval: reloadInterval },
  });

  it('are passed on', async () => {
    const upstream = await running();
    const { http, grpc } = await running(remote(upstream.grpc));
    expect((await ask(http, '/sampling?service=checkout')).body).toBe(checkout);
    expect((await askGrpc(grpc, 'batch')).strategyType).toBe('RATE_LIMITING');
    expect(upstream.snapshot()['pollers']).toMatchObject([
      { service: 'batch', polls: 1, transport: 'grpc' },
      { service: 'checkout', polls: 1 },
    ]);
  });

  it('are asked for again when the interval is over, not before', async () => {
    const upstream = await running();
    const { http } = await running(remote(upstream.grpc, '1h'));
    for (let poll = 0; poll < 5; poll++) await ask(http, '/sampling?service=checkout');
    expect(upstream.snapshot()['pollers']).toMatchObject([{ service: 'checkout', polls: 1 }]);
  });

  it('that cannot be had are an error over HTTP and over gRPC', async () => {
    const { http, grpc } = await running(remote('127.0.0.1:1', '1h'));
    const { status, body } = await ask(http, '/sampling?service=checkout');
    expect([status, body]).toEqual([500, expect.stringMatching(/^collector error: ./)]);
    await expect(askGrpc(grpc, 'checkout')).rejects.toMatchObject({ status: { code: 2 } });
  });
});

describe('the snapshot of remote sampling', () => {
  it('shows who asked last, how, and what they were told', async () => {
    const { http, grpc, snapshot } = await running();
    const before = Date.now();
    await ask(http, '/sampling?service=checkout');
    await askGrpc(grpc, 'batch');
    expect(snapshot()).toMatchObject({
      provider: { kind: 'file', source: strategiesPath, services: 2 },
      services: 2,
      pollers: [
        { service: 'batch', transport: 'grpc', polls: 1, strategy: 'at most 20 traces/s' },
        { service: 'checkout', transport: 'http', polls: 1, strategy: 'probabilistic 0.25, 1 operations' },
      ],
    });
    const [{ lastPollUnixMs }] = snapshot()['pollers'] as [{ lastPollUnixMs: number }];
    expect(lastPollUnixMs).toBeGreaterThanOrEqual(before);
  });

  it('forgets the service that asked longest ago when there are too many', async () => {
    const { http, snapshot } = await running({ max_services: 2 });
    for (const service of ['a', 'b', 'a', 'c']) await ask(http, `/sampling?service=${service}`);
    expect(snapshot()['pollers']).toMatchObject([{ service: 'c' }, { service: 'a', polls: 2 }]);
  });
});

describe('the metrics of remote sampling', () => {
  it('count requests by transport and outcome, services, and what was forgotten', async () => {
    const meter = new PrometheusMeter();
    const telemetry = { logger: silentTelemetry.logger, meter };
    const settings = { ...anywhere, source: { remote: { endpoint: 'http://127.0.0.1:1' } } };
    const { http, grpc } = await running({ max_services: 1 }, 'remote_sampling', telemetry);
    const failing = factory.create(settingsFor(factory, settings, { id: 'remote_sampling/failing', telemetry }));
    await failing.start(new TestHost());
    stops.push(() => failing.stop(farDeadline()));
    const [{ address }] = failing.snapshot()['listeners'] as [{ address: string }];
    await ask(http, '/sampling?service=a');
    await ask(http, '/sampling?service=b');
    await ask(http, '/sampling');
    await ask(http, '/sampling?service=a', 'POST');
    await sendNoise(http);
    await askGrpc(grpc, 'a');
    await ask(address, '/sampling?service=a');
    const value = await valuesOf(meter);
    const of = (extension: string, transport: string, outcome: string) =>
      value('clew_sampling_requests_total', { extension, transport, outcome });
    expect(of('remote_sampling', 'http', 'served')).toBe(2);
    expect(of('remote_sampling', 'http', 'refused')).toBe(2);
    const noise = { extension: 'remote_sampling', reason: 'malformed_request' };
    expect(value('clew_sampling_rejected_requests_total', noise)).toBe(1);
    expect(of('remote_sampling', 'grpc', 'served')).toBe(1);
    expect(of('remote_sampling/failing', 'http', 'failed')).toBe(1);
    expect(value('clew_sampling_services', { extension: 'remote_sampling' })).toBe(1);
    const setting = 'extensions::remote_sampling::max_services';
    expect(value('clew_limit_exceeded_total', { limit: 'sampling_services', setting })).toBe(2);
  });
});

/** Looks up collected values by name and labels. */
async function valuesOf(meter: PrometheusMeter) {
  const families = await meter.collect();
  return (name: string, labels: Readonly<Record<string, string>>): number | undefined =>
    families
      .find((family) => family.name === name)
      ?.samples.find((each) => Object.entries(labels).every(([label, text]) => String(each.labels[label]) === text))
      ?.value;
}
