// An agent of the dialect with typed frames, a handshake that lists versions, and correlation ids.
import type { Socket } from 'node:net';
import { SocketHost, agentOn, allow, pause, remember, socketPath } from './script.ts';
import type { Script, SeenEvent, StartOptions, TestAgent, Verdict } from './script.ts';

/** What the agent says about itself. */
export interface FramedAgentOptions extends StartOptions {
  /** Numbers of the events it takes. Default: none listed, which means all. */
  readonly supportedEvents?: readonly number[];
  /** Keys of the answer to the handshake, instead of what is right. */
  readonly handshake?: Readonly<Record<string, unknown>>;
  /** Declines the handshake with this text. */
  readonly declines?: string;
  readonly maxBodyBytes?: number;
  readonly preferredChunkBytes?: number;
  /** Frames to send right behind the handshake's answer: type and payload. */
  readonly afterHandshake?: readonly (readonly [number, object])[];
  /** Does not say which request an answer belongs to. */
  readonly anonymous?: boolean;
  /** Does not answer the end of a request, unlike most. */
  readonly quietAtEnd?: boolean;
}

const names: Readonly<Record<number, string>> = {
  0x01: 'handshake',
  0x10: 'request_headers',
  0x11: 'request_body',
  0x12: 'response_headers',
  0x13: 'response_body',
  0x14: 'request_complete',
  0x15: 'websocket_frame',
  0x16: 'guardrail',
  0x17: 'configure',
  0x40: 'cancel',
  0x41: 'ping',
};

/** Sends one frame. */
export function sendFrame(socket: Socket, type: number, payload: object | string): void {
  const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload), 'utf8');
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1, 0);
  head.writeUInt8(type, 4);
  socket.write(Buffer.concat([head, body]));
}

/** Calls `onFrame` for every frame, one after another. */
export function readFrames(socket: Socket, onFrame: (type: number, payload: Buffer) => Promise<void>): void {
  let buffered = Buffer.alloc(0);
  let busy: Promise<void> = Promise.resolve();
  socket.on('data', (piece: Buffer) => {
    buffered = Buffer.concat([buffered, piece]);
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUInt32BE(0)) {
      const end = 4 + buffered.readUInt32BE(0);
      const type = buffered.readUInt8(4);
      const payload = buffered.subarray(5, end);
      buffered = buffered.subarray(end);
      busy = busy.then(() => onFrame(type, payload));
    }
  });
}

/** Starts the agent. */
export async function startFramedAgent(options: FramedAgentOptions = {}): Promise<TestAgent> {
  const seen: SeenEvent[] = [];
  const agent = { script: options.script ?? ((): Verdict => allow) };
  const host = await SocketHost.listen(options.address ?? socketPath(), (socket, connection) => {
    let greeted = false;
    readFrames(socket, async (type, payload) => {
      const name = names[type];
      // The first byte of JSON where a type should be: a peer of another dialect.
      if (name === undefined || (name === 'handshake') === greeted) {
        socket.destroy();
        return;
      }
      const event: SeenEvent = {
        type: name,
        payload: JSON.parse(payload.toString()) as Record<string, unknown>,
        connection,
      };
      remember(seen, event, options);
      if (name === 'handshake') {
        greeted = true;
        greet(socket, options);
      } else if (name === 'ping') sendFrame(socket, 0x42, event.payload);
      else if (name === 'request_complete') {
        const custom = { correlation_id: event.payload['correlation_id'] };
        if (options.quietAtEnd !== true) sendFrame(socket, 0x20, responseOf(allow, custom));
      } else if (name !== 'cancel') await answer(socket, event, agent.script, options);
    });
  });
  return agentOn(host, seen, agent);
}

function greet(socket: Socket, options: FramedAgentOptions): void {
  const refused = options.declines !== undefined;
  sendFrame(socket, 0x02, {
    protocol_version: 2,
    success: !refused,
    error: options.declines ?? null,
    encoding: 'json',
    capabilities: {
      agent_id: 'test',
      name: 'framed test agent',
      version: '1.0',
      supported_events: options.supportedEvents ?? [],
      features: { streaming_body: true, cancellation: true },
      limits: {
        max_body_size: options.maxBodyBytes ?? 0,
        max_concurrency: 0,
        preferred_chunk_size: options.preferredChunkBytes ?? 0,
      },
    },
    ...options.handshake,
  });
  for (const [type, payload] of options.afterHandshake ?? []) sendFrame(socket, type, payload);
}

async function answer(socket: Socket, event: SeenEvent, script: Script, options: FramedAgentOptions): Promise<void> {
  const verdict = script(event);
  await pause(verdict.delayMs);
  if (verdict.raw !== undefined) socket.write(verdict.raw);
  if (verdict.crash === true) socket.end();
  else if (verdict.raw === undefined && verdict.silent !== true) {
    const correlation = options.anonymous === true ? {} : { correlation_id: event.payload['correlation_id'] };
    sendFrame(socket, 0x20, responseOf(verdict, correlation));
  }
}

/** The answer as the dialects with correlation ids and envelopes write it. */
export function responseOf(verdict: Verdict, custom: Record<string, unknown>): object {
  const { block, redirect, challenge, audit } = verdict;
  const changes = (list: Verdict['requestHeaders']): object[] =>
    (list ?? []).map(({ operation, name, value }) => ({
      [operation]: operation === 'remove' ? { name } : { name, value },
    }));
  return {
    version: 2,
    decision: block ? { block } : redirect ? { redirect } : challenge ? { challenge } : 'allow',
    request_headers: changes(verdict.requestHeaders),
    response_headers: changes(verdict.responseHeaders),
    routing_metadata: {},
    audit: { tags: [], rule_ids: [], reason_codes: [], ...audit, custom: { ...audit?.custom, ...custom } },
    needs_more: verdict.needsMore ?? false,
    ...verdict.extra,
  };
}
