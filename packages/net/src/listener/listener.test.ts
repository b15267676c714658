import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Client, credentials } from '@grpc/grpc-js';
import { acquireListener } from './acquire.ts';
import { parseListenEndpoint } from './endpoint.ts';
import type { ListenerLease, ListenerOptions } from './types.ts';
import { textReply } from '../http/answer.ts';

const leases: ListenerLease[] = [];

async function acquire(options: Partial<ListenerOptions> = {}): Promise<{ lease: ListenerLease; port: number }> {
  const lease = await acquireListener({ endpoint: parseListenEndpoint('127.0.0.1:0'), owner: 'test', ...options });
  leases.push(lease);
  if (lease.address.transport !== 'tcp') throw new Error('a TCP listener was asked for');
  return { lease, port: lease.address.port };
}

afterEach(async () => {
  await Promise.all(leases.splice(0).map((lease) => lease.release({ graceMs: 100 })));
});

const identity = (bytes: Buffer): Buffer => bytes;

function unary(client: Client, path: string, message: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, identity, identity, Buffer.from(message), (error, reply) =>
      error ? reject(error) : resolve(reply as Buffer),
    );
  });
}

describe('one port', () => {
  it('answers HTTP/1.1 and gRPC', async () => {
    const { lease, port } = await acquire();
    lease.mountHttp({
      paths: ['/echo'],
      handler: async (request) => ({
        status: 200,
        body: await request.readBody({ maxBytes: 1000, limitSetting: 'max' }),
      }),
    });
    lease.mountGrpc({
      name: 'test.Echo',
      methods: { Say: { kind: 'unary', handle: (message) => message } },
    });
    const response = await fetch(`http://127.0.0.1:${port}/echo?x=1`, { method: 'POST', body: 'hello' });
    expect([response.status, await response.text()]).toEqual([200, 'hello']);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': 2,
    });
    expect((await unary(client, '/test.Echo/Say', Buffer.alloc(100_000, 'x'))).length).toBe(100_000);
    await expect(unary(client, '/test.Echo/Sing', Buffer.from('x'))).rejects.toMatchObject({
      code: 12,
      details: 'unknown method Sing for service test.Echo',
    });
    client.close();
  });
});
