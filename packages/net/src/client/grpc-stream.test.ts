import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { cleanUp, eventually } from '../test/harness.ts';
import { GrpcClient } from './grpc-client.ts';
import type { GrpcStream } from './grpc-stream.ts';

const path = '/test.Talk/Both';

async function serve(
  handle: (call: ServerDuplexStream<Buffer, Buffer>) => void,
  onServer?: (stop: () => void) => void,
): Promise<number> {
  const bytes = (value: Buffer): Buffer => value;
  const server = new Server();
  const definition = {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService({ Both: definition }, { Both: handle });
  cleanUp(() => server.forceShutdown());
  onServer?.(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

interface Talk {
  readonly stream: GrpcStream;
  readonly heard: string[];
  readonly ends: (Error | undefined)[];
}

async function talk(port: number, maxReceiveBytes = 1_000_000, onMessage?: () => void): Promise<Talk> {
  const client = new GrpcClient({ endpoint: `http://127.0.0.1:${port}`, maxReceiveBytes, compression: 'gzip' });
  cleanUp(() => client.close());
  const heard: string[] = [];
  const ends: (Error | undefined)[] = [];
  const stream = await client.openStream(path, {
    onMessage: (message) => {
      heard.push(Buffer.from(message).toString());
      onMessage?.();
    },
    onEnd: (error) => ends.push(error),
  });
  cleanUp(() => stream.cancel());
  return { stream, heard, ends };
}

describe('a gRPC stream', () => {
  it('ends with the status of the server', async () => {
    const port = await serve((call) => call.emit('error', { code: 9, details: 'not like this' }));
    const { ends } = await talk(port);
    await eventually(() => ends.length === 1, 'the end');
    expect(ends[0]).toMatchObject({ code: 'rpc_failed', status: { code: 9, message: 'not like this' } });
  });

  it('ends as cancelled when the server cuts the connection', async () => {
    let breakIt = (): void => undefined;
    const port = await serve(
      () => breakIt(),
      (stop) => (breakIt = stop),
    );
    const { ends } = await talk(port);
    await eventually(() => ends.length === 1, 'the end');
    expect(ends[0]).toMatchObject({ code: 'rpc_failed', status: { code: 1 } });
  });

  it('ends without an error when it is cancelled, and takes no more messages', async () => {
    const port = await serve(() => undefined);
    const { stream, ends } = await talk(port);
    stream.send(Buffer.from('x'));
    stream.cancel();
    await eventually(() => ends.length === 1, 'the end');
    expect(ends).toEqual([undefined]);
    expect(() => stream.send(Buffer.from('x'))).toThrow('the gRPC stream is over');
  });

  it('refuses messages beyond the limit', async () => {
    const port = await serve((call) => call.write(Buffer.alloc(5000)));
    const { ends, heard } = await talk(port, 1000);
    await eventually(() => ends.length === 1, 'the end');
    expect(ends[0]).toMatchObject({ code: 'body_too_large', status: { code: 8 } });
    expect(heard).toEqual([]);
  });

  it('ends with what its listener throws', async () => {
    const port = await serve((call) => call.write(Buffer.from('nonsense')));
    const { ends } = await talk(port, 1000, () => {
      throw new Error('no sense in it');
    });
    await eventually(() => ends.length === 1, 'the end');
    expect(ends[0]?.message).toBe('no sense in it');
  });

  it('carries messages of any size both ways, each whole and in order, until the server ends it', async () => {
    const port = await serve((call) => {
      call.on('data', (message: Buffer) => (message.length === 0 ? call.end() : call.write(message)));
    });
    const { stream, heard, ends } = await talk(port);
    const said = ['a', 'b'.repeat(100_000), 'c', 'd'.repeat(16_384)];
    for (const text of said) stream.send(Buffer.from(text));
    await eventually(() => heard.length === said.length, 'the echoes');
    expect(heard).toEqual(said);
    stream.send(new Uint8Array(0));
    await eventually(() => ends.length === 1, 'the end');
    expect(ends).toEqual([undefined]);
  });
});
