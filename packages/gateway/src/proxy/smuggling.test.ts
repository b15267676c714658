// Requests that two servers could read differently, or that are no requests: each gets its refusal, none reaches the backend,
// and each is one finished exchange.
import { describe, expect, it } from 'vitest';
import { exchangeBytes, startBackend, startGateway } from '../../test/proxy/harness.ts';

interface Case {
  readonly title: string;
  readonly bytes: string;
  readonly status: number;
}

const host = 'Host: a.test\r\n';
const cases: readonly Case[] = [
  // Framing.
  {
    title: 'a length and a transfer coding',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'a transfer coding and a length',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'two different lengths',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
    status: 400,
  },
  {
    title: 'the same length twice',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
    status: 400,
  },
  { title: 'a list of lengths', bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: 4, 4\r\n\r\nabcd`, status: 400 },
  { title: 'a signed length', bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: +4\r\n\r\nabcd`, status: 400 },
  { title: 'a negative length', bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: -4\r\n\r\nabcd`, status: 400 },
  {
    title: 'a hexadecimal length',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: 0x4\r\n\r\nabcd`,
    status: 400,
  },
  { title: 'an empty length', bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: \r\n\r\nabcd`, status: 400 },
  {
    title: 'a length beyond all numbers',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Content-Length: 99999999999999999999999\r\n\r\nabcd`,
    status: 400,
  },
  {
    title: 'a transfer coding other than chunked',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'chunked, but not as the last coding',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'another coding before chunked',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'chunked twice',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'chunked with a vertical tab',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'xchunked',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'a transfer coding in HTTP/1.0',
    bytes: `POST /api/ HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    title: 'a space before the colon of a coding',
    bytes: `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  // Header syntax.
  {
    title: 'a line that continues the one before',
    bytes: `GET /api/ HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`,
    status: 400,
  },
  { title: 'a first field that begins with a space', bytes: `GET /api/ HTTP/1.1\r\n ${host}\r\n`, status: 400 },
  { title: 'a line without a colon', bytes: `GET /api/ HTTP/1.1\r\n${host}nonsense\r\n\r\n`, status: 400 },
  { title: 'an empty name', bytes: `GET /api/ HTTP/1.1\r\n${host}: a\r\n\r\n`, status: 400 },
  { title: 'a name with a space', bytes: `GET /api/ HTTP/1.1\r\n${host}X A: b\r\n\r\n`, status: 400 },
  { title: 'a name with brackets', bytes: `GET /api/ HTTP/1.1\r\n${host}X(A): b\r\n\r\n`, status: 400 },
  { title: 'a null byte in a value', bytes: `GET /api/ HTTP/1.1\r\n${host}X-A: a\0b\r\n\r\n`, status: 400 },
  {
    title: 'a lone carriage return in a value',
    bytes: `GET /api/ HTTP/1.1\r\n${host}X-A: a\rX-B: c\r\n\r\n`,
    status: 400,
  },
  {
    title: 'a lone line feed between fields',
    bytes: `GET /api/ HTTP/1.1\r\n${host}X-A: a\nX-B: c\r\n\r\n`,
    status: 400,
  },
  { title: 'a control character in a value', bytes: `GET /api/ HTTP/1.1\r\n${host}X-A: a\x01b\r\n\r\n`, status: 400 },
  // Hosts.
  { title: 'no Host', bytes: 'GET /api/ HTTP/1.1\r\n\r\n', status: 400 },
  { title: 'two Hosts', bytes: `GET /api/ HTTP/1.1\r\n${host}Host: b.test\r\n\r\n`, status: 400 },
  { title: 'a Host with a path', bytes: 'GET /api/ HTTP/1.1\r\nHost: a.test/b\r\n\r\n', status: 400 },
  { title: 'a Host with a space', bytes: 'GET /api/ HTTP/1.1\r\nHost: a.test b\r\n\r\n', status: 400 },
  { title: 'a Host with user information', bytes: 'GET /api/ HTTP/1.1\r\nHost: u@a.test\r\n\r\n', status: 400 },
  // Request lines.
  { title: 'a space in the target', bytes: `GET /api/ x HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'an unknown version', bytes: `GET /api/ HTTP/1.2\r\n${host}\r\n`, status: 400 },
  { title: 'a version far ahead', bytes: `GET /api/ HTTP/3.0\r\n${host}\r\n`, status: 400 },
  { title: 'no version', bytes: 'GET /api/\r\n\r\n', status: 400 },
  { title: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400 },
  { title: 'a method nobody knows', bytes: `GETX /api/ HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a method in lower case', bytes: `get /api/ HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'bytes of TLS', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: 400 },
  { title: 'a tunnel', bytes: 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n', status: 501 },
  { title: 'a target of another scheme', bytes: `GET ftp://a.test/api/ HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a target without a slash', bytes: `GET api/ HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a star for a method that is not OPTIONS', bytes: `GET * HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a fragment', bytes: `GET /api/#x HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a byte beyond ASCII in the target', bytes: `GET /api/\xe4 HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a null byte in the target', bytes: `GET /api/\0 HTTP/1.1\r\n${host}\r\n`, status: 400 },
  // Paths.
  { title: 'a path that climbs', bytes: `GET /api/../admin HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a path that climbs at its end', bytes: `GET /api/.. HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'encoded dots', bytes: `GET /api/%2e%2E/admin HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'an encoded slash behind dots', bytes: `GET /api/..%2fadmin HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'a backslash behind dots', bytes: `GET /api/..\\admin HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'dots with a parameter', bytes: `GET /api/..;/admin HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'dots encoded twice', bytes: `GET /api/%252e%252e/admin HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'an encoded null byte', bytes: `GET /api/a%00.png HTTP/1.1\r\n${host}\r\n`, status: 400 },
  { title: 'an encoded line end', bytes: `GET /api/a%0d%0ab HTTP/1.1\r\n${host}\r\n`, status: 400 },
  {
    title: 'a climbing path in absolute form',
    bytes: `GET http://a.test/api/../x HTTP/1.1\r\n${host}\r\n`,
    status: 400,
  },
  // Limits.
  {
    title: 'a header larger than the limit',
    bytes: `GET /api/ HTTP/1.1\r\n${host}${fields(3, 3000)}\r\n`,
    status: 431,
  },
  {
    title: 'a value larger than the limit',
    bytes: `GET /api/ HTTP/1.1\r\n${host}X-A: ${'a'.repeat(5000)}\r\n\r\n`,
    status: 431,
  },
  {
    title: 'a name larger than the limit',
    bytes: `GET /api/ HTTP/1.1\r\n${host}${'a'.repeat(300)}: b\r\n\r\n`,
    status: 431,
  },
  { title: 'too many fields', bytes: `GET /api/ HTTP/1.1\r\n${host}${fields(120, 1)}\r\n`, status: 400 },
  {
    title: 'more header than the parser takes',
    bytes: `GET /api/ HTTP/1.1\r\n${host}${fields(60, 3000)}\r\n`,
    status: 431,
  },
  {
    title: 'a target larger than the limit',
    bytes: `GET /api/${'a'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`,
    status: 414,
  },
  // Expectations and upgrades.
  { title: 'an expectation nobody knows', bytes: `GET /api/ HTTP/1.1\r\n${host}Expect: magic\r\n\r\n`, status: 417 },
  {
    title: 'a WebSocket with a body',
    bytes: `GET /api/ HTTP/1.1\r\n${host}Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nabcde`,
    status: 400,
  },
  {
    title: 'a WebSocket where it is not enabled',
    bytes: `GET /api/ HTTP/1.1\r\n${host}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
    status: 403,
  },
];

function fields(count: number, bytes: number): string {
  return Array.from({ length: count }, (_, index) => `X-${index}: ${'a'.repeat(bytes)}\r\n`).join('');
}

const text = (port: number): string => `
  routes { route "api" { matches { path-prefix "/" }; upstream "b" } }
  upstreams { upstream "b" { target "127.0.0.1:${port}" } }
`;

/** What hides behind a request that is read too short or too long. */
const hidden = `GET /hidden HTTP/1.1\r\n${host}\r\n`;

describe('requests that must not pass', () => {
  it.each(cases)('answers $status to $title', async ({ bytes, status }) => {
    const backend = await startBackend((_request, response) => response.end('reached'));
    const gateway = await startGateway(text(backend.port));
    const answer = await exchangeBytes(gateway.port, bytes + hidden);
    expect(answer.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain('reached');
    expect(answer.toLowerCase()).toContain('x-correlation-id: ');
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(backend.requests).toHaveLength(0);
    const exchange = await gateway.recorder.exchange();
    expect(exchange).toMatchObject({ status, end: 'complete' });
    expect(exchange.blocked).toBeDefined();
    expect(gateway.recorder.ended).toHaveLength(1);
  });
});

describe('bodies that are none', () => {
  const head = `POST /api/ HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
  it.each([
    ['a chunk size that is no number', `${head}zz\r\nabc\r\n0\r\n\r\n`],
    ['a negative chunk size', `${head}-1\r\nabc\r\n0\r\n\r\n`],
    ['a chunk longer than it says', `${head}3\r\nabcdef\r\n0\r\n\r\n`],
    ['a chunk size ended by a lone line feed', `${head}3\nabc\r\n0\r\n\r\n`],
    ['a chunk size beyond all numbers', `${head}fffffffffffffffff\r\nabc\r\n0\r\n\r\n`],
  ])('answers 400 to %s', async (_title, bytes) => {
    const backend = await startBackend((request, response) => {
      request.on('error', () => {});
      request.on('end', () => response.end('reached'));
      request.resume();
    });
    const gateway = await startGateway(text(backend.port));
    const answer = await exchangeBytes(gateway.port, bytes + hidden);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain('reached');
    expect(backend.requests.map(({ url }) => url)).not.toContain('/hidden');
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 400 });
    expect(gateway.recorder.ended).toHaveLength(1);
  });
});
