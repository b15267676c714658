import { describe, expect, it } from 'vitest';
import { NotingSocket } from '../../../test/http1/noting-socket.ts';
import type { ResponseHead } from '../headers/forward-response.ts';
import { MessageWriter } from '../http1/message-writer.ts';
import { RequestHead, readRequestHead } from '../http1/request-head.ts';
import type { Http1Connection } from '../server/http1-connection.ts';
import { Http1Downstream } from './http1-downstream.ts';

/** A request on a connection that notes what is written to it and what it is told. */
function request(text: string, bodyEnded = true) {
  const socket = new NotingSocket();
  const told: string[] = [];
  const client = { listenerId: 'l', clientIp: '', clientPort: 1, localPort: 2, requests: 1, closing: false };
  const connection = {
    client,
    socket,
    writer: new MessageWriter(socket.asSocket),
    bodyEnded,
    readBody: () => void told.push('body asked for'),
    requestOver: (last: boolean) => void told.push(last ? 'over, the last' : 'over'),
  };
  const head = new RequestHead();
  expect(readRequestHead(`${text}\r\n\r\n`, head)).toBe(true);
  const downstream = new Http1Downstream(connection as unknown as Http1Connection, head);
  downstream.listen({ onDrain() {}, onClose: (finished) => void told.push(finished ? 'finished' : 'gone') });
  return { socket, told, client, downstream };
}

const answer = (contentLength: number): ResponseHead => ({
  status: 200,
  lines: '',
  headers: contentLength < 0 ? [] : ['Content-Length', String(contentLength)],
  contentLength,
  dated: true,
  checked: true,
});

const open = { close: false, bodiless: false };

describe('a response', () => {
  it('whose last bytes the system never got was not finished', () => {
    const { socket, told, downstream } = request('GET / HTTP/1.1');
    downstream.sendHead(answer(2), open);
    socket.writableLength = 100;
    downstream.write('ok');
    downstream.end();
    expect(told).toEqual([]);
    socket.onWritten!(new Error('broken'));
    expect(told).toEqual(['gone']);
    downstream.onClosed();
    downstream.end();
    expect(told).toEqual(['gone']);
  });

  it('is finished when the system has its last bytes', () => {
    const { socket, told, downstream } = request('GET / HTTP/1.1');
    downstream.sendHead(answer(2), open);
    socket.writableLength = 100;
    downstream.write('ok');
    downstream.end();
    socket.onWritten!();
    expect(told).toEqual(['finished', 'over']);
    downstream.onClosed();
    expect(told).toHaveLength(2);
  });

  it('waits for its body only as long as this turn lasts', async () => {
    const { socket, downstream } = request('GET / HTTP/1.1');
    downstream.sendHead(answer(2), open);
    expect(socket.writes).toEqual([]);
    await new Promise((resolve) => process.nextTick(resolve));
    expect(socket.writes).toHaveLength(1);
    downstream.write('ok');
    expect(socket.writes).toHaveLength(2);
  });

  it.each([
    ['GET / HTTP/1.1', 2, 'Content-Length: 2\r\n\r\nok', 'over'],
    ['GET / HTTP/1.1', -1, 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n', 'over'],
    ['GET / HTTP/1.1\r\nConnection: close', 2, 'Content-Length: 2\r\nConnection: close\r\n\r\nok', 'over, the last'],
    ['GET / HTTP/1.0', 2, 'Content-Length: 2\r\nConnection: close\r\n\r\nok', 'over, the last'],
    ['GET / HTTP/1.0\r\nConnection: keep-alive', 2, 'Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok', 'over'],
    ['GET / HTTP/1.0\r\nConnection: keep-alive', -1, 'Connection: close\r\n\r\nok', 'over, the last'],
    ['HEAD / HTTP/1.1', 2, 'Content-Length: 2\r\n\r\n', 'over'],
    ['HEAD / HTTP/1.1', -1, '\r\n', 'over'],
    ['HEAD / HTTP/1.0\r\nConnection: keep-alive', -1, 'Connection: keep-alive\r\n\r\n', 'over'],
  ])('to %j of length %i goes out as %j', (text, length, expected, end) => {
    const { socket, told, client, downstream } = request(text);
    const bodiless = text.startsWith('HEAD');
    downstream.sendHead(answer(length), { close: false, bodiless });
    downstream.write('ok');
    downstream.end(['X-T', '1']);
    expect(socket.text).toBe(`HTTP/1.1 200 OK\r\n${expected}`);
    expect(told).toEqual(['finished', end]);
    expect(client.closing).toBe(end !== 'over');
  });

  it('ends the connection when the gateway says so', () => {
    const { socket, told, downstream } = request('GET / HTTP/1.1');
    downstream.sendHead(answer(0), { close: true, bodiless: false });
    downstream.end();
    expect(socket.text).toContain('Connection: close\r\n');
    expect(told).toEqual(['finished', 'over, the last']);
  });

  it('has a date when the upstream gave none, and one only', () => {
    const { socket, downstream } = request('GET / HTTP/1.1');
    downstream.sendHead({ ...answer(0), dated: false }, open);
    downstream.end();
    expect(socket.text).toMatch(/\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  });
});

describe('a client that expects to be asked', () => {
  const text = 'POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue';
  const reader = { onBodyData() {}, onBodyEnd() {} };

  it('is asked when the body is read', () => {
    const { socket, told, downstream } = request(text, false);
    downstream.readBody(reader);
    expect([socket.text, told]).toEqual(['HTTP/1.1 100 Continue\r\n\r\n', ['body asked for']]);
    expect(() => downstream.readBody(reader)).toThrow('only once');
  });

  it('is not asked once it has its answer, after which its connection ends', () => {
    const { socket, downstream } = request(text, false);
    downstream.sendHead(answer(0), open);
    downstream.readBody(reader);
    downstream.end();
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n\r\n$/);
  });
});

describe('an interim response', () => {
  it('goes out before the head, and not behind it', () => {
    const { socket, downstream } = request('GET / HTTP/1.1');
    downstream.sendInterim(103, ['Link', 'a']);
    expect(socket.text).toBe('HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n');
    downstream.sendHead(answer(0), open);
    downstream.sendInterim(103, ['Link', 'b']);
    downstream.end();
    expect(socket.text.match(/Early Hints/g)).toHaveLength(1);
  });
});
