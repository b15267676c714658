import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startFramedAgent } from '../../../test/agents/framed-agent.ts';
import { removeSocketPaths } from '../../../test/agents/script.ts';
import type { Script, SeenEvent, TestAgent } from '../../../test/agents/script.ts';
import { countingTraces, eventually, onEnd, startGateway, startTcp } from '../../../test/proxy/harness.ts';
import type { TestGateway } from '../../../test/proxy/harness.ts';
import { frameBytes, fromClient, testMask } from '../../../test/proxy/websocket.ts';

/** A side of a WebSocket, after the opening. */
class Side {
  readonly socket: Socket;
  bytes = Buffer.alloc(0);
  ended = false;
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => (this.bytes = Buffer.concat([this.bytes, piece])));
    socket.on('end', () => (this.ended = true));
    socket.on('error', () => socket.destroy());
  }
  async gets(expected: Buffer): Promise<void> {
    await eventually(() => this.bytes.length >= expected.length, `${expected.length} bytes`);
    expect(this.bytes.toString('hex')).toBe(expected.toString('hex'));
  }
}

interface Setup {
  readonly client: Side;
  readonly server: Side;
  readonly gateway: TestGateway;
  readonly agent: TestAgent;
  /** What the backend was asked. */
  readonly opening: () => string;
}

