import { SpanBatch, fromPlain, plainSpan, toPlain } from '@clew/model';
import { expect } from 'vitest';
import { WireError } from '../errors.ts';

/** What any decoder must do with any bytes, for the tests of all formats. */

const survivors = [plainSpan({ traceId: '1', spanId: '2', name: 'kept', attributes: { k: 'v' } })];

/**
 * Decodes behind a span that must survive. Whatever happens is a valid batch, which is returned, or a `WireError` with an offset within the
 * input, after which the batch is as it was.
 */
export function decodeSafely(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array, batch: SpanBatch) => unknown,
): SpanBatch | undefined {
  const batch = fromPlain(survivors);
  try {
    decode(bytes, batch);
  } catch (caught) {
    expectWithin(caught, bytes);
    expect(toPlain(batch)).toEqual(survivors);
    return undefined;
  }
  expect(toPlain(batch)[0]).toEqual(survivors[0]);
  return batch;
}

function expectWithin(caught: unknown, bytes: Uint8Array): void {
  if (!(caught instanceof WireError)) throw caught;
  expect(caught.details['offset']).toBeGreaterThanOrEqual(0);
  expect(caught.details['offset']).toBeLessThanOrEqual(bytes.length);
}

/** The `WireError` that decoding `bytes` into an empty batch fails with; nothing of it may stay. */
export function refusalOf(bytes: Uint8Array, decode: (bytes: Uint8Array, batch: SpanBatch) => unknown): WireError {
  const batch = new SpanBatch();
  try {
    decode(bytes, batch);
  } catch (caught) {
    expectWithin(caught, bytes);
    expect(batch.heapOwned).toBe(true);
    expect(batch.count + batch.resourceTable.count + batch.strings.count).toBe(1);
    return caught as WireError;
  }
  throw new Error('nothing was thrown');
}
