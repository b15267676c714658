import type { Duplex } from 'node:stream';
import { countBodyBytes } from '../body-garbage.ts';
import type { Downstream } from '../downstream/downstream.ts';
import type { Exchange } from '../exchange.ts';
import { InspectedPipe } from '../websocket/inspected-pipe.ts';
import type { FrameJudge } from '../websocket/inspected-pipe.ts';

/**
 * Answers an upgrade and from then on passes bytes in both directions, each as fast as the other side takes them. When
 * one side ends, the other is told; when one breaks, both do. `onOver` is called once. With a judge they are the frames of a
 * WebSocket, each of which it sees before it goes on.
 */
export function joinUpgraded(
  downstream: Downstream,
  exchange: Exchange,
  headers: readonly string[],
  upstream: Duplex,
  onOver: () => void,
  judge?: FrameJudge,
): void {
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  const { socket: client, first } = downstream.takeOver(`${head}\r\n`);
  let open = 2;
  let over = false;
  const finish = (broken: boolean): void => {
    if (broken) {
      client.destroy();
      upstream.destroy();
    }
    if (--open > 0 && !broken) return;
    if (over) return;
    over = true;
    onOver();
  };
  for (const [side, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    side.on('error', () => finish(true));
    side.on('close', () => {
      seeOut(other);
      finish(!side.readableEnded);
    });
  }
  if (first.length > 0) {
    exchange.requestBodyBytes += first.length;
    if (judge === undefined) upstream.write(first);
  }
  client.on('data', (chunk: Buffer) => {
    exchange.requestBodyBytes += chunk.length;
    countBodyBytes(chunk.length);
  });
  upstream.on('data', (chunk: Buffer) => {
    exchange.responseBodyBytes += chunk.length;
    countBodyBytes(chunk.length);
  });
  if (judge !== undefined) {
    new InspectedPipe(client, upstream, judge).start(first);
    return;
  }
  client.pipe(upstream);
  upstream.pipe(client);
}

/** How long a side has to close when the other one has, and it has been given everything. */
const lingerMs = 1000;
/** How long it has to take what it is given: who reads nothing may stay for ever. */
const seeOutMs = 30_000;

/**
 * Sees a side to its end whose counterpart is closed: it gets what was on its way, and what it says is read for nobody, for nobody
 * else would read it as far as its end.
 */
function seeOut(side: Duplex): void {
  if (side.destroyed) return;
  // Pipes stop their source when their destination closes.
  process.nextTick(() => side.resume());
  let timer: NodeJS.Timeout | undefined;
  const endWithin = (limitMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => side.destroy(), limitMs).unref();
  };
  endWithin(side.writableFinished ? lingerMs : seeOutMs);
  if (!side.writableFinished) side.once('finish', () => endWithin(lingerMs));
  side.once('close', () => clearTimeout(timer));
  side.end();
}