/** A WebSocket through a gateway whose agent is shown frames. */
async function setup(script: Script, settings = '', more = ''): Promise<Setup> {
  const agent = await startFramedAgent({ script });
  onEnd(removeSocketPaths);
  onEnd(() => agent.stop());
  let server: Side | undefined;
  let opening = '';
  const port = await startTcp((socket) => {
    socket.once('data', (request: Buffer) => {
      opening = request.toString('latin1');
      server = new Side(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
  });
  const gateway = await startGateway(
    `routes { route "r" { matches { path "/" }; upstream "b"; websocket #true; websocket-inspection #true; agents "a" } }
     agents { agent "a" { unix-socket "${agent.address}"; events "websocket_frame"; timeout-ms 5000; ${settings} } }
     upstreams { upstream "b" { target "127.0.0.1:${port}" } }
     ${more}`,
    { traceStarter: () => countingTraces() },
  );
  await eventually(() => gateway.server.snapshot().agents[0]!.connections > 0, 'the connection of the agent');
  const socket = connect(gateway.port, '127.0.0.1');
  onEnd(() => socket.destroy());
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
  );
  const client = new Side(socket);
  await eventually(() => client.bytes.includes('\r\n\r\n') && server, 'the opening');
  expect(client.bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  client.bytes = Buffer.alloc(0);
  return { client, server: server!, gateway, agent, opening: () => opening };
}

const framesOf = (agent: TestAgent): readonly SeenEvent[] =>
  agent.seen.filter(({ type }) => type === 'websocket_frame');
const textOf = ({ payload }: SeenEvent): string => Buffer.from(String(payload['data']), 'base64').toString();

/** Decides by what a frame says: `drop …`, `close …`, `block …`. */
const byText: Script = ({ payload }) => {
  const text = Buffer.from(String(payload['data']), 'base64').toString();
  if (text.startsWith('drop')) return { extra: { websocket_decision: 'drop' } };
  if (text.startsWith('close')) return { extra: { websocket_decision: { close: { code: 4001, reason: 'enough' } } } };
  if (text.startsWith('block')) return { block: { status: 403, body: 'not that' } };
  return {};
};

const closing = (code: number, reason: string): Buffer =>
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);

describe('WebSockets that agents look at', () => {
  it('pass frames on untouched, in both directions and in order', async () => {
    const { client, server, agent, gateway } = await setup(() => ({}));
    const sent = [
      fromClient(1, 'hel', false),
      fromClient(9, 'beat'),
      fromClient(0, 'lo'),
      fromClient(2, 'x'.repeat(70_000)),
    ];
    client.socket.write(Buffer.concat(sent));
    await server.gets(Buffer.concat(sent));
    const answer = frameBytes(1, 'there');
    server.socket.write(answer.subarray(0, 3));
    server.socket.write(answer.subarray(3));
    await client.gets(answer);
    expect(
      framesOf(agent).map(({ payload }) => [
        payload['opcode'],
        payload['fin'],
        payload['client_to_server'],
        payload['frame_index'],
      ]),
    ).toEqual([
      ['text', false, true, 0],
      ['ping', true, true, 1],
      ['continuation', true, true, 2],
      ['binary', true, true, 3],
      ['text', true, false, 0],
    ]);
    expect(framesOf(agent).map(textOf).slice(0, 3)).toEqual(['hel', 'beat', 'lo']);
    client.socket.end();
    await eventually(() => server.ended, 'the end at the server');
    server.socket.end();
    const exchange = await gateway.recorder.exchange();
    expect(exchange).toMatchObject({ status: 101, end: 'complete', agentCalls: [] });
    expect(exchange.requestBodyBytes).toBe(Buffer.concat(sent).length);
    expect([gateway.recorder.callsStarted, gateway.recorder.callsEnded]).toEqual([5, 5]);
  });

  it('are opened without extensions, which would hide what frames hold', async () => {
    const { opening } = await setup(() => ({}));
    expect(opening()).toMatch(/^upgrade: websocket\r$/im);
    expect(opening().toLowerCase()).not.toContain('sec-websocket-extensions');
  });

  it('leave out frames that an agent drops, with all that belongs to their message', async () => {
    const { client, server } = await setup(byText);
    const kept = [fromClient(1, 'one'), fromClient(10, 'pong'), fromClient(1, 'two')];
    client.socket.write(
      Buffer.concat([kept[0]!, fromClient(1, 'drop this', false), kept[1]!, fromClient(0, 'and this'), kept[2]!]),
    );
    await server.gets(Buffer.concat(kept));
  });

  it('are closed when an agent wants the rest of a message dropped whose beginning has passed', async () => {
    const { client, server } = await setup(byText);
    const begun = fromClient(1, 'fine so far', false);
    client.socket.write(Buffer.concat([begun, fromClient(0, 'drop this')]));
    await client.gets(frameBytes(8, closing(1008, 'a message was refused')));
    await eventually(() => server.ended, 'the end at the server');
    expect(server.bytes.subarray(0, begun.length)).toEqual(begun);
  });

  it('are closed on both sides with the code and the reason an agent gives', async () => {
    const { client, server, gateway } = await setup(byText);
    server.socket.write(frameBytes(1, 'close please'));
    await client.gets(frameBytes(8, closing(4001, 'enough')));
    await eventually(() => server.ended && client.ended, 'the end of both sides');
    const [first, second, ...rest] = server.bytes;
    expect([first, second]).toEqual([0x88, 0x80 | 8]);
    const mask = rest.slice(0, 4);
    expect(Buffer.from(rest.slice(4).map((byte, at) => byte ^ mask[at % 4]!))).toEqual(closing(4001, 'enough'));
    client.socket.end();
    server.socket.end();
    expect(await gateway.recorder.exchange()).toMatchObject({ status: 101 });
  });

  it('are closed when an agent blocks, which is noted', async () => {
    const { client, gateway } = await setup(byText);
    client.socket.write(fromClient(1, 'block me'));
    await client.gets(frameBytes(8, closing(1008, 'not that')));
    expect(await gateway.recorder.exchange()).toMatchObject({ blocked: 'agent_blocked', blockedByAgent: 'a' });
    expect(gateway.recorder.verdicts.at(-1)).toMatchObject({ event: 'websocket_frame', refusal: { reason: 'block' } });
  });

  it.each([
    ['open', 'the frame passes'],
    ['closed', 'the connection is closed'],
  ])('whose agent is silent: failure mode %s, and %s', async (mode) => {
    const { client, server } = await setup(() => ({ silent: true }), `failure-mode "${mode}"`);
    const sent = [fromClient(1, 'first'), fromClient(2, 'y'.repeat(100_000))];
    client.socket.write(Buffer.concat(sent));
    if (mode === 'open') await server.gets(Buffer.concat(sent));
    else await client.gets(frameBytes(8, closing(1011, 'an agent could not be asked')));
  });

  it('are closed when a side breaks the rules or sends a frame that is too long', async () => {
    const broken = await setup(() => ({}));
    broken.client.socket.write(frameBytes(1, 'without a mask'));
    await broken.client.gets(frameBytes(8, closing(1002, 'a frame is not masked')));
    expect((await broken.gateway.recorder.exchange()).failure).toMatchObject({ reason: 'websocket_client_violation' });
    const long = await setup(() => ({}), '', 'limits { max-body-buffer-bytes 1000 }');
    long.server.socket.write(frameBytes(2, 'z'.repeat(1001)));
    await eventually(() => long.client.ended, 'the end');
    expect(long.client.bytes.readUInt16BE(2)).toBe(1009);
    const { failure } = await long.gateway.recorder.exchange();
    expect(failure).toMatchObject({ reason: 'websocket_upstream_violation' });
    expect(failure!.message).toContain('limits.max-body-buffer-bytes');
    expect(framesOf(long.agent)).toEqual([]);
  });

  it('keep a fast sender waiting for agents', async () => {
    const { client, agent, server } = await setup(() => ({ delayMs: 1 }));
    const one = fromClient(2, 'w'.repeat(1000));
    for (let n = 0; n < 200; n++) client.socket.write(one);
    await eventually(() => server.bytes.length === 200 * one.length, 'all frames');
    expect(framesOf(agent)).toHaveLength(200);
    expect(testMask).toHaveLength(4);
  });
});
