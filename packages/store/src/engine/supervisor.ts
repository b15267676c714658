import { Agent } from 'node:http';
import type { RequestOptions } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../errors.ts';
import type { EngineState } from './client.ts';
import type { EngineEvent } from './events.ts';
import type { EngineProcess } from './engine-process.ts';
import type { Route } from './exchange.ts';
import { startHeartbeat } from './heartbeat.ts';
import { limitSettings } from './limits.ts';
import { ping } from './ping.ts';
import type { EngineEndpoint } from './protocol.ts';

/** What the supervisor keeps running. */
export interface SupervisorOptions {
  /** Starts one engine with a fresh secret. Fails with a StoreError. */
  readonly spawn: () => Promise<{ readonly process: EngineProcess; readonly endpoint: EngineEndpoint }>;
  readonly onEvent: (event: EngineEvent) => void;
  /** How long statements wait for the engine, in milliseconds; quoted in their errors. */
  readonly maxUnavailableMs: number;
  readonly backoff?: Partial<Backoff>;
}

/** Pause between pings of an engine whose connections broke. */
const doubtMs = 20;

/** An engine is pinged this often; one that stays silent six times in a row, about a minute, is ended and started again. */
const heartbeatMs = 5_000;
const forgivenHeartbeats = 5;

/** Pauses before starting again; all in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** An engine that lived this long is started again at once when it ends. */
  readonly healthyMs: number;
  /** How long a lock held at the first start is waited for: an engine whose owner was killed needs a moment to go. */
  readonly lockedMs: number;
}

const defaultBackoff: Backoff = { firstMs: 200, maxMs: 10_000, healthyMs: 60_000, lockedMs: 5_000 };

interface Live {
  readonly process: EngineProcess;
  readonly endpoint: EngineEndpoint;
  readonly agent: Agent;
}

