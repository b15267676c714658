import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forwardTrailers } from './trailers.ts';

describe('trailers that are passed on', () => {
  it.each([
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Connection',
    'Trailer',
    'TE',
    'Upgrade',
    'Keep-Alive',
    'Expect',
    'Proxy-Authorization',
    'Authorization',
    'Cookie',
    'Set-Cookie',
    'Content-Type',
    'Content-Encoding',
    'Content-Range',
    'Cache-Control',
    'Max-Forwards',
    'Date',
    'X-Forwarded-For',
    'X-Correlation-Id',
    'traceparent',
    'tracestate',
    'X-Internal-Token',
    'HTTP2-Settings',
  ])('are without %s, which is not theirs to say', (name) => {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect(forwardTrailers(['A', '1', spelling, '2', 'B', '3'])).toEqual(['A', '1', 'B', '3']);
    }
  });

  it('are all others, in their order', () => {
    const field = fc.tuple(fc.stringMatching(/^x-own-[a-z]{0,5}$/), fc.stringMatching(/^[ -~]{0,5}$/));
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        expect(forwardTrailers(fields.flat())).toEqual(fields.flat());
      }),
    );
    expect(forwardTrailers(['grpc-status', '0', 'Server-Timing', 'a;dur=1'])).toEqual([
      'grpc-status',
      '0',
      'Server-Timing',
      'a;dur=1',
    ]);
  });
});
