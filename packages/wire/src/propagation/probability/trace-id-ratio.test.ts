import { TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TraceId } from '@clew/model';
import { traceIdRatioSampler } from './trace-id-ratio.ts';
import type { RatioDialect } from './trace-id-ratio.ts';

const dialects: readonly RatioDialect[] = ['js', 'go', 'java', 'python'];
const traceId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => Buffer.from(bytes).toString('hex') as TraceId);
const ratio = fc.double({ min: 0, max: 1, noNaN: true });

/** Each language's comparison, in whole numbers. */
const reference: Readonly<Record<Exclude<RatioDialect, 'js'>, (id: bigint, share: number) => boolean>> = {
  go: (id, share) => BigInt.asUintN(64, id) >> 1n < BigInt(Math.floor(share * 2 ** 63)),
  java: (id, share) => {
    const low = BigInt.asIntN(64, id);
    return BigInt.asIntN(64, low < 0n ? -low : low) < BigInt(Math.floor(share * 2 ** 63));
  },
  python: (id, share) => BigInt.asUintN(64, id) < BigInt(Math.round(share * 2 ** 64)),
};

describe.each(dialects)('the ratio sampler of %s', (dialect) => {
  it('keeps none at 0 and below, all at 1 and above', () => {
    for (const id of ['0'.repeat(31) + '1', 'f'.repeat(32)] as TraceId[]) {
      for (const none of [0, -1, Number.NaN]) expect(traceIdRatioSampler(dialect, none)(id)).toBe(false);
      for (const all of [1, 2]) expect(traceIdRatioSampler(dialect, all)(id)).toBe(true);
    }
  });

  it('keeps at a higher ratio whatever it keeps at a lower one', () => {
    fc.assert(
      fc.property(traceId, ratio, ratio, (id, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        if (traceIdRatioSampler(dialect, low)(id)) expect(traceIdRatioSampler(dialect, high)(id)).toBe(true);
      }),
    );
  });

  it('keeps about the ratio', () => {
    const sampler = traceIdRatioSampler(dialect, 0.25);
    let kept = 0;
    // A generator with a fixed seed: the test cannot be unlucky.
    let state = 12345;
    const word = (): string => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return ((state ^ (state >>> 15)) >>> 0).toString(16).padStart(8, '0');
    };
    for (let i = 0; i < 20_000; i++) if (sampler((word() + word() + word() + word()) as TraceId)) kept++;
    expect(kept / 20_000).toBeGreaterThan(0.22);
    expect(kept / 20_000).toBeLessThan(0.28);
  });
});

describe('the ratio samplers', () => {
  it.each(['go', 'java', 'python'] as const)('decide as %s does', (dialect) => {
    fc.assert(
      fc.property(traceId, ratio, (id, share) => {
        if (share === 0 || share === 1) return;
        expect(traceIdRatioSampler(dialect, share)(id)).toBe(reference[dialect](BigInt(`0x${id}`), share));
      }),
      { numRuns: 500, examples: [[('0'.repeat(16) + '8' + '0'.repeat(15)) as TraceId, 0.5]] },
    );
  });

  it('decide as the OpenTelemetry SDK for JavaScript does', () => {
    fc.assert(
      fc.property(traceId, ratio, (id, share) => {
        const theirs = new TraceIdRatioBasedSampler(share).shouldSample(ROOT_CONTEXT, id);
        expect(traceIdRatioSampler('js', share)(id)).toBe(theirs.decision === 2);
      }),
      { numRuns: 500 },
    );
  });
});
