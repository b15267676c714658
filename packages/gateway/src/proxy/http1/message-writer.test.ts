import { describe, expect, it } from 'vitest';
import { NotingSocket } from '../../../test/http1/noting-socket.ts';
import { MessageWriter, fieldLines } from './message-writer.ts';

function writing(): { readonly socket: NotingSocket; readonly writer: MessageWriter } {
  const socket = new NotingSocket();
  return { socket, writer: new MessageWriter(socket.asSocket) };
}

const head = 'HTTP/1.1 200 OK\r\n\r\n';
const large = Buffer.alloc(20_000, 0xe4);

describe('a message', () => {
  it('is not written to a connection that takes nothing more', () => {
    const { socket, writer } = writing();
    socket.writable = false;
    writer.head(head, true);
    writer.body(Buffer.from('a'));
    writer.body(large);
    writer.end();
    writer.flush();
    expect(socket.writes).toEqual([]);
  });

  it('goes out in one write with all of its body that is here', () => {
    const { socket, writer } = writing();
    writer.cork();
    writer.head(head, false);
    writer.body(Buffer.from('a\xe4', 'latin1'));
    writer.body(Buffer.from('b'));
    writer.end();
    expect(socket.writes).toEqual([`${head}a\xe4b`]);
    writer.uncork();
    expect(socket.writes).toHaveLength(1);
  });

  it('does not wait for a body that is not here', () => {
    const { socket, writer } = writing();
    writer.head(head, true);
    expect(socket.writes).toEqual([]);
    writer.flush();
    expect(socket.writes).toEqual([head]);
    writer.body(Buffer.from('a'));
    expect(socket.writes).toEqual([head, '1\r\na\r\n']);
    writer.end('X-T: 1\r\n');
    expect(socket.writes).toEqual([head, '1\r\na\r\n', '0\r\nX-T: 1\r\n\r\n']);
  });

  it('has trailers and an end only when it is chunked', () => {
    const { socket, writer } = writing();
    writer.head(head, false);
    writer.end('X-T: 1\r\n');
    expect(socket.writes).toEqual([head]);
    writer.head(head, true);
    writer.end();
    writer.end('X-T: 2\r\n');
    expect(socket.writes.join('')).toBe(`${head}${head}0\r\n\r\n`);
  });

  it('does not end at an empty piece of its body', () => {
    const { socket, writer } = writing();
    writer.head(head, true);
    expect(writer.body(Buffer.alloc(0))).toBe(true);
    writer.flush();
    expect(socket.writes).toEqual([head]);
  });
});

describe('large pieces', () => {
  it('go out at once with what waits before them, and as they are', () => {
    for (const chunked of [true, false]) {
      const { socket, writer } = writing();
      writer.cork();
      writer.head(head, chunked);
      writer.body(Buffer.from('small'));
      writer.body(large);
      const body = large.toString('latin1');
      const expected = chunked ? `${head}5\r\nsmall\r\n4e20\r\n${body}\r\n` : `${head}small${body}`;
      expect(socket.writes).toEqual([expected]);
      writer.end();
      writer.uncork();
      expect(socket.writes.join('')).toBe(chunked ? `${expected}0\r\n\r\n` : expected);
    }
  });

  it('need no text around them when nothing waits', () => {
    const { socket, writer } = writing();
    writer.head(head, false);
    writer.flush();
    writer.body(large);
    expect(socket.writes).toEqual([head, large.toString('latin1')]);
  });

  it('of many small ones do not wait for ever', () => {
    const { socket, writer } = writing();
    writer.cork();
    writer.head(head, false);
    for (let n = 0; n < 100; n++) writer.body(Buffer.alloc(1000, 'x'));
    expect(socket.writes.length).toBeGreaterThan(3);
    writer.uncork();
    expect(socket.writes.join('')).toBe(head + 'x'.repeat(100_000));
    expect(Math.max(...socket.writes.map(({ length }) => length))).toBeLessThan(18_000);
  });
});

describe('waiting', () => {
  it('ends with the last of those who asked for it', () => {
    const { socket, writer } = writing();
    writer.cork();
    writer.cork();
    writer.head(head, false);
    writer.flush();
    writer.uncork();
    expect([writer.corked, socket.writes]).toEqual([true, []]);
    writer.uncork();
    expect([writer.corked, socket.writes]).toEqual([false, [head]]);
    writer.uncork();
    writer.head(head, false);
    writer.flush();
    expect([writer.corked, socket.writes]).toEqual([false, [head, head]]);
  });

  it('is what a slow other side asks for', () => {
    const { socket, writer } = writing();
    writer.head(head, false);
    socket.writableNeedDrain = true;
    expect([writer.ready, writer.body(Buffer.from('a')), writer.body(large), writer.body(Buffer.alloc(0))]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    socket.writableNeedDrain = false;
    expect(writer.body(Buffer.from('b'))).toBe(true);
    socket.writableLength = 1;
    expect(writer.idle).toBe(false);
    socket.writableLength = 0;
    expect(writer.idle).toBe(true);
  });
});

describe('lines of fields', () => {
  it('have a colon, a space and an end each', () => {
    expect(fieldLines([])).toBe('');
    expect(fieldLines(['A', 'b', 'C', ''])).toBe('A: b\r\nC: \r\n');
  });
});
