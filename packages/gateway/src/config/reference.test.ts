import { describe, expect, it } from 'vitest';
import { gatewayReference, gatewaySettings } from './reference.ts';

const intro = `# Settings of the gateway

Written by \`npx vitest run packages/gateway/src/config/reference.test.ts --update\` from the tables that read configurations; edit those.

A setting is a node whose first value counts: \`timeout-ms 50\`. In a block it may as well be a property: \`agent "a" timeout-ms=50\`
is \`agent "a" { timeout-ms 50 }\`. Durations take a number in the unit their name says or text such as \`"1m30s"\`, sizes a number of bytes or text
such as \`"10MB"\` (powers of 1024). \`"\${NAME}"\` and \`"\${NAME:-default}"\` between quotes stand for environment variables, \`$\${\` for \`\${\`.
\`include "path/*.kdl"\` at the top level stands for the files it names.

`;

describe('the reference of settings', () => {
  it('is what docs/gateway-settings.md says', async () => {
    await expect(intro + gatewayReference()).toMatchFileSnapshot('../../../../docs/gateway-settings.md');
  });

  it('describes every block once', () => {
    const headings = gatewayReference().match(/^### .*$/gm)!;
    expect(new Set(headings).size).toBe(headings.length);
    expect(headings).toContain('### `agents agent "id" circuit-breaker`');
    expect(gatewayReference()).toContain(
      '### `agents agent "id" circuit-breaker`\n\nAs `upstreams upstream "id" circuit-breaker`.',
    );
  });

  it('lists the settings of one block for a command line', () => {
    expect(gatewaySettings('rate-limits', 'global')).toBe(`Settings of rate-limits global:

  max-rps  requests a second (a number from 0.001 to 1000000000; required)
  burst    requests at once (a whole number of at least 1; default 10)
  key      what requests are told apart by ("client-ip", "path", "route", "client-ip-and-path" or "header:NAME"; default "client-ip")
`);
    expect(gatewaySettings('nothing')).toBeUndefined();
    expect(gatewaySettings()).toMatch(/^Blocks of a configuration:/);
  });
});
