import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually, exchangeBytes, onEnd, send, startGateway, startTcp } from '../../../test/proxy/harness.ts';
import { certificates, tlsListener } from '../../../test/proxy/tls.ts';

const health = 'routes { route "r" { matches { path-prefix "/" }; builtin-handler "health" } }';

describe('a limit that has a setting', () => {
  it('bounds the target of requests, and names the setting', async () => {
    const gateway = await startGateway(`${health}\nlimits { max-target-bytes 20 }`);
    expect((await send(gateway, `/${'a'.repeat(19)}`)).status).toBe(200);
    expect((await send(gateway, `/${'a'.repeat(20)}`)).status).toBe(414);
    const { failure, blocked } = await gateway.recorder.exchange(1);
    expect(failure!.message).toContain('limits.max-target-bytes');
    expect(blocked).toBe('header_size_exceeded');
    const roomy = await startGateway(`${health}\nlimits { max-target-bytes 20000 }`);
    expect((await send(roomy, `/${'a'.repeat(19_000)}`)).status).toBe(200);
  });

  it('bounds the time for a head', async () => {
    const listener = 'listeners { listener "l" { address "127.0.0.1:0"; head-timeout-secs "50ms" } }';
    const gateway = await startGateway(`${listener}\n${health}`);
    expect(await exchangeBytes(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n')).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('bounds the time for a handshake', async () => {
    const { cert, key } = certificates().issue('own');
    const secure = tlsListener(`cert-file "${cert}"; key-file "${key}"`).replace(
      'protocol',
      'handshake-timeout-secs "50ms"; protocol',
    );
    const gateway = await startGateway(`${secure}\n${health}`);
    const socket = connect(gateway.port, '127.0.0.1');
    onEnd(() => socket.destroy());
    socket.on('error', () => socket.destroy());
    await eventually(() => gateway.recorder.handshakes.length > 0, 'the end of the handshake');
    expect(gateway.recorder.handshakes).toEqual(['s timeout']);
  });

  it('bounds the head of a response, and names the setting', async () => {
    const port = await startTcp((socket) => {
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(200)}\r\nContent-Length: 0\r\n\r\n`));
    });
    const gatewayWith = (more: string) =>
      startGateway(
        `routes { route "r" { matches { path "/" }; upstream "b" } }
         upstreams { upstream "b" { target "127.0.0.1:${port}"; ${more} } }`,
      );
    expect((await send(await gatewayWith(''), '/')).status).toBe(200);
    const strict = await gatewayWith('max-response-head-bytes 100');
    expect((await send(strict, '/')).status).toBe(502);
    expect((await strict.recorder.exchange()).failure!.message).toContain('max-response-head-bytes');
  });
});
