import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { platform } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { cleanUp } from '../test/harness.ts';
import { kernelDrops } from './kernel-drops.ts';
import { openUdpSource } from './udp-source.ts';
import { packetAt } from './types.ts';
import type { PacketBatch, PacketDropReason, UdpSourceOptions } from './types.ts';

const decoder = new TextDecoder();
const texts = (batch: PacketBatch) =>
  Array.from({ length: batch.count }, (_, at) => decoder.decode(packetAt(batch, at)));

async function open(options: Partial<UdpSourceOptions> = {}) {
  const received: string[] = [];
  const dropped: [PacketDropReason, number][] = [];
  const notices: string[] = [];
  const source = await openUdpSource({
    endpoint: { host: '127.0.0.1', port: 0 },
    owner: 'test/udp',
    receiveBufferSetting: 'socket_buffer_size',
    receiveBufferBytes: 64 * 1024,
    onPackets: (batch) => Promise.resolve(void received.push(...texts(batch))),
    onDropped: (...drop) => dropped.push(drop),
    onNotice: (text) => notices.push(text),
    ...options,
  });
  cleanUp(() => source.close());
  return { source, received, dropped, notices };
}

function sender(): Socket {
  const socket = createSocket('udp4');
  cleanUp(() => socket.close());
  return socket;
}

