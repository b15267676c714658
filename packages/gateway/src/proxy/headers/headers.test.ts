import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyHeaderOperations } from '../../agents/index.ts';
import { countingTraces, send, startBackend, startGateway } from '../../../test/proxy/harness.ts';
import type { ClientConnection } from '../exchange.ts';
import { Exchange } from '../exchange.ts';
import { base58, inboundCorrelationId, newCorrelationId, tinyflake } from './correlation-id.ts';
import { headerEditor } from './edits.ts';
import { fieldValue } from './fields.ts';
import { forwardRequestHeaders } from './forward-request.ts';
import { forwardResponseHead } from './forward-response.ts';

const connection: ClientConnection = {
  listenerId: 'l',
  clientIp: '192.0.2.7',
  clientPort: 1,
  localPort: 2,
  requests: 1,
  closing: false,
};

function exchangeOf(headers: readonly string[]): Exchange {
  const exchange = new Exchange(connection, 0, 0);
  exchange.requestHeaders = headers;
  exchange.authority = 'a.test';
  exchange.correlationId = 'abc';
  return exchange;
}

const forward = (headers: readonly string[], traced = false): string[] =>
  forwardRequestHeaders(exchangeOf(headers), { traced, keepLength: true });

const namesOf = (headers: readonly string[]): string[] =>
  headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());

