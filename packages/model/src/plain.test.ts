import { arbitrarySpans } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpanBatch } from './batch/span-batch.ts';
import { fromPlain, plainAt, plainResource, plainSpan, toPlain } from './plain.ts';

describe('the plain object model', () => {
  it('refuses ids that are none', () => {
    expect(() => plainSpan({ traceId: 'x', spanId: '1' })).toThrow(expect.objectContaining({ code: 'invalid_id' }));
    expect(() => plainSpan({ traceId: '1', spanId: '1', startUnixNano: -1n })).toThrow(
      expect.objectContaining({ code: 'invalid_time' }),
    );
  });

  it('comes back from a batch as it went in, whatever it holds', () => {
    fc.assert(
      fc.property(arbitrarySpans(), (spans) => {
        expect(toPlain(fromPlain(spans))).toEqual(spans);
      }),
    );
  });

  it('comes back from a batch that was used before', () => {
    const batch = new SpanBatch();
    fc.assert(
      fc.property(arbitrarySpans(), fc.boolean(), (spans, borrowed) => {
        batch.reset();
        if (borrowed) batch.adoptHeap(Uint8Array.of(1, 2, 3));
        expect(toPlain(fromPlain(spans, batch))).toEqual(spans);
      }),
    );
  });

  it('fills in what a test does not care about', () => {
    const span = plainSpan({ traceId: '1', spanId: 'a', service: 'shop', attributes: { 'http.route': '/', n: 1n } });
    const batch = fromPlain([span]);
    expect(plainAt(batch, 0)).toEqual(span);
    expect(span.resource).toEqual(plainResource({ 'service.name': 'shop' }));
    expect(span.attributes).toEqual([
      { key: 'http.route', value: '/' },
      { key: 'n', value: 1n },
    ]);
  });

  it('shares rows between spans that share resource and scope objects', () => {
    const first = plainSpan({ traceId: '1', spanId: '1', service: 'shop' });
    const batch = fromPlain([
      first,
      { ...first, name: 'second' },
      plainSpan({ traceId: '1', spanId: '2', service: 'shop' }),
    ]);
    expect([batch.resourceTable.count, batch.scopeTable.count]).toEqual([2, 2]);
  });
});
