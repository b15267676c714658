// Bytes that nobody meant, on every port: real requests with bits flipped, pieces cut, doubled or spliced from others, and plain
// noise. Whatever comes, the answer is the protocol's own, every rejection is counted, memory does not grow, and the next good
// request is served. A second a port by default; CLEW_LONG=1 gives each a minute.
import { createSocket } from 'node:dgram';
import { readFileSync, readdirSync } from 'node:fs';
import { constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { metric, settled, until } from './support/clew.ts';
import { callWithFrames, exportPath, framed, openSession } from './support/grpc.ts';
import { Mutator } from './support/mutator.ts';
import { httpExchange, rawExchange } from './support/raw.ts';

const perPortMs = process.env['CLEW_LONG'] === '1' ? 60_000 : 1_000;
const patienceMs = perPortMs * 2 + 60_000;
/** Memory of the main process may move by this much under garbage that is thrown away again. */
const growthMiB = 200;
const seed = Number(process.env['CLEW_SEED'] ?? 20_261_121);

/** Bodies captured from real clients whose file names match. */
function captures(folder: string, pattern: RegExp): Buffer[] {
  const directory = new URL(folder, import.meta.url);
  return readdirSync(directory)
    .filter((name) => name.endsWith('.bin') && pattern.test(name))
    .map((name) => readFileSync(new URL(name, directory)));
}

const otlp = '../packages/wire/src/otlp/testdata/';
const jaeger = '../packages/wire/src/jaeger/testdata/';
const zipkin = '../packages/wire/src/zipkin/testdata/';

interface Target {
  readonly name: string;
  readonly receiver: string;
  readonly transport: string;
  readonly seeds: readonly Buffer[];
  /** Sends a body and tells whether it was taken or turned away; anything else is a failure. */
  send(clew: LaunchedClew, body: Buffer): Promise<'taken' | 'turned away'>;
}

const post =
  (port: (ports: LaunchedClew['ports']) => number, path: string, contentType: string) =>
  async (clew: LaunchedClew, body: Buffer) => {
    const headers = { 'content-type': contentType };
    const { status, text } = await httpExchange(port(clew.ports), { path, headers }, body);
    if (status === 200 || status === 202) return 'taken' as const;
    expect([status, text], text).toEqual([400, expect.stringMatching(/\S/)]);
    return 'turned away' as const;
  };

const call =
  (port: (ports: LaunchedClew['ports']) => number, path: string) => async (clew: LaunchedClew, body: Buffer) => {
    const { grpcStatus, grpcMessage } = await callWithFrames(port(clew.ports), framed(body), { ':path': path });
    if (grpcStatus === '0') return 'taken' as const;
    expect([grpcStatus, grpcMessage]).toEqual(['3', expect.stringMatching(/\S/)]);
    return 'turned away' as const;
  };

const targets: readonly Target[] = [
  {
    name: 'OTLP protobuf over HTTP',
    receiver: 'otlp',
    transport: 'http',
    seeds: captures(otlp, /http-proto|otlp-proto/),
    send: post((ports) => ports.http, '/v1/traces', 'application/x-protobuf'),
  },
  {
    name: 'OTLP JSON over HTTP',
    receiver: 'otlp',
    transport: 'http',
    seeds: captures(otlp, /http-json\.bin/),
    send: post((ports) => ports.http, '/v1/traces', 'application/json'),
  },
  {
    name: 'OTLP over gRPC',
    receiver: 'otlp',
    transport: 'grpc',
    seeds: captures(otlp, /http-proto/),
    send: call((ports) => ports.grpc, exportPath),
  },
  {
    name: 'Jaeger Thrift over HTTP',
    receiver: 'jaeger',
    transport: 'http',
    seeds: captures(jaeger, /http14268|tutorial/),
    send: post((ports) => ports.jaegerHttp, '/api/traces', 'application/x-thrift'),
  },
  {
    name: 'Jaeger protobuf over gRPC',
    receiver: 'jaeger',
    transport: 'grpc',
    // Protobuf of another schema: every field is a surprise.
    seeds: captures(otlp, /http-proto/),
    send: call((ports) => ports.jaegerGrpc, '/jaeger.api_v2.CollectorService/PostSpans'),
  },
  {
    name: 'Zipkin JSON, Thrift and protobuf',
    receiver: 'zipkin',
    transport: 'http',
    seeds: captures(zipkin, /./),
    send: post((ports) => ports.zipkin, '/api/v2/spans', 'application/json'),
  },
];

const udpPorts = [
  { name: 'jaegerCompact', protocol: 'thrift_compact' },
  { name: 'jaegerBinary', protocol: 'thrift_binary' },
  { name: 'jaegerZipkinCompact', protocol: 'thrift_zipkin_compact' },
] as const;

describe('noise on every port', () => {
  let clew: LaunchedClew;

  beforeAll(async () => {
    clew = await launchClew();
  });
  afterAll(() => clew.close());

  const residentMiB = () =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${clew.pid}/status`, 'latin1'))?.[1]) / 1024;

  it.each(targets)(
    '$name: told and counted, nothing leaks',
    async (target) => {
      const mutator = new Mutator(target.seeds, seed);
      const labels = { receiver: target.receiver, transport: target.transport };
      const rejected = () => metric(clew, 'clew_receiver_rejected_requests_total', labels);
      const before = await rejected();
      const startedMs = performance.now();
      let turnedAway = 0;
      let sent = 0;
      let warmMiB = 0;
      while (performance.now() - startedMs < perPortMs) {
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => target.send(clew, mutator.next())));
        sent += outcomes.length;
        turnedAway += outcomes.filter((outcome) => outcome === 'turned away').length;
        if (warmMiB === 0 && performance.now() - startedMs > perPortMs / 4) warmMiB = residentMiB();
      }
      expect(sent).toBeGreaterThan(50);
      expect(turnedAway).toBeGreaterThan(0);
      expect((await rejected()) - before).toBe(turnedAway);
      expect(residentMiB() - warmMiB).toBeLessThan(growthMiB);
      expect(await target.send(clew, target.seeds[0]!)).toMatch(/taken|turned away/);
    },
    patienceMs,
  );

  it(
    'questions for sampling strategies over HTTP: each is answered, whatever is asked',
    async () => {
      const mutator = new Mutator(
        [Buffer.from('/sampling?service=shop'), Buffer.from('/?service=a%20b&service=c')],
        seed,
      );
      const counts = new Map<number, number>();
      const startedMs = performance.now();
      while (performance.now() - startedMs < perPortMs) {
        const answers = await Promise.all(
          Array.from({ length: 8 }, () => {
            // What a request line cannot hold is escaped, as clients do.
            const target = `/${mutator
              .next()
              .toString('latin1')
              .replaceAll(/[^!-~]|#/g, encodeURIComponent)}`;
            return httpExchange(clew.ports.samplingHttp, { method: 'GET', path: target });
          }),
        );
        for (const { status, text } of answers) {
          counts.set(status, (counts.get(status) ?? 0) + 1);
          if (status === 200) expect(JSON.parse(text)).toBeTypeOf('object');
          else expect(text).toMatch(/\S/);
        }
      }
      expect([...counts.keys()].filter((status) => status !== 200 && status !== 400)).toEqual([]);
      expect(counts.get(200)).toBeGreaterThan(0);
      expect(counts.get(400)).toBeGreaterThan(0);
    },
    patienceMs,
  );

  it(
    'questions for sampling strategies over gRPC: each is answered, and those that are no questions are counted',
    async () => {
      const path = '/jaeger.api_v2.SamplingManager/GetSamplingStrategy';
      const mutator = new Mutator([Buffer.from([0x0a, 4, ...Buffer.from('shop')])], seed);
      const refused = { transport: 'grpc', outcome: 'refused' };
      const rejected = () => metric(clew, 'clew_sampling_requests_total', refused);
      const before = await rejected();
      const startedMs = performance.now();
      let turnedAway = 0;
      while (performance.now() - startedMs < perPortMs) {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, () =>
            callWithFrames(clew.ports.samplingGrpc, framed(mutator.next()), { ':path': path }),
          ),
        );
        for (const { grpcStatus } of outcomes) expect(['0', '3']).toContain(grpcStatus);
        turnedAway += outcomes.filter(({ grpcStatus }) => grpcStatus === '3').length;
      }
      expect(turnedAway).toBeGreaterThan(0);
      expect((await rejected()) - before).toBe(turnedAway);
    },
    patienceMs,
  );

  it.each(udpPorts)(
    'datagrams to $protocol: each one is taken, turned away or counted as dropped',
    async ({ name, protocol }) => {
      const mutator = new Mutator(captures(jaeger, /udp/), seed);
      const seen = async () => {
        const udp = { receiver: 'jaeger', transport: 'udp' };
        const taken = await metric(clew, 'otelcol_receiver_requests', udp);
        const rejected = await metric(clew, 'clew_receiver_rejected_requests_total', udp);
        const kernel = await metric(clew, 'clew_receiver_dropped_packets_total', { protocol, reason: 'kernel' });
        return { all: taken + rejected + kernel, rejected };
      };
      const before = await seen();
      const socket = createSocket('udp4');
      const startedMs = performance.now();
      let sent = 0;
      while (performance.now() - startedMs < perPortMs) {
        // What does not fit a datagram cannot be sent as one.
        const packets = Array.from({ length: 20 }, () => mutator.next().subarray(0, 60_000));
        await Promise.all(packets.map((packet) => sendTo(socket, clew.ports[name], packet)));
        sent += packets.length;
      }
      socket.close();
      await until('an account of every datagram', async () =>
        (await seen()).all - before.all >= sent ? true : undefined,
      );
      const after = await seen();
      expect(after.all - before.all).toBe(sent);
      expect(after.rejected).toBeGreaterThan(before.rejected);
    },
    patienceMs,
  );

  describe('attacks that need no fuzzing', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const bodies = [
      { port: 'jaegerHttp', path: '/api/traces', contentType: 'application/x-thrift', receiver: 'jaeger' },
      { port: 'zipkin', path: '/api/v2/spans', contentType: 'application/json', receiver: 'zipkin' },
    ] as const;

    it.each(bodies)('a gzip bomb on $path of $receiver', async ({ port, path, contentType, receiver }) => {
      const reason = { receiver, reason: 'inflated_too_large' };
      const before = await metric(clew, 'clew_receiver_rejected_requests_total', reason);
      const headers = { 'content-type': contentType, 'content-encoding': 'gzip' };
      expect((await httpExchange(clew.ports[port], { path, headers }, bomb)).status).toBe(413);
      expect(await metric(clew, 'clew_receiver_rejected_requests_total', reason)).toBe(before + 1);
    });

    it('a head without a body where one is needed', async () => {
      const head = 'POST /api/traces HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
      expect((await rawExchange(clew.ports.jaegerHttp, head)).status).toBe(400);
    });

    it('a flood of streams opened and reset on Jaeger’s gRPC port', async () => {
      const session = await openSession(clew.ports.jaegerGrpc);
      const sentAway = new Promise<number>((resolve) => session.once('goaway', resolve));
      session.on('error', () => undefined); // Being sent away is also an error of the session; the code is what counts.
      for (let opened = 0; opened < 3000 && !session.destroyed; opened++) {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/jaeger.api_v2.CollectorService/PostSpans',
          'content-type': 'application/grpc',
        });
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
        if (opened % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await sentAway).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      session.destroy();
    });

    it('a Thrift list that announces two thousand million spans in twenty bytes', async () => {
      // Batch { 2: list<Span> } with a count of 0x7fffffff.
      const body = Buffer.from('0f00020c7fffffff0000000000000000000000', 'hex');
      const headers = { 'content-type': 'application/x-thrift' };
      const { status, text } = await httpExchange(clew.ports.jaegerHttp, { path: '/api/traces', headers }, body);
      expect([status, text]).toEqual([400, expect.stringMatching(/^Unable to process request body: /)]);
    });
  });

  it('and what was taken could all be stored', async () => {
    await settled(clew);
    expect(await metric(clew, 'clew_store_quarantined_spans_total')).toBe(0);
  });
});

function sendTo(socket: ReturnType<typeof createSocket>, port: number, packet: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(packet, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
  });
}
