// Agents that are told of each event by a request of its own.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { reply } from './envelope-agent.ts';
import { allow, pause, remember } from './script.ts';
import type { SeenEvent, StartOptions, TestAgent, Verdict } from './script.ts';

/** How the agent behaves. */
export interface HttpAgentOptions extends StartOptions {
  /** Declines its configuration with this text. */
  readonly declinesConfig?: string;
  /** What every request is answered with. Default 200. */
  readonly status?: number;
  /** Speaks TLS with these. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** An agent, and the heads of the requests it got. */
export interface HttpTestAgent extends TestAgent {
  readonly requests: IncomingMessage[];
  /** Requests whose client went away before the answer. */
  readonly abandoned: () => number;
}

/** Starts the agent. */
export async function startHttpAgent(options: HttpAgentOptions = {}): Promise<HttpTestAgent> {
  const seen: SeenEvent[] = [];
  const requests: IncomingMessage[] = [];
  const open = new Set<Socket>();
  const state = { script: options.script ?? ((): Verdict => allow), total: 0, abandoned: 0 };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(request);
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('close', () => {
      if (!response.writableFinished) state.abandoned++;
    });
    request.on('end', () => {
      const envelope = JSON.parse(Buffer.concat(pieces).toString()) as {
        event_type: string;
        payload: SeenEvent['payload'];
      };
      const event = { type: envelope.event_type, payload: envelope.payload, connection: 1 };
      remember(seen, event, options);
      void answer(response, event, state.script, options);
    });
  };
  const server = options.tls === undefined ? createServer(handle) : createSecureServer(options.tls, handle);
  server.on('connection', (socket: Socket) => {
    state.total++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  const port = options.address === undefined ? 0 : Number(new URL(options.address).port);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const scheme = options.tls === undefined ? 'http' : 'https';
  const address = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/agent?team=a`;
  return {
    seen,
    requests,
    address,
    abandoned: () => state.abandoned,
    get script() {
      return state.script;
    },
    set script(script) {
      state.script = script;
    },
    get connections() {
      return { open: open.size, total: state.total };
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  response: ServerResponse,
  event: SeenEvent,
  script: TestAgent['script'],
  { declinesConfig, status = 200 }: HttpAgentOptions,
): Promise<void> {
  const send = (object: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(object));
  };
  if (event.type === 'configure') {
    return send(declinesConfig === undefined ? { success: true } : { success: false, error: declinesConfig });
  }
  if (event.type === 'request_complete') return send({ success: true });
  const verdict = script(event);
  await pause(verdict.delayMs);
  if (verdict.crash === true) response.destroy();
  else if (verdict.raw !== undefined) response.end(verdict.raw);
  else if (verdict.silent !== true) send(reply(verdict));
}
