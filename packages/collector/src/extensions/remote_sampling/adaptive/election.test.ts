import { describe, expect, it } from 'vitest';
import { MemorySamplingStore } from './test/memory-sampling-store.ts';
import { Election, winnerOf } from './election.ts';

const signal = new AbortController().signal;

/** Processes that share a store and a clock of the test's own. */
function scene() {
  let nowUnixMs = 1_000_000;
  const store = new MemorySamplingStore({ exclusive: false, now: () => nowUnixMs });
  const process = (holder: string) => new Election({ store, holder, leaseMs: 60_000, renewMs: 5000, settleMs: 2000 });
  return { store, process, pass: (ms: number) => (nowUnixMs += ms) };
}

describe('the winner of a term', () => {
  const claim = (term: number, holder: string, claimedUnixMs: number, untilUnixMs = 100, released = false) => ({
    term,
    holder,
    claimedUnixMs,
    untilUnixMs,
    released,
  });

  it.each<[string, string | undefined, ReturnType<typeof claim>[]]>([
    ['nobody without claims', undefined, []],
    ['of the newest term', 'b', [claim(1, 'a', 1), claim(2, 'b', 5)]],
    ['who claimed first', 'b', [claim(1, 'a', 3), claim(1, 'b', 2), claim(1, 'c', 4)]],
    ['of the smaller name when both claimed at once', 'a', [claim(1, 'b', 2), claim(1, 'a', 2)]],
    ['nobody once the claim is over, whoever is second', undefined, [claim(1, 'a', 1, 50), claim(1, 'b', 2)]],
    ['nobody once it was given up', undefined, [claim(1, 'a', 1, 100, true), claim(1, 'b', 2)]],
  ])('is %s', (_, holder, claims) => {
    expect(winnerOf({ nowUnixMs: 50, claims })?.holder).toBe(holder);
    expect(winnerOf({ nowUnixMs: 50, claims: claims.toReversed() })?.holder).toBe(holder);
  });
});

describe('an election', () => {
  it('has a claim looked at for a while before it counts', async () => {
    const { process, pass } = scene();
    const one = process('one');
    expect(await one.step(signal)).toEqual({ leader: false, nextMs: 2000 });
    pass(500);
    expect(await one.step(signal)).toEqual({ leader: false, nextMs: 1500 });
    pass(1500);
    expect(await one.step(signal)).toEqual({ leader: true, nextMs: 5000 });
    expect(one.leader).toBe(true);
  });

  it('has one winner when all claim in the same moment', async () => {
    const { process, pass } = scene();
    const all = ['c', 'a', 'b'].map(process);
    await Promise.all(all.map((each) => each.step(signal)));
    for (let turn = 0; turn < 10; turn++) {
      pass(2000);
      await Promise.all(all.map((each) => each.step(signal)));
      expect(all.map(({ leader }) => leader)).toEqual([false, true, false]);
    }
  });

  it('passes to another within two leases when the leader ends without a word', async () => {
    const { process, pass } = scene();
    const [one, two] = [process('one'), process('two')];
    await one.step(signal);
    pass(2000);
    await one.step(signal);
    const { nextMs } = await two.step(signal);
    // The leader prolongs once more and is gone.
    pass(5000);
    expect(await one.step(signal)).toMatchObject({ leader: true });
    let waitedMs = 0;
    for (let next = nextMs; !two.leader;) {
      pass(next);
      waitedMs += next;
      ({ nextMs: next } = await two.step(signal));
    }
    expect(waitedMs).toBeLessThan(2 * 60_000);
    expect((await one.step(signal)).leader).toBe(false);
  });

  it('passes at once when the leader resigns', async () => {
    const { process, pass } = scene();
    const [one, two] = [process('one'), process('two')];
    await one.step(signal);
    pass(2000);
    await one.step(signal);
    await one.resign(signal);
    expect(one.leader).toBe(false);
    await two.step(signal);
    pass(2000);
    expect((await two.step(signal)).leader).toBe(true);
  });

  it('leaves nobody sure to lead who cannot reach the store', async () => {
    const { process, pass, store } = scene();
    const one = process('one');
    await one.step(signal);
    pass(2000);
    await one.step(signal);
    store.failure = new Error('gone');
    await expect(one.step(signal)).rejects.toThrow('gone');
    expect(one.leader).toBe(false);
    store.failure = undefined;
    expect((await one.step(signal)).leader).toBe(true);
  });

  it('has nothing to resign from when nothing was claimed', async () => {
    const { process, store } = scene();
    await process('one').resign(signal);
    expect((await store.leaseState()).claims).toEqual([]);
  });
});
