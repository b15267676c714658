import fc from 'fast-check';
import { fromPlain } from '@clew/model';
import { RecordingConsumer, farDeadline, sampleSpans, testContext } from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.ts';

const events = { sent: () => undefined, lost: () => undefined, observeCardinality: () => () => undefined };

describe('Batcher', () => {
  it('sends every span once and in order, never more than the largest size, whatever comes in', async () => {
    const settings = fc.record({ size: fc.integer({ min: 1, max: 12 }), extra: fc.option(fc.nat(6)) });
    await fc.assert(
      fc.asyncProperty(
        settings,
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 12 }),
        async ({ size, extra }, counts) => {
          const max = extra === null ? 0 : size + extra;
          const next = new RecordingConsumer();
          const options = { timeoutMs: 3_600_000, sendBatchSize: size, sendBatchMaxSize: max, maxInFlight: 4 };
          const batcher = new Batcher(options, next, events, testContext());
          const spans = counts.map((count) => sampleSpans(count));
          for (const one of spans) {
            await batcher.add(fromPlain(one), 1n);
            expect(batcher.pendingSpans).toBeLessThan(size);
          }
          await batcher.flush(farDeadline());
          expect(next.spans.map(({ spanId }) => spanId)).toEqual(spans.flat().map(({ spanId }) => spanId));
          const sizes = next.batches.map((batch) => batch.length);
          if (max > 0) expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(max);
          // With a largest size the pieces of one arrival may end in a small one; without, only the last batch may be small.
          if (max === 0) for (const sent of sizes.slice(0, -1)) expect(sent).toBeGreaterThanOrEqual(size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('travels with the time at which its oldest span came', async () => {
    const next = new RecordingConsumer();
    const options = { timeoutMs: 3_600_000, sendBatchSize: 10, sendBatchMaxSize: 0, maxInFlight: 4 };
    const batcher = new Batcher(options, next, events, testContext());
    await batcher.add(fromPlain(sampleSpans(3)), 5n);
    await batcher.add(fromPlain(sampleSpans(3)), 9n);
    await batcher.flush(farDeadline());
    expect(next.contexts[0]?.receivedUnixNano).toBe(5n);
  });
});
