// What a hostile or broken client can send to the ports of a running Clew: it is told what its protocol has for it, the
// rejection is counted, nothing is stored, and the next good request is served.
import { readFileSync } from 'node:fs';
import { constants } from 'node:http2';
import type { OutgoingHttpHeaders } from 'node:http2';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { metric, settled, until } from './support/clew.ts';
import { callWithFrames, exportPath, framed, openSession } from './support/grpc.ts';
import { requestOf, postJson, traceIdOf } from './support/otlp-json.ts';
import { seededRandom } from './support/random.ts';
import { httpExchange, rawExchange } from './support/raw.ts';
import type { RawOutcome } from './support/raw.ts';

const good = readFileSync(new URL('captures/otel-js_0.223.1__otlp-http-proto.bin', import.meta.url));
const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };
const mebibyte = 1024 * 1024;
/** `max_request_body_size` and `max_recv_msg_size_mib` of the built-in configuration, and a little. */
const tooLarge = 20 * mebibyte + 1;
/** Deeper than any stack. */
const depth = 20_000;
const bomb = Buffer.alloc(64 * mebibyte);

interface Answered {
  readonly httpPort: number;
  readonly grpcPort: number;
}

interface Case {
  readonly title: string;
  /** Label of `clew_receiver_rejected_requests_total`. */
  readonly reason: string;
  /** What the client sees: an HTTP status, `grpc N`, or `closed`. */
  readonly answer: string;
  readonly send: (ports: Answered) => Promise<string>;
}

const http =
  (headers: OutgoingHttpHeaders, body: Uint8Array | readonly Uint8Array[], method = 'POST') =>
  async ({ httpPort }: Answered) =>
    String((await httpExchange(httpPort, { method, headers }, body)).status);

const grpc =
  (frames: Uint8Array, headers: OutgoingHttpHeaders = {}) =>
  async ({ grpcPort }: Answered) =>
    `grpc ${(await callWithFrames(grpcPort, frames, headers)).grpcStatus ?? 'without status'}`;

const raw =
  (bytes: Uint8Array | string) =>
  async ({ httpPort }: Answered) =>
    shown(await rawExchange(httpPort, bytes));

const shown = ({ status, text }: RawOutcome) => (status === undefined && text === '' ? 'closed' : String(status));

