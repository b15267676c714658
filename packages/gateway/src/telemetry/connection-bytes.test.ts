import { describe, expect, it } from 'vitest';
import { Exchange } from '../proxy/exchange.ts';
import { ConnectionBytes } from './connection-bytes.ts';
import { connection } from './test/exchanges.ts';

/** What is found for one request after the other on one connection; undefined where nothing is kept. */
function found(requests: readonly (readonly [authority: string, userAgent: string])[]): (string | undefined)[] {
  const client = connection();
  let made = 0;
  const kept = new ConnectionBytes((exchange, userAgent) =>
    Buffer.from(`${exchange.authority} ${userAgent} made ${++made}`),
  );
  return requests.map(([authority, userAgent], index) => {
    client.requests = index + 1;
    const exchange = new Exchange(client, 0, 0);
    exchange.authority = authority;
    const bytes = kept.find(exchange, userAgent, '');
    return bytes && Buffer.from(bytes).toString();
  });
}

describe('what the requests of a connection have in common', () => {
  it('is made once, for connections that are used again', () => {
    expect(found(Array.from({ length: 5 }, () => ['shop', 'curl'] as const))).toEqual([
      undefined,
      undefined,
      'shop curl made 1',
      'shop curl made 1',
      'shop curl made 1',
    ]);
  });

  it('is made anew for a request that differs', () => {
    expect(
      found([
        ['', ''],
        ['', ''],
        ['shop', 'curl'],
        ['shop', 'wget'],
        ['other', 'wget'],
        ['other', 'wget'],
      ]).slice(2),
    ).toEqual(['shop curl made 1', 'shop wget made 2', 'other wget made 3', 'other wget made 3']);
  });

  it('is not kept for connections whose requests always differ', () => {
    const last = found(Array.from({ length: 30 }, (_, index) => ['shop', `client ${index}`] as const)).slice(-20);
    expect(last.every((bytes) => bytes === undefined)).toBe(true);
  });
});
