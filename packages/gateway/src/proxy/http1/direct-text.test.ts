// On real connections: what the system's handle does cannot be imitated.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { NotingSocket } from '../../../test/http1/noting-socket.ts';
import { onEnd } from '../../../test/proxy/harness.ts';
import { DirectText } from './direct-text.ts';
import { MessageWriter } from './message-writer.ts';

interface Pair {
  readonly near: Socket;
  /** Reads nothing yet. */
  readonly far: Socket;
}

async function pair(): Promise<Pair> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  onEnd(() => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[far]] = await Promise.all([accepted, once(near, 'connect')]);
  onEnd(() => (near.destroy(), void far.destroy()));
  return { near, far };
}

const block = 'x'.repeat(50_000);

/** Writes until some of it waits; returns how many blocks that were. */
function writeUntilWaiting(direct: DirectText): number {
  let blocks = 0;
  while (!direct.waiting) {
    expect(direct.write(block)).toBe(true);
    blocks++;
  }
  return blocks;
}

async function everything(from: Socket): Promise<string> {
  let text = '';
  from.setEncoding('latin1').on('data', (piece: string) => (text += piece));
  await once(from.resume(), 'end');
  return text;
}

describe('text that goes to the system at once', () => {
  it('is left to the stream where there is no such handle, or the connection is encrypted', () => {
    expect(new DirectText(new NotingSocket().asSocket).write('a')).toBe(false);
    const plain = connect({ port: 1, host: '127.0.0.1' }).on('error', () => {});
    onEnd(() => void plain.destroy());
    const encrypted = new TLSSocket(plain);
    onEnd(() => void encrypted.destroy());
    expect(new DirectText(encrypted).write('a')).toBe(false);
  });

  it('is left to the stream before there is a connection, behind what the stream still has, and after its end', async () => {
    const { near, far } = await pair();
    const connecting = connect(far.localPort!, '127.0.0.1').on('error', () => {});
    onEnd(() => void connecting.destroy());
    expect(new DirectText(connecting).write('a')).toBe(false);

    const direct = new DirectText(near);
    while (near.write(block)) await new Promise((later) => setImmediate(later));
    expect(near.writableLength).toBeGreaterThan(0);
    expect(direct.write('a')).toBe(false);
    near.end();
    expect(direct.write('a')).toBe(false);
    near.destroy();
    expect(direct.write('a')).toBe(false);
  });

  it('arrives one byte a character', async () => {
    const { near, far } = await pair();
    expect(new DirectText(near).write('\x00a\xff')).toBe(true);
    expect((await once(far.resume(), 'data'))[0]).toEqual(Buffer.from([0, 0x61, 0xff]));
  });

  it('keeps its place before what streams write, however slow the other side is', async () => {
    const { near, far } = await pair();
    const direct = new DirectText(near);
    const blocks = writeUntilWaiting(direct);
    expect(direct.write('never')).toBe(false);
    near.write('then the stream, ');
    near.end('and the end');
    expect(await everything(far)).toBe(`${block.repeat(blocks)}then the stream, and the end`);
  });

  it('tells when the system has taken it, and then goes there again', async () => {
    const { near, far } = await pair();
    const direct = new DirectText(near);
    const writer = new MessageWriter(near);
    const blocks = writeUntilWaiting(direct);
    const read = everything(far);
    await once(near, 'drain');
    expect(direct.waiting).toBe(false);
    expect(direct.write('a')).toBe(true);
    expect(writer.idle).toBe(true);
    near.end();
    expect(await read).toBe(`${block.repeat(blocks)}a`);
  });

  it('ends the connection when the other side is gone', async () => {
    const { near, far } = await pair();
    const failed = once(near, 'error') as Promise<[NodeJS.ErrnoException]>;
    const direct = new DirectText(near);
    far.resetAndDestroy();
    // The reset may come before a write that fails, or after one that was still taken.
    while (!near.destroyed) {
      direct.write('a');
      await new Promise((later) => setImmediate(later));
    }
    expect(['EPIPE', 'ECONNRESET']).toContain((await failed)[0].code);
  });

  it('that waits is forgotten with its connection', async () => {
    const { near } = await pair();
    const direct = new DirectText(near);
    writeUntilWaiting(direct);
    let drained = false;
    near.on('drain', () => (drained = true));
    near.destroy();
    await once(near, 'close');
    await new Promise((later) => setImmediate(later));
    expect(drained).toBe(false);
    expect(near.errored).toBeNull();
  });

  it('of one connection does not wait for that of another', async () => {
    const [slow, fast] = [await pair(), await pair()];
    writeUntilWaiting(new DirectText(slow.near));
    const direct = new DirectText(fast.near);
    for (let n = 0; n < 3; n++) {
      expect(direct.write('a')).toBe(true);
      expect(direct.waiting).toBe(false);
    }
    fast.near.end();
    expect(await everything(fast.far)).toBe('aaa');
  });
});
