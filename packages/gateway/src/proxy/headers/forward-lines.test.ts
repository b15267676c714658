// Heads that pass as the lines they came in must say what heads made field by field say.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../exchange.ts';
import { readFields } from '../http1/fields.ts';
import { RequestHead, readRequestHead } from '../http1/request-head.ts';
import { ResponseHeadRead, readResponseHead } from '../http1/response-head.ts';
import { forwardRequestHeaders, forwardRequestLines } from './forward-request.ts';
import { forwardResponseHead, forwardResponseLines } from './forward-response.ts';

const known = [
  'Connection',
  'Keep-Alive',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'HTTP2-Settings',
  'Expect',
  'X-Internal-Token',
  'Authorization-Internal',
  'X-Forwarded-By',
  'TE',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'traceparent',
  'tracestate',
  'Host',
  'Content-Length',
  'X-Correlation-Id',
  'X-Trace-Id',
  'Date',
  'Proxy-Connection',
  'Proxy-Authorization',
  'proxy-',
  'Proxy',
  'Cookie',
  'Set-Cookie',
  'Accept',
  'Content-Type',
  'X-Request-Id',
  'Vary',
];
const name = fc.oneof(
  fc.constantFrom(...known),
  fc.constantFrom(...known).map((own) => own.toLowerCase()),
  fc.constantFrom(...known).map((own) => own.toUpperCase()),
  // Of the length and first letter of those that are known, and others.
  fc.constantFrom(...known).map((own) => own[0]! + 'z'.repeat(own.length - 1)),
  fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}$/),
);
const value = fc.oneof(
  fc.constantFrom('keep-alive', 'close', 'Upgrade', 'x-a', 'trailers', 'gzip', '3', 'chunked', '', 'a, b'),
  fc.stringMatching(/^[!-~\x80-\xff]{0,8}$/),
);
const space = fc.constantFrom('', ' ', '\t', '  ');
const lines = fc
  .array(fc.tuple(name, space, value, space), { maxLength: 10 })
  .map((fields) => fields.map(([own, before, text, after]) => `${own}:${before}${text}${after}\r\n`).join(''));

/** Fields as sorted lines: those that may be special go behind the others. */
function sorted(fields: readonly string[]): string[] {
  return fields.flatMap((own, at) => (at % 2 === 0 ? [`${own}: ${fields[at + 1]}`] : [])).toSorted();
}

/** The values of each name, which must keep their order. */
function byName(fields: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let at = 0; at < fields.length; at += 2) {
    const lower = fields[at]!.toLowerCase();
    values.set(lower, [...(values.get(lower) ?? []), fields[at + 1]!]);
  }
  return values;
}

function fieldsOf(text: string): string[] {
  const fields: string[] = [];
  expect(readFields(`${text}\r\n`, 0, fields)).toBe(text.length + 2);
  return fields;
}

function exchangeWith(head: RequestHead): Exchange {
  const connection = {
    listenerId: '',
    clientIp: '192.0.2.1',
    clientPort: 1,
    localPort: 2,
    requests: 1,
    closing: false,
  };
  const exchange = new Exchange(connection, 0, 0);
  exchange.requestHeaders = head.fields;
  exchange.authority = 'own.test';
  exchange.correlationId = 'id1';
  return exchange;
}

describe('requests passed on as lines', () => {
  it('say what those made field by field say', () => {
    fc.assert(
      fc.property(lines, fc.boolean(), fc.boolean(), (text, traced, keepLength) => {
        const head = new RequestHead();
        if (readRequestHead(`GET / HTTP/1.1\r\n${text}\r\n`, head) !== true) return;
        const exchange = exchangeWith(head);
        const passed = forwardRequestLines(exchange, head.received!, { traced, keepLength });
        if (passed === undefined) return;
        const made = forwardRequestHeaders(exchange, { traced, keepLength });
        expect(sorted(fieldsOf(passed))).toEqual(sorted(made));
        expect(byName(fieldsOf(passed))).toEqual(byName(made));
      }),
      { numRuns: 3000 },
    );
  });

  it('are the usual case', () => {
    const head = new RequestHead();
    readRequestHead('GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n', head);
    const passed = forwardRequestLines(exchangeWith(head), head.received!, { traced: true, keepLength: false });
    expect(passed).toContain('Host: own.test\r\nAccept: */*\r\n');
    expect(passed).not.toContain('Connection');
  });
});

describe('responses passed on as lines', () => {
  it('say what those made field by field say', () => {
    const status = fc.constantFrom(200, 204, 304, 404, 500);
    fc.assert(
      fc.property(lines, status, (text, code) => {
        const head = new ResponseHeadRead();
        if (readResponseHead(`HTTP/1.1 ${code} X\r\n${text}\r\n`, head) !== true) return;
        const passed = forwardResponseLines(code, head.received, 'id1');
        if (passed === undefined) return;
        const made = forwardResponseHead(code, head.received.all, 'id1');
        expect(passed.headers).toEqual([]);
        expect(sorted(fieldsOf(passed.lines))).toEqual(sorted(made.headers));
        expect(byName(fieldsOf(passed.lines))).toEqual(byName(made.headers));
        expect(passed).toMatchObject({
          status: code,
          contentLength: made.contentLength,
          dated: made.dated,
          checked: true,
        });
      }),
      { numRuns: 3000 },
    );
  });

  it('are the usual case', () => {
    const head = new ResponseHeadRead();
    readResponseHead('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\nX: y\r\n\r\n', head);
    expect(forwardResponseLines(200, head.received, 'id1')?.lines).toBe(
      'X: y\r\nContent-Length: 1\r\nX-Correlation-Id: id1\r\n',
    );
  });
});
