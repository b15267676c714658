// What test agents have in common: they do as a script says, and remember what they were told. The protocols themselves are
// written anew in each agent, from the published wire formats, so that a mistake of the gateway is not made twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What an agent was told. */
export interface SeenEvent {
  /** The protocol's own name or number of the event. */
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Which connection it came on, from 1. */
  readonly connection: number;
}

/** How an agent answers, in no dialect. */
export interface Verdict {
  readonly block?: { readonly status?: number; readonly body?: string; readonly headers?: Record<string, string> };
  readonly redirect?: { readonly url: string; readonly status: number };
  readonly challenge?: { readonly challenge_type: string; readonly params: Record<string, string> };
  readonly requestHeaders?: readonly HeaderChange[];
  readonly responseHeaders?: readonly HeaderChange[];
  readonly audit?: { readonly tags?: string[]; readonly rule_ids?: string[]; readonly custom?: Record<string, string> };
  readonly needsMore?: boolean;
  /** Only where the dialect has it. */
  readonly extra?: Record<string, unknown>;
  /** Waits before it answers. */
  readonly delayMs?: number;
  /** Sends these bytes instead of an answer. */
  readonly raw?: Uint8Array;
  /** Never answers. */
  readonly silent?: boolean;
  /** Ends the connection instead of answering, or after the raw bytes. */
  readonly crash?: boolean;
}

/** One change of a header. */
export interface HeaderChange {
  readonly operation: 'set' | 'add' | 'remove';
  readonly name: string;
  readonly value?: string;
}

/** Decides about every event that gets an answer. */
export type Script = (event: SeenEvent) => Verdict;

/** What is decided about everything else. */
export const allow: Verdict = {};

/** An agent for tests. */
export interface TestAgent {
  /** The Unix socket, or host and port. */
  readonly address: string;
  readonly seen: SeenEvent[];
  /** Replaces what the agent does from now on. */
  script: Script;
  /** Connections open now, and ever made. */
  readonly connections: { readonly open: number; readonly total: number };
  /** Cuts all connections and goes on listening. */
  cut(): void;
  /** Ends, and takes the socket away. */
  stop(): Promise<void>;
}

/** How an agent is started. */
export interface StartOptions {
  readonly script?: Script;
  /** Listens here instead of on a new path or port. */
  readonly address?: string;
  /** Forgets what it is told, for long runs. */
  readonly forgetful?: boolean;
}

/** Notes an event, unless the agent is forgetful. */
export function remember(seen: SeenEvent[], event: SeenEvent, options: StartOptions): void {
  if (options.forgetful !== true) seen.push(event);
}

/** Waits, then answers. */
export async function pause(delayMs: number | undefined): Promise<void> {
  if (delayMs === undefined) return;
  await new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

const folders: string[] = [];

/** A path for a Unix socket that nobody uses. */
export function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'agent-'));
  folders.push(folder);
  return join(folder, 'agent.sock');
}

/** Removes the folders of all socket paths. */
export function removeSocketPaths(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A server on a Unix socket that keeps track of its connections. */
export class SocketHost {
  readonly address: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #total = 0;

  private constructor(address: string, onConnection: (socket: Socket, number: number) => void) {
    this.address = address;
    this.#server = createServer((socket) => {
      this.#open.add(socket);
      const number = ++this.#total;
      // A gateway that hangs up in the middle is what many tests are about.
      socket.on('error', () => undefined);
      socket.on('close', () => this.#open.delete(socket));
      onConnection(socket, number);
    });
  }

  static async listen(address: string, onConnection: (socket: Socket, number: number) => void): Promise<SocketHost> {
    const host = new SocketHost(address, onConnection);
    await new Promise<void>((resolve, reject) => {
      host.#server.once('error', reject);
      host.#server.listen(address, () => resolve());
    });
    return host;
  }

  get connections(): { readonly open: number; readonly total: number } {
    return { open: this.#open.size, total: this.#total };
  }

  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** The agent behind a host. */
export function agentOn(host: SocketHost, seen: SeenEvent[], state: { script: Script }): TestAgent {
  return {
    seen,
    get address() {
      return host.address;
    },
    get script() {
      return state.script;
    },
    set script(script: Script) {
      state.script = script;
    },
    get connections() {
      return host.connections;
    },
    cut: () => host.cut(),
    stop: () => host.stop(),
  };
}
