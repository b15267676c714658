import { randomBytes, randomUUID } from 'node:crypto';
import { errorMessage, observeLimits } from '@clew/base';
import type { Telemetry } from '@clew/base';
import { AgentDirectory } from '../../agents/index.ts';
import type { AgentSnapshot, SharedCorrelationIds } from '../../agents/index.ts';
import { compareConfigs, effectiveConfig } from '../../config/changes.ts';
import type { GatewayConfig } from '../../config/model.ts';
import { RouteMatcher } from '../../routing/matcher.ts';
import { RateLimiters } from '../filters/rate-limit.ts';
import type { MakeBuckets } from '../filters/rate-limit.ts';
import { InFlight } from '../flow/gateway-context.ts';
import type { GatewayContext, Generation } from '../flow/gateway-context.ts';
import { globalLimiter } from '../flow/filter-steps.ts';
import { planRoute } from '../flow/route-plan.ts';
import { tinyflake } from '../headers/correlation-id.ts';
import { blindObserver } from '../observer.ts';
import type { GatewayObserver, HealthChange, ReloadOutcome, TraceStarter } from '../observer.ts';
import { HostResolver } from '../upstream/resolver.ts';
import { UpstreamDirectory } from '../upstream/upstream-directory.ts';
import type { UpstreamSnapshot } from '../upstream/upstream.ts';
import { ConnectionCounter } from './connections.ts';
import { gatewayLimits } from './limits.ts';
import { ListenerServer } from './listener-server.ts';
import type { SharedCircuits } from './shared-circuits.ts';
import type { SharedTally } from './shared-tally.ts';
import { GatewayError } from '../../errors.ts';

/** Heads beyond this are refused by the parser itself; limits below answer in their own words. */
const minHeadBytes = 128 * 1024;
const minHeadFields = 1000;

const TICKET_SECRET_BYTES = 32;

/** What a gateway is given besides its configuration. */
export interface GatewayServerOptions {
  readonly telemetry: Telemetry;
  /** Told of everything that happens. Default: nobody. */
  readonly observer?: GatewayObserver;
  /** Decides about the traces of requests under a configuration; undefined = they are not traced. */
  readonly traceStarter?: (config: GatewayConfig) => TraceStarter | undefined;
  /** The gateway's version, as agents and the `status` handler are told. */
  readonly version: string;
  /** Names this process in logs. Default: a UUID. */
  readonly instanceId?: string;
  /** What the `metrics` handler answers. */
  readonly metricsText?: () => string | Promise<string>;
  /** What the `upstreams` handler answers. Default: what this thread knows. */
  readonly upstreams?: () => Promise<readonly UpstreamSnapshot[]>;
  /** When the gateway started, as `performance.now()` would say. Default: now. */
  readonly startedMs?: number;
  /** Whether other processes listen on the same addresses (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean;
  /** Whether upstreams are probed; else {@link GatewayServer.adoptHealth} tells what another thread found out. Default true. */
  readonly probes?: boolean;
  /** What other threads have, for limits that hold for all together. Default: there are none. */
  readonly tally?: SharedTally;
  /** Names of requests that other threads have told agents. Default: there are none. */
  readonly sharedIds?: SharedCorrelationIds;
  /** What keys of TLS tickets are made from: with the same secret, threads resume each other's sessions. Default: one of its own. */
  readonly ticketSecret?: Uint8Array;
  /** What counts against rates. Default: this thread alone. */
  readonly makeBuckets?: MakeBuckets;
  /** For a whole request head, in milliseconds. Default: as each listener says. */
  readonly headTimeoutMs?: number;
  /** Resolves the host names of upstreams. Default: the system. */
  readonly resolver?: HostResolver;
}

/** Where a gateway stands. */
export type GatewayState = 'new' | 'running' | 'draining' | 'stopped';

/** Plain data about a gateway. */
export interface GatewaySnapshot {
  readonly state: GatewayState;
  readonly instanceId: string;
  readonly listeners: readonly { readonly id: string; readonly host: string; readonly port: number }[];
  readonly activeRequests: number;
  readonly openConnections: number;
  readonly upstreams: readonly UpstreamSnapshot[];
  readonly agents: readonly AgentSnapshot[];
}

