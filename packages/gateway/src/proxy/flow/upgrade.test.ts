// What an upgraded connection leaves behind when one of its sides is gone; the rest is shown through whole gateways.
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connection } from '../../telemetry/test/exchanges.ts';
import type { Downstream } from '../downstream/downstream.ts';
import { Exchange } from '../exchange.ts';
import { joinUpgraded } from './upgrade.ts';

/** A side that says nothing; it takes what it is given, or never does. */
function side(takes: boolean): Duplex {
  return new Duplex({
    highWaterMark: 4,
    read() {},
    write: (_piece, _encoding, done) => {
      if (takes) done();
    },
  });
}

interface Joined {
  readonly client: Duplex;
  readonly upstream: Duplex;
  over(): boolean;
}

function joined(client: Duplex, upstream: Duplex): Joined {
  let over = false;
  const downstream = { takeOver: () => ({ socket: client, first: Buffer.alloc(0) }) } as unknown as Downstream;
  joinUpgraded(downstream, new Exchange(connection(), 0, 0), [], upstream, () => (over = true));
  return { client, upstream, over: () => over };
}

describe('of an upgraded connection', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  const turn = (): Promise<void> => new Promise((later) => setImmediate(later));

  it.each([
    ['that takes nothing more is given up, half a minute after the other one is gone', false, 30_000],
    ['that has got everything and does not close is given up after a second', true, 1000],
  ])('a side %s', async (_what, takes, limitMs) => {
    const { client, upstream, over } = joined(side(takes), side(true));
    upstream.push('said before the end');
    upstream.push(null);
    await turn();
    upstream.destroy();
    await turn();
    vi.advanceTimersByTime(limitMs - 1);
    await turn();
    expect([client.destroyed, over()]).toEqual([false, false]);
    vi.advanceTimersByTime(1);
    await turn();
    expect([client.destroyed, over()]).toEqual([true, true]);
  });

  it('both sides are given up when one breaks', async () => {
    const { client, upstream, over } = joined(side(true), side(true));
    upstream.destroy(new Error('reset'));
    await turn();
    expect([client.destroyed, over()]).toEqual([true, true]);
  });
});
