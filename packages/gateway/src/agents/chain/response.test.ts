import { silentTelemetry } from '@clew/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsFor } from '../../../test/agents/harness.ts';
import { AgentTelemetry } from '../telemetry.ts';
import { failureResponse, responseOf } from './response.ts';
import { GatewayError } from '../../errors.ts';

const telemetry = new AgentTelemetry(silentTelemetry, settingsFor({ address: '/nowhere' }));

/** Control characters, Latin-1 and beyond, halves of surrogate pairs. */
const anyText = fc.string({
  unit: fc.oneof(fc.nat(0x120), fc.constantFrom(0xd800, 0xdc00, 0x20ac)).map((code) => String.fromCharCode(code)),
});

describe('the response of an agent', () => {
  it.each([undefined, 0, 99, 101, 600, 403.5, Number.NaN])('that blocks with the status %s is a 403', (status) => {
    const decision = { kind: 'block' as const, headers: [], ...(status === undefined ? {} : { status }) };
    expect(responseOf(decision, telemetry)).toEqual({
      status: 403,
      headers: [['Content-Type', 'text/plain']],
      body: 'Blocked by agent',
    });
  });

  it('that blocks may have a type and headers of its own, but no framing', () => {
    const headers = [
      ['content-type', 'application/json'],
      ['Content-Length', '99999'],
      ['Set-Cookie', 'a=b'],
      ['X', 'a\r\nb'],
    ] as const;
    expect(responseOf({ kind: 'block', status: 429, body: '{}', headers }, telemetry)).toEqual({
      status: 429,
      headers: [
        ['content-type', 'application/json'],
        ['Set-Cookie', 'a=b'],
      ],
      body: '{}',
    });
  });

  it.each([
    [301, 301],
    [308, 308],
    [200, 302],
    [304, 302],
  ])('that redirects with %i is a %i', (given, status) => {
    expect(responseOf({ kind: 'redirect', url: '/x', status: given }, telemetry).status).toBe(status);
  });

  it('that redirects holds a URL that cannot break out of its header', () => {
    const url = '/a\r\nSet-Cookie: x=y ä\u{d800}';
    expect(responseOf({ kind: 'redirect', url, status: 302 }, telemetry).headers).toEqual([
      ['Location', '/a%0D%0ASet-Cookie:%20x=y%20%C3%A4%EF%BF%BD'],
    ]);
  });

  it('that challenges with a scheme of HTTP is a 401', () => {
    const params = { realm: 'a "b" \\', error: 'x\r\ny', 'bad name': 'z' };
    expect(responseOf({ kind: 'challenge', challengeType: 'Bearer', params }, telemetry)).toMatchObject({
      status: 401,
      headers: [
        ['WWW-Authenticate', 'Bearer realm="a \\"b\\" \\\\", error="xy"'],
        ['Content-Type', 'text/plain'],
      ],
    });
    expect(responseOf({ kind: 'challenge', challengeType: 'negotiate', params: {} }, telemetry).headers[0]).toEqual([
      'WWW-Authenticate',
      'Negotiate',
    ]);
  });

  it.each(['captcha', 'js_challenge', 'constructor'])(
    'that challenges with %s is a 403 that says what to do',
    (kind) => {
      expect(responseOf({ kind: 'challenge', challengeType: kind, params: { site_key: 'k' } }, telemetry)).toEqual({
        status: 403,
        headers: [
          ['X-Challenge-Type', kind],
          ['Content-Type', 'application/json'],
        ],
        body: '{"site_key":"k"}',
      });
    },
  );

  it('never holds a line break in a header, whatever the agent says', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.dictionary(anyText, anyText), (url, challengeType, params) => {
        const responses = [
          responseOf({ kind: 'redirect', url, status: 302 }, telemetry),
          responseOf({ kind: 'challenge', challengeType, params }, telemetry),
          responseOf({ kind: 'challenge', challengeType: 'digest', params }, telemetry),
          responseOf({ kind: 'block', headers: Object.entries(params) }, telemetry),
        ];
        for (const { headers } of responses) expect(headers.flat().join('')).not.toMatch(/[\r\n\0]/);
      }),
    );
  });

  it.each([
    ['timeout', 504, 'Gateway timeout'],
    ['body_too_large', 413, 'Content too large'],
    ['connect', 503, 'Service unavailable'],
    ['protocol', 503, 'Service unavailable'],
    ['circuit_open', 503, 'Service unavailable'],
    ['queue_full', 503, 'Service unavailable'],
  ] as const)('that failed with %s is a %i', (code, status, body) => {
    expect(failureResponse(new GatewayError(code, 'secret detail'))).toMatchObject({ status, body });
  });
});
