// An agent of the dialect with typed frames and numeric request ids.
import type { Socket } from 'node:net';
import { SocketHost, agentOn, allow, pause, remember, socketPath } from './script.ts';
import type { Script, SeenEvent, StartOptions, TestAgent, Verdict } from './script.ts';

/** What the agent says about itself. */
export interface NumberedAgentOptions extends StartOptions {
  readonly declines?: string;
  readonly handles?: readonly ('request_headers' | 'request_body' | 'response_headers' | 'response_body')[];
}

const kinds = new Map([
  [0x10, 'request_headers'],
  [0x11, 'request_body'],
  [0x12, 'response_headers'],
  [0x13, 'response_body'],
  [0x30, 'cancel'],
  [0x31, 'cancel_all'],
]);

/** Starts the agent. */
export async function startNumberedAgent(options: NumberedAgentOptions = {}): Promise<TestAgent> {
  const seen: SeenEvent[] = [];
  const agent = { script: options.script ?? ((): Verdict => allow) };
  const host = await SocketHost.listen(options.address ?? socketPath(), (socket, connection) => {
    void serve(socket, async (type, payload) => {
      if (type === 0x01) {
        remember(seen, { type: 'handshake', payload, connection }, options);
        write(socket, 0x02, handshake(options));
      } else if (type === 0xf0) write(socket, 0xf1, { timestamp: payload['timestamp'] });
      else {
        const name = kinds.get(type);
        if (name === undefined) return write(socket, 0x20, { request_id: 0, decision: 'allow' });
        const event = { type: name, payload, connection };
        remember(seen, event, options);
        if (!name.startsWith('cancel')) await answer(socket, event, agent.script);
      }
    });
  });
  return agentOn(host, seen, agent);
}

function handshake({ declines, handles }: NumberedAgentOptions): object {
  const all = ['request_headers', 'request_body', 'response_headers', 'response_body'] as const;
  const handled = all.map((event) => [`handles_${event}`, (handles ?? all).includes(event)]);
  return {
    protocol_version: 2,
    agent_name: 'numbered test agent',
    accepted: declines === undefined,
    error: declines,
    capabilities: { ...(Object.fromEntries(handled) as object), supports_streaming: true, supports_cancellation: true },
  };
}

async function serve(
  socket: Socket,
  onFrame: (type: number, payload: Record<string, unknown>) => Promise<void>,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of socket as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, piece]);
      while (rest.length > 3) {
        const size = rest.readUInt32BE();
        if (rest.length < 4 + size) break;
        const frame = rest.subarray(4, 4 + size);
        rest = rest.subarray(4 + size);
        const object: unknown = JSON.parse(frame.toString('utf8', 1));
        await onFrame(frame.readUInt8(), object as Record<string, unknown>);
      }
    }
  } catch {
    socket.destroy(); // The gateway hung up, or sent what is no JSON: the same to this agent.
  }
}

function write(socket: Socket, type: number, object: object): void {
  const json = Buffer.from(JSON.stringify(object));
  const frame = Buffer.allocUnsafe(5 + json.length);
  frame.writeUInt32BE(1 + json.length, 0);
  frame[4] = type;
  json.copy(frame, 5);
  socket.write(frame);
}

async function answer(socket: Socket, event: SeenEvent, script: Script): Promise<void> {
  const verdict = script(event);
  await pause(verdict.delayMs);
  if (verdict.crash === true) socket.destroy();
  else if (verdict.raw !== undefined) socket.write(verdict.raw);
  else if (verdict.silent !== true) {
    const { block, redirect, challenge, needsMore } = verdict;
    write(socket, 0x20, {
      request_id: event.payload['request_id'],
      decision: block
        ? { block }
        : redirect
          ? { redirect }
          : challenge
            ? { challenge }
            : needsMore === true
              ? { needs_more: true }
              : 'allow',
      request_headers: verdict.requestHeaders,
      response_headers: verdict.responseHeaders,
      audit: verdict.audit,
    });
  }
}