const cases: readonly Case[] = [
  {
    title: 'a protobuf message cut short',
    reason: 'malformed_data',
    answer: '400',
    send: http(protobuf, good.subarray(0, good.length - 7)),
  },
  {
    title: 'a JSON document cut short',
    reason: 'malformed_data',
    answer: '400',
    send: http(json, Buffer.from(JSON.stringify(requestOf('bad', [traceIdOf(1, 1)])).slice(0, -9))),
  },
  {
    title: 'a protobuf value nested beyond every stack',
    reason: 'malformed_data',
    answer: '400',
    send: http(protobuf, nestedProtobuf(depth)),
  },
  {
    title: 'a JSON value nested beyond every stack',
    reason: 'malformed_data',
    answer: '400',
    send: http(json, nestedJson(depth)),
  },
  {
    title: 'a million open brackets',
    reason: 'malformed_data',
    answer: '400',
    send: http(json, Buffer.from(`{"resourceSpans":${'['.repeat(1_000_000)}`)),
  },
  {
    title: 'a body announced larger than allowed',
    reason: 'body_too_large',
    answer: '413',
    send: async ({ httpPort }) =>
      shown(
        await rawExchange(
          httpPort,
          `POST /v1/traces HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${tooLarge}\r\n\r\n`,
        ),
      ),
  },
  {
    title: 'a chunked body that grows larger than allowed',
    reason: 'body_too_large',
    answer: '413',
    send: http(
      protobuf,
      Array.from({ length: 21 }, () => Buffer.alloc(mebibyte)),
    ),
  },
  {
    title: 'a gzip bomb',
    reason: 'inflated_too_large',
    answer: '413',
    send: http({ ...protobuf, 'content-encoding': 'gzip' }, gzipSync(bomb)),
  },
  {
    title: 'a zstd bomb',
    reason: 'inflated_too_large',
    answer: '413',
    send: http({ ...protobuf, 'content-encoding': 'zstd' }, zstdCompressSync(bomb)),
  },
  {
    title: 'bytes that are no gzip',
    reason: 'malformed_encoding',
    answer: '400',
    send: http({ ...protobuf, 'content-encoding': 'gzip' }, good),
  },
  {
    title: 'a compression nobody enabled',
    reason: 'unsupported_encoding',
    answer: '400',
    send: http({ ...protobuf, 'content-encoding': 'br' }, good),
  },
  {
    title: 'a wrong content type',
    reason: 'not_admitted',
    answer: '415',
    send: http({ 'content-type': 'text/plain' }, good),
  },
  { title: 'a wrong method', reason: 'not_admitted', answer: '405', send: http(protobuf, new Uint8Array(0), 'PUT') },
  {
    title: 'a head longer than allowed',
    reason: 'header_too_large',
    answer: '431',
    send: http({ ...protobuf, 'x-long': 'x'.repeat(20_000) }, good),
  },
  {
    title: 'a request line that is no HTTP',
    reason: 'malformed_request',
    answer: '400',
    send: raw('POST /v1/traces FTP/1.1\r\nHost: a\r\n\r\n'),
  },
  {
    title: 'bytes of no protocol',
    reason: 'unknown_protocol',
    answer: 'closed',
    send: raw(Uint8Array.from({ length: 64 }, (_, at) => (at * 37 + 1) % 32)),
  },
  {
    title: 'a TLS hello on a plaintext port',
    reason: 'tls_unexpected',
    answer: 'closed',
    send: raw(Buffer.from('16030100a5010000a10303', 'hex')),
  },
  {
    title: 'a gRPC message cut short',
    reason: 'malformed_data',
    answer: 'grpc 3',
    send: grpc(framed(good.subarray(0, good.length - 7))),
  },
  {
    title: 'a gRPC frame larger than allowed',
    reason: 'body_too_large',
    answer: 'grpc 8',
    send: grpc(Buffer.concat([framed(new Uint8Array(0)).subarray(0, 1), lengthOf(tooLarge), Buffer.alloc(1000)])),
  },
  {
    title: 'a gRPC frame that inflates to more than allowed',
    reason: 'inflated_too_large',
    answer: 'grpc 8',
    send: grpc(framed(gzipSync(bomb), true), { 'grpc-encoding': 'gzip' }),
  },
  {
    title: 'a gRPC frame with flags that do not exist',
    reason: 'malformed_frame',
    answer: 'grpc 13',
    send: grpc(Buffer.concat([Buffer.from([0x7f]), framed(good).subarray(1)])),
  },
  {
    title: 'a gRPC compression nobody knows',
    reason: 'unsupported_encoding',
    answer: 'grpc 12',
    send: grpc(framed(good, true), { 'grpc-encoding': 'br' }),
  },
  { title: 'a flood of streams opened and reset', reason: 'rapid_reset', answer: 'goaway 11', send: rapidReset },
];

