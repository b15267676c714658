import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { AgentClient } from '../client/agent-client.ts';
import type { AgentClientOptions, AgentSnapshot } from '../client/agent-client.ts';
import type { AgentLimitSettings, AgentSettings } from '../settings.ts';
import { AgentChain } from './agent-chain.ts';
import type { CorrelationIds } from './agent-chain.ts';
import { ChainMember } from './members.ts';
import type { MemberSettings } from './members.ts';
import { GatewayError } from '../../errors.ts';

/** How long requests of an earlier configuration may go on to use its agents. */
const retireGraceMs = 30_000;

/** What a directory is made of. */
export interface AgentDirectoryOptions extends Omit<AgentClientOptions, 'limits' | 'circuit'> {
  /** Makes correlation ids, for requests whose own is taken. Default: UUIDs. */
  readonly newCorrelationId?: () => string;
  /** Which ids other threads have: agents may remember requests of all of them by their id. Default: there are no other threads. */
  readonly sharedIds?: SharedCorrelationIds;
}

/** Ids that all threads use. */
export interface SharedCorrelationIds {
  /** Returns false when another thread may have it. */
  take(id: string): boolean;
  release(id: string): void;
}

/** All agents of a gateway. Agents that a new configuration leaves as they are keep their connections and state. */
export class AgentDirectory {
  readonly #options: AgentDirectoryOptions;
  readonly #clients = new Map<string, AgentClient>();
  readonly #retiring = new Set<AgentClient>();
  readonly #correlationIds: CorrelationIds;
  #started = false;

  constructor(options: AgentDirectoryOptions) {
    this.#options = options;
    this.#correlationIds = correlationIds(options.newCorrelationId ?? randomUUID, options.sharedIds);
  }

  /**
   * Takes over a configuration: connects to new agents in the background, once started, and closes those that changed or are gone when
   * their requests are over. `circuits` are those that threads share, by agent; without them each client has its own.
   */
  apply(
    agents: Iterable<AgentSettings>,
    limits: AgentLimitSettings = {},
    circuits?: ReadonlyMap<string, SharedArrayBuffer>,
  ): void {
    const wanted = new Map([...agents].map((settings) => [settings.id, withoutRest(settings)]));
    for (const [id, client] of this.#clients) {
      const same = isDeepStrictEqual([wanted.get(id), limits], [client.settings, client.limitSettings]);
      if (same) continue;
      this.#clients.delete(id);
      this.#retire(client);
    }
    for (const [id, settings] of wanted) {
      if (this.#clients.has(id)) continue;
      const client = new AgentClient(settings, { ...this.#options, limits, circuit: circuits?.get(id) });
      this.#clients.set(id, client);
      if (this.#started) client.start();
    }
  }

  /** Begins to connect. */
  start(): void {
    this.#started = true;
    for (const client of this.#clients.values()) client.start();
  }

  /** A chain of agents of the present configuration. Fails with `closed` for an agent that is not in it. */
  chain(members: readonly MemberSettings[]): AgentChain {
    const resolved = members.map((member) => {
      const client = this.#clients.get(member.agentId);
      if (client !== undefined) return new ChainMember(client, member);
      throw new GatewayError('closed', `there is no agent ${JSON.stringify(member.agentId)} in the configuration`);
    });
    return new AgentChain(resolved, this.#correlationIds);
  }

  /** Plain data about all agents. */
  snapshot(): AgentSnapshot[] {
    return [...this.#clients.values()].map((client) => client.snapshot());
  }

  /** Waits for running requests for at most `graceMs`, then closes everything. */
  async close(graceMs: number): Promise<void> {
    const clients = [...this.#clients.values(), ...this.#retiring];
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close(graceMs)));
  }

  #retire(client: AgentClient): void {
    this.#retiring.add(client);
    void client.close(retireGraceMs).then(() => this.#retiring.delete(client));
  }
}

/** Settings without members that do not concern the client, such as where they were written. */
function withoutRest(
  settings: AgentSettings & { readonly position?: unknown; readonly type?: unknown },
): AgentSettings {
  const { position: _position, type: _type, ...own } = settings;
  return own;
}

function correlationIds(newId: () => string, shared: SharedCorrelationIds | undefined): CorrelationIds {
  const taken = new Set<string>();
  return {
    claim(wanted) {
      let id = wanted;
      while (taken.has(id)) id = newId();
      // New ids are unlike any other: only those that clients choose can be with two threads.
      if (shared?.take(id) === false) id = newId();
      taken.add(id);
      return id;
    },
    release(id) {
      taken.delete(id);
      shared?.release(id);
    },
  };
}