describe('correlation ids', () => {
  it('writes Base58 with a fixed width', () => {
    expect([0, 57, 58].map((value) => base58(value, 3))).toEqual(['111', '11z', '121']);
  });
  it('begins a tinyflake with the second it was made in', () => {
    expect(tinyflake(0, 0)).toBe('11111111111');
    expect(tinyflake(57_999, 57)).toBe('11z1111111z');
    expect(tinyflake(58 ** 3 * 1000, 58)).toBe('11111111121');
  });
  it('makes ids of the configured format, all different', () => {
    const ids = new Set(Array.from({ length: 2000 }, () => newCorrelationId('tinyflake', Date.now())));
    expect(ids.size).toBe(2000);
    for (const id of ids) expect(id).toMatch(/^[1-9A-HJ-NP-Za-km-z]{11}$/);
    expect(newCorrelationId('uuid', 0)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
  it('takes the first id that came, unless it is unfit for logs', () => {
    expect(inboundCorrelationId(['X-Request-Id', 'r', 'X-Correlation-ID', 'c', 'x-trace-id', 't'])).toBe('t');
    expect(inboundCorrelationId(['X-Request-Id', 'r', 'X-Correlation-ID', 'c', 'x-trace-id', ''])).toBe('c');
    expect(inboundCorrelationId(['X-Request-Id', 'r'])).toBe('r');
    expect(inboundCorrelationId(['X-Request-Id', 'a b'])).toBeUndefined();
    expect(inboundCorrelationId(['X-Trace-Id', 'x'.repeat(129)])).toBeUndefined();
    expect(inboundCorrelationId(['X-Trace-Id', 'a"b'])).toBeUndefined();
    expect(inboundCorrelationId([])).toBeUndefined();
  });
});

describe('requests that go on', () => {
  const hopByHop = ['Keep-Alive', 'Proxy-Authorization', 'Proxy-Connection', 'Trailer', 'Transfer-Encoding', 'Upgrade'];

  it.each([...hopByHop, 'Expect', 'X-Internal-Token', 'Authorization-Internal', 'HTTP2-Settings'])(
    'lose %s',
    (name) => {
      expect(namesOf(forward([name, 'x', 'X-Kept', 'y']))).not.toContain(name.toLowerCase());
    },
  );
  it('lose what Connection names, but not what they cannot do without', () => {
    const names = namesOf(
      forward(['Connection', 'close, X-Secret , Host, Content-Length', 'X-Secret', '1', 'Content-Length', '4']),
    );
    expect(names).not.toContain('x-secret');
    expect(names).not.toContain('connection');
    expect(names).toEqual(expect.arrayContaining(['host', 'content-length']));
  });
  it('cannot lose what the gateway adds', () => {
    const forwarded = forward(['Connection', 'X-Forwarded-For, X-Correlation-Id']);
    expect(fieldValue(forwarded, 'x-forwarded-for')).toBe('192.0.2.7');
    expect(fieldValue(forwarded, 'x-correlation-id')).toBe('abc');
  });
  it('keep TE only for trailers', () => {
    expect(fieldValue(forward(['TE', 'gzip, trailers;q=0.5']), 'te')).toBe('trailers');
    expect(fieldValue(forward(['TE', 'gzip']), 'te')).toBeUndefined();
  });
  it('say where they come from', () => {
    const forwarded = forward([
      'X-Forwarded-For',
      '10.0.0.1',
      'x-forwarded-for',
      '10.0.0.2',
      'X-Forwarded-Proto',
      'gopher',
    ]);
    expect(fieldValue(forwarded, 'x-forwarded-for')).toBe('10.0.0.1, 10.0.0.2, 192.0.2.7');
    expect(fieldValue(forwarded, 'x-forwarded-proto')).toBe('http');
    expect(fieldValue(forwarded, 'x-forwarded-host')).toBe('a.test');
    expect(fieldValue(forwarded, 'x-forwarded-by')).toBe('Clew');
    expect(namesOf(forwarded).filter((name) => name === 'x-forwarded-proto')).toHaveLength(1);
  });
  it('carry one id under both names, whatever came', () => {
    const forwarded = forward(['X-Trace-Id', 'evil', 'X-Correlation-Id', 'evil']);
    expect(forwarded.filter((text) => text === 'evil')).toEqual([]);
    expect([fieldValue(forwarded, 'x-trace-id'), fieldValue(forwarded, 'x-correlation-id')]).toEqual(['abc', 'abc']);
  });
  it('pass trace headers through untouched without tracing, and leave them to the attempt with it', () => {
    const received = [
      'traceparent',
      'anything',
      'tracestate',
      'a=b',
      'b3',
      '0',
      'uber-trace-id',
      'x',
      'baggage',
      'c=d',
    ];
    expect(fieldValue(forward(received), 'traceparent')).toBe('anything');
    const traced = namesOf(forward(received, true));
    expect(traced).not.toContain('traceparent');
    expect(traced).toEqual(expect.arrayContaining(['b3', 'uber-trace-id', 'baggage']));
  });

  const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  const known = fc.constantFrom(...hopByHop, 'Connection', 'TE', 'Host', 'X-Forwarded-For', 'traceparent', 'Cookie');
  const field = fc.tuple(fc.oneof(token, known), value);

  it('keep every other field, in its order and spelling', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 30 }), fc.boolean(), (fields, traced) => {
        const forwarded = forward(fields.flat(), traced);
        expect(forwarded.length % 2).toBe(0);
        const names = namesOf(forwarded);
        for (const name of hopByHop) expect(names).not.toContain(name.toLowerCase());
        expect(names).not.toContain('connection');
        expect(names.filter((name) => name === 'host')).toHaveLength(1);
        const named = fields
          .filter(([name]) => name.toLowerCase() === 'connection')
          .flatMap(([, text]) =>
            text
              .toLowerCase()
              .split(',')
              .map((part) => part.trim()),
          );
        const special =
          /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|host|http2-settings|x-forwarded-.*|x-trace-id|x-correlation-id|x-internal-token|authorization-internal|traceparent|tracestate|content-length)$/;
        const expected = fields
          .filter(([name]) => !special.test(name.toLowerCase()) && !named.includes(name.toLowerCase()))
          .map(([name, text]) => `${name}: ${text}`);
        const pairs = Array.from(
          { length: forwarded.length / 2 },
          (_, at) => `${forwarded[2 * at]}: ${forwarded[2 * at + 1]}`,
        );
        expect(pairs.filter((pair) => expected.includes(pair))).toEqual(expected);
      }),
    );
  });
});