/** Keeps one engine process running and says at any time how it is doing. */
export class EngineSupervisor {
  readonly #options: SupervisorOptions;
  readonly #backoff: Backoff;
  readonly #watchers = new Set<() => void>();
  #state: EngineState = { kind: 'stopped' };
  #live: Live | undefined;
  #restarts = 0;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #starting: Promise<void> | undefined;
  #doubt: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#backoff = { ...defaultBackoff, ...options.backoff };
  }

  get state(): EngineState {
    return this.#state;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Where the running engine is reached, for clients in other threads; undefined while there is none. */
  get endpoint(): EngineEndpoint | undefined {
    return this.#live?.endpoint;
  }

  /** Starts the engine; fails with the reason when it cannot be started. From then on it is started again by itself. */
  async start(): Promise<void> {
    this.#enter({ kind: 'starting', sinceUnixMs: Date.now() });
    const giveUpMs = performance.now() + this.#backoff.lockedMs;
    for (;;) {
      try {
        this.#starting = this.#launch();
        return await this.#starting;
      } catch (caught) {
        const error = asStoreError(caught);
        const mayFree = error.code === 'directory_locked' && performance.now() < giveUpMs;
        if (!mayFree || this.#state.kind !== 'starting') {
          this.#enter({ kind: 'failed', code: error.code, message: error.message });
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, this.#backoff.firstMs));
      } finally {
        this.#starting = undefined;
      }
    }
  }

  /** Ends the engine; running statements get `drainMs` to finish. Idempotent. */
  async stop(drainMs: number): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    clearTimeout(this.#retry);
    this.#enter({ kind: 'stopping' });
    // A start under way cannot be called back; its process is stopped as soon as it is there.
    await this.#starting?.catch(() => undefined);
    const live = this.#live;
    await live?.process.stop(drainMs);
    live?.agent.destroy();
    this.#live = undefined;
    this.#enter({ kind: 'stopped' });
  }

  /** The way to the engine, waiting until a time of `performance.now()` for one that is (re)starting. Fails with `engine_unavailable` or `cancelled`. */
  async route(deadlineMs: number, signal: AbortSignal | undefined): Promise<Route> {
    while (this.#state.kind === 'starting' || this.#state.kind === 'restarting' || this.#doubt !== undefined) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        throw this.#unavailable(
          `it was not ready within ${this.#options.maxUnavailableMs} ms (${limitSettings.unavailable})`,
        );
      }
      await this.#change(leftMs, signal);
    }
    if (this.#state.kind !== 'ready' || this.#live === undefined) throw this.#unavailable('it does not run');
    return routeTo(this.#live.endpoint, this.#live.agent);
  }

  /**
   * To be told when a connection broke. A process that was killed accepts connections for a moment longer and resets them, so
   * statements wait until the engine has answered a ping or its end was noticed; idle connections are worth nothing.
   */
  connectionBroken(): void {
    const live = this.#live;
    if (live === undefined || this.#doubt !== undefined) return;
    for (const sockets of Object.values(live.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    this.#doubt = this.#clearDoubt(live).finally(() => {
      this.#doubt = undefined;
      this.#wakeWaiting();
    });
  }

  async #clearDoubt(live: Live): Promise<void> {
    while (this.#live === live && !(await ping(false, addressOptions(live.endpoint)))) await delay(doubtMs);
  }

  async #launch(): Promise<void> {
    const { process: engine, endpoint } = await this.#options.spawn();
    const live: Live = { process: engine, endpoint, agent: new Agent({ keepAlive: true }) };
    this.#live = live;
    const readyMs = performance.now();
    const endHeartbeat = startHeartbeat({
      everyMs: heartbeatMs,
      forgiven: forgivenHeartbeats,
      ping: () => ping(false, addressOptions(endpoint)),
      onHung: () => void engine.stop(0),
    });
    void engine.ended.then((reason) => {
      endHeartbeat();
      this.#lost(live, reason, performance.now() - readyMs);
    });
    if (this.#state.kind === 'stopping') return;
    this.#enter({ kind: 'ready', sinceUnixMs: Date.now(), version: engine.ready.version, pid: engine.pid });
  }

  #lost(live: Live, reason: string, livedMs: number): void {
    live.agent.destroy();
    if (this.#live === live) this.#live = undefined;
    if (this.#state.kind === 'stopping' || this.#state.kind === 'stopped') return;
    if (livedMs >= this.#backoff.healthyMs) this.#failures = 0;
    this.#scheduleRestart(reason);
  }

  #scheduleRestart(reason: string): void {
    const delayMs = Math.min(this.#backoff.firstMs * 2 ** this.#failures, this.#backoff.maxMs);
    this.#failures++;
    this.#enter({ kind: 'restarting', attempt: this.#failures, retryAtUnixMs: Date.now() + delayMs, reason });
    this.#retry = setTimeout(() => {
      this.#restarts++;
      this.#starting = this.#launch()
        .catch((caught: unknown) => {
          if (this.#state.kind === 'restarting') this.#scheduleRestart(asStoreError(caught).message);
        })
        .finally(() => {
          this.#starting = undefined;
        });
    }, delayMs);
  }

  #enter(state: EngineState): void {
    this.#state = state;
    this.#options.onEvent({ kind: 'state', state });
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    for (const wake of this.#watchers) wake();
  }

  /** Resolves at the next change of state or when a doubt is cleared, or after the time; rejects when the signal aborts. */
  #change(maxMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void =>
      reject(new StoreError('cancelled', 'The statement was cancelled while the engine was starting'));
    const timer = setTimeout(resolve, maxMs);
    this.#watchers.add(resolve);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#watchers.delete(resolve);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  #unavailable(why: string): StoreError {
    const state = this.#state;
    const detail =
      state.kind === 'restarting' ? `: ${state.reason}` : state.kind === 'failed' ? `: ${state.message}` : '';
    return new StoreError(
      'engine_unavailable',
      `The engine cannot be asked, ${why}; its state is ${state.kind}${detail}`,
      {
        details: { state: state.kind },
      },
    );
  }
}

/** The way to an embedded engine. */
export function routeTo(endpoint: EngineEndpoint, agent: Agent): Route {
  return {
    secure: false,
    request: {
      ...addressOptions(endpoint),
      agent,
      headers: { 'x-clickhouse-user': endpoint.user, 'x-clickhouse-key': endpoint.secret },
    },
  };
}

function addressOptions({ address }: EngineEndpoint): RequestOptions {
  return address.kind === 'unix' ? { socketPath: address.socketPath } : { host: address.host, port: address.port };
}

function asStoreError(caught: unknown): StoreError {
  if (caught instanceof StoreError) return caught;
  return new StoreError('engine_unavailable', caught instanceof Error ? caught.message : String(caught), {
    cause: caught,
  });
}
