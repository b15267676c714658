import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyFilter } from './query/filter.ts';
import {
  encodeCatalogRequest,
  encodeSearchRequest,
  encodeSeriesRequest,
  parseCatalogRequest,
  parseSearchRequest,
  parseSeriesRequest,
  parseSpanIds,
} from './requests.ts';
import { searchOrders } from './search.ts';

const nowUnixMs = Date.UTC(2026, 0, 2);

describe('requests to the API', () => {
  it('name every parameter that is wrong', () => {
    const params = new URLSearchParams({ from: 'yesterday', order: 'best', limit: '0', q: '{' });
    const parsed = parseSearchRequest(params, nowUnixMs);
    expect(parsed.ok ? [] : parsed.error.map((found) => found.parameter)).toEqual(['from', 'q', 'order', 'limit']);
  });

  it('refuse an empty time range', () => {
    const parsed = parseSeriesRequest(new URLSearchParams({ from: 'now', to: 'now-1h' }), nowUnixMs);
    expect(parsed).toMatchObject({ ok: false, error: [{ parameter: 'to' }] });
  });

  it('look at the last hour when no range is given', () => {
    const parsed = parseSearchRequest(new URLSearchParams(), nowUnixMs);
    expect(parsed).toMatchObject({
      ok: true,
      value: { fromUnixNano: BigInt(nowUnixMs - 3_600_000) * 1_000_000n, toUnixNano: BigInt(nowUnixMs) * 1_000_000n },
    });
  });

  it('come back from their parameters unchanged', () => {
    const time = fc.bigInt({ min: 0n, max: 2n ** 63n - 2n });
    fc.assert(
      fc.property(time, fc.constantFrom(...searchOrders), fc.integer({ min: 1, max: 1500 }), (from, order, limit) => {
        const range = { fromUnixNano: from, toUnixNano: from + 1n };
        const search = { ...range, filter: { ...emptyFilter, service: 'a b' }, order, limit, cursor: 'x+/=' };
        expect(parseSearchRequest(encodeSearchRequest(search), nowUnixMs)).toEqual({ ok: true, value: search });
        const series = { ...range, filter: emptyFilter, buckets: (limit % 1000) + 1 };
        expect(parseSeriesRequest(encodeSeriesRequest(series), nowUnixMs)).toEqual({ ok: true, value: series });
        const catalog = { ...range, limit, key: 'resource.host.name', prefix: 'a', service: 's' };
        expect(parseCatalogRequest(encodeCatalogRequest(catalog), nowUnixMs)).toEqual({ ok: true, value: catalog });
      }),
    );
  });

  it.each(['', 'xyz', '00000000000000AA', Array.from({ length: 3 }, () => '00000000000000aa').join(',')])(
    'refuse the span ids %j',
    (ids) => {
      expect(parseSpanIds(new URLSearchParams({ ids }), 2).ok).toBe(false);
    },
  );
});
