import { describe, expect, it } from 'vitest';
import { loadText, shortProblem } from '../test/load-text.ts';

const filters = `filters {
  filter "a" { type "cors" }
  filter "b" { type "cors" }
  filter "move" { type "url-rewrite"; hostname "x.test" }
  filter "mark" { type "headers"; phase "request"; set { "A" "1" } }
  filter "both" { type "headers"; phase "both"; set { "A" "1" } }
  filter "connect" { type "timeout"; connect-timeout-secs 1 }
}`;

async function warningsFor(route: string): Promise<readonly string[]> {
  const { problems } = await loadText(`system {}
listeners { listener "l" { address "127.0.0.1:1" } }
upstreams { upstream "u" { target "h:1" } }
routes { route "r" { matches { path "/" }; ${route} } }
${filters}`);
  return problems.map(shortProblem);
}

describe('settings that cannot have an effect', () => {
  it('are named: a second filter of a type of which one counts', async () => {
    expect(await warningsFor('upstream "u"; filters "b" "a" "mark" "both"')).toEqual([
      'warning g.kdl:4:10: route "r": filter "a" has no effect: a route has one filter of type cors, and "b" stands before it',
    ]);
  });

  it('are named: looking at WebSockets where there are none', async () => {
    expect(await warningsFor('upstream "u"; websocket-inspection #true')).toEqual([
      'warning g.kdl:4:10: route "r": websocket-inspection has no effect: websocket is off',
    ]);
    expect(await warningsFor('upstream "u"; websocket-inspection #true; websocket #true')).toEqual([]);
  });

  it('are named: what is about upstreams on a route that leads to none', async () => {
    const why = 'has no effect: the route leads to no upstream';
    const settings = `retry-policy {}; websocket #true; filters "move" "mark" "both" "connect" "a"
      policies { buffer-requests #true; buffer-responses #true; request-headers { remove "X" }; response-headers { remove "X" } }`;
    expect(await warningsFor(`builtin-handler "health"; ${settings}`)).toEqual(
      [
        'policies request-headers',
        'policies buffer-requests',
        'policies buffer-responses',
        'retry-policy',
        'websocket',
        'filter "move"',
        'filter "mark"',
        'filter "connect"',
      ].map((name) => `warning g.kdl:4:10: route "r": ${name} ${why}`),
    );
    expect(await warningsFor(`upstream "u"; ${settings}`)).toEqual([]);
  });
});
