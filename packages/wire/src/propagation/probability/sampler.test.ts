import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OtState, parseOtState } from './ot-state.ts';
import { ProbabilisticSampler, seededHash } from './sampler.ts';
import type { ProbabilisticSamplerOptions, SamplingResult } from './sampler.ts';
import { atLeast } from './uint56.ts';

const id = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.padStart(32, '0'), 'hex'));
const anyId = fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes.some((byte) => byte !== 0));

function decide(options: ProbabilisticSamplerOptions, traceId: Uint8Array, tracestate = ''): SamplingResult {
  const result: SamplingResult = { kept: false, tracestate: 'unset', policy: 'trace_id_hash', inconsistent: true };
  const around = new Uint8Array(20);
  around.set(traceId, 2);
  new ProbabilisticSampler(options).decide(around, 2, tracestate, result);
  return result;
}

const LOW = id('1'.padEnd(32, '0').slice(0, 18) + '00000000000001');
const HIGH = id(`1${'f'.repeat(31)}`);

describe('proportional and equalizing sampling', () => {
  const half = { mode: 'proportional', percentage: 50 } as const;
  const equal = { mode: 'equalizing', percentage: 50 } as const;

  it('keeps by the randomness of the trace id and says how', () => {
    expect(decide(half, HIGH)).toEqual({
      kept: true,
      tracestate: 'ot=th:8',
      policy: 'trace_id_w3c',
      inconsistent: false,
    });
    expect(decide(half, LOW)).toEqual({ kept: false, tracestate: '', policy: 'trace_id_w3c', inconsistent: false });
    expect(decide({ ...half, percentage: 100 }, LOW)).toMatchObject({ kept: true, tracestate: 'ot=th:0' });
    expect(decide({ ...half, percentage: 250 }, LOW)).toMatchObject({ kept: true, tracestate: 'ot=th:0' });
    expect(decide({ ...half, percentage: 0 }, HIGH)).toMatchObject({ kept: false });
  });

  it('goes by the randomness that tracestate names, also without a trace id', () => {
    const tracestate = 'foo=1,ot=rv:ffffffffffffff';
    expect(decide(half, LOW, tracestate)).toEqual({
      kept: true,
      tracestate: 'ot=rv:ffffffffffffff;th:8,foo=1',
      policy: 'sampling_randomness',
      inconsistent: false,
    });
    expect(decide(half, new Uint8Array(16), tracestate).kept).toBe(true);
    expect(decide(half, HIGH, 'ot=rv:00000000000000').kept).toBe(false);
  });

  it('lowers an arriving probability in proportion, or only where it is higher', () => {
    expect(decide(half, HIGH, 'ot=th:8').tracestate).toBe('ot=th:c');
    expect(decide(equal, HIGH, 'ot=th:8').tracestate).toBe('ot=th:8');
    expect(decide(equal, HIGH, 'ot=th:c').tracestate).toBe('ot=th:c');
    expect(decide(equal, HIGH, 'ot=th:4').tracestate).toBe('ot=th:8');
    expect(decide({ ...half, percentage: 100 }, HIGH, 'ot=th:fd70a4').tracestate).toBe('ot=th:fd70a4');
  });

  it('keeps nothing once the product is too small', () => {
    expect(decide({ ...half, percentage: 1e-9 }, HIGH, 'ot=th:ffffffffffffff').kept).toBe(false);
  });

  it('drops a span without randomness, or keeps it unchanged when open', () => {
    const missing = { policy: 'missing_randomness', tracestate: 'foo=1', inconsistent: false };
    expect(decide(half, new Uint8Array(16), 'foo=1')).toEqual({ ...missing, kept: false });
    expect(decide({ ...half, failClosed: false }, new Uint8Array(16), 'foo=1')).toEqual({ ...missing, kept: true });
  });

  it('drops a span whose threshold cannot have kept it, or keeps it with its count unknown', () => {
    expect(decide(half, LOW, 'ot=th:8;x:y')).toMatchObject({ kept: false, inconsistent: true });
    expect(decide({ ...half, failClosed: false }, LOW, 'ot=th:8;x:y')).toEqual({
      kept: true,
      tracestate: 'ot=x:y',
      policy: 'trace_id_w3c',
      inconsistent: true,
    });
  });

  it('never raises a probability and never contradicts its own threshold', () => {
    const options = fc.record({
      mode: fc.constantFrom('proportional' as const, 'equalizing' as const),
      percentage: fc.double({ min: 0, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(
        options,
        anyId,
        fc.constantFrom('', 'ot=th:8', 'ot=th:4c', 'ot=th:fd70a'),
        (given, traceId, before) => {
          const { kept, tracestate, inconsistent } = decide(given, traceId, before);
          if (inconsistent || !kept) return;
          const old = new OtState();
          const now = new OtState();
          parseOtState(before, old);
          parseOtState(tracestate, now);
          expect(now.hasThreshold).toBe(true);
          if (old.hasThreshold) expect(atLeast(now.threshold, old.threshold)).toBe(true);
          expect(decide({ mode: 'equalizing', percentage: 100 }, traceId, tracestate)).toMatchObject({
            kept: true,
            tracestate,
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('sampling by hash and seed', () => {
  /** FNV-1a as its definition reads, in whole numbers. */
  function fnv(bytes: Iterable<number>): number {
    let hash = 2166136261n;
    for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 16777619n) & 0xffffffffn;
    return Number(hash);
  }

  it('hashes the seed, little-endian, and the trace id', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), anyId, (seed, traceId) => {
        const littleEndian = [seed & 255, (seed >>> 8) & 255, (seed >>> 16) & 255, seed >>> 24];
        expect(seededHash(seed, traceId, 0)).toBe(fnv([...littleEndian, ...traceId]));
      }),
    );
  });

  it('keeps the buckets below the percentage and writes what others can check', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), anyId, fc.integer({ min: 1, max: 100 }), (hashSeed, traceId, percentage) => {
        const bucket = seededHash(hashSeed, traceId, 0) & 0x3fff;
        const buckets = Math.floor(Math.fround(Math.fround(percentage) * Math.fround(163.84)));
        const { kept, tracestate, policy } = decide({ mode: 'hash_seed', percentage, hashSeed }, traceId, 'foo=1');
        expect([kept, policy]).toEqual([bucket < buckets, 'trace_id_hash']);
        if (!kept) return;
        const state = new OtState();
        parseOtState(tracestate, state);
        const hash = BigInt(seededHash(hashSeed, traceId, 0));
        const rest = hash >> 14n;
        const expected = ((0x3fffn - (hash & 0x3fffn)) << 42n) | ((rest ^ (rest << 10n)) << 14n) | (hash & 0x3fffn);
        expect((BigInt(state.randomness.hi) << 32n) | BigInt(state.randomness.lo)).toBe(expected);
        expect(state.threshold).toEqual({ hi: (0x4000 - buckets) << 10, lo: 0 });
        expect(state.isInconsistent(state.randomness)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('decides by the hash alone and leaves a tracestate with randomness or threshold as it is', () => {
    const all = { mode: 'hash_seed', percentage: 100, hashSeed: 22 } as const;
    expect(decide(all, LOW, 'ot=th:8')).toEqual({
      kept: true,
      tracestate: 'ot=th:8',
      policy: 'trace_id_hash',
      inconsistent: false,
    });
    expect(decide({ ...all, percentage: 0 }, HIGH, '').kept).toBe(false);
    expect(decide(all, new Uint8Array(16), 'ot=rv:ffffffffffffff')).toMatchObject({
      kept: false,
      policy: 'missing_randomness',
    });
  });
});