describe('responses that come back', () => {
  it('lose what belongs to the connection, and name the request', () => {
    const raw = [
      'Connection',
      'X-Hop',
      'X-Hop',
      '1',
      'Keep-Alive',
      'timeout=5',
      'X-Correlation-Id',
      'theirs',
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
    ];
    const { headers } = forwardResponseHead(200, raw, 'abc');
    expect(headers).toEqual(['Set-Cookie', 'a', 'Set-Cookie', 'b', 'X-Correlation-Id', 'abc']);
  });
  it('keep bytes beyond ASCII as they are', () => {
    const { headers } = forwardResponseHead(200, ['X-A', '\xe4\x80'], 'abc');
    expect(headers[1]).toBe('\xe4\x80');
  });
});

describe('edits', () => {
  const none = { rename: [], set: [], add: [], remove: [] };
  it('rename, set, add and remove, in this order', () => {
    const edit = headerEditor({
      rename: [{ from: 'A', to: 'B' }],
      set: [{ name: 'B', value: 'set' }],
      add: [{ name: 'B', value: 'added' }],
      remove: ['C'],
    })!;
    expect(edit(['a', '1', 'c', '2'])).toEqual(['B', 'set', 'B', 'added']);
  });
  it('are no work when there are none, and never touch framing', () => {
    expect(headerEditor(none)).toBeUndefined();
    expect(
      headerEditor({ ...none, remove: ['Content-Length'], set: [{ name: 'Transfer-Encoding', value: 'x' }] }),
    ).toBeUndefined();
  });
  it('agree with the operations of agents', () => {
    const edit = headerEditor({ ...none, set: [{ name: 'X', value: '1' }] })!;
    const headers = ['x', '0', 'Y', '2'];
    expect(edit([...headers])).toEqual(applyHeaderOperations(headers, [{ kind: 'set', name: 'X', value: '1' }]));
  });
});

describe('headers on the wire', () => {
  it('reach the backend edited, and the client likewise', async () => {
    const backend = await startBackend((request, response) => {
      response.writeHead(200, { 'X-Powered-By': 'php', 'X-Old': 'o' });
      response.end(JSON.stringify(request.rawHeaders));
    });
    const gateway = await startGateway(
      `routes { route "r" { matches { path-prefix "/" }; upstream "b"; filters "h"
         policies {
           request-headers { set { "X-Env" "prod" }; remove "Cookie" }
           response-headers { rename { X-Old "X-New" }; remove "X-Powered-By" }
         } } }
       filters { filter "h" { type "headers"; phase "both"; add { "X-Both" "1" } } }
       upstreams { upstream "b" { target "127.0.0.1:${backend.port}" } }`,
      { traceStarter: () => countingTraces() },
    );
    const response = await send(gateway, '/', {
      headers: { Cookie: 'secret', Connection: 'close, X-Gone', 'X-Gone': '1' },
    });
    const received = JSON.parse(response.body) as string[];
    const names = namesOf(received);
    expect(fieldValue(received, 'x-env')).toBe('prod');
    expect(fieldValue(received, 'x-both')).toBe('1');
    expect(names).not.toContain('cookie');
    expect(names).not.toContain('x-gone');
    expect(names).not.toContain('via');
    expect(names.filter((name) => name === 'host')).toHaveLength(1);
    expect(fieldValue(received, 'host')).toBe(`127.0.0.1:${gateway.port}`);
    expect(fieldValue(received, 'traceparent')).toMatch(/^00-(ab){16}-[0-9a-f]{16}-01$/);
    expect(response.headers).toMatchObject({ 'x-new': 'o', 'x-both': '1' });
    expect(response.headers['x-powered-by']).toBeUndefined();
    expect(response.headers['x-correlation-id']).toBe(fieldValue(received, 'x-correlation-id'));
  });
});