/** The gateway: `start`, any number of `reload`, `drain`. */
export class GatewayServer {
  readonly instanceId: string;
  readonly #options: GatewayServerOptions;
  readonly #observer: GatewayObserver;
  readonly #upstreams: UpstreamDirectory;
  readonly #rateLimiters: RateLimiters;
  readonly #counter: ConnectionCounter;
  readonly #inFlight: InFlight;
  readonly #startedMs: number;
  readonly #ticketSecret: Uint8Array;
  #agents: AgentDirectory | undefined;
  #context: GatewayContext | undefined;
  #config: GatewayConfig | undefined;
  #listeners: ListenerServer[] = [];
  #endLimits: (() => void) | undefined;
  #state: GatewayState = 'new';
  #draining: Promise<boolean> | undefined;

  constructor(options: GatewayServerOptions) {
    this.#options = options;
    this.instanceId = options.instanceId ?? randomUUID();
    this.#observer = options.observer ?? blindObserver;
    this.#ticketSecret = options.ticketSecret ?? randomBytes(TICKET_SECRET_BYTES);
    this.#startedMs = options.startedMs ?? performance.now();
    this.#rateLimiters = new RateLimiters(options.makeBuckets);
    this.#counter = new ConnectionCounter(options.tally);
    this.#inFlight = new InFlight(options.tally);
    this.#upstreams = new UpstreamDirectory(this.#observer, options.resolver ?? new HostResolver(), options.probes);
  }

  get state(): GatewayState {
    return this.#state;
  }

  /** The configuration in force; undefined before the start. */
  get config(): GatewayConfig | undefined {
    return this.#config;
  }

  /**
   * Opens the listeners. Nothing else need be there: upstreams, agents and their names are looked for when they are needed.
   * Fails with `bind_failed` or `tls_config`; nothing stays open then. `circuits` are those that threads share.
   */
  async start(config: GatewayConfig, circuits?: SharedCircuits): Promise<void> {
    if (this.#state !== 'new')
      throw new GatewayError('invalid_state', `the gateway is ${this.#state}; it starts only once`);
    const { telemetry, version } = this.#options;
    this.#agents = new AgentDirectory({
      telemetry,
      proxyVersion: version,
      onCircuitChange: (agentId, state) => this.#observer.agentBreakerChanged(agentId, state),
      ...(this.#options.sharedIds === undefined ? {} : { sharedIds: this.#options.sharedIds }),
      newCorrelationId: () => tinyflake(Date.now()),
    });
    const context: GatewayContext = {
      observer: this.#observer,
      inFlight: this.#inFlight,
      builtin: {
        version,
        instanceId: this.instanceId,
        startedMs: this.#startedMs,
        metricsText: this.#options.metricsText,
        upstreams: this.#options.upstreams ?? (() => this.#upstreams.snapshot()),
        config: () => this.#config!,
      },
      generation: this.#generation(config, circuits),
    };
    this.#context = context;
    this.#config = config;
    try {
      this.#listeners = config.listeners.map((listener) => this.#makeListener(listener, config, context));
      for (const listener of this.#listeners) {
        await listener.bind();
        const { host } = listener.config.address;
        telemetry.logger.info('Listening.', { listener: listener.config.id, address: `${host}:${listener.port}` });
      }
    } catch (caught) {
      await this.#close();
      throw caught;
    }
    // What looks at other programs begins when nothing can fail any more.
    this.#upstreams.start();
    this.#agents.start();
    this.#state = 'running';
  }

