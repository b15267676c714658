import type { AgentConnection, AgentHealth } from '../dialects/connection.ts';
import { pingIntervalMs, pingTimeoutMs } from '../settings.ts';
import { WaitingLine } from './call-scope.ts';
import { GatewayError } from '../../errors.ts';
import type { AgentError } from '../errors.ts';

/** A connection of a pool: who uses it, who waits for it, and whether it still lives. */
export class PooledConnection {
  readonly connection: AgentConnection;
  readonly openedMs = performance.now();
  /** Calls of requests that this connection knows; they cannot go elsewhere. */
  readonly line = new WaitingLine<PooledConnection>();
  health: AgentHealth = { state: 'healthy' };
  #calls = 0;
  #usedMs = performance.now();
  readonly #pinger: NodeJS.Timeout | undefined;

  constructor(connection: AgentConnection) {
    this.connection = connection;
    if (connection.ping === undefined) return;
    this.#pinger = setInterval(() => void this.#pingWhenIdle(), pingIntervalMs);
    this.#pinger.unref();
  }

  /** Calls that run on it. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether it takes another call now. */
  get free(): boolean {
    return !this.connection.closed && this.#calls < this.connection.maxCalls;
  }

  /** Whether the agent wants no new requests on it. */
  get draining(): boolean {
    return this.health.state === 'draining';
  }

  begin(): void {
    this.#calls++;
  }

  end(): void {
    this.#calls--;
    this.#usedMs = performance.now();
  }

  /** It is gone: nobody needs to wait for it any more. */
  dispose(): void {
    clearInterval(this.#pinger);
    this.line.dismiss(stateLost());
  }

  async #pingWhenIdle(): Promise<void> {
    const { connection } = this;
    if (this.#calls > 0 || performance.now() - this.#usedMs < pingIntervalMs || connection.closed) return;
    // A connection that does not answer is closed, which rejects the ping.
    const overdue = setTimeout(() => connection.close(), pingTimeoutMs);
    try {
      await connection.ping?.();
    } catch {
      connection.close();
    } finally {
      clearTimeout(overdue);
    }
  }
}

/** The error of a call about a request that no connection knows any more. */
export function stateLost(): AgentError {
  const message = 'the connection that knew the request was lost, so the agent cannot be asked about it any more';
  return new GatewayError('state_lost', message);
}
