import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../errors.ts';
import { plainAllow } from '../answer.ts';
import type { ReceivedAnswer } from './connection.ts';
import { PendingCalls, abandonedError } from './pending-calls.ts';

const answerOf = (answerBytes: number): ReceivedAnswer => ({ answer: plainAllow, answerBytes });
const lost = new GatewayError('connection_lost', 'as the test wants it');

/** How a call ended: with which answer or error. */
async function endOf(call: Promise<ReceivedAnswer>): Promise<number | string> {
  try {
    return (await call).answerBytes;
  } catch (caught) {
    return (caught as GatewayError).code;
  }
}

describe('calls that wait', () => {
  it('cannot be told apart when two are about one request, and the first goes on', async () => {
    const calls = new PendingCalls<string>();
    const first = endOf(calls.add('a', () => undefined));
    expect(await endOf(calls.add('a', () => expect.unreachable()))).toBe('protocol');
    expect(calls.answer('a', answerOf(7))).toBe(true);
    expect(await first).toBe(7);
  });

  it('wait no longer when sending fails, also when that ends all of them', async () => {
    const calls = new PendingCalls<string>();
    const others = ['a', 'b'].map((key) => endOf(calls.add(key, () => undefined)));
    const fails = (): never => {
      throw abandonedError();
    };
    expect(await endOf(calls.add('c', fails))).toBe('aborted');
    expect(calls.size).toBe(2);
    const ends = (): never => {
      calls.failAll(lost);
      throw abandonedError();
    };
    expect(await endOf(calls.add('c', ends))).toBe('connection_lost');
    expect(await Promise.all(others)).toEqual(['connection_lost', 'connection_lost']);
    expect(calls.size).toBe(0);
  });

  it('each end with what came for it, in whatever order that comes', async () => {
    const key = fc.integer({ min: 0, max: 9 });
    const act = fc.tuple(fc.constantFrom('ask', 'ask', 'answer', 'answer', 'fail', 'fail all'), key);
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        const calls = new PendingCalls<number>();
        const waiting = new Map<number, number>();
        const ends: Promise<number | string>[] = [];
        const wanted: (number | string)[] = [];
        for (const [at, [what, about]] of acts.entries()) {
          const asked = waiting.get(about);
          if (what === 'ask') {
            wanted.push(asked === undefined ? 'aborted' : 'protocol');
            if (asked === undefined) waiting.set(about, ends.length);
            ends.push(endOf(calls.add(about, () => undefined)));
          } else if (what === 'fail all') {
            for (const index of waiting.values()) wanted[index] = lost.code;
            waiting.clear();
            calls.failAll(lost);
          } else {
            const found = what === 'answer' ? calls.answer(about, answerOf(at)) : calls.fail(about, lost);
            expect(found).toBe(asked !== undefined);
            if (asked !== undefined) wanted[asked] = what === 'answer' ? at : lost.code;
            waiting.delete(about);
          }
          expect(calls.size).toBe(waiting.size);
        }
        calls.failAll(abandonedError());
        expect(await Promise.all(ends)).toEqual(wanted);
      }),
    );
  });
});
