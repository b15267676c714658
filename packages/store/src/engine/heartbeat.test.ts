import { afterEach, describe, expect, it } from 'vitest';
import { startHeartbeat } from './heartbeat.ts';

let end: (() => void) | undefined;
afterEach(() => end?.());

function watch(answers: boolean[]) {
  const seen = { pings: 0, hung: 0 };
  end = startHeartbeat({
    everyMs: 1,
    forgiven: 2,
    ping: () => Promise.resolve(answers[seen.pings++] ?? true),
    onHung: () => seen.hung++,
  });
  return seen;
}

describe('watching an engine', () => {
  it('tells once that it hangs, when it was silent more often in a row than is forgiven', async () => {
    const seen = watch([true, false, false, false]);
    await expect.poll(() => seen.hung).toBe(1);
    expect(seen.pings).toBe(4);
  });

  it('forgives silence between answers', async () => {
    const seen = watch([false, false, true, false, false, true]);
    await expect.poll(() => seen.pings).toBeGreaterThan(10);
    expect(seen.hung).toBe(0);
  });

  it('ends when told', async () => {
    const seen = watch([]);
    await expect.poll(() => seen.pings).toBeGreaterThan(0);
    end!();
    const { pings } = seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen.pings).toBeLessThanOrEqual(pings + 1);
  });
});
