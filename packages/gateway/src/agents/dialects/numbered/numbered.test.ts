import { describe, expect, it } from 'vitest';
import {
  during,
  eventually,
  gatewayWith,
  requestHead,
  responseHead,
  settingsFor,
  summary,
} from '../../../../test/agents/harness.ts';
import { startNumberedAgent } from '../../../../test/agents/numbered-agent.ts';

describe('a numbered agent', () => {
  it('that declines the handshake is not used', async () => {
    const agent = await during(startNumberedAgent({ declines: 'full' }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'refused', message: 'the agent declined the handshake: full' } },
    });
  });

  it('gets only the events it handles, and no configuration, which is said once', async () => {
    const agent = await during(startNumberedAgent({ handles: ['request_headers'] }));
    const events = ['request_headers', 'response_headers', 'guardrail'] as const;
    const gateway = gatewayWith([settingsFor(agent, { events, config: { a: 1 } })]);
    const exchange = gateway.begin();
    await exchange.run(requestHead());
    await exchange.run(responseHead);
    expect(agent.seen.map(({ type }) => type)).toEqual(['handshake', 'request_headers']);
    const warnings = gateway.lines.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message, fields }) => [message, fields['unsupported']])).toEqual([
      ['An agent does not take all events it is configured for.', 'response_headers, guardrail'],
      ['An agent cannot be handed its config block: the dialect it speaks has no message for it.', undefined],
    ]);
  });

  it('is told requests by numbers that are unique and exact in JSON', async () => {
    const agent = await during(startNumberedAgent());
    const gateway = gatewayWith([settingsFor(agent)]);
    await Promise.all(Array.from({ length: 30 }, () => gateway.begin().run(requestHead())));
    const numbers = agent.seen.slice(1).map(({ payload }) => payload['request_id']);
    expect(new Set(numbers.filter(Number.isSafeInteger)).size).toBe(30);
  });

  it('is told what its dialect has room for', async () => {
    const agent = await during(startNumberedAgent());
    const events = ['request_headers', 'request_body', 'response_headers'] as const;
    const gateway = gatewayWith([settingsFor(agent, { events })]);
    const exchange = gateway.begin({ metadata: { correlationId: 'c', tlsCipher: 'x' } });
    await exchange.run(requestHead({ hasBody: true }));
    const plan = exchange.openBody('request');
    if (plan.kind === 'inspect') await plan.inspection.push(Buffer.from('hi'), true);
    await exchange.run(responseHead);
    await exchange.complete(summary);
    await eventually(() => agent.seen.at(-1)?.type === 'cancel', 'the end');
    const [, head, body, response, cancel] = agent.seen.map(({ payload }) => payload);
    const { request_id: id } = head!;
    expect(head).toEqual({
      request_id: id,
      method: 'GET',
      uri: '/orders?id=7',
      headers: { host: ['shop.example'], 'x-twice': ['a', 'b'], accept: ['*/*'] },
      has_body: true,
      metadata: {
        correlation_id: 'c',
        client_ip: '192.0.2.7',
        client_port: 40_123,
        server_name: null,
        protocol: 'HTTP/1.1',
        tls_version: null,
        route_id: null,
        upstream_id: null,
      },
    });
    expect(body).toEqual({ request_id: id, chunk_index: 0, data: 'aGk=', is_last: true });
    expect(response).toEqual({
      request_id: id,
      status_code: 200,
      headers: { 'content-type': ['text/html'] },
      has_body: true,
    });
    expect(cancel).toEqual({ request_id: id, reason: 'request complete' });
  });

  it('is told to forget everything when the gateway leaves', async () => {
    const agent = await during(startNumberedAgent());
    const gateway = gatewayWith([settingsFor(agent)]);
    await gateway.begin().run(requestHead());
    await gateway.directory.close(0);
    await eventually(() => agent.seen.at(-1)?.type === 'cancel_all', 'the farewell');
  });
});