const send = (socket: Socket, port: number, text: string) =>
  new Promise<void>((resolve, reject) => {
    socket.send(text, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
  });

const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

describe('what a UDP source drops', () => {
  it('is what is larger than allowed, and what comes while too much waits: counted, with the rest received', async () => {
    const held = Promise.withResolvers<void>();
    const taken: string[] = [];
    const { source, dropped } = await open({
      maxPacketBytes: 10,
      maxQueuedPackets: 3,
      onPackets: async (batch) => {
        taken.push(...texts(batch));
        await held.promise;
      },
    });
    const socket = sender();
    await send(socket, source.address.port, 'x'.repeat(11));
    for (let n = 0; n < 8; n++) await send(socket, source.address.port, `p${n}`);
    await eventually(() => {
      expect(source.snapshot().droppedTotal).toEqual({ packet_too_large: 1, queue_full: 5, kernel: 0 });
    });
    held.resolve();
    await eventually(() => expect(taken).toEqual(['p0', 'p1', 'p2']));
    expect(new Map(dropped).get('packet_too_large')).toBe(1);
    await send(socket, source.address.port, 'later');
    await eventually(() => expect(taken).toContain('later'));
  });

  it('is what no longer fits the bytes that may wait, however few datagrams they are', async () => {
    const held = Promise.withResolvers<void>();
    const taken: string[] = [];
    const { source } = await open({
      maxQueuedBytes: 25,
      onPackets: async (batch) => {
        taken.push(...texts(batch));
        await held.promise;
      },
    });
    const socket = sender();
    for (const letter of 'abcd') await send(socket, source.address.port, letter.repeat(10));
    await eventually(() => {
      expect(source.snapshot().droppedTotal).toEqual({ packet_too_large: 0, queue_full: 2, kernel: 0 });
    });
    held.resolve();
    await eventually(() => expect(taken).toEqual(['a'.repeat(10), 'b'.repeat(10)]));
    // What was taken no longer counts.
    await send(socket, source.address.port, 'e'.repeat(20));
    await eventually(() => expect(taken).toContain('e'.repeat(20)));
  });

  it('is a batch whose owner failed: told, and the next is received', async () => {
    let fail = true;
    const received: string[] = [];
    const { source, notices } = await open({
      onPackets(batch) {
        if (fail) return Promise.reject(new Error('no room'));
        received.push(...texts(batch));
        return Promise.resolve();
      },
    });
    const socket = sender();
    await send(socket, source.address.port, 'first');
    await eventually(() => expect(notices).toEqual(['test/udp lost 1 datagrams: no room']));
    fail = false;
    await send(socket, source.address.port, 'second');
    await eventually(() => expect(received).toEqual(['second']));
  });

  it('is read from the kernel’s table, by port', () => {
    const table = (path: string) =>
      path.endsWith('udp')
        ? '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n' +
          '  12: 0100007F:1AAF 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4242 2 0000000000000000 17\n' +
          '  13: 0100007F:1AB0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4243 2 0000000000000000 5\n'
        : '';
    expect(kernelDrops(6831, table)).toBe(17);
    expect(kernelDrops(6832, table)).toBe(5);
    expect(kernelDrops(6833, table)).toBeUndefined();
    expect(kernelDrops(6831, () => '')).toBeUndefined();
  });

  it('is read from both tables of the kernel, for a socket of IPv6 is in the other', () => {
    const line = (address: string, drops: number) =>
      `head\n  12: ${address}:1AAF 0:0000 07 00000000:00000000 00:00000000 00000000 0 0 4242 2 0 ${drops}\n`;
    const table = (path: string) => (path.endsWith('udp6') ? line('0'.repeat(32), 4) : line('0100007F', 3));
    expect(kernelDrops(6831, table)).toBe(7);
    expect(kernelDrops(6831, (path) => (path.endsWith('udp6') ? table(path) : ''))).toBe(4);
  });

  it.runIf(platform() === 'linux')('is counted when the kernel drops it, so that nothing is lost unseen', async () => {
    const { source, dropped } = await open({ receiveBufferBytes: 1, maxQueuedPackets: 1_000_000 });
    const socket = sender();
    let sent = 0;
    const text = 'x'.repeat(1000);
    const kernel = () => source.snapshot().droppedTotal.kernel;
    // The buffer holds a datagram or two, so sending without a pause outruns whoever receives; how soon depends on the machine.
    await eventually(async () => {
      await Promise.all(Array.from({ length: 500 }, () => send(socket, source.address.port, text)));
      sent += 500;
      expect(kernel()).toBeGreaterThan(0);
    });
    await eventually(() => expect(source.snapshot().packetsTotal + kernel()).toBe(sent));
    expect(dropped.every(([reason]) => reason === 'kernel')).toBe(true);
    expect(dropped.reduce((sum, [, packets]) => sum + packets, 0)).toBe(kernel());
  });
});

describe('a UDP source', () => {
  it('says which setting is too small when the kernel gives less than asked for', async () => {
    const { source, notices } = await open({ receiveBufferBytes: 2_000_000_000 });
    expect(source.snapshot().receiveBufferBytes).toBeLessThan(2_000_000_000);
    expect(notices).toEqual([
      expect.stringMatching(
        /asked for a receive buffer of 2000000000 bytes and the kernel gave \d+: .*net\.core\.rmem_max.*socket_buffer_size/,
      ),
    ]);
  });

  it.runIf(platform() === 'linux')(
    'says nothing when it has what it asked for, by its own count of bytes',
    async () => {
      // The kernel reports the double of what it gives.
      const { source, notices } = await open({ receiveBufferBytes: 64 * 1024 });
      expect(source.snapshot().receiveBufferBytes).toBe(64 * 1024);
      expect(notices).toEqual([]);
    },
  );

  it('names who holds its port', async () => {
    const { source } = await open();
    await expect(open({ endpoint: source.address })).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringMatching(
        /^test\/udp cannot listen on UDP 127\.0\.0\.1:\d+: the address is in use, held by /,
      ) as string,
    });
  });

  it('hands over every datagram once and in order, many at a time, empty ones too', async () => {
    const sizes: number[] = [];
    const received: string[] = [];
    const { source } = await open({
      receiveBufferBytes: 4 * 1024 * 1024,
      maxQueuedPackets: 10_000,
      onPackets(batch) {
        sizes.push(batch.count);
        received.push(...texts(batch));
        return Promise.resolve();
      },
    });
    const socket = sender();
    const sent = Array.from({ length: 600 }, (_, n) => (n % 50 === 0 ? '' : `${n}`.repeat(1 + (n % 300))));
    for (const text of sent) await send(socket, source.address.port, text);
    await eventually(() => expect(received).toHaveLength(sent.length));
    expect(received).toEqual(sent);
    expect(sizes.length).toBeLessThanOrEqual(sent.length);
    expect(source.snapshot()).toMatchObject({ packetsTotal: sent.length, bytesTotal: sent.join('').length });
  });

  it('waits, when it is closed, until what it received has been taken', async () => {
    const held = Promise.withResolvers<void>();
    const taken: string[] = [];
    const { source } = await open({
      async onPackets(batch) {
        await held.promise;
        taken.push(...texts(batch));
      },
    });
    const socket = sender();
    for (const text of ['a', 'b', 'c']) await send(socket, source.address.port, text);
    await eventually(() => expect(source.snapshot().packetsTotal).toBeGreaterThan(0));
    const closed = source.close();
    held.resolve();
    await closed;
    expect(taken.join('')).toBe('abc'.slice(0, taken.length));
    expect(taken.length).toBeGreaterThan(0);
    await source.close();
  });
});
