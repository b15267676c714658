import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { RateConfig } from '../../config/model/system.ts';
import { SharedBuckets, sharedBucketMemory } from './shared-buckets.ts';

const rate = (requestsPerSecond: number, burst: number): RateConfig => ({
  requestsPerSecond,
  burst,
  key: { kind: 'client-ip' },
});

describe('buckets that threads share', () => {
  it('hold together what each of two would hold alone', () => {
    const memory = sharedBucketMemory();
    const [a, b] = [new SharedBuckets('r', rate(10, 3), memory), new SharedBuckets('r', rate(10, 3), memory)];
    expect([a, b, a, b].map((buckets) => buckets.take('x', 0).allowed)).toEqual([true, true, true, false]);
    expect(b.take('y', 0)).toMatchObject({ allowed: true, remaining: 2 });
    expect(a.take('x', 101)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('keep rates of different names apart', () => {
    const memory = sharedBucketMemory();
    expect(new SharedBuckets('one', rate(1, 1), memory).take('x', 0).allowed).toBe(true);
    expect(new SharedBuckets('two', rate(1, 1), memory).take('x', 0).allowed).toBe(true);
    expect(new SharedBuckets('one', rate(1, 1), memory).take('x', 0).allowed).toBe(false);
  });

  it('lend tokens ahead where requests may wait', () => {
    const buckets = new SharedBuckets('r', rate(10, 1), sharedBucketMemory());
    expect([0, 0, 0].map((ms) => buckets.take('x', ms, 150).waitMs)).toEqual([0, 100, 200]);
    expect(buckets.take('x', 0, 150).allowed).toBe(false);
  });

  it('forget old keys when there are too many, and never fail', () => {
    const buckets = new SharedBuckets('r', rate(0, 1), sharedBucketMemory());
    for (let index = 0; index < 300_000; index++) expect(buckets.take(`key ${index}`, index).allowed).toBe(true);
    expect(buckets.take('key 299999', 300_000).allowed).toBe(false);
  });

  it('lose no token to threads that take at the same time', async () => {
    const memory = sharedBucketMemory();
    const source = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.url).then(({ SharedBuckets }) => {
        const buckets = new SharedBuckets('r', { requestsPerSecond: 0, burst: 20000, key: { kind: 'client-ip' } }, workerData.memory);
        let allowed = 0;
        for (let index = 0; index < 15000; index++) if (buckets.take('x', performance.now()).allowed) allowed++;
        parentPort.postMessage(allowed);
      });`;
    const url = new URL('./shared-buckets.ts', import.meta.url).href;
    const counts = await Promise.all(
      [1, 2].map(
        () =>
          new Promise<number>((resolve, reject) => {
            const worker = new Worker(source, { eval: true, workerData: { url, memory } });
            worker.once('message', resolve).once('error', reject);
          }),
      ),
    );
    expect(counts[0]! + counts[1]!).toBe(20_000);
  });
});
