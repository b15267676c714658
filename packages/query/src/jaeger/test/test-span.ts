import type { AdjustableSpan } from '../adjust/span.ts';

/** A span for tests: a one-second server span unless told otherwise. */
export function testSpan(changes: Partial<AdjustableSpan> = {}): AdjustableSpan {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '',
    traceState: '',
    name: 'GET /cart',
    kind: 2,
    startNano: 1_754_300_000_000_000_000n,
    endNano: 1_754_300_001_000_000_000n,
    statusCode: 0,
    statusMessage: '',
    flags: 0,
    attributes: [],
    events: [],
    links: [],
    resource: { attributes: [{ key: 'service.name', value: 'shop' }] },
    scope: { name: '', version: '', attributes: [] },
    warnings: [],
    ...changes,
  };
}
