import { once } from 'node:events';
import { Client, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { silentTelemetry } from '@clew/base';
import { RecordingConsumer, TestHost, farDeadline } from '@clew/pipeline/contract-tests';
import { afterEach, describe, expect, it } from 'vitest';
import { addressOf } from '../test/clients.ts';
import { jaegerReceiverFactory } from './index.ts';
import { JaegerReceiver } from './jaeger-receiver.ts';

const raw = (bytes: Buffer): Buffer => bytes;
const serving = '0801';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function start() {
  const config = jaegerReceiverFactory.configSchema.parse({ protocols: { grpc: { endpoint: '127.0.0.1:0' } } });
  const receiver = new JaegerReceiver('jaeger', config, silentTelemetry, { traces: new RecordingConsumer() });
  await receiver.start(new TestHost());
  cleanups.push(() => receiver.stop(farDeadline()));
  const client = new Client(addressOf(receiver), credentials.createInsecure());
  cleanups.push(() => client.close());
  const check = (message: Buffer): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', raw, raw, message, (error, answer) =>
      error === null ? resolve(answer!.toString('hex')) : reject(error),
    );
    return promise;
  };
  return { client, check, receiver };
}

/** `HealthCheckRequest{service = 1}`. */
const request = (service: string): Buffer => Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);

describe('a probe of Jaeger’s gRPC port', () => {
  it('is refused when it asks for a service that is not there, or asks nothing sensible', async () => {
    const { check } = await start();
    await expect(check(request('jaeger.api_v2.Other'))).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(check(Buffer.from([0x0a, 9]))).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('hears that the collector serves, asked for by name or not', async () => {
    const { check } = await start();
    expect(await check(Buffer.alloc(0))).toBe(serving);
    expect(await check(request('jaeger.api_v2.CollectorService'))).toBe(serving);
  });

  it('may watch, and is told once', async () => {
    const { client } = await start();
    const call = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', raw, raw, Buffer.alloc(0));
    const [answer] = (await once(call, 'data')) as [Buffer];
    expect(answer.toString('hex')).toBe(serving);
    const ended = once(call, 'error') as Promise<[ServiceError]>;
    call.cancel();
    expect((await ended)[0].code).toBe(status.CANCELLED);
  });

  it('that watches is told when the receiver stops, which does not wait for it', async () => {
    const { client, receiver } = await start();
    const call = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', raw, raw, Buffer.alloc(0));
    await once(call, 'data');
    const [next, ended] = [once(call, 'data') as Promise<[Buffer]>, once(call, 'end')];
    const stopped = receiver.stop(farDeadline());
    expect((await next)[0].toString('hex')).toBe('0802');
    await ended;
    await stopped;
  });
});
