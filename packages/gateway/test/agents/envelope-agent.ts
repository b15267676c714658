// Agents of the dialect without frame types and handshake. Published ones differ in what they do with bytes they cannot
// parse: some hang up, others stay silent and keep the connection.
import type { Socket } from 'node:net';
import { SocketHost, agentOn, allow, pause, remember, socketPath } from './script.ts';
import type { Script, SeenEvent, StartOptions, TestAgent, Verdict } from './script.ts';

/** How the agent behaves. */
export interface EnvelopeAgentOptions extends StartOptions {
  /** What it does with a frame that is no JSON. Default `hang_up`. */
  readonly onGarbage?: 'hang_up' | 'silence';
  /** Declines its configuration with this text. */
  readonly declinesConfig?: string;
}

/** Starts the agent. */
export async function startEnvelopeAgent(options: EnvelopeAgentOptions = {}): Promise<TestAgent> {
  const seen: SeenEvent[] = [];
  const agent = { script: options.script ?? ((): Verdict => allow) };
  const host = await SocketHost.listen(options.address ?? socketPath(), (socket, connection) => {
    let waiting = Buffer.alloc(0);
    socket.on('data', (piece: Buffer) => {
      waiting = Buffer.concat([waiting, piece]);
      for (;;) {
        if (waiting.length < 4) return;
        const length = waiting.readUInt32BE(0);
        if (waiting.length - 4 < length) return;
        const text = waiting.toString('utf8', 4, 4 + length);
        waiting = waiting.subarray(4 + length);
        const envelope = parse(text);
        if (envelope !== undefined) {
          const event = { type: envelope.event_type, payload: envelope.payload, connection };
          remember(seen, event, options);
          // Not one after another: whoever sends two at once gets what comes first.
          void answer(socket, event, agent.script, options);
        } else if (options.onGarbage !== 'silence') socket.destroy();
      }
    });
  });
  return agentOn(host, seen, agent);
}

interface Envelope {
  readonly version: number;
  readonly event_type: string;
  readonly payload: Record<string, unknown>;
}

function parse(text: string): Envelope | undefined {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return undefined; // What it does then is the point of the option.
  }
}

/** Sends one object. */
export function sendObject(socket: Socket, object: object): void {
  const body = Buffer.from(JSON.stringify(object));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  socket.write(length);
  socket.write(body);
}

async function answer(socket: Socket, event: SeenEvent, script: Script, options: EnvelopeAgentOptions): Promise<void> {
  if (event.type === 'configure') {
    const error = options.declinesConfig;
    return sendObject(socket, error === undefined ? { success: true } : { success: false, error });
  }
  if (event.type === 'request_complete') return sendObject(socket, { success: true });
  const verdict = script(event);
  await pause(verdict.delayMs);
  if (verdict.crash === true) socket.destroy();
  else if (verdict.raw !== undefined) socket.write(verdict.raw);
  else if (verdict.silent !== true) sendObject(socket, reply(verdict));
}

/** A verdict as the dialect writes it. */
export function reply(verdict: Verdict): object {
  if (verdict.extra !== undefined && 'detected' in verdict.extra) return verdict.extra;
  const { block, redirect, challenge } = verdict;
  const list = (changes: Verdict['requestHeaders'] = []): object[] =>
    changes.map((change) => {
      const { operation, ...field } = change;
      return { [operation]: field };
    });
  const decision = block
    ? { block: { status: 403, body: null, headers: null, ...block } }
    : redirect
      ? { redirect }
      : challenge
        ? { challenge }
        : { allow: {} };
  return {
    version: 1,
    decision,
    request_headers: list(verdict.requestHeaders),
    response_headers: verdict.responseHeaders === undefined ? null : list(verdict.responseHeaders),
    audit: verdict.audit ?? null,
    needs_more: verdict.needsMore ?? null,
    ...verdict.extra,
  };
}
