import { ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { startGrpcAgent } from '../../../../test/agents/grpc-agent.ts';
import { during, eventually, gatewayWith, requestHead, settingsFor, summary } from '../../../../test/agents/harness.ts';
import { certificateFiles } from '../../../../test/agents/certificates.ts';

describe('a gRPC agent', () => {
  it('that declines the handshake is not used', async () => {
    const agent = await during(startGrpcAgent({ declines: 'not you' }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'refused', message: 'the agent declined the handshake: not you' } },
    });
  });

  it('that chose a version nobody offered is not used', async () => {
    const agent = await during(startGrpcAgent({ protocolVersion: 3 }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: {
        error: { code: 'refused', message: 'the agent chose protocol version 3, but only 2 and 1 were offered' },
      },
    });
  });

  it('of another protocol version is named as that', async () => {
    const agent = await during(startGrpcAgent({ service: 'zentinel.agent.v1.AgentProcessor' }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed' })]);
    expect(await gateway.begin().run(requestHead())).toMatchObject({
      refusal: { error: { message: expect.stringContaining('it is no agent of protocol version 2') as string } },
    });
  });

  it('is handed its configuration', async () => {
    const agent = await during(startGrpcAgent());
    const gateway = gatewayWith([settingsFor(agent, { config: { a: 1 } })]);
    await gateway.begin().run(requestHead());
    const [handshake, configure] = agent.seen;
    expect(handshake?.payload).toMatchObject({ supported_versions: [2, 1], config_json: '{"a":1}' });
    expect(configure).toMatchObject({ type: 'configure', payload: { config_json: '{"a":1}', is_initial: true } });
  });

  it('answers many requests on one stream', async () => {
    const agent = await during(startGrpcAgent({ script: () => ({ delayMs: 20 }) }));
    const gateway = gatewayWith([settingsFor(agent, { failureMode: 'closed', connections: 1 })]);
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => gateway.begin().run(requestHead())));
    expect(verdicts.every(({ kind }) => kind === 'allow')).toBe(true);
    expect(agent.connections.total).toBe(1);
  });

  it('is told that nobody waits any more', async () => {
    const agent = await during(startGrpcAgent());
    const gateway = gatewayWith([settingsFor(agent, { timeoutMs: 300 })]);
    await gateway.begin().run(requestHead());
    agent.script = () => ({ silent: true });
    const exchange = gateway.begin({ metadata: { correlationId: 'late' } });
    await exchange.run(requestHead());
    await exchange.complete(summary);
    await eventually(() => agent.seen.some(({ type }) => type === 'request_complete'), 'the end');
    const cancel = agent.seen.find(({ type }) => type === 'cancel');
    expect(cancel?.payload).toMatchObject({ correlation_id: 'late', reason: 2 });
  });

  it('is reached over TLS that both ends verify', async () => {
    const files = certificateFiles();
    const credentials = ServerCredentials.createSsl(
      files.ca,
      [{ cert_chain: files.cert, private_key: files.key }],
      true,
    );
    const agent = await during(startGrpcAgent({ credentials }));
    const tls = { insecureSkipVerify: false, sni: 'localhost', caCertFile: files.caFile };
    const known = { ...tls, clientCertFile: files.certFile, clientKeyFile: files.keyFile };
    const transport = { kind: 'grpc', address: agent.address } as const;
    const good = settingsFor(agent, { failureMode: 'closed', transport: { ...transport, tls: known } });
    expect(await gatewayWith([good]).begin().run(requestHead())).toMatchObject({ kind: 'allow' });
    const anonymous = settingsFor(agent, { failureMode: 'closed', transport: { ...transport, tls } });
    expect(await gatewayWith([anonymous]).begin().run(requestHead())).toMatchObject({ refusal: { reason: 'failure' } });
    const { caCertFile: _ca, ...untrusting } = known;
    const stranger = settingsFor(agent, { failureMode: 'closed', transport: { ...transport, tls: untrusting } });
    expect(await gatewayWith([stranger]).begin().run(requestHead())).toMatchObject({
      refusal: { error: { code: 'connect' } },
    });
  });
});
