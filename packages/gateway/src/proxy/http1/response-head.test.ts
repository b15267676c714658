import { describe, expect, it } from 'vitest';
import { ReadEnd, problemOf } from './fields.ts';
import { ResponseHeadRead, readResponseHead } from './response-head.ts';

function read(text: string): ResponseHeadRead | 'incomplete' | 'broken' {
  const head = new ResponseHeadRead();
  const outcome = readResponseHead(text, head);
  if (outcome === undefined) return 'incomplete';
  if (outcome === ReadEnd.BROKEN) {
    expect(problemOf()).not.toBe('');
    return 'broken';
  }
  return head;
}

const withFields = (fields: string, version = '1.1'): ResponseHeadRead | 'incomplete' | 'broken' =>
  read(`HTTP/${version} 200 OK\r\n${fields}\r\n`);

describe('response heads that are none', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9\r\n'],
    ['an empty line before', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a version nobody speaks', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a version far ahead', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a version in lower case', 'http/1.1 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 2x0 OK\r\n\r\n'],
    ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n\r\n'],
    ['a control character in the phrase', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['a lone line feed', 'HTTP/1.1 200 OK\n\r\n'],
    ['a lone carriage return', 'HTTP/1.1 200 OK\r\r\n'],
    ['a line that continues', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a space before a colon', 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n'],
    ['a null byte in a value', 'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n'],
  ])('are refused: %s', (_title, text) => {
    expect(read(text)).toBe('broken');
  });

  it.each([
    ['a length that is no number', 'Content-Length: x\r\n'],
    ['a list of lengths', 'Content-Length: 1, 1\r\n'],
    ['the same length twice', 'Content-Length: 1\r\nContent-Length: 1\r\n'],
    ['a length and a coding', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'],
    ['a coding and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 1\r\n'],
    ['a coding that is not chunked', 'Transfer-Encoding: gzip\r\n'],
    ['another coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['no coding', 'Transfer-Encoding:\r\n'],
  ])('are refused: %s', (_title, fields) => {
    expect(withFields(fields)).toBe('broken');
  });
});

describe('response heads', () => {
  it('are incomplete until their last byte has come', () => {
    const text = 'HTTP/1.1 200 Very  good\t\xe4\r\nA: b\r\nContent-Length: 12\r\n\r\n';
    for (let end = 0; end < text.length; end++) expect([end, read(text.slice(0, end))]).toEqual([end, 'incomplete']);
    const head = read(`${text}HTTP`);
    expect(head).toMatchObject({ status: 200, contentLength: 12, chunked: false, end: text.length });
    expect((head as ResponseHeadRead).received.all).toEqual(['A', 'b', 'Content-Length', '12']);
  });

  it('may do without a phrase, and without the space before it', () => {
    expect(read('HTTP/1.1 404 \r\n\r\n')).toMatchObject({ status: 404 });
    expect(read('HTTP/1.0 999\r\n\r\n')).toMatchObject({ status: 999 });
  });

  it.each([
    ['', '1.1', true],
    ['', '1.0', false],
    ['Connection: close\r\n', '1.1', false],
    ['Connection: x, Close\r\n', '1.1', false],
    ['Connection: keep-alive\r\n', '1.0', true],
    ['Connection: keep-alive\r\nConnection: close\r\n', '1.0', false],
    ['Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n', '1.0', false],
    ['Proxy-Connection: close\r\n', '1.1', true],
  ])('with %j in HTTP/%s leave the connection open: %s', (fields, version, keepAlive) => {
    expect(withFields(fields, version)).toMatchObject({ keepAlive });
  });

  it.each([
    ['timeout=5', 5],
    ['timeout=5, max=100', 5],
    ['max=100,timeout=7', 7],
    ['Timeout=0', 0],
    ['timeout=', -1],
    ['timeout="5"', -1],
    ['timeout=-5', -1],
    ['xtimeout=5', -1],
    ['max=3', -1],
  ])('say with Keep-Alive: %s how long the connection is kept: %i', (value, keepAliveSeconds) => {
    expect(withFields(`Keep-Alive: ${value}\r\n`)).toMatchObject({ keepAliveSeconds });
  });

  it('can be read one after the other into the same object', () => {
    const head = new ResponseHeadRead();
    readResponseHead('HTTP/1.0 500 X\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=1\r\n\r\n', head);
    const first = head.received;
    expect(readResponseHead('HTTP/1.1 200 OK\r\n\r\n', head)).toBe(true);
    expect(head).toMatchObject({
      status: 200,
      chunked: false,
      contentLength: -1,
      keepAlive: true,
      keepAliveSeconds: -1,
    });
    expect(first.all).toEqual(['Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=1']);
    expect(head.received.all).toEqual([]);
  });
});
