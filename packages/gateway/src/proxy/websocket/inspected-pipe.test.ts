import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Limit } from '@clew/base';
import { describe, expect, it } from 'vitest';
import { eventually, onEnd } from '../../../test/proxy/harness.ts';
import { frameBytes, fromClient } from '../../../test/proxy/websocket.ts';
import type { Downstream } from '../downstream/downstream.ts';
import { Exchange } from '../exchange.ts';
import { joinUpgraded } from '../flow/upgrade.ts';
import type { Frame } from './frames.ts';
import { InspectedPipe } from './inspected-pipe.ts';
import type { FrameJudge, FrameRuling } from './inspected-pipe.ts';

/** Lets everything pass but a text that says `close`. */
class Judge implements FrameJudge {
  readonly limit = new Limit(
    { name: 'l', setting: 'l.max', subject: 'a frame', unit: 'bytes', defaultValue: 1_000_000 },
    1_000_000,
  );
  readonly interested = true;
  judged = 0;

  judge({ payload }: Frame): Promise<FrameRuling> {
    this.judged++;
    return Promise.resolve(
      payload.toString() === 'close' ? { kind: 'close', code: 4001, reason: 'enough' } : { kind: 'pass' },
    );
  }

  onViolation(): void {
    expect.unreachable();
  }
}

/** A side that takes what is written only when the test says so. */
class Side extends Duplex {
  readonly #held: (() => void)[] = [];

  constructor() {
    super({ allowHalfOpen: true, autoDestroy: false });
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#held.push(done);
  }

  /** Takes all it was given so far and is given because of that. */
  swallow(): void {
    for (let done = this.#held.shift(); done !== undefined; done = this.#held.shift()) done();
  }
}

type Direction = 'client to server' | 'server to client';
const directions: readonly Direction[] = ['client to server', 'server to client'];
const frame = (direction: Direction, payload: string | Buffer): Buffer =>
  direction === 'client to server' ? fromClient(2, payload) : frameBytes(2, payload);
const other = (direction: Direction): Direction => directions[1 - directions.indexOf(direction)]!;

/** A pipe whose source has sent more than its sink takes. */
async function waiting(direction: Direction): Promise<{ source: Side; sink: Side; judge: Judge }> {
  const [source, sink, judge] = [new Side(), new Side(), new Judge()];
  const [client, server] = direction === 'client to server' ? [source, sink] : [sink, source];
  new InspectedPipe(client, server, judge).start(Buffer.alloc(0));
  source.push(frame(direction, Buffer.alloc(100_000)));
  await eventually(() => sink.writableNeedDrain, 'the pipe having to wait');
  return { source, sink, judge };
}

describe.each(directions)('frames on their way from %s that are not taken', (direction) => {
  it('keep nothing waiting when the sink is closed without a word: the rest is read for nobody', async () => {
    const { source, sink, judge } = await waiting(direction);
    sink.push(null);
    await eventually(() => sink.readableEnded && source.writableEnded, 'the end of the other direction');
    sink.destroy();
    source.push(frame(direction, 'more'));
    source.push(null);
    await eventually(() => source.readableEnded, 'the end of the source');
    expect([judge.judged, source.destroyed]).toEqual([1, false]);
  });

  it('end with the sink when that breaks', async () => {
    const { source, sink } = await waiting(direction);
    sink.on('error', () => undefined);
    sink.destroy(new Error('as the test wants it'));
    await eventually(() => source.destroyed, 'the end of the source');
  });

  it('are the last when the pipe is closed meanwhile: both sides are read to their end', async () => {
    const { source, sink, judge } = await waiting(direction);
    sink.push(frame(other(direction), 'close'));
    await eventually(() => sink.writableEnded && source.writableEnded, 'the closing frames');
    sink.swallow();
    source.push(frame(direction, 'more'));
    source.push(null);
    sink.push(null);
    await eventually(() => source.readableEnded && sink.readableEnded, 'the end of both sides');
    expect([judge.judged, source.destroyed, sink.destroyed]).toEqual([2, false, false]);
  });
});

/** Both ends of a connection: the gateway's first. */
async function connection(server: Server): Promise<readonly [Socket, Socket]> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [own] = await accepted;
  for (const socket of [own, peer]) {
    socket.on('error', () => undefined);
    onEnd(() => socket.destroy());
  }
  return [own, peer];
}

describe.each(directions)('a WebSocket with frames from %s', (direction) => {
  it('is over when the peer that is to take them stops reading and is then cut', async () => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    onEnd(() => server.close());
    await once(server, 'listening');
    const [ownClient, client] = await connection(server);
    const [ownUpstream, upstream] = await connection(server);
    const downstream = { takeOver: () => ({ socket: ownClient, first: Buffer.alloc(0) }) } as unknown as Downstream;
    const exchange = new Exchange({} as never, 0, 0);
    let over = 0;
    const judge = new Judge();
    joinUpgraded(downstream, exchange, [], ownUpstream, () => over++, judge);
    const [sender, reader, sink] =
      direction === 'client to server' ? [client, upstream, ownUpstream] : [upstream, client, ownClient];
    sender.resume();
    reader.pause();
    // More than all buffers between them hold.
    for (let sent = 0; sent < 64; sent++) sender.write(frame(direction, Buffer.alloc(500_000)));
    await eventually(() => sink.writableNeedDrain && sink.bytesWritten > 1_000_000, 'the gateway having to wait');
    reader.resetAndDestroy();
    await eventually(() => over === 1, 'the end of the WebSocket');
    await eventually(() => sender.destroyed, 'the end of the other side');
    expect([ownClient.destroyed, ownUpstream.destroyed]).toEqual([true, true]);
    expect(judge.judged).toBeLessThan(64);
  });
});
