import { METHODS } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ReadEnd, problemOf } from './fields.ts';
import { RequestHead, lengthOf, readRequestHead } from './request-head.ts';

function read(text: string): RequestHead | 'incomplete' | 'broken' {
  const head = new RequestHead();
  const outcome = readRequestHead(text, head);
  if (outcome === undefined) return 'incomplete';
  if (outcome === ReadEnd.BROKEN) {
    expect(problemOf()).not.toBe('');
    return 'broken';
  }
  return head;
}

const withFields = (fields: string, version = '1.1'): RequestHead => {
  const head = read(`GET / HTTP/${version}\r\n${fields}\r\n`);
  if (typeof head === 'string') throw new Error(`${head}: ${problemOf()}`);
  return head;
};

describe('request lines that are none', () => {
  it.each([
    ['a method nobody knows', 'GETX / HTTP/1.1\r\n\r\n'],
    ['a method in lower case', 'get / HTTP/1.1\r\n\r\n'],
    ['no method', ' / HTTP/1.1\r\n\r\n'],
    ['a method longer than any', `${'A'.repeat(100)}`],
    ['no target', 'GET  HTTP/1.1\r\n\r\n'],
    ['two spaces', 'GET  / HTTP/1.1\r\n\r\n'],
    ['a tab between', 'GET\t/ HTTP/1.1\r\n\r\n'],
    ['a control character in the target', 'GET /\x01 HTTP/1.1\r\n\r\n'],
    ['a line end in the target', 'GET /\r\n HTTP/1.1\r\n\r\n'],
    ['no version', 'GET /\r\n\r\n'],
    ['a version nobody speaks', 'GET / HTTP/1.2\r\n\r\n'],
    ['a version far ahead', 'GET / HTTP/2.0\r\n\r\n'],
    ['a version of long ago', 'GET / HTTP/0.9\r\n\r\n'],
    ['a version in lower case', 'GET / http/1.1\r\n\r\n'],
    ['another protocol', 'GET / ICE/1.0\r\n\r\n'],
    ['a space behind the version', 'GET / HTTP/1.1 \r\n\r\n'],
    ['another digit behind the version', 'GET / HTTP/1.11\r\n\r\n'],
    ['a lone line feed', 'GET / HTTP/1.1\n\r\n'],
    ['a lone carriage return', 'GET / HTTP/1.1\r\r\n'],
    ['a lone line feed before', '\nGET / HTTP/1.1\r\n\r\n'],
    ['a lone carriage return before', '\rGET / HTTP/1.1\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['bytes of TLS', '\x16\x03\x01\x02\0\x01'],
  ])('are refused: %s', (_title, text) => {
    expect(read(text)).toBe('broken');
  });

  it('are refused with the first byte that cannot be right', () => {
    expect(read('GEX')).toBe('broken');
    expect(read('GET / HTTPS')).toBe('broken');
    expect(read('GET / HTTP/1.1\r\nX y')).toBe('broken');
  });
});

describe('request heads', () => {
  it('are incomplete until their last byte has come', () => {
    const text = '\r\nPOST /a?b=c HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-B: \t c d \t\r\n\r\n';
    for (let end = 0; end < text.length; end++) expect([end, read(text.slice(0, end))]).toEqual([end, 'incomplete']);
    expect(read(`${text}POST`)).toMatchObject({
      method: 'POST',
      target: '/a?b=c',
      version: '1.1',
      fields: ['Host', 'a', 'X-Empty', '', 'X-B', 'c d'],
      start: 2,
      end: text.length,
    });
  });

  it('may have any method that is registered', () => {
    for (const method of METHODS) expect(read(`${method} / HTTP/1.1\r\n\r\n`)).toMatchObject({ method });
  });

  it('can be read one after the other into the same object', () => {
    const head = new RequestHead();
    readRequestHead(
      'POST /long HTTP/1.0\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nExpect: x\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n\r\n',
      head,
    );
    expect(readRequestHead('GET / HTTP/1.1\r\n\r\n', head)).toBe(true);
    expect(head).toMatchObject({
      fields: [],
      contentLength: -1,
      coded: false,
      expect: '',
      upgrade: '',
      keepAlive: true,
    });
  });

  it('say where the request line begins, even when it is not there yet', () => {
    const head = new RequestHead();
    expect(readRequestHead('\r\n\r\n', head)).toBeUndefined();
    expect(head.start).toBe(4);
    expect(readRequestHead('\r', head)).toBeUndefined();
    expect(head.start).toBe(0);
  });

  it.each([
    ['', '1.1', true],
    ['', '1.0', false],
    ['Connection: close\r\n', '1.1', false],
    ['connection: CLOSE\r\n', '1.1', false],
    ['CONNECTION: x, close ,y\r\n', '1.1', false],
    ['Connection: x\r\nConnection: close\r\n', '1.1', false],
    ['Connection: closed\r\n', '1.1', true],
    ['Connection: not-close\r\n', '1.1', true],
    ['Connection: close;q=1\r\n', '1.1', true],
    ['XConnection: close\r\n', '1.1', true],
    ['Connection: keep-alive\r\n', '1.0', true],
    ['Connection: Keep-Alive, x\r\n', '1.0', true],
    ['Connection: keep-alive, close\r\n', '1.0', false],
  ])('with %j in HTTP/%s leave the connection open: %s', (fields, version, keepAlive) => {
    expect(withFields(fields, version).keepAlive).toBe(keepAlive);
  });

  it('ask for an upgrade only with both fields and in HTTP/1.1', () => {
    const upgrade = 'Upgrade: WebSocket\r\n';
    expect(withFields(`Connection: Upgrade\r\n${upgrade}`).upgrade).toBe('websocket');
    expect(withFields(`Connection: keep-alive, upgrade\r\n${upgrade}`).upgrade).toBe('websocket');
    expect(withFields(upgrade).upgrade).toBe('');
    expect(withFields('Connection: upgrade\r\n').upgrade).toBe('');
    expect(withFields(`Connection: Upgrade\r\n${upgrade}`, '1.0').upgrade).toBe('');
  });

  it('say what they say about the body', () => {
    expect(withFields('content-LENGTH: 12\r\n')).toMatchObject({ contentLength: 12, coded: false });
    expect(withFields('Content-Length: 1 2\r\n').contentLength).toBeNaN();
    expect(withFields('transfer-encoding: gzip\r\n')).toMatchObject({ contentLength: -1, coded: true });
    expect(withFields('EXPECT: 100-Continue\r\n').expect).toBe('100-continue');
  });
});

describe('lengths', () => {
  it('are digits and nothing else', () => {
    for (const text of ['', '+1', '-1', '0x1', '1e3', '1.0', ' 1', '1 ', '1,1', '１', '1'.repeat(16)]) {
      expect([text, lengthOf(text)]).toEqual([text, NaN]);
    }
    expect([lengthOf('0'), lengthOf('007'), lengthOf('9'.repeat(15))]).toEqual([0, 7, 999_999_999_999_999]);
  });
});