describe('bad input', () => {
  let clew: LaunchedClew;
  let slow: Promise<RawOutcome>;
  let served = 0;

  beforeAll(async () => {
    clew = await launchClew();
    // Takes half a minute by design, so it runs while the others do and is looked at last.
    slow = rawExchange(
      clew.ports.http,
      'POST /v1/traces HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nslow',
    );
  });
  afterAll(() => clew.close());

  const ports = () => ({ httpPort: clew.ports.http, grpcPort: clew.ports.grpc });
  const rejections = (reason: string) => metric(clew, 'clew_receiver_rejected_requests_total', { reason });
  const durableSpans = () => metric(clew, 'clew_journal_spans_total');

  /** A good request by each protocol is served and adds exactly its own spans. */
  async function serveGood(): Promise<void> {
    const before = await durableSpans();
    expect((await postJson(clew.ports.http, requestOf('good', [traceIdOf(2, served++)]))).status).toBe(200);
    const message = Buffer.from(good);
    // Another body, so that it is not taken for a repetition: the last byte of the first span's id differs.
    const at = message.indexOf(Buffer.from('19eeccea29cdc319', 'hex'));
    message.writeUInt32BE(served++, at);
    expect((await callWithFrames(clew.ports.grpc, framed(message))).grpcStatus).toBe('0');
    expect(await durableSpans()).toBe(before + 3);
  }

  it.each(cases)('$title is answered $answer and counted as $reason', async ({ reason, answer, send }) => {
    const before = { rejected: await rejections(reason), spans: await durableSpans() };
    expect(await send(ports())).toBe(answer);
    await until(`a rejection for ${reason}`, async () =>
      (await rejections(reason)) > before.rejected ? true : undefined,
    );
    expect(await durableSpans()).toBe(before.spans);
    await serveGood();
  });

  it('a message with flipped bits is either taken or refused as malformed, and can always be stored', async () => {
    const before = await rejections('malformed_data');
    const random = seededRandom(20_260_101);
    const statuses: string[] = [];
    for (let round = 0; round < 150; round++) {
      const message = Buffer.from(good);
      for (let flips = 1 + (round % 4); flips > 0; flips--) {
        const at = random(message.length);
        message[at] = message[at]! ^ (1 << random(8));
      }
      statuses.push(await http(protobuf, message)(ports()));
    }
    const refused = statuses.filter((status) => status === '400').length;
    expect(statuses.filter((status) => status !== '200' && status !== '400')).toEqual([]);
    expect(refused).toBeGreaterThan(10);
    expect((await rejections('malformed_data')) - before).toBe(refused);
    await serveGood();
    await settled(clew);
    expect(await metric(clew, 'clew_store_quarantined_spans_total')).toBe(0);
  });

  it('gRPC sent to a method that does not exist is answered UNIMPLEMENTED', async () => {
    const path = exportPath.replace('Export', 'Import');
    expect((await callWithFrames(clew.ports.grpc, framed(good), { ':path': path })).grpcStatus).toBe('12');
    await serveGood();
  });

  it('a body that stops arriving is given up with 408', async () => {
    expect((await slow).status).toBe(408);
    expect(await rejections('slow_body')).toBe(1);
    await serveGood();
  });
});

/** Opens streams and resets each at once, as CVE-2023-44487 does, until the server sends us away. */
async function rapidReset({ grpcPort }: Answered): Promise<string> {
  const session = await openSession(grpcPort);
  const sentAway = new Promise<string>((resolve) => {
    session.once('goaway', (code: number) => resolve(`goaway ${code}`));
    session.once('close', () => resolve('closed without a word'));
  });
  session.on('error', () => undefined); // Being sent away is also an error of the session; the code is what counts.
  for (let opened = 0; opened < 3000 && !session.destroyed; opened++) {
    const stream = session.request({ ':method': 'POST', ':path': exportPath, 'content-type': 'application/grpc' });
    stream.on('error', () => undefined);
    stream.close(constants.NGHTTP2_CANCEL);
    if (opened % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
  const outcome = await sentAway;
  session.destroy();
  return outcome;
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes);
  return length;
}

/** One span whose attribute holds an array in an array in an array … */
function nestedProtobuf(levels: number): Uint8Array {
  let value: Buffer = Buffer.from([0x0a, 0]); // string_value ""
  for (let level = 0; level < levels; level++) value = field(5, field(1, value)); // array_value { values }
  const attribute = Buffer.concat([field(1, Buffer.from('deep')), field(2, value)]);
  const span = Buffer.concat([
    field(1, Buffer.alloc(16, 1)),
    field(2, Buffer.alloc(8, 1)),
    field(5, Buffer.from('deep')),
    field(9, attribute),
  ]);
  return field(1, field(2, field(2, span)));
}

/** A length-delimited protobuf field. */
function field(number: number, content: Uint8Array): Buffer {
  const head = [(number << 3) | 2];
  let length = content.length;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), content]);
}

function nestedJson(levels: number): Uint8Array {
  const value = `${'{"arrayValue":{"values":['.repeat(levels)}{"stringValue":""}${']}}'.repeat(levels)}`;
  const span = `{"traceId":"${traceIdOf(3, 1)}","spanId":"00000000000000aa","name":"deep","attributes":[{"key":"deep","value":${value}}]}`;
  return Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${span}]}]}]}`);
}