  /**
   * Takes over a configuration. Requests in progress finish under the one they began with; upstreams, agents and rates that
   * did not change keep their connections and state. Listeners and the `system` block stay as they are until a restart.
   * Never fails: when the configuration cannot be used the old one stays.
   */
  reload(config: GatewayConfig, circuits?: SharedCircuits): ReloadOutcome {
    const context = this.#context;
    const present = this.#config;
    if (context === undefined || present === undefined || this.#state !== 'running') {
      return this.#reloaded({ result: 'failure', restartNeeded: [], error: `the gateway is ${this.#state}` });
    }
    const { needRestart: restartNeeded } = compareConfigs(present, config);
    try {
      for (const listener of this.#listeners) listener.reloadCertificates();
      const kept = effectiveConfig(present, config);
      context.generation = this.#generation(kept, circuits);
      this.#config = kept;
    } catch (caught) {
      return this.#reloaded({ result: 'failure', restartNeeded, error: errorMessage(caught) });
    }
    for (const what of restartNeeded)
      this.#options.telemetry.logger.warn('A change needs a restart.', { setting: what });
    return this.#reloaded({ result: 'success', restartNeeded });
  }

  /**
   * Stops: no new connections, idle ones end, running requests get until `limitMs` from now. Resolves to whether all of
   * them could finish; those that could not are cut off. Idempotent.
   */
  drain(limitMs: number): Promise<boolean> {
    return (this.#draining ??= this.#drain(limitMs));
  }

  snapshot(): GatewaySnapshot {
    return {
      state: this.#state,
      instanceId: this.instanceId,
      listeners: this.#listeners.map(({ config, port }) => ({ id: config.id, host: config.address.host, port })),
      activeRequests: this.#inFlight.size,
      openConnections: this.#counter.open,
      upstreams: this.#upstreams.snapshot(),
      agents: this.#agents?.snapshot() ?? [],
    };
  }

  async #drain(limitMs: number): Promise<boolean> {
    if (this.#state === 'stopped') return true;
    this.#state = 'draining';
    const endMs = performance.now() + limitMs;
    for (const listener of this.#listeners) listener.stopAccepting();
    const done = await this.#inFlight.drain(limitMs);
    if (!done) this.#inFlight.killAll();
    await this.#close(Math.max(endMs - performance.now(), 0));
    return done;
  }

  /** Reads certificates anew, of each listener for itself; the observer hears how that went. */
  reloadCertificates(): void {
    for (const listener of this.#listeners) {
      try {
        listener.reloadCertificates();
      } catch {
        // The observer has been told; the old certificates stay.
      }
    }
  }

  /** Takes over what the probes of another thread found out. */
  adoptHealth({ upstreamId, target, healthy, reason }: Omit<HealthChange, 'probed'>): void {
    this.#upstreams.get(upstreamId)?.adoptHealth(target, healthy, reason);
  }

  #makeListener(
    listener: GatewayConfig['listeners'][number],
    config: GatewayConfig,
    context: GatewayContext,
  ): ListenerServer {
    return new ListenerServer({
      config: listener,
      context,
      counter: this.#counter,
      logger: this.#options.telemetry.logger,
      reusePort: this.#options.reusePort ?? false,
      ticketSecret: this.#ticketSecret,
      headTimeoutMs: this.#options.headTimeoutMs ?? listener.headTimeoutMs,
      maxHeadBytes: Math.max(minHeadBytes, config.limits.maxHeaderBytes * 2, config.limits.maxTargetBytes * 2),
      maxHeadFields: Math.max(minHeadFields, config.limits.maxHeaderCount * 2),
    });
  }

  #generation(config: GatewayConfig, circuits: SharedCircuits | undefined): Generation {
    const limits = gatewayLimits(config.limits, config.system.maxConnections);
    const agents = this.#agents!;
    this.#upstreams.apply(config.upstreams, circuits?.upstreams);
    const { maxAgentResponseBytes: maxAnswerBytes, maxAgentQueueDepth: maxQueuedCalls } = config.limits;
    agents.apply(config.agents.values(), { maxAnswerBytes, maxQueuedCalls }, circuits?.agents);
    this.#rateLimiters.begin();
    const sources = { config, limits, upstreams: this.#upstreams, agents, rateLimiters: this.#rateLimiters };
    const plans = new Map(config.routes.map((route) => [route.id, planRoute(route, sources)]));
    const ofAll = globalLimiter(sources);
    this.#rateLimiters.commit();
    this.#endLimits?.();
    this.#endLimits = observeLimits(this.#options.telemetry.meter, Object.values(limits));
    return {
      matcher: new RouteMatcher(config.routes, { cacheSize: config.system.routeCacheSize }),
      plans,
      listeners: new Map(config.listeners.map((listener) => [listener.id, listener])),
      limits,
      globalLimiter: ofAll,
      correlationIdFormat: config.system.traceIdFormat,
      traceStarter: this.#options.traceStarter?.(config),
    };
  }

  #reloaded(outcome: ReloadOutcome): ReloadOutcome {
    this.#observer.reloaded(outcome);
    return outcome;
  }

  async #close(agentGraceMs = 0): Promise<void> {
    this.#state = 'stopped';
    for (const listener of this.#listeners) listener.destroy();
    this.#endLimits?.();
    this.#upstreams.destroy();
    await this.#agents?.close(agentGraceMs);
  }
}
