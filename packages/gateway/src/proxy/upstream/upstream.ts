import { isDeepStrictEqual } from 'node:util';
import { CircuitBreaker } from '../../agents/index.ts';
import type { CircuitPass, CircuitState } from '../../agents/index.ts';
import type { TargetConfig, UpstreamConfig } from '../../config/model/upstream.ts';
import type { GatewayObserver } from '../observer.ts';
import { balancerFor } from './balancer.ts';
import type { Balancer, BalancerRequest } from './balancer.ts';
import { ConnectionPool } from './connection-pool.ts';
import { HealthMonitor } from './health-monitor.ts';
import type { HostResolver } from './resolver.ts';
import { Target } from './target.ts';
import type { ProbedHealth } from './target.ts';

/** Plain data about a target, for people and metrics. */
export interface TargetSnapshot {
  readonly address: string;
  readonly weight: number;
  readonly status: ProbedHealth;
  /** What probes alone say. */
  readonly probed: ProbedHealth;
  /** How many requests in the recent past `failureRate` is about. */
  readonly results: number;
  readonly failureRate: number;
  readonly lastError: string | null;
  readonly activeRequests: number;
  readonly connections: number;
  readonly idleConnections: number;
}

/** Plain data about an upstream. */
export interface UpstreamSnapshot {
  readonly id: string;
  readonly loadBalancing: string;
  readonly circuit: CircuitState | undefined;
  readonly targets: readonly TargetSnapshot[];
}

/** Servers that do the same, how they are, and how one of them is chosen. */
export class Upstream {
  readonly config: UpstreamConfig;
  readonly targets: readonly Target[];
  readonly #balancer: Balancer;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #monitors: readonly HealthMonitor[];
  readonly #observer: GatewayObserver;
  /** Filled anew for every choice among several targets. */
  readonly #candidates: Target[] = [];

  /** `circuit`: where the circuit is kept that threads share. */
  constructor(config: UpstreamConfig, resolver: HostResolver, observer: GatewayObserver, circuit?: SharedArrayBuffer) {
    this.config = config;
    this.#observer = observer;
    this.#balancer = balancerFor(config.loadBalancing);
    const onRecovery = (target: Target, reason: string): void =>
      observer.healthChanged({ upstreamId: config.id, target: target.name, healthy: true, probed: false, reason });
    this.targets = config.targets.map((target) => new Target(target, this.#makePool(target, resolver), onRecovery));
    const { circuitBreaker, healthCheck, tls } = config;
    const onCircuit = (state: CircuitState): void => observer.breakerChanged(config.id, state);
    this.#breaker = circuitBreaker && new CircuitBreaker(circuitBreaker, onCircuit, { memory: circuit });
    const onChange = (target: Target, healthy: boolean, reason: string): void =>
      observer.healthChanged({ upstreamId: config.id, target: target.name, healthy, probed: true, reason });
    this.#monitors =
      healthCheck === undefined
        ? []
        : this.targets.map((target) => new HealthMonitor(target, { config: healthCheck, tls, resolver, onChange }));
  }

  /** Begins to probe. */
  start(): void {
    for (const monitor of this.#monitors) monitor.start();
  }

  get hasBreaker(): boolean {
    return this.#breaker !== undefined;
  }

  /** The right to make an attempt; undefined while the circuit is open. Only asked when there is a breaker. */
  enter(): CircuitPass | undefined {
    return this.#breaker?.enter();
  }

  /**
   * A target for an attempt; undefined when none can be used. Those tried already come last. Targets that fail often are
   * avoided as long as there are others: with all of them failing, avoiding would only replace their errors.
   */
  choose(request: BalancerRequest, tried: readonly Target[]): Target | undefined {
    const { targets } = this;
    if (targets.length === 1) return targets[0]!.usable ? targets[0] : undefined;
    const candidates = this.#candidates;
    const nowMs = performance.now();
    candidates.length = 0;
    for (const target of targets) {
      if (target.usable && !target.passive.avoided(nowMs) && !tried.includes(target)) candidates.push(target);
    }
    if (candidates.length === 0)
      for (const target of targets) if (target.usable && !tried.includes(target)) candidates.push(target);
    if (candidates.length === 0) for (const target of targets) if (target.usable) candidates.push(target);
    return candidates.length === 0 ? undefined : this.#balancer(candidates, request);
  }

  /** How an attempt went, for passive health. */
  record(target: Target, failed: boolean, reason: string, nowMs: number): void {
    if (failed) target.lastError = reason;
    if (!target.passive.record(failed, nowMs)) return;
    const change = { upstreamId: this.config.id, target: target.name, healthy: false, probed: false };
    this.#observer.healthChanged({ ...change, reason: `more than half of its requests failed, the last: ${reason}` });
  }

  /** Takes over what the probes of another thread found out. */
  adoptHealth(name: string, healthy: boolean, reason: string): void {
    const target = this.targets.find((candidate) => candidate.name === name);
    if (target === undefined) return;
    target.probed = healthy ? 'healthy' : 'unhealthy';
    target.lastError = healthy ? '' : reason;
    if (healthy) target.passive.reset();
  }

  snapshot(): UpstreamSnapshot {
    const nowMs = performance.now();
    return {
      id: this.config.id,
      loadBalancing: this.config.loadBalancing,
      circuit: this.#breaker?.state,
      targets: this.targets.map((target) => ({
        address: target.name,
        weight: target.config.weight,
        status: target.passive.avoided(nowMs) ? 'unhealthy' : target.probed,
        probed: target.probed,
        results: target.passive.results,
        failureRate: target.passive.failureRate,
        lastError: target.lastError === '' ? null : target.lastError,
        activeRequests: target.active,
        connections: target.pool.size,
        idleConnections: target.pool.idle,
      })),
    };
  }

  /** Whether a configuration asks for the very same upstream. */
  isLike(config: UpstreamConfig): boolean {
    return isDeepStrictEqual({ ...config, position: undefined }, { ...this.config, position: undefined });
  }

  /** Ends probes and, as requests need them no more, connections. Resolves when there are none. */
  async retire(): Promise<void> {
    for (const monitor of this.#monitors) monitor.stop();
    await Promise.all(this.targets.map(({ pool }) => pool.retire()));
  }

  /** Ends everything now. */
  destroy(): void {
    for (const monitor of this.#monitors) monitor.stop();
    for (const { pool } of this.targets) pool.destroy();
  }

  #makePool(target: TargetConfig, resolver: HostResolver): ConnectionPool {
    const { tls, connectionPool: pool, timeouts, maxResponseHeadBytes: maxHeadBytes } = this.config;
    const { connectMs: connectTimeoutMs, readMs: readTimeoutMs } = timeouts;
    return new ConnectionPool({ target, tls, resolver, pool, connectTimeoutMs, readTimeoutMs, maxHeadBytes });
  }
}
