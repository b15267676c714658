import type { Call } from './call.ts';
import type { Random } from './random.ts';
import {
  authorize,
  browseCatalog,
  chargeCard,
  chargeDeclined,
  chargeWithRetries,
  loadUserFromCache,
  loadUserFromDatabase,
  loadUserSlowly,
  placeOrder,
  serverSpan,
} from './shop-services.ts';

/**
 * The demo: a shop of seven services behind an API gateway. Users are read through a cache, orders are paid for, and a
 * notification follows over a message queue. Each case is a story that a newcomer can find in the page.
 */
export const shopCases = {
  normal: 'everything works: about 200 ms',
  'slow-query': 'the user service waits 1,400 ms for a query without an index',
  'cache-miss': 'the user is not cached and comes from the database',
  retry: 'the payment provider times out twice; the third attempt succeeds after 4.5 s',
  declined: 'the card is declined: an error, but an expected one',
  browse: 'a cheap read of the catalogue',
} as const;

/** Name of a case. */
export type ShopCase = keyof typeof shopCases;

/** How often each case happens in steady traffic; the rest is `normal`. */
const steadyMix: readonly (readonly [ShopCase, number])[] = [
  ['browse', 0.35],
  ['cache-miss', 0.12],
  ['slow-query', 0.04],
  ['retry', 0.02],
  ['declined', 0.03],
];

/** Draws a case for steady traffic. */
export function drawCase(random: Random): ShopCase {
  let left = random.next();
  for (const [name, share] of steadyMix) {
    if (left < share) return name;
    left -= share;
  }
  return 'normal';
}

/** The tree of one request. */
export function shopRequest(name: ShopCase, random: Random): Call {
  if (name === 'browse') {
    return gateway(random, 'GET', '/api/v1/products', 200, [authorize(random), browseCatalog(random)]);
  }
  if (name === 'slow-query') {
    return gateway(random, 'GET', '/api/v1/users/{id}', 200, [authorize(random), loadUserSlowly(random)]);
  }
  const user = name === 'cache-miss' ? loadUserFromDatabase(random) : loadUserFromCache(random);
  const charge =
    name === 'retry'
      ? chargeWithRetries(random)
      : name === 'declined'
        ? [chargeDeclined(random)]
        : [chargeCard(random)];
  const failed = name === 'declined';
  return gateway(random, 'POST', '/api/v1/orders', failed ? 402 : 201, [
    authorize(random),
    user,
    placeOrder(random, charge, failed),
  ]);
}

function gateway(random: Random, method: string, route: string, status: number, children: Call[]): Call {
  return serverSpan('api-gateway', method, route, status, {
    ownMs: random.around(12, 0.4),
    attributes: { 'client.address': `203.0.113.${random.integer(1, 254)}`, 'user_agent.original': 'shop-app/4.2' },
    children,
  });
}
